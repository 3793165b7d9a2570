package main

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A round holds one result of each benchmark, by name.
type round map[string]result

// A result holds the values that a benchmark reports, by unit, such as "ns/op".
type result map[string]float64

// rounds holds the results of several rounds and the machine they come from.
type rounds struct {
	rounds []round
	names  []string // the names of the benchmarks, in order
	cpu    string   // the processor
}

// cores matches the suffix of a benchmark that ran with GOMAXPROCS above 1.
var cores = regexp.MustCompile(`-(\d+)$`)

// parse reads the output of go test -bench. The first result of each benchmark
// belongs to the first round, and so on.
func parse(output []byte) *rounds {
	parsed := &rounds{}
	seen := make(map[string]int)
	for line := range bytes.Lines(output) {
		text := strings.TrimSpace(string(line))
		if cpu, found := strings.CutPrefix(text, "cpu: "); found {
			parsed.cpu = cpu
		}
		fields := strings.Fields(text)
		if len(fields) < 4 || !strings.HasPrefix(text, "Benchmark") {
			continue
		}
		name := nameOf(fields[0])
		if seen[name] == 0 {
			parsed.names = append(parsed.names, name)
		}
		if seen[name] == len(parsed.rounds) {
			parsed.rounds = append(parsed.rounds, make(round))
		}
		parsed.rounds[seen[name]][name] = resultOf(fields[2:])
		seen[name]++
	}
	return parsed
}

// nameOf returns the name of a benchmark without the prefix "Benchmark". It keeps
// the number of cores only for BenchmarkParallel.
func nameOf(field string) string {
	name := strings.TrimPrefix(field, "Benchmark")
	n := "1"
	if found := cores.FindStringSubmatch(name); found != nil {
		name, n = strings.TrimSuffix(name, found[0]), found[1]
	}
	if strings.HasPrefix(name, "Parallel/") {
		return fmt.Sprintf("%s/cores=%s", name, n)
	}
	return name
}

func resultOf(fields []string) result {
	values := make(result)
	for pair := range slices.Chunk(fields, 2) {
		if value, err := strconv.ParseFloat(pair[0], 64); err == nil && len(pair) == 2 {
			values[pair[1]] = value
		}
	}
	return values
}

// value returns the value in unit that the benchmark called name reports, or NaN
// if it did not run.
func (r round) value(name, unit string) float64 {
	if value, found := r[name][unit]; found {
		return value
	}
	return math.NaN()
}

// time returns the processor time of the benchmark called name if it reports it,
// and its wall clock time otherwise.
func (r round) time(name string) float64 {
	if used, found := r[name]["cpu-ns/op"]; found {
		return used
	}
	return r.value(name, "ns/op")
}

// rate returns how many requests per second the processor of the server called
// name can serve, or the number of requests served if its processor time is unknown.
func (r round) rate(name string) float64 {
	if used, found := r["Listener/"+name]["cpu-ns/op"]; found {
		return 1e9 / used
	}
	return r.value("Listener/"+name, "req/s")
}

// median returns the median of value over all rounds, without NaN values. It
// returns NaN if there are no others.
func (rs *rounds) median(value func(r round) float64) float64 {
	var values []float64
	for _, r := range rs.rounds {
		if v := value(r); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 0 {
		return (values[middle-1] + values[middle]) / 2
	}
	return values[middle]
}

// under returns, for all names that begin with prefix, the part up to the next
// slash, without duplicates and in the order of measurement.
func (rs *rounds) under(prefix string) []string {
	var parts []string
	for _, name := range rs.names {
		rest, found := strings.CutPrefix(name, prefix)
		part, _, _ := strings.Cut(rest, "/")
		if found && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}
