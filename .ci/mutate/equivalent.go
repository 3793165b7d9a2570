package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// readEquivalent returns the keys of the mutants in the text files of folder, whose form
// is described there.
func readEquivalent(folder string) (map[string]bool, error) {
	known := make(map[string]bool)
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if err := readEquivalentIn(name, known); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// readEquivalentIn adds the keys in the file called name to known.
func readEquivalentIn(name string, known map[string]bool) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	reason := false
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "":
			reason = false
		case strings.HasPrefix(line, "#"):
			reason = true
		case !reason:
			return fmt.Errorf("%s:%d: the mutant has no reason: add a line with # before it", name, number)
		default:
			known[line] = true
		}
	}
	return lines.Err()
}
