// Command report runs the benchmarks of this module several times and prints the
// results on standard output, as Markdown tables. The first table shows ratios
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
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
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

// measure runs the benchmarks in rounds. Each benchmark runs once in each round,
// so that other load on the machine affects all benchmarks alike.
func measure(ctx context.Context, rounds int, benchtime time.Duration, short bool) ([]byte, error) {
	directory, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory) //nolint:errcheck // it is a temporary directory
	program := filepath.Join(directory, "bench.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program, "github.com/jwtgate/jwtgate/examples/bench") //nolint:gosec // the path is a new temporary directory
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build the benchmarks: %w", err)
	}
	var output bytes.Buffer
	for range rounds {
		for _, part := range []struct{ benchmarks, cpu, time string }{
			{"Signature|Middleware|Refuse|Refresh|Renewal|Revoked|Keys|Roles|Tokens|Rotation", "1", benchtime.String()},
			{"Parallel", "1,2", benchtime.String()},
			{"Listener", "1", (5 * benchtime).String()},
			{"Heap", "1", "1x"}, // both of 100,000 and of a million
		} {
			test := exec.CommandContext(ctx, program, "-test.run=^$", "-test.bench=^Benchmark("+part.benchmarks+")$", //nolint:gosec // this function built the program
				"-test.cpu="+part.cpu, "-test.benchtime="+part.time, fmt.Sprintf("-test.short=%t", short))
			test.Stdout = io.MultiWriter(&output, os.Stderr)
			test.Stderr = os.Stderr
			if err := test.Run(); err != nil {
				return nil, fmt.Errorf("run the benchmarks: %w", err)
			}
		}
	}
	return output.Bytes(), nil
}
