package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// sample returns two rounds of the results that the targets need. All times of
// the second round are twice as long.
func sample() string {
	text := &strings.Builder{}
	fmt.Fprintln(text, "goos: linux\ncpu: an abacus")
	for speed := 1.0; speed <= 2; speed++ {
		line := func(name string, value float64, unit string) {
			if unit == "ns/op" {
				value *= speed
			}
			fmt.Fprintf(text, "Benchmark%s \t  1000\t %v %s\t 0 allocs/op\n", name, value, unit)
		}
		for i, framework := range frameworks {
			for _, algorithm := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
				for name, value := range map[string]float64{
					"bare": 100, "context": 101, "signature": 160, "jwtgate-cold": 300, "jwtgate-cold-claims": 500, "jwtgate-warm": 140,
					"golang-jwt": 1900, "another": 1100,
				} {
					fmt.Fprintf(text, "BenchmarkMiddleware/%s/%s/%s 1000 9999 ns/op %v cpu-ns/op 48 B/op %d allocs/op\n",
						framework, algorithm, name, value*speed, map[string]int{"bare": i, "jwtgate-cold": i + 4, "jwtgate-warm": i + 2}[name])
				}
			}
			line("Refuse/"+framework+"/forged/jwtgate-warm", 10, "ns/op")
			line("Refuse/"+framework+"/forged/golang-jwt", 100, "ns/op")
			line("Refuse/"+framework+"/forged/another", 40, "ns/op")
			line("Refuse/"+framework+"/names/jwtgate-warm", 60, "ns/op")
			line("Refuse/"+framework+"/4KB/jwtgate-warm", 50, "ns/op")
			line("Listener/"+framework+"/bare-2", 1000, "req/s")
			line("Listener/"+framework+"/jwtgate-cold-2", 800, "req/s")
			line("Listener/"+framework+"/jwtgate-warm-2", 950, "req/s")
		}
		for heap, b := range map[string]float64{"Heap": 100, "HeapOfMillion": 110} {
			line(heap+"/token", 10*b, "B/token")
			line(heap+"/session", 4*b, "B/session")
			line(heap+"/revocation", 3*b, "B/revocation")
		}
		line("Rotation/sessions=100000", 2000, "ns/op")
		line("Parallel/gin/jwtgate-warm", 100, "ns/op")
		line("Parallel/gin/jwtgate-warm-2", 60, "ns/op")
		for _, store := range stores[:3] { // MariaDB is not installed
			of := "Advance/" + store
			if store == "redis" {
				of = "BesidePlain/Rotation"
			}
			line(of+"/callers=1-2", 0.75, "ratio")
			line(of+"/callers=64-2", 0.85, "ratio")
			line("End/"+store+"-2", 2, "ratio")
			line("List/"+store+"-2", 10, "ratio")
			line("Start/revocations=100000/"+store+"-2", 1e9, "ns/op")
		}
	}
	return text.String() + "PASS\nok  \tpackage\t1.0s\n"
}

func TestTargets(t *testing.T) {
	report := parse([]byte(sample()))
	if got := len(report.rounds); got != 2 {
		t.Fatalf("got %d rounds; want 2", got)
	}
	want := [][]float64{
		{0.2, 0.4, 1.25, 1.25, 1.25, 4, 4, 0.04, 0.04, 0.04, 0.04, 2, 0.1, 0.25, 1.2, 0.8, 0.95, 1000, 400, 300, 1.1, 1.1, 1.1, 3000},
		{0.75, 0.85, 2, 10, 1.5e9},
	}
	for i, of := range promises {
		for j, target := range of.targets {
			for _, column := range of.columns[:len(target.limits)] {
				got := report.median(func(r round) float64 { return target.value(r, column) })
				measured := column != "mariadb"
				if wanted := want[i][j]; measured == math.IsNaN(got) || math.Abs(got-wanted) > 1e-9 {
					t.Errorf("%s, %s: got %v; want %v", target.name, column, got, wanted)
				}
			}
		}
	}
}

