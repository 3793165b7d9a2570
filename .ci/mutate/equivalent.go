package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// readEquivalent returns the keys of the mutants in the file called name. Each line is
// the key of a mutant. The lines before it that begin with # say why no test can find
// it, and an empty line ends a reason.
func readEquivalent(name string) (map[string]bool, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	known := make(map[string]bool)
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
			return nil, fmt.Errorf("%s:%d: the mutant has no reason: add a line with # before it", name, number)
		default:
			known[line] = true
		}
	}
	return known, lines.Err()
}
