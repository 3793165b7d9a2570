package main

import (
	"go/ast"
	"go/token"
)

// operators has what an operator is replaced with.
var operators = map[token.Token]string{
	token.EQL:  "!=",
	token.NEQ:  "==",
	token.LSS:  "<=",
	token.LEQ:  "<",
	token.GTR:  ">=",
	token.GEQ:  ">",
	token.LAND: "||",
	token.LOR:  "&&",
	token.ADD:  "-",
	token.SUB:  "+",
	token.MUL:  "/",
	token.QUO:  "*",
	token.REM:  "*",
	token.AND:  "|",
	token.OR:   "&",
	token.SHL:  ">>",
	token.SHR:  "<<",
}

// changes calls replace for each change of node itself, not of the nodes below it. code
// returns the code of a node. The changes are: an operator is replaced, a condition is always or never true, a statement without a
// result is left out, an error is not returned, a Boolean is the other one.
func changes(node ast.Node, code func(ast.Node) string, replace func(from, to token.Pos, text string)) {
	switch n := node.(type) {
	case *ast.BinaryExpr:
		if text, ok := operators[n.Op]; ok {
			replace(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), text)
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			replace(n.OpPos, n.OpPos+1, "")
		}
	case *ast.IfStmt:
		// The condition stays in the code, because its variables must be used.
		replace(n.Cond.Pos(), n.Cond.End(), "true || ("+code(n.Cond)+")")
		replace(n.Cond.Pos(), n.Cond.End(), "false && ("+code(n.Cond)+")")
	case *ast.ExprStmt:
		replace(n.Pos(), n.End(), "")
	case *ast.DeferStmt:
		replace(n.Pos(), n.End(), "")
	case *ast.IncDecStmt:
		replace(n.Pos(), n.End(), "")
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			replace(n.Pos(), n.End(), "")
		}
	case *ast.ReturnStmt:
		if last := len(n.Results) - 1; last >= 0 {
			if name, ok := n.Results[last].(*ast.Ident); ok && name.Name == "err" {
				replace(name.Pos(), name.End(), "nil")
			}
		}
	case *ast.Ident:
		switch n.Name {
		case "true":
			replace(n.Pos(), n.End(), "false")
		case "false":
			replace(n.Pos(), n.End(), "true")
		}
	}
}
