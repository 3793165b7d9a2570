package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// maxMutants is the largest number of a mutant.
const maxMutants = 1<<16 - 1

// switches is the code that is added to each package with mutants. The environment
// chooses the mutant, and the file in which those that are reached are marked. The file is
// mapped into memory, because some tests start processes that may not write files.
const switches = `package %s

import (
	"os"
	"strconv"
	"syscall"
)

var mutantNumber, _ = strconv.Atoi(os.Getenv("MUTANT"))

// mutantsReached has a byte for each mutant, and is empty if it is not asked for.
var mutantsReached = func() []byte {
	name := os.Getenv("MUTANTS_REACHED")
	if name == "" {
		return nil
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	marks, err := syscall.Mmap(int(file.Fd()), 0, %d, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return marks
}()

// mutantOn reports whether the code of a mutant runs.
func mutantOn(number int) bool {
	if len(mutantsReached) > 0 {
		mutantsReached[number] = 1
	}
	return number == mutantNumber
}

// mutantOut returns value, or zero for the mutant.
func mutantOut[T any](number int, value T) T {
	if mutantOn(number) {
		var zero T
		return zero
	}
	return value
}

// mutantUnless calls f, except for the mutant.
func mutantUnless(number int, f func()) {
	if !mutantOn(number) {
		f()
	}
}
`

// A switcher writes the code of a file with all its mutants: each changed expression
// and statement asks mutantOn whether its mutant runs.
type switcher struct {
	code    []byte
	set     *token.FileSet
	info    *types.Info
	own     *types.Package
	imports map[*types.Package]string // the names of imported packages in the file
	numbers map[change]int            // of the mutants

	conditions map[ast.Expr][]numbered // of if statements
	listed     map[ast.Stmt]bool       // in a block, where an if statement can replace them
	fixed      map[ast.Stmt]bool       // in a select statement
	switched   map[int]bool            // the mutants that the code has
}

// A change replaces the code from one offset to another.
type change struct {
	from, to int
	text     string
}

// numbered is a mutant of a node.
type numbered struct {
	number int
	text   string // that replaces a part of the node
	code   string // of the whole node
}

// file returns the code of the file. A mutant is not in the code, and not in s.switched,
// where the type of an expression cannot be written, or a statement must stay.
func (s *switcher) file(file *ast.File) string {
	s.conditions = make(map[ast.Expr][]numbered)
	s.listed, s.fixed = make(map[ast.Stmt]bool), make(map[ast.Stmt]bool)
	s.imports = make(map[*types.Package]string)
	for _, spec := range file.Imports {
		if name := s.info.PkgNameOf(spec); name != nil {
			s.imports[name.Imported()] = name.Name()
		}
	}
	var code strings.Builder
	at := file.FileStart
	for _, declaration := range file.Decls {
		code.WriteString(s.plain(at, declaration.Pos()))
		code.WriteString(s.node(declaration))
		at = declaration.End()
	}
	code.WriteString(s.plain(at, file.FileEnd))
	return code.String()
}

func (s *switcher) offset(pos token.Pos) int { return s.set.Position(pos).Offset }

func (s *switcher) plain(from, to token.Pos) string {
	return string(s.code[s.offset(from):s.offset(to)])
}

// node returns the code of a node.
func (s *switcher) node(node ast.Node) string {
	if g, ok := node.(*ast.GenDecl); ok && g.Tok != token.VAR {
		return s.plain(g.Pos(), g.End()) // constants, types and imports
	}
	var mutants []numbered
	changes(node, func(n ast.Node) string { return s.plain(n.Pos(), n.End()) }, func(from, to token.Pos, text string) {
		if number, ok := s.numbers[change{s.offset(from), s.offset(to), text}]; ok {
			mutants = append(mutants, numbered{number, text, s.plain(node.Pos(), from) + text + s.plain(to, node.End())})
		}
	})
	switch n := node.(type) {
	case *ast.IfStmt:
		s.conditions[n.Cond] = mutants
	case *ast.BlockStmt:
		s.list(n.List)
	case *ast.CaseClause:
		s.list(n.Body)
	case *ast.CommClause:
		s.fixed[n.Comm] = true
		s.list(n.Body)
	case *ast.LabeledStmt:
		s.list([]ast.Stmt{n.Stmt})
	}
	code := s.children(node)
	if _, ok := node.(*ast.IfStmt); !ok && len(mutants) > 0 {
		code = s.choose(node, code, mutants[0]) // only an if statement has two
	}
	if condition, ok := node.(ast.Expr); ok {
		code = s.condition(code, s.conditions[condition])
	}
	return code
}

