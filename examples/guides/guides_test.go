// Package guides_test checks the pages of the guides. The tests of each guide are in its
// folder.
package guides_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPages checks that each guide has a short page, that the index leads there, that the
// Go code on a page is code of its folder, and that its links lead to files.
func TestPages(t *testing.T) {
	index := read(t, "README.md")
	pages, err := filepath.Glob("*/README.md")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if page := filepath.Join(entry.Name(), "README.md"); entry.IsDir() && !slices.Contains(pages, page) {
			t.Errorf("there is no %s", page)
		}
	}
	single, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range single {
		if name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("README.md does not link to %s", name)
		}
	}
	for _, name := range slices.Concat(pages, single) {
		folder, text := filepath.Dir(name), read(t, name)
		if lines := strings.Count(text, "\n"); lines > 120 {
			t.Errorf("%s has %d lines; want at most 120", name, lines)
		}
		if folder != "." && !strings.Contains(index, "]("+folder+")") && !strings.Contains(index, "]("+folder+"/README.md") {
			t.Errorf("README.md does not link to %s", folder)
		}
		code := sources(t, folder)
		if folder == "." {
			code = words(text) // TestREADME compiles the programs on these pages
		}
		for _, block := range regexp.MustCompile("(?ms)^ *```go\n(.*?)^ *```$").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(code, words(block[1])) {
				t.Errorf("%s: no file of the folder has this code:\n%s", name, block[1])
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([^):]*)#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
			target := filepath.Join(folder, link[1])
			if filepath.Ext(target) == "" || link[1] == "" {
				target = filepath.Join(target, "README.md")
			}
			if !slices.Contains(anchors(read(t, target)), link[2]) {
				t.Errorf("%s: %s has no heading for #%s", name, target, link[2])
			}
		}
		prose := regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "code")
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(prose, -1) {
			if _, err := os.Stat(filepath.Join(folder, link[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// sources returns the Go files in folder and below it, as [words] does.
func sources(t *testing.T, folder string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".go" {
			all.WriteString(words(read(t, path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// anchors returns the anchors that GitHub makes of the headings in text.
func anchors(text string) []string {
	var all []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		all = append(all, strings.ReplaceAll(plain, " ", "-"))
	}
	return all
}

// words returns text without its indentation and line breaks, which differ on a page.
func words(text string) string { return strings.Join(strings.Fields(text), " ") + " " }

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
