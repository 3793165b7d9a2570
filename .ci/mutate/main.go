// Command mutate measures how well the tests find mistakes: it makes many small
// changes in the code, called mutants, one at a time, and runs the tests that should
// fail. Run it in the folder .ci:
//
//	GOWORK=off go run ./mutate                   # all mutants: some hours
//	GOWORK=off go run ./mutate -sample 200       # 200 of them
//	GOWORK=off go run ./mutate -in core/session  # those of a folder or a file
//
// It prints every mutant that no test finds, and then the share of mutants that were
// found. A mutant that cannot be found, because the program does the same as before,
// is listed with the reason in a file in the folder equivalent.
//
// The code is compiled once, with all mutants, and each run of the tests switches one of
// them on. A first run of each test without a mutant shows which mutants it reaches, so
// that only tests run that can fail. Constants cannot be switched, and stay as they are.
//
// The working tree is not changed: the go command reads the code as an overlay.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
)

func main() {
	var (
		sample = flag.Int("sample", 0, "the `number` of mutants to try, chosen at random; 0 for all")
		seed   = flag.Uint64("seed", 1, "chooses the sample")
		in     = flag.String("in", "", "the `folders` or files of the mutants, separated by commas; all if empty")
		least  = flag.Float64("least", 0, "fail if a smaller `percentage` of the mutants is found")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *sample, *seed, *in, *least); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

// root is the root of the repository, seen from .ci.
const root = ".."

func run(ctx context.Context, sample int, seed uint64, in string, least float64) error {
	mutants, err := find(root, tests, strings.FieldsFunc(in, func(r rune) bool { return r == ',' }))
	if err != nil {
		return err
	}
	known, err := readEquivalent("mutate/equivalent")
	if err != nil {
		return err
	}
	mutants = slices.DeleteFunc(mutants, func(m mutant) bool { return known[m.key()] })
	fmt.Printf("%d mutants, and %d listed as equivalent\n", len(mutants), len(known))
	if sample > 0 && sample < len(mutants) {
		random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // chooses a sample, which others must be able to repeat
		random.Shuffle(len(mutants), func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
		mutants = mutants[:sample]
	}
	slices.SortStableFunc(mutants, mutant.compare)

	code, err := newOverlay(ctx, root, mutants)
	if err != nil {
		return err
	}
	defer code.close()
	outcomes, err := try(ctx, code, mutants, tests, runtime.GOMAXPROCS(0))
	if err != nil {
		return err
	}
	counts := make(map[outcome]int)
	for _, o := range outcomes {
		counts[o]++
	}
	valid := counts[killed] + counts[survived] + counts[unreached]
	if valid == 0 {
		return fmt.Errorf("none of the %d mutants was tried, or none can be switched on", len(mutants))
	}
	share := 100 * float64(counts[killed]) / float64(valid)
	fmt.Printf("%d of %d mutants found, %.1f %%; %d more cannot be switched on\n", counts[killed], valid, share, counts[invalid])
	if share < least {
		return fmt.Errorf("%.1f %% of the mutants were found; want at least %.1f %%", share, least)
	}
	return nil
}
