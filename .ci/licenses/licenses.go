// Package licenses finds the licenses of the modules that this repository uses.
package licenses

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// licenses has sentences that only one license has, with single spaces and in lower
// case. The names are SPDX identifiers.
var licenses = []struct{ name, sentence string }{
	{"AGPL", "gnu affero general public license"},
	{"Apache-2.0", "apache license version 2.0"},
	{"BSD", "redistribution and use in source and binary forms"},
	{"blessing", "sqlite has been dedicated to the public domain by the authors"},
	{"BUSL", "business source license"},
	{"CC0-1.0", "cc0 1.0 universal"},
	{"GPL", "gnu general public license"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"ISC", "permission to use, copy, modify, and distribute this software for any purpose"},
	{"LGPL", "gnu lesser general public license"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"SSPL", "server side public license"},
	{"Unlicense", "this is free and unencumbered software released into the public domain"},
}

var (
	// inLibraries are the licenses that let applications use a module under their
	// own terms and ask for no more than a notice.
	inLibraries = []string{"Apache-2.0", "BSD", "CC0-1.0", "ISC", "MIT", "Unlicense"}

	// inTests are the licenses of modules that only tests and examples use, which
	// no application gets.
	inTests = append([]string{"MPL-2.0", "blessing"}, inLibraries...)
)

var (
	file  = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)`)
	logo  = regexp.MustCompile(`(?i)-logo$`) // of a picture, which no program contains
	space = regexp.MustCompile(`[\s,"*#]+`)

	// secondary is the place where the text of MPL-2.0 names other licenses, under
	// which a recipient may distribute the module as well.
	secondary = regexp.MustCompile(`secondary license.? means either .* or any later versions of those licenses`)
)

// identify returns the licenses in a text, in alphabetical order.
func identify(text string) []string {
	text = secondary.ReplaceAllString(strings.ToLower(space.ReplaceAllString(text, " ")), "")
	var found []string
	for _, license := range licenses {
		sentence := space.ReplaceAllString(license.sentence, " ")
		if strings.Contains(text, sentence) && !slices.Contains(found, license.name) {
			found = append(found, license.name)
		}
	}
	return found
}

// inFolder returns the licenses in the license files of a module in folder.
func inFolder(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() || !file.MatchString(entry.Name()) || logo.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		names := identify(string(text))
		if len(names) == 0 {
			return nil, fmt.Errorf("%s has an unknown license: read it, and add a sentence of it to the table in .ci/licenses", entry.Name())
		}
		found = append(found, names...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// check returns an error unless all licenses are allowed.
func check(names, allowed []string) error {
	if len(names) == 0 {
		return errors.New("the module has no license file: nobody may use it")
	}
	for _, name := range names {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("the license %s is not one of %s", name, strings.Join(allowed, ", "))
		}
	}
	return nil
}
