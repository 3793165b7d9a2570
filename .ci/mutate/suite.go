package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A suite has the tests of a package.
type suite struct {
	code    *overlay
	pkg     string
	subtest string // a pattern that begins with a slash, or ""
	program string
	tests   []test
}

// A test is one function.
type test struct {
	name    string
	takes   time.Duration
	reaches map[int]bool // the numbers of mutants
}

// newSuite compiles the tests of an entry of the variable tests, and runs each alone,
// without a mutant, in order to learn what it reaches. A test that fails is left out.
func newSuite(ctx context.Context, code *overlay, entry string, workers int) (*suite, error) {
	s := &suite{code: code}
	s.pkg, s.subtest, _ = strings.Cut(entry, " ")
	var err error
	if s.program, err = code.compile(ctx, s.pkg); err != nil {
		return nil, err
	}
	list, err := s.command(ctx, "-test.list=.").Output()
	if err != nil {
		return nil, fmt.Errorf("listing the tests of %s: %w", s.pkg, err)
	}
	var names []string
	for name := range strings.Lines(string(list)) {
		if name = strings.TrimSpace(name); !strings.HasPrefix(name, "Benchmark") {
			names = append(names, name)
		}
	}
	found := make([]test, len(names))
	errs := make([]error, len(names))
	parallel(workers, len(names), func(i int) { found[i], errs[i] = s.measure(ctx, names[i]) })
	for i := range found {
		if errs[i] != nil {
			fmt.Printf("%s: %s is not used: %v\n", s.pkg, names[i], errs[i])
			continue
		}
		s.tests = append(s.tests, found[i])
	}
	slices.SortStableFunc(s.tests, func(a, b test) int { return cmp.Compare(a.takes, b.takes) })
	return s, ctx.Err()
}

// measure runs a test without a mutant.
func (s *suite) measure(ctx context.Context, name string) (test, error) {
	marks := filepath.Join(s.code.temporary, "reached-"+name)
	if err := writeForAll(marks, make([]byte, maxMutants+1)); err != nil {
		return test{}, err
	}
	defer func() { _ = os.Remove(marks) }()
	command := s.command(ctx, "-test.timeout=10m", "-test.run=^"+name+"$"+s.subtest)
	command.Env = append(command.Env, "MUTANTS_REACHED="+marks)
	start := time.Now()
	if output, err := command.CombinedOutput(); err != nil {
		return test{}, fmt.Errorf("it fails without a mutant: %w\n%s", err, output)
	}
	result := test{name: name, takes: time.Since(start), reaches: make(map[int]bool)}
	reached, err := os.ReadFile(marks)
	for number, mark := range reached {
		if mark != 0 {
			result.reaches[number] = true
		}
	}
	return result, err
}

// writeForAll writes a file that every user can change: some tests start processes of
// another user.
func writeForAll(name string, content []byte) error {
	if err := os.WriteFile(name, content, 0o600); err != nil {
		return err
	}
	return os.Chmod(name, 0o666) //nolint:gosec // it has nothing secret
}

// try runs the tests that reach the mutant with the number. Nearly all mutants fail one
// of the quick tests, which run first.
func (s *suite) try(ctx context.Context, number int) outcome {
	result := unreached
	var names []string
	var takes time.Duration
	most := 300 * time.Millisecond
	fail := func() bool {
		fails := s.fails(ctx, number, names, 5*time.Second+5*takes)
		names, takes, most = nil, 0, 10*most
		return fails
	}
	for _, t := range s.tests {
		if !t.reaches[number] {
			continue
		}
		if len(names) > 0 && takes+t.takes > most && fail() {
			return killed
		}
		result = survived
		names = append(names, t.name)
		takes += t.takes
	}
	if len(names) > 0 && fail() {
		return killed
	}
	return result
}

// fails runs tests with a mutant.
func (s *suite) fails(ctx context.Context, number int, names []string, limit time.Duration) bool {
	// The tests can hang before their own limit applies, while they are initialized.
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	command := s.command(ctx, "-test.failfast", "-test.timeout="+limit.String(), "-test.run=^("+strings.Join(names, "|")+")$"+s.subtest)
	command.Env = append(command.Env, "MUTANT="+strconv.Itoa(number))
	return command.Run() != nil
}

func (s *suite) command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, s.program, args...)
	command.Dir = filepath.Join(s.code.root, filepath.FromSlash(s.pkg))
	command.Env = s.code.environment()
	command.WaitDelay = 10 * time.Second
	return command
}

// parallel calls f with the numbers below n, in several goroutines.
func parallel(workers, n int, f func(i int)) {
	indexes := make(chan int)
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := range indexes {
				f(i)
			}
		})
	}
	for i := range n {
		indexes <- i
	}
	close(indexes)
	wait.Wait()
}