func TestPrint(t *testing.T) {
	text := &strings.Builder{}
	if err := parse([]byte(sample())).print(text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Medians of 2 rounds on an abacus.",
		"| HS256, cold: added time ÷ fastest peer's                 |     0.20 |",
		"| RS256, cold: added time ÷ signature check                | **1.25** |",
		"| HS256, cold: requests per second ÷ bare                  | **0.80** | **0.80** | **0.80** | **0.80** | 0.80 | 0.80 | ≥ 0.82 / 0.82 / 0.82 / 0.82 / 0.72 / 0.72 |",
		"| heap for a session | 400 B |",
		"| rotations, 1 caller: rate ÷ plain script's or UPDATE's | **0.75** | 0.75 | 0.75 | – | ≥ 0.80 / 0.50 / 0.50 / 0.50 |",
		"| start of a process with 100,000 revocations | 1.5 s | 1.5 s | 1.5 s | – | ≤ 3 s |",
		"| jwtgate-warm | ",
		"Heap: 1000 B for a cached token, ",
	} {
		if !strings.Contains(squeeze(text.String()), squeeze(want)) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// squeeze replaces each run of white space by one space.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestNames(t *testing.T) {
	for _, row := range []struct{ field, want string }{
		{"BenchmarkMiddleware/echo/HS256/jwtgate-cold", "Middleware/echo/HS256/jwtgate-cold"},
		{"BenchmarkMiddleware/echo/HS256/jwtgate-cold-16", "Middleware/echo/HS256/jwtgate-cold"},
		{"BenchmarkParallel/gin/bare", "Parallel/gin/bare/cores=1"},
		{"BenchmarkParallel/gin/bare-2", "Parallel/gin/bare/cores=2"},
	} {
		if got := nameOf(row.field); got != row.want {
			t.Errorf("%s: got %q; want %q", row.field, got, row.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, row := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3, 1, 2}, 2},
		{[]float64{4, 1, 2, 3}, 2.5},
		{[]float64{math.NaN(), 1}, 1},
	} {
		rs := &rounds{}
		for _, v := range row.values {
			rs.rounds = append(rs.rounds, round{"x": {"ns/op": v}})
		}
		if got := rs.median(func(r round) float64 { return r.value("x", "ns/op") }); got != row.want {
			t.Errorf("%v: got %v; want %v", row.values, got, row.want)
		}
	}
}

func TestTimes(t *testing.T) {
	r := parse([]byte(`
BenchmarkKeys/keys=1 10 300 ns/op
BenchmarkKeys/keys=10 10 300 ns/op 200 cpu-ns/op
BenchmarkListener/gin/bare 10 300 ns/op 4000 req/s
BenchmarkListener/gin/jwtgate-warm 10 300 ns/op 200000 cpu-ns/op 4000 req/s
`)).rounds[0]
	for _, row := range []struct{ got, want float64 }{
		{r.time("Keys/keys=1"), 300},
		{r.time("Keys/keys=10"), 200},
		{r.rate("gin/bare"), 4000},
		{r.rate("gin/jwtgate-warm"), 5000},
	} {
		if row.got != row.want {
			t.Errorf("got %v; want %v", row.got, row.want)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{duration(0.4), "0 ns"},
		{duration(999), "999 ns"},
		{duration(1060), "1.06 µs"},
		{duration(3.25e6), "3.25 ms"},
		{duration(3.25e9), "3.25 s"},
		{ratio(0.0123), "0.012"},
		{ratio(0.256), "0.26"},
		{ratio(1.08), "1.08"},
		{size(1063.6), "1064 B"},
		{show(math.NaN(), size), ""},
	} {
		if row.got != row.want {
			t.Errorf("got %q; want %q", row.got, row.want)
		}
	}
}
