package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An outcome is what happened to a mutant.
type outcome int

const (
	invalid  outcome = iota // it does not compile
	killed                  // a test failed, or ran for too long
	survived                // no test failed
)

// A tester tries mutants.
type tester struct {
	root      string // absolute
	temporary string
	tests     map[string][]string      // see the variable tests
	limits    map[string]time.Duration // how long the tests of a package may run, or those with a pattern
}

// newTester returns a tester. The caller closes it.
func newTester(root string, tests map[string][]string) (*tester, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	temporary, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	return &tester{root: root, temporary: temporary, tests: tests, limits: make(map[string]time.Duration)}, nil
}

// limit returns how long the tests of pkg whose names match pattern may run. The first
// call runs them without a change.
func (t *tester) limit(ctx context.Context, pkg, pattern string) (time.Duration, error) {
	key := pkg + " " + pattern
	if t.limits[key] == 0 {
		if output, err := t.compile(ctx, "", pkg); err != nil {
			return 0, fmt.Errorf("the tests of %s do not compile without a change: %w\n%s", pkg, err, output)
		}
		start := time.Now()
		if output, err := t.runTests(ctx, pkg, pattern, 10*time.Minute); err != nil {
			return 0, fmt.Errorf("the tests of %s fail without a change: %w\n%s", pkg, err, output)
		}
		// A busy machine can be several times slower than now.
		t.limits[key] = 4*time.Since(start) + 10*time.Second
	}
	return t.limits[key], nil
}

func (t *tester) close() { _ = os.RemoveAll(t.temporary) }

// try runs the tests for m. Without a pattern, the tests in the files that are named
// like the file of m run first, because most mutants fail one of them.
func (t *tester) try(ctx context.Context, m mutant) (outcome, error) {
	overlay, err := t.overlay(m)
	if err != nil {
		return 0, err
	}
	for _, entry := range t.tests[m.folder()] {
		pkg, pattern, _ := strings.Cut(entry, " ")
		limit, err := t.limit(ctx, pkg, pattern)
		if err != nil {
			return 0, err
		}
		output, err := t.compile(ctx, overlay, pkg)
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case output != nil:
			return invalid, nil
		case err != nil:
			return 0, err
		}
		patterns := []string{pattern}
		if pattern == "" {
			first, err := testsNamedLike(filepath.Join(t.root, filepath.FromSlash(pkg)), m.file)
			if err != nil {
				return 0, err
			}
			patterns = slices.Compact([]string{first, ""})
		}
		for _, pattern := range patterns {
			_, err := t.runTests(ctx, pkg, pattern, limit)
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			if err != nil {
				return killed, nil
			}
		}
	}
	return survived, nil
}

// overlay writes the overlay of m for the go command, and returns its name.
func (t *tester) overlay(m mutant) (string, error) {
	original := filepath.Join(t.root, filepath.FromSlash(m.file))
	code, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(t.temporary, "mutant.go")
	if err := os.WriteFile(changed, m.apply(code), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(t.temporary, "overlay.json")
	return name, os.WriteFile(name, overlay, 0o600)
}

// compile compiles the tests of pkg with an overlay, if it is not empty. If they do not
// compile, it returns the output of the compiler.
func (t *tester) compile(ctx context.Context, overlay, pkg string) ([]byte, error) {
	args := []string{"test", "-c", "-vet=off", "-o=" + t.binary()}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	command := exec.CommandContext(ctx, "go", append(args, pkg)...)
	command.Dir = t.root
	command.Env = append(os.Environ(), "GOWORK="+filepath.Join(t.root, "go.work"))
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &exit):
		return append(output, '\n'), err
	}
	return nil, err
}

// runTests runs the compiled tests of pkg whose names match pattern, or all if it is
// empty, for at most limit.
func (t *tester) runTests(ctx context.Context, pkg, pattern string, limit time.Duration) ([]byte, error) {
	// The tests can hang before their own limit applies, while they are initialized.
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, t.binary(), "-test.failfast", "-test.timeout="+limit.String(), "-test.run="+pattern)
	command.Dir = filepath.Join(t.root, filepath.FromSlash(pkg))
	command.Env = append(os.Environ(), "GOWORK="+filepath.Join(t.root, "go.work"))
	command.WaitDelay = 10 * time.Second
	return command.CombinedOutput()
}

// binary is the name of the compiled tests.
func (t *tester) binary() string { return filepath.Join(t.temporary, "tests.exe") }
