package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/ci/internal/workspace"
)

// TestMutate checks the mutants of small functions.
func TestMutate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code string
		want []string // the bodies of the mutants
	}{
		{"return a < b", []string{"return a <= b"}},
		{"return a == b && !c", []string{"return a == b || !c", "return a != b && !c", "return a == b && c"}},
		{"if a || b { return true }", []string{"if true || (a || b) { return true }", "if false && (a || b) { return true }", "if a && b { return true }", "if a || b { return false }"}},
		{"close(c)", []string{""}},
		{"defer close(c)", []string{""}},
		{"a = 1", []string{""}},
		{"a := 1", nil},
		{"a++", []string{""}},
		{"return nil, err", []string{"return nil, nil"}},
	} {
		const head, tail = "package p\n\nfunc f() {\n", "\n}\n"
		code := head + test.code + tail
		mutants, err := mutate("p.go", []byte(code))
		if err != nil {
			t.Errorf("%s: %v", test.code, err)
			continue
		}
		var got []string
		for _, m := range mutants {
			changed := code[:m.offset] + m.new + code[m.offset+len(m.old):]
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(changed, head), tail))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got mutants %q; want %q", test.code, got, test.want)
		}
	}
}

// TestKey checks that equal changes in one file have keys that differ.
func TestKey(t *testing.T) {
	t.Parallel()
	const code = "package p\n\nfunc f() {\n\tg(a)\n\tg(a)\n}\n\nfunc (t) h() {\n\tg(a)\n}\n"
	mutants, err := mutate("p/p.go", []byte(code))
	if err != nil {
		t.Fatal(err)
	}
	var got, printed []string
	for _, m := range mutants {
		got, printed = append(got, m.key()), append(printed, m.String())
	}
	const change = `: "g(a)" becomes "" in: g(a)`
	if want := []string{"p/p.go f" + change, "p/p.go f (2)" + change, "p/p.go h" + change}; !slices.Equal(got, want) {
		t.Errorf("got keys %q; want %q", got, want)
	}
	if want := []string{"p/p.go:4 f" + change, "p/p.go:5 f (2)" + change, "p/p.go:9 h" + change}; !slices.Equal(printed, want) {
		t.Errorf("got %q; want %q", printed, want)
	}
}

// TestSwitch checks the code that is written for mutants.
func TestSwitch(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		code string
		want string // "" if the mutants are not in the code
	}{
		{"_ = a == b", "if !mutantOn(1) { _ = (mutantOn(2) != (a == b)) }"},
		{"print(a < b)", "if !mutantOn(1) { print((mutantOn(2) && (a <= b) || !mutantOn(2) && (a < b))) }"},
		{"print(a + 2*b)", "if !mutantOn(1) { print(func() int { if mutantOn(2) { return a - 2*b }; return a + func() int { if mutantOn(3) { return 2/b }; return 2*b }() }()) }"},
		{"if a := f(); !ok {\n\t}", "if a := f(); !mutantOn(2) && (mutantOn(1) || ((mutantOn(3) != (!ok)))) {\n\t}"},
		{"if err = g(); ok {\n\t}", "if mutantUnless(3, func() { err = g() }); !mutantOn(2) && (mutantOn(1) || (ok)) {\n\t}"},
		{"if ok {\n\t} else if true {\n\t}", "if !mutantOn(2) && (mutantOn(1) || (ok)) {\n\t} else if !mutantOn(4) && (mutantOn(3) || ((mutantOn(5) != (true)))) {\n\t}"},
		{"for ; ok; a++ {\n\t}", "for ; ok; mutantUnless(1, func() { a++ }) {\n\t}"},
		{"for {\n\t\ta++ // see b\n\t}", "for {\n\t\tif !mutantOn(1) { a++ } // see b\n\t}"},
		{"switch {\n\tcase ok:\n\t\tclose(c)\n\t}", "switch {\n\tcase ok:\n\t\tif !mutantOn(1) { close(c) }\n\t}"},
		{"select {\n\tcase a = <-c:\n\t}", ""},
		{"defer func() { a = 1 }()", "if !mutantOn(1) { defer func() { if !mutantOn(2) { a = 1 } }() }"},
		{"return err", "return mutantOut(1, err)"},
		{"s := s + s", ""},
		{"const two = 1 + 1", ""},
		{"var x [1 + 1]int", ""},
		{"a := 4 << 1", "a := func() int { if mutantOn(1) { return 4 >> 1 }; return 4 << 1 }()"},
		{"a := 1<<63 - 1", ""}, // neither 1<<63 nor the mutant is an int
	} {
		const head, tail = "package p\n\nfunc h(a, b int, c chan int, ok bool, s string, f func() int, g func() error) (err error) {\n\t", "\n}\n"
		code := head + row.code + tail
		mutants, err := mutate("p.go", []byte(code))
		if err != nil {
			t.Errorf("%s: %v", row.code, err)
			continue
		}
		s := &switcher{code: []byte(code), set: token.NewFileSet(), numbers: make(map[change]int), switched: make(map[int]bool)}
		for i, m := range mutants {
			s.numbers[change{m.offset, m.offset + len(m.old), m.new}] = i + 1
		}
		file, err := parser.ParseFile(s.set, "p.go", code, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s.info = &types.Info{Types: make(map[ast.Expr]types.TypeAndValue)}
		s.own, _ = (&types.Config{Error: func(error) {}}).Check("p", s.set, []*ast.File{file}, s.info) // a result is missing
		want := row.want
		if want == "" {
			want = row.code
		}
		if got := s.file(file); got != head+want+tail {
			t.Errorf("%s: got\n%s\nwant\n%s", row.code, got, want)
		}
	}
}

