package licenses

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/ci/internal/workspace"
)

var update = flag.Bool("update", false, "write the golden file of TestLicenses")

const (
	root   = "../.."
	golden = "testdata/licenses.txt"
)

// TestLicenses checks the licenses of all modules that this repository uses, also in
// tests and examples. It compares those that applications get from the library modules
// with a golden list.
func TestLicenses(t *testing.T) {
	t.Parallel()
	modules, err := workspace.Modules(root)
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string][]string) // the licenses of a module, and the library modules that use it
	for _, module := range modules {
		verify(t, module, dependencies(t, module, "-test"), inTests)
		if !module.Released() {
			continue
		}
		for path, names := range verify(t, module, dependencies(t, module), inLibraries) {
			if used[path] == nil {
				used[path] = []string{strings.Join(names, " and ") + ", in " + module.Folder}
			} else {
				used[path] = append(used[path], module.Folder)
			}
		}
	}

	var lines strings.Builder
	for _, path := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(&lines, "%s: %s\n", path, strings.Join(used[path], ", "))
	}
	if *update {
		if err := os.WriteFile(golden, []byte(lines.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if lines.String() == string(want) {
		return
	}
	for line := range strings.Lines(lines.String()) {
		if !strings.Contains(string(want), line) {
			t.Errorf("new: %s", line)
		}
	}
	for line := range strings.Lines(string(want)) {
		if !strings.Contains(lines.String(), line) {
			t.Errorf("gone: %s", line)
		}
	}
	t.Error("applications get other modules than before: if that is intended, run `go test ./licenses -update` in .ci with GOWORK=off and say why in the commit")
}

// verify checks the licenses of the modules in folders, by their paths, and returns
// the licenses.
func verify(t *testing.T, user workspace.Module, folders map[string]string, allowed []string) map[string][]string {
	t.Helper()
	licenses := make(map[string][]string)
	for path, folder := range folders {
		names, err := inFolder(folder)
		if err == nil {
			err = check(names, allowed)
		}
		if err != nil {
			t.Errorf("%s, which %s uses: %v", path, user.Folder, err)
		}
		licenses[path] = names
	}
	return licenses
}

// dependencies returns the folders of the modules, by their paths, that have packages
// of which the packages of a module are built, on the same system everywhere.
func dependencies(t *testing.T, module workspace.Module, flags ...string) map[string]string {
	t.Helper()
	args := append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}"}, flags...)
	command := exec.CommandContext(t.Context(), "go", append(args, "./...")...)
	command.Dir = filepath.Join(root, filepath.FromSlash(module.Folder))
	command.Env = append(command.Environ(), "GOWORK=off", "GOOS=linux", "GOARCH=amd64")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	folders := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, folder, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if path != "" && !strings.HasPrefix(path, workspace.Prefix) {
			folders[path] = folder
		}
	}
	return folders
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text, want string
		libraries, tests bool
	}{
		{"MIT", "Permission is hereby granted, free of charge, to any person obtaining\na copy of this software", "MIT", true, true},
		{"BSD", "Redistribution and use in source and binary forms, with or without\n modification", "BSD", true, true},
		{"Apache", "                Apache License\n         Version 2.0, January 2004", "Apache-2.0", true, true},
		{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose with or without fee", "ISC", true, true},
		{"two licenses", "Apache License\nVersion 2.0\n\nPermission is hereby granted, free of charge, to any person obtaining a copy", "Apache-2.0 MIT", true, true},
		{"one is not allowed", "GNU General Public License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy", "GPL MIT", false, false},
		{"LGPL", "GNU LESSER GENERAL PUBLIC LICENSE\nVersion 3", "LGPL", false, false},
		{"AGPL", "GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3", "AGPL", false, false},
		{"MPL", "Mozilla Public License Version 2.0\n====", "MPL-2.0", false, true},
		{"MPL, with a comma", "Mozilla Public License, version 2.0", "MPL-2.0", false, true},
		{"MPL, with its definitions", "Mozilla Public License Version 2.0\n\n1.12. \"Secondary License\"\n    means either the GNU General Public License, Version 2.0, the GNU\n    Lesser General Public License, Version 2.1, the GNU Affero General\n    Public License, Version 3.0, or any later versions of those\n    licenses.", "MPL-2.0", false, true},
		{"SQLite", "All of the code and documentation in SQLite has been dedicated to the public\ndomain by the authors.", "blessing", false, true},
		{"unknown", "All rights reserved.", "", false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			names := identify(test.text)
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("got %q; want %q", got, test.want)
			}
			if got := check(names, inLibraries) == nil; got != test.libraries {
				t.Errorf("in libraries: got allowed %v; want %v", got, test.libraries)
			}
			if got := check(names, inTests) == nil; got != test.tests {
				t.Errorf("in tests: got allowed %v; want %v", got, test.tests)
			}
		})
	}
}
