// Command report runs the benchmarks of this module several times and prints the
// results on standard output, as Markdown tables. The first tables show ratios
// beside their targets. From the repository root:
//
//	go run ./examples/bench/report >table.md 2>bench.txt
//
// The output of the benchmarks themselves goes to standard error. It shows the
// progress, and is input for benchstat and for printing the tables again:
//
//	go run ./examples/bench/report -stdin <bench.txt
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	var (
		stdin     = flag.Bool("stdin", false, "run no benchmarks; read the output of go test -bench from standard input")
		rounds    = flag.Int("rounds", 5, "how often to run each benchmark")
		benchtime = flag.Duration("benchtime", 100*time.Millisecond, "how long to run each benchmark in each round")
		short     = flag.Bool("short", false, "skip benchmarks that take long to set up")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *stdin, *rounds, *benchtime, *short); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stdin bool, rounds int, benchtime time.Duration, short bool) error {
	var output []byte
	var err error
	if stdin {
		output, err = io.ReadAll(os.Stdin)
	} else {
		output, err = measure(ctx, rounds, benchtime, short)
	}
	if err != nil {
		return err
	}
	report := parse(output)
	if len(report.rounds) == 0 {
		return errors.New("the input has no results of these benchmarks")
	}
	return report.print(os.Stdout)
}
