package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// An outcome is what happened to a mutant.
type outcome int

const (
	untried   outcome = iota
	invalid           // it cannot be switched on
	killed            // a test failed, or ran for too long
	survived          // no test failed
	unreached         // no test runs its code
)

// try runs the tests for all mutants, and returns what happened to each.
func try(ctx context.Context, b *overlay, mutants []mutant, tests map[string][]string, workers int) ([]outcome, error) {
	outcomes := make([]outcome, len(mutants))
	suites := make(map[string]*suite)
	for from := 0; from < len(mutants); {
		folder := mutants[from].folder()
		to := from
		var open []int
		for ; to < len(mutants) && mutants[to].folder() == folder; to++ {
			if b.switched[to+1] {
				open = append(open, to)
			} else {
				outcomes[to] = invalid
			}
		}
		from = to
		for _, entry := range tests[folder] {
			if suites[entry] == nil && len(open) > 0 {
				s, err := newSuite(ctx, b, entry, workers)
				if err != nil {
					return nil, err
				}
				suites[entry] = s
			}
			start := time.Now()
			var lock sync.Mutex
			var left []int
			parallel(workers, len(open), func(i int) {
				if ctx.Err() != nil {
					return
				}
				found, reached := suites[entry].find(ctx, open[i]+1)
				if ctx.Err() != nil {
					return
				}
				lock.Lock()
				defer lock.Unlock()
				switch m := open[i]; {
				case found:
					outcomes[m] = killed
					return
				case reached:
					outcomes[m] = survived
				case outcomes[m] == untried:
					outcomes[m] = unreached
				}
				left = append(left, open[i])
			})
			if ctx.Err() != nil {
				return outcomes, nil
			}
			fmt.Printf("%s: %s finds %d of %d in %v\n", folder, entry, len(open)-len(left), len(open), time.Since(start).Round(time.Second))
			open = left
		}
		for _, m := range open {
			switch outcomes[m] {
			case survived:
				fmt.Println(mutants[m])
			case unreached:
				fmt.Println("no test runs", mutants[m])
			}
		}
	}
	return outcomes, nil
}
