package main

import (
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
			changed := strings.TrimSuffix(strings.TrimPrefix(string(m.apply([]byte(code))), head), tail)
			got = append(got, changed)
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

// TestTry tries the mutants of a package with one test.
func TestTry(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.work":      "go 1.26\n\nuse ./p\n",
		"p/go.mod":     "module example.test/p\n\ngo 1.26\n",
		"p/p_test.go":  "package p\n\nimport \"testing\"\n\nfunc Test(t *testing.T) {\n\tif Less(1, 1) || !Less(1, 2) {\n\t\tt.Fail()\n\t}\n}\n",
		"p/o_plan9.go": "package p\n\nvar Other = 1 + 1\n", // has no mutants here
		"p/p.go":       "package p\n\nconst Name = \"a\" + \"b\"\n\nfunc Less(a, b int) bool {\n\treturn a < b && a != b\n}\n",
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
		unequal  outcome // of the one mutant that the test finds
	}{
		{[]string{"./p"}, killed},
		{[]string{"./p ^Test$"}, killed},
		{[]string{"./p ^Other$"}, survived},
		{[]string{"./p ^Other$", "./p"}, killed},
	} {
		packages := map[string][]string{"p": row.packages}
		mutants, err := find(root, packages, nil)
		if err != nil {
			t.Fatal(err)
		}
		tester, err := newTester(root, packages)
		if err != nil {
			t.Fatal(err)
		}
		defer tester.close()
		got := make(map[string]outcome)
		for _, m := range mutants {
			if got[m.old], err = tester.try(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		if want := map[string]outcome{"+": invalid, "!=": row.unequal, "<": survived, "&&": survived}; !maps.Equal(got, want) {
			t.Errorf("%q: got %v; want %v", row.packages, got, want)
		}
	}
}

// TestTestsNamedLike checks which tests run first.
func TestTestsNamedLike(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"fetch_test.go":      "func TestA(t *testing.T) {}\n\nfunc helper() {}\n",
		"fetch_late_test.go": "func FuzzB(f *testing.F) {}\n",
		"keys_fetch_test.go": "func Example() {}\n",
		"other_test.go":      "func TestOther(t *testing.T) {}\n",
		"fetch.go":           "func TestNot(t *testing.T) {}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]string{
		"core/keys/fetch.go": "^(FuzzB|TestA|Example)$",
		"core/fetch.go":      "^(FuzzB|TestA)$",
		"core/keys/pem.go":   "",
	} {
		if got, err := testsNamedLike(folder, file); got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", file, got, err, want)
		}
	}
}

// TestEquivalent checks that every mutant in equivalent.txt exists.
func TestEquivalent(t *testing.T) {
	t.Parallel()
	known, err := readEquivalent("equivalent.txt")
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
