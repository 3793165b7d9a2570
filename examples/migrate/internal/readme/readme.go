// Package readme tests the README of a migration.
package readme

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// Check tests the README.md in the current folder. The first column of its tables must
// name all options of the old library. A line that its diffs remove must be a line of
// old.go, and a line that they add must be a line of new.go.
func Check(t *testing.T, options ...string) {
	t.Helper()
	text := read(t, "README.md")
	cells := regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllString(text, -1)
	named := strings.Join(cells, "\n")
	for _, option := range options {
		if !strings.Contains(named, "`"+option+"`") {
			t.Errorf("no table names %s", option)
		}
	}
	older, newer := lines(read(t, "old.go")), lines(read(t, "new.go"))
	diffs := regexp.MustCompile("(?ms)^```diff\n(.*?)^```$").FindAllStringSubmatch(text, -1)
	if len(diffs) == 0 {
		t.Error("there is no diff")
	}
	for _, diff := range diffs {
		for line := range strings.Lines(diff[1]) {
			sign, code := line[0], strings.TrimSpace(line[1:])
			if sign != '+' && !older[code] {
				t.Errorf("old.go does not have the line %s", code)
			}
			if sign != '-' && !newer[code] {
				t.Errorf("new.go does not have the line %s", code)
			}
		}
	}
}

// Fields returns the names of the exported fields of the struct T, for [Check].
func Fields[T any]() []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if field.IsExported() {
			names = append(names, field.Name)
		}
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name) //nolint:gosec // a file of the current folder
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lines returns the set of the lines of text, without the space around them.
func lines(text string) map[string]bool {
	set := map[string]bool{"": true}
	for line := range strings.Lines(text) {
		set[strings.TrimSpace(line)] = true
	}
	return set
}