// condition returns the code of the condition of an if statement with its mutants.
func (s *switcher) condition(code string, mutants []numbered) string {
	for _, m := range mutants {
		if strings.HasPrefix(m.text, "true ") {
			code = fmt.Sprintf("mutantOn(%d) || (%s)", m.number, code)
		} else {
			code = fmt.Sprintf("!mutantOn(%d) && (%s)", m.number, code)
		}
		s.switched[m.number] = true
	}
	return code
}

func (s *switcher) list(statements []ast.Stmt) {
	for _, statement := range statements {
		s.listed[statement] = true
	}
}

// children returns the code of node with the mutants in the nodes below it.
func (s *switcher) children(node ast.Node) string {
	var code strings.Builder
	at := node.Pos()
	ast.Inspect(node, func(child ast.Node) bool {
		switch child.(type) {
		case nil:
			return false
		case *ast.CommentGroup, *ast.ArrayType, *ast.FuncType, *ast.FieldList:
			return false // has no mutants that can be switched on, or is not in the order of the code
		}
		if child == node {
			return true
		}
		if child.Pos() >= at {
			code.WriteString(s.plain(at, child.Pos()))
			code.WriteString(s.node(child))
			at = child.End()
		}
		return false
	})
	code.WriteString(s.plain(at, node.End()))
	return code.String()
}

// choose returns code that runs m or the node, whose code is given.
func (s *switcher) choose(node ast.Node, code string, m numbered) string {
	on := fmt.Sprintf("mutantOn(%d)", m.number)
	result := ""
	switch n := node.(type) {
	case *ast.BinaryExpr:
		result = s.chooseBinary(n, on, code, m.code)
	case *ast.UnaryExpr, *ast.Ident: // not, true and false
		result = fmt.Sprintf("(%s != (%s))", on, code)
	case *ast.ReturnStmt:
		last := s.plain(n.Results[len(n.Results)-1].Pos(), n.End())
		result = fmt.Sprintf("%smutantOut(%d, %s)", strings.TrimSuffix(code, last), m.number, last)
	case ast.Stmt:
		switch {
		case s.listed[n]:
			result = fmt.Sprintf("if !%s { %s }", on, code)
		case !s.fixed[n]:
			result = fmt.Sprintf("mutantUnless(%d, func() { %s })", m.number, code)
		}
	}
	if result == "" {
		return code
	}
	s.switched[m.number] = true
	return result
}

// chooseBinary returns the code for a binary expression, or "" if its type has no name in
// the file, or if the expression is a constant and the mutant is not one of that type.
func (s *switcher) chooseBinary(n *ast.BinaryExpr, on, code, mutant string) string {
	value := s.info.Types[n]
	switch n.Op {
	case token.EQL, token.NEQ:
		return fmt.Sprintf("(%s != (%s))", on, code)
	case token.LAND, token.LOR, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return fmt.Sprintf("(%s && (%s) || !%s && (%s))", on, mutant, on, code)
	}
	if basic, ok := value.Type.Underlying().(*types.Basic); ok && basic.Info()&types.IsString != 0 {
		return ""
	}
	known := true
	name := types.TypeString(value.Type, func(p *types.Package) string {
		imported := s.imports[p]
		known = known && (imported != "" || p == s.own)
		return imported
	})
	if !known {
		return ""
	}
	if value.Value != nil {
		for _, constant := range []string{s.plain(n.Pos(), n.End()), mutant} {
			if _, err := types.Eval(s.set, s.own, n.Pos(), name+"("+constant+")"); err != nil {
				return ""
			}
		}
	}
	return fmt.Sprintf("func() %s { if %s { return %s }; return %s }()", name, on, mutant, code)
}
