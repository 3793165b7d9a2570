package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"time"
)

// The packages with benchmarks.
const (
	benchPackage = "github.com/jwtgate/jwtgate/examples/bench"
	redisPackage = "github.com/jwtgate/jwtgate/core/redisstore"
	sqlPackage   = "github.com/jwtgate/jwtgate/core/sqlstore/internal/sqltest"
)

// A part is a run of some benchmarks of a package.
type part struct {
	of         string // the package
	benchmarks string // the pattern of their names
	cpu        string // the values of GOMAXPROCS
	time       string // how long, or how often, to run each
	once       bool   // run it in the first round only, because it takes long to set up
}

// partsOf returns the parts of a round. The benchmarks of stores compare two operations
// that take turns, so the number of turns is set instead of a time. They are skipped if
// the program of the server is missing.
func partsOf(benchtime time.Duration) []part {
	return []part{
		{benchPackage, "^Benchmark(Middleware|Refuse|Refresh|Renewal|Revoked|Keys|Roles|Tokens|Rotation)$", "1", benchtime.String(), false},
		{benchPackage, "^BenchmarkParallel$", "1,2", benchtime.String(), false},
		{benchPackage, "^BenchmarkListener$", "1", (5 * benchtime).String(), false},
		{benchPackage, "^BenchmarkHeap$", "1", "1x", false},
		{benchPackage, "^BenchmarkHeapOfMillion$", "1", "1x", true},
		{redisPackage, "^BenchmarkBesidePlain$/^Rotation$", "2", "20x", false},
		{sqlPackage, "^BenchmarkAdvance$/^(sqlite|postgres|mariadb)$", "2", "10x", true},
		{sqlPackage, "^Benchmark(End|List)$", "2", "20x", true},
		{sqlPackage, "^BenchmarkStart$", "2", "3x", true},
	}
}

// measure runs the benchmarks in rounds. Each benchmark runs once in each round,
// so that other load on the machine affects all benchmarks alike.
func measure(ctx context.Context, rounds int, benchtime time.Duration, short bool) ([]byte, error) {
	directory, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory) //nolint:errcheck // it is a temporary directory
	program := func(of string) string { return filepath.Join(directory, path.Base(of)+".test") }
	for _, of := range []string{benchPackage, redisPackage, sqlPackage} {
		build := exec.CommandContext(ctx, "go", "test", "-c", "-o", program(of), of) //nolint:gosec // the path is a new temporary directory
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("build the benchmarks of %s: %w", of, err)
		}
	}
	var output bytes.Buffer
	for round := range rounds {
		for _, part := range partsOf(benchtime) {
			if part.once && (short || round > 0) {
				continue
			}
			test := exec.CommandContext(ctx, program(part.of), "-test.run=^$", "-test.bench="+part.benchmarks, //nolint:gosec // this function built the program
				"-test.cpu="+part.cpu, "-test.benchtime="+part.time, fmt.Sprintf("-test.short=%t", short))
			test.Stdout = io.MultiWriter(&output, os.Stderr)
			test.Stderr = os.Stderr
			if err := test.Run(); err != nil {
				return nil, fmt.Errorf("run the benchmarks of %s: %w", part.of, err)
			}
		}
	}
	return output.Bytes(), nil
}
