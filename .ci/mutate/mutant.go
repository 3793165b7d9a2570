package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A mutant is a change of one file.
type mutant struct {
	file   string // relative to the root of the repository, with slashes
	line   int
	offset int    // of the change
	old    string // the code that is replaced
	new    string
	source string // the whole line

	function string // the name of the function with the change; empty outside of functions
	number   int    // how many equal changes the function has before this one
}

// String returns the place and the change of m.
func (m mutant) String() string { return m.describe(fmt.Sprintf("%s:%d", m.file, m.line)) }

// key identifies m in the list of equivalent mutants, where lines may move.
func (m mutant) key() string { return m.describe(m.file) }

func (m mutant) describe(place string) string {
	if m.function != "" {
		place += " " + m.function
	}
	if m.number > 0 {
		place += fmt.Sprintf(" (%d)", m.number+1)
	}
	return fmt.Sprintf("%s: %q becomes %q in: %s", place, m.old, m.new, m.source)
}

func (m mutant) folder() string { return path.Dir(m.file) }

func (m mutant) compare(other mutant) int {
	return cmp.Or(strings.Compare(m.file, other.file), cmp.Compare(m.offset, other.offset))
}

// find returns all mutants of the code in places, which are folders and files, or if
// there are none, in all folders that tests has.
func find(root string, tests map[string][]string, places []string) ([]mutant, error) {
	if len(places) == 0 {
		places = slices.Sorted(maps.Keys(tests))
	}
	var mutants []mutant
	for _, place := range places {
		folder, pattern := place, path.Join(place, "*.go")
		if strings.HasSuffix(place, ".go") {
			folder, pattern = path.Dir(place), place
		}
		if tests[folder] == nil {
			return nil, fmt.Errorf("no tests are known for the folder %s: see tests.go", folder)
		}
		files, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			built, err := build.Default.MatchFile(filepath.Join(root, filepath.FromSlash(folder)), path.Base(file))
			if err != nil {
				return nil, err
			}
			if !built || strings.HasSuffix(file, "_test.go") {
				continue // no test on this system can find the mutants of a file for another one
			}
			code, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
			if err != nil {
				return nil, err
			}
			found, err := mutate(file, code)
			if err != nil {
				return nil, err
			}
			mutants = append(mutants, found...)
		}
	}
	return mutants, nil
}

// mutate returns the mutants of a file.
func mutate(file string, code []byte) ([]mutant, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, code, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var mutants []mutant
	function := ""
	seen := make(map[string]int)
	replace := func(from, to token.Pos, text string) {
		position := set.Position(from)
		end := set.Position(to).Offset
		m := mutant{file: file, line: position.Line, offset: position.Offset, old: string(code[position.Offset:end]), new: text}
		m.source, m.function = lineAt(code, position.Offset), function
		key := m.key()
		m.number = seen[key]
		seen[key]++
		mutants = append(mutants, m)
	}
	text := func(node ast.Node) string {
		return string(code[set.Position(node.Pos()).Offset:set.Position(node.End()).Offset])
	}
	inspect := func(node ast.Node) bool {
		if declaration, ok := node.(*ast.GenDecl); ok && declaration.Tok == token.IMPORT {
			return false
		}
		changes(node, text, replace)
		return true
	}
	for _, declaration := range parsed.Decls {
		function = ""
		if f, ok := declaration.(*ast.FuncDecl); ok {
			function = f.Name.Name
		}
		ast.Inspect(declaration, inspect)
	}
	return mutants, nil
}

// lineAt returns the line of code at offset without the space around it.
func lineAt(code []byte, offset int) string {
	before := strings.LastIndexByte(string(code[:offset]), '\n') + 1
	line, _, _ := strings.Cut(string(code[before:]), "\n")
	return strings.TrimSpace(line)
}
