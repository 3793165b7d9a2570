package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	tests     map[string][]string      // the packages whose tests find the mutants of a folder
	limits    map[string]time.Duration // how long the tests of a package may run
}

// newTester returns a tester for mutants, after it has run the tests of their packages
// without a change.
func newTester(ctx context.Context, root string, tests map[string][]string, mutants []mutant) (*tester, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	temporary, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	t := &tester{root: root, temporary: temporary, tests: tests, limits: make(map[string]time.Duration)}
	for _, m := range mutants {
		for _, pkg := range tests[m.folder()] {
			if t.limits[pkg] != 0 {
				continue
			}
			start := time.Now()
			if output, err := t.goTest(ctx, "", pkg, 10*time.Minute); err != nil {
				t.close()
				return nil, fmt.Errorf("the tests of %s fail without a change: %w\n%s", pkg, err, output)
			}
			// A busy machine can be several times slower than now.
			t.limits[pkg] = 4*time.Since(start) + 20*time.Second
		}
	}
	return t, nil
}

func (t *tester) close() { _ = os.RemoveAll(t.temporary) }

// try runs the tests for m.
func (t *tester) try(ctx context.Context, m mutant) (outcome, error) {
	original := filepath.Join(t.root, filepath.FromSlash(m.file))
	code, err := os.ReadFile(original)
	if err != nil {
		return 0, err
	}
	changed := filepath.Join(t.temporary, "mutant.go")
	if err := os.WriteFile(changed, m.apply(code), 0o600); err != nil {
		return 0, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return 0, err
	}
	name := filepath.Join(t.temporary, "overlay.json")
	if err := os.WriteFile(name, overlay, 0o600); err != nil {
		return 0, err
	}
	for _, pkg := range t.tests[m.folder()] {
		output, err := t.goTest(ctx, name, pkg, t.limits[pkg])
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case err == nil:
		case bytes.Contains(output, []byte("[build failed]")), bytes.Contains(output, []byte("[setup failed]")):
			return invalid, nil
		default:
			return killed, nil
		}
	}
	return survived, nil
}

// goTest runs the tests of pkg with an overlay, if it is not empty, for at most limit.
func (t *tester) goTest(ctx context.Context, overlay, pkg string, limit time.Duration) ([]byte, error) {
	args := []string{"test", "-short", "-failfast", "-count=1", "-vet=off", "-timeout=" + limit.String()}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	// The tests can hang before their own limit applies, while they are linked or initialized.
	ctx, cancel := context.WithTimeout(ctx, limit+time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", append(args, pkg)...)
	command.Dir = t.root
	command.Env = append(os.Environ(), "GOWORK="+filepath.Join(t.root, "go.work"))
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	return output, err
}
