package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)

// testsNamedLike returns a pattern for the tests of the package in folder that are in
// files named like file, or "" if there are none. For keys/fetch.go, the names of the
// test files begin with fetch, or with keys_fetch.
func testsNamedLike(folder, file string) (string, error) {
	base := strings.TrimSuffix(path.Base(file), ".go")
	var names []string
	for _, prefix := range []string{base, path.Base(path.Dir(file)) + "_" + base} {
		files, err := fs.Glob(os.DirFS(folder), prefix+"*_test.go")
		if err != nil {
			return "", err
		}
		for _, name := range files {
			code, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				return "", err
			}
			for _, found := range testFunction.FindAllStringSubmatch(string(code), -1) {
				names = append(names, found[1])
			}
		}
	}
	if names == nil {
		return "", nil
	}
	return "^(" + strings.Join(names, "|") + ")$", nil
}
