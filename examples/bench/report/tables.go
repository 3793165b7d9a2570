package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// print writes all tables.
func (rs *rounds) print(w io.Writer) error {
	text := &strings.Builder{}
	fmt.Fprintf(text, "Medians of %d rounds on %s. Values in bold miss their target.\n\n", len(rs.rounds), rs.cpu)
	rs.printTargets(text)
	fmt.Fprint(text, "Columns with + show a request with a good token, in processor time added to the bare handler; bare and signature are whole times. "+
		"The columns of bad tokens show the time of a whole request. "+
		"req/s is the number of requests per second over connections, on one processor. "+
		"All columns are HS256 unless they name another algorithm.\n")
	for _, framework := range frameworks {
		rs.printFramework(text, framework)
	}
	rs.printCores(text)
	rs.printScale(text)
	rs.printSessions(text)
	_, err := io.WriteString(w, text.String())
	return err
}

// printTargets prints the measurements that have targets beside these. A dash stands for
// what was not measured.
func (rs *rounds) printTargets(text *strings.Builder) {
	for _, of := range promises {
		t := newTable(append(append([]string{of.head}, of.titles...), "target")...)
		for _, target := range of.targets {
			row := []string{target.name}
			for i := range target.limits {
				value := rs.median(func(r round) float64 { return target.value(r, of.columns[i]) })
				cell := show(value, target.show)
				switch {
				case cell == "":
					cell = "–"
				case target.missed(i, value):
					cell = "**" + cell + "**"
				}
				row = append(row, cell)
			}
			for len(row) <= len(of.columns) {
				row = append(row, "")
			}
			t.add(append(row, target.promise())...)
		}
		t.print(text)
		fmt.Fprintln(text)
	}
}

// promise returns the limits of t as text.
func (t *target) promise() string {
	limits := t.limits
	if slices.Min(limits) == slices.Max(limits) {
		limits = limits[:1]
	}
	var texts []string
	for _, limit := range limits {
		texts = append(texts, t.show(limit))
	}
	if t.least {
		return "≥ " + strings.Join(texts, " / ")
	}
	return "≤ " + strings.Join(texts, " / ")
}

// printFramework prints the time that each contender adds to an accepted request,
// and the time of refused requests.
func (rs *rounds) printFramework(text *strings.Builder, framework string) {
	of := "Middleware/" + framework + "/"
	algorithms := rs.under(of)
	if len(algorithms) == 0 {
		return
	}
	kinds := rs.under("Refuse/" + framework + "/")
	head := []string{framework}
	for _, algorithm := range algorithms {
		head = append(head, "+ "+algorithm)
	}
	head = append(head, "+ allocs")
	head = append(head, kinds...)
	t := newTable(append(head, "req/s")...)
	for _, contender := range rs.under(of + algorithms[0] + "/") {
		row := []string{contender}
		for _, algorithm := range algorithms {
			row = append(row, rs.cell(duration, func(r round) float64 {
				if contender == "bare" || contender == "signature" {
					return r.time(of + algorithm + "/" + contender)
				}
				return r.added(framework, algorithm, contender)
			}))
		}
		row = append(row, rs.cell(whole, func(r round) float64 {
			return allocations(algorithms[0], contender)(r, framework)
		}))
		for _, kind := range kinds {
			row = append(row, rs.time("Refuse/"+framework+"/"+kind+"/"+contender))
		}
		t.add(append(row, rs.cell(whole, func(r round) float64 { return r.rate(framework + "/" + contender) }))...)
	}
	fmt.Fprintln(text)
	t.print(text)
}

// printCores prints the speed-up from one core to two.
func (rs *rounds) printCores(text *strings.Builder) {
	t := newTable(append([]string{"2 cores ÷ 1"}, titles...)...)
	for _, contender := range []string{"bare", "jwtgate-cold", "jwtgate-warm", "golang-jwt"} {
		row := []string{contender}
		for _, framework := range frameworks {
			of := "Parallel/" + framework + "/" + contender + "/cores="
			row = append(row, rs.cell(ratio, func(r round) float64 { return r.value(of+"1", "ns/op") / r.value(of+"2", "ns/op") }))
		}
		t.add(row...)
	}
	fmt.Fprintln(text)
	t.print(text)
}

// printScale prints how the time of an operation grows with the number of tokens,
// sessions, keys, roles and revocations.
func (rs *rounds) printScale(text *strings.Builder) {
	sizes := []string{"0", "1", "10", "100", "1000", "10000", "100000", "1000000"}
	t := newTable(append([]string{"how many"}, sizes...)...)
	for _, row := range []struct{ name, of string }{
		{"tokens in turn", "Tokens/tokens="},
		{"sessions rotated in turn", "Rotation/sessions="},
		{"keys", "Keys/keys="},
		{"roles in a token, cold", "Roles/jwtgate-cold/roles="},
		{"roles in a token, warm", "Roles/jwtgate-warm/roles="},
		{"other sessions revoked", "Revoked/revoked="},
	} {
		cells := []string{row.name}
		for _, size := range sizes {
			cells = append(cells, rs.time(row.of+size))
		}
		t.add(cells...)
	}
	fmt.Fprintln(text)
	t.print(text)
}

func (rs *rounds) printSessions(text *strings.Builder) {
	algorithms := rs.under("Refresh/")
	t := newTable(append([]string{"sessions"}, algorithms...)...)
	for _, row := range []struct{ name, of string }{
		{"refresh endpoint", "Refresh/"},
		{"request that renews its cookies", "Renewal/"},
	} {
		cells := []string{row.name}
		for _, algorithm := range algorithms {
			cells = append(cells, rs.time(row.of+algorithm))
		}
		t.add(cells...)
	}
	fmt.Fprintln(text)
	t.print(text)
	for _, row := range []struct{ benchmark, of string }{{"Heap", ""}, {"HeapOfMillion", ", of a million each"}} {
		fmt.Fprintf(text, "\nHeap%s: %s for a cached token, %s for a session, %s for a revocation.\n", row.of, rs.only(row.benchmark+"/token", "B/token", size),
			rs.only(row.benchmark+"/session", "B/session", size), rs.only(row.benchmark+"/revocation", "B/revocation", size))
	}
}

// time returns the time of the benchmark called name as text.
func (rs *rounds) time(name string) string {
	return rs.cell(duration, func(r round) float64 { return r.time(name) })
}

// only returns the value in unit of the benchmark called name as text.
func (rs *rounds) only(name, unit string, format func(float64) string) string {
	return rs.cell(format, func(r round) float64 { return r.value(name, unit) })
}

func (rs *rounds) cell(format func(float64) string, value func(r round) float64) string {
	return show(rs.median(value), format)
}

// show returns value as text, or the empty text if it was not measured.
func show(value float64, format func(float64) string) string {
	if math.IsNaN(value) {
		return ""
	}
	return format(value)
}

func ratio(v float64) string {
	if v < 0.1 {
		return fmt.Sprintf("%.2g", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

func size(v float64) string { return fmt.Sprintf("%.0f B", v) }

// duration formats nanoseconds with three digits.
func duration(v float64) string {
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%.3g s", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.3g ms", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.3g µs", v/1e3)
	}
	return fmt.Sprintf("%.0f ns", v)
}
