package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// An outcome is what happened to a mutant. Of the outcomes of several packages of tests,
// the largest counts.
type outcome int

const (
	untried   outcome = iota
	invalid           // it cannot be switched on
	unreached         // no test runs its code
	survived          // no test failed
	killed            // a test failed, or ran for too long
)

// try runs the tests for all mutants, and returns what happened to each. It prints those
// that were not found.
func try(ctx context.Context, code *overlay, mutants []mutant, tests map[string][]string, workers int) ([]outcome, error) {
	outcomes := make([]outcome, len(mutants))
	folders := make(map[string][]int) // the indexes of mutants
	for i, m := range mutants {
		if code.switched[i+1] {
			folders[m.folder()] = append(folders[m.folder()], i)
		} else {
			outcomes[i] = invalid
		}
	}
	suites := make(map[string]*suite)
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		open := folders[folder]
		for _, entry := range tests[folder] {
			if len(open) == 0 {
				break
			}
			if suites[entry] == nil {
				s, err := newSuite(ctx, code, entry, workers)
				if err != nil {
					return nil, err
				}
				suites[entry] = s
			}
			start, before := time.Now(), len(open)
			var tried atomic.Int64
			parallel(workers, len(open), func(i int) {
				result := suites[entry].try(ctx, open[i]+1)
				if ctx.Err() != nil {
					return // the tests may have failed because of the interruption
				}
				outcomes[open[i]] = max(outcomes[open[i]], result)
				if n := tried.Add(1); n%100 == 0 {
					fmt.Fprintf(os.Stderr, "%s: %s has tried %d of %d\n", folder, entry, n, before)
				}
			})
			if ctx.Err() != nil {
				break
			}
			open = slices.DeleteFunc(open, func(i int) bool { return outcomes[i] == killed })
			fmt.Printf("%s: %s finds %d of %d in %v\n", folder, entry, before-len(open), before, time.Since(start).Round(time.Second))
		}
		for _, i := range open {
			switch outcomes[i] {
			case unreached:
				fmt.Println("no test runs", mutants[i])
			case survived:
				fmt.Println(mutants[i])
			}
		}
		if ctx.Err() != nil { // the results so far are of use, too
			fmt.Println("interrupted in", folder)
			break
		}
	}
	return outcomes, nil
}
