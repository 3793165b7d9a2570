package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// maxLines is the length of a README that people still read.
const maxLines = 300

func TestLength(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), "\n"); got > maxLines {
		t.Errorf("README.md has %d lines; want at most %d: move details to the guides", got, maxLines)
	}
}

// TestLinks checks that the links and pictures of the documents outside of the guides,
// which have a test of their own, lead to files.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, pattern := range []string{"README.md", ".github/*.md", ".github/security/*.md", "examples/*/README.md"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: got files %q, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			prose := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`").ReplaceAll(text, []byte("code"))
			for _, match := range link.FindAllSubmatch(prose, -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), string(match[1]))); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
}
