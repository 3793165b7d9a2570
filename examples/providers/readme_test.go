package providers

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestREADME compares the Go blocks of the README with the files of this package: each
// block is one file without its package clause and imports.
func TestREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]bool{} // true if a file has the same code
	for _, block := range regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllSubmatch(readme, -1) {
		blocks[string(block[1])] = false
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file == "doc.go" || strings.HasSuffix(file, "_test.go") {
			continue
		}
		code := afterImports(t, file)
		if _, ok := blocks[code]; !ok {
			t.Errorf("the README has no block with the code of %s", file)
		}
		blocks[code] = true
	}
	for block, found := range blocks {
		if !found {
			t.Errorf("no file has the code of this block of the README:\n%s", block)
		}
	}
}

// afterImports returns the code of file after its import declaration.
func afterImports(t *testing.T, file string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Decls) == 0 {
		t.Fatalf("%s has no import declaration", file)
	}
	end := files.Position(parsed.Decls[0].End()).Offset
	return strings.TrimLeft(string(source[end:]), "\n")
}