// TestTry tries the mutants of a package with one test.
func TestTry(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.work":      "go 1.26\n\nuse ./p\n",
		"p/go.mod":     "module example.test/p\n\ngo 1.26\n",
		"p/o_plan9.go": "package p\n\nvar Other = 1 + 1\n", // has no mutants here
		"p/p.go":       "package p\n\nconst Name = \"a\" + \"b\"\n\nfunc Less(a, b int) bool {\n\treturn a < b && a != b\n}\n\nfunc No(a bool) bool { return !a }\n",
		"p/p_test.go":  "package p\n\nimport \"testing\"\n\nfunc Test(t *testing.T) {\n\tt.Run(\"a\", func(t *testing.T) {\n\t\tif !Less(1, 2) {\n\t\t\tt.Fail()\n\t\t}\n\t})\n}\n\nfunc TestName(*testing.T) {}\n",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		packages []string
		want     outcome // of the one mutant that the test finds
	}{
		{[]string{"./p"}, killed},
		{[]string{"./p /a"}, killed},
		{[]string{"./p /b"}, unreached},
		{[]string{"./p /b", "./p"}, killed},
	} {
		packages := map[string][]string{"p": row.packages}
		mutants, err := find(root, packages, nil)
		if err != nil {
			t.Fatal(err)
		}
		o, err := newOverlay(t.Context(), root, mutants)
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		outcomes, err := try(t.Context(), o, mutants, packages, 2)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]outcome)
		for i, m := range mutants {
			got[m.old] = outcomes[i]
		}
		other := survived
		if row.want == unreached {
			other = unreached
		}
		if want := map[string]outcome{"+": invalid, "!=": row.want, "<": other, "&&": other, "!": unreached}; !maps.Equal(got, want) {
			t.Errorf("%q: got %v; want %v", row.packages, got, want)
		}
	}
}

// TestEquivalent checks that every mutant that is listed as equivalent exists.
func TestEquivalent(t *testing.T) {
	t.Parallel()
	known, err := readEquivalent("equivalent")
	if err != nil {
		t.Fatal(err)
	}
	mutants, err := find("../..", tests, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		delete(known, m.key())
	}
	for key := range known {
		t.Errorf("there is no such mutant: %s", key)
	}
}

// TestFolders checks that the code of every module that has releases is mutated.
func TestFolders(t *testing.T) {
	t.Parallel()
	modules, err := workspace.Released("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range modules {
		if tests[module.Folder] == nil {
			t.Errorf("tests.go does not have the folder %s", module.Folder)
		}
	}
}
