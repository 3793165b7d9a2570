package main

import (
	"math"
	"slices"
	"strings"
)

// frameworks are the columns of most tables, and titles their heads.
var (
	frameworks = []string{"nethttp", "echo", "echo5", "gin", "fiber", "fiber3"}
	titles     = []string{"net/http", "Echo v4", "Echo v5", "Gin", "Fiber v2", "Fiber v3"}
)

// ours are the contenders that use no other library.
var ours = []string{"bare", "context", "signature", "jwtgate-cold", "jwtgate-cold-claims", "jwtgate-warm", "jwtgate-warm-claims"}

// A target is a limit for a measurement that depends little on the machine.
type target struct {
	name   string
	value  func(r round, column string) float64
	limits []float64 // one for each column, or only one if the measurement has no columns
	least  bool      // the limits are minimums, not maximums
	show   func(float64) string
}

// promises are all targets, in tables. The columns are frameworks or stores.
var promises = []struct {
	head            string
	columns, titles []string
	targets         []target
}{
	{"ratio of one run", frameworks, titles, targets},
	{"sessions in a store", stores, storeTitles, storeTargets},
}

// targets are the limits that this project promises for requests and for the memory of a
// process.
var targets = []target{
	{"HS256, cold: added time ÷ fastest peer's", toPeer("HS256", "jwtgate-cold"), same(0.25), false, ratio},
	{"HS256, cold, claims decoded: added time ÷ fastest peer's", toPeer("HS256", "jwtgate-cold-claims"), same(0.60), false, ratio},
	{"RS256, cold: added time ÷ signature check", toSignature("RS256"), same(1.05), false, ratio},
	{"ES256, cold: added time ÷ signature check", toSignature("ES256"), same(1.05), false, ratio},
	{"EdDSA, cold: added time ÷ signature check", toSignature("EdDSA"), same(1.05), false, ratio},
	{"HS256, cold: added allocations", allocations("HS256", "jwtgate-cold"), []float64{5, 6, 5, 5, 3, 3}, false, whole},
	{"EdDSA, cold: added allocations", allocations("EdDSA", "jwtgate-cold"), []float64{5, 6, 5, 5, 3, 3}, false, whole},
	{"HS256, warm: added time ÷ fastest peer's", toPeer("HS256", "jwtgate-warm"), same(0.05), false, ratio},
	{"RS256, warm: added time ÷ fastest peer's", toPeer("RS256", "jwtgate-warm"), same(0.012), false, ratio},
	{"ES256, warm: added time ÷ fastest peer's", toPeer("ES256", "jwtgate-warm"), same(0.006), false, ratio},
	{"EdDSA, warm: added time ÷ fastest peer's", toPeer("EdDSA", "jwtgate-warm"), same(0.008), false, ratio},
	{"HS256, warm: added allocations", allocations("HS256", "jwtgate-warm"), []float64{2, 3, 2, 2, 0, 0}, false, whole},
	{"HS256, forged: time ÷ golang-jwt's", forged, same(0.15), false, ratio},
	{"HS256, forged: time ÷ fastest peer's", forgedToPeer, same(1.0), false, ratio},
	{"a header of many long names: time ÷ a forged token's of that size", manyNames, same(1.0), false, ratio},
	{"HS256, cold: requests per second ÷ bare", throughput("jwtgate-cold"), []float64{0.82, 0.82, 0.82, 0.82, 0.72, 0.72}, true, ratio},
	{"HS256, warm: requests per second ÷ bare", throughput("jwtgate-warm"), same(0.90), true, ratio},
	{"heap for a cached token", heapFor("token"), []float64{1300}, false, size},
	{"heap for a session", heapFor("session"), []float64{450}, false, size},
	{"heap for a revocation", heapFor("revocation"), []float64{450}, false, size},
	{"heap for a cached token: of a million ÷ of 100,000", growth("token"), []float64{1.15}, false, ratio},
	{"heap for a session: of a million ÷ of 100,000", growth("session"), []float64{1.25}, false, ratio}, // see README.md
	{"heap for a revocation: of a million ÷ of 100,000", growth("revocation"), []float64{1.5}, false, ratio},
	{"rotation of one of 100,000 sessions", rotation, []float64{3000}, false, duration},
}

// missed reports whether value, in column i, is outside of its limit.
func (t *target) missed(i int, value float64) bool {
	return t.least && value < t.limits[i] || !t.least && value > t.limits[i]
}

func same(limit float64) []float64 { return slices.Repeat([]float64{limit}, len(frameworks)) }

// added returns the time that contender adds to the bare handler of its framework.
func (r round) added(framework, algorithm, contender string) float64 {
	of := "Middleware/" + framework + "/" + algorithm + "/"
	return r.time(of+contender) - r.time(of+"bare")
}

// fastestPeer returns the time that the fastest other library adds.
func (r round) fastestPeer(framework, algorithm string) float64 {
	var added []float64
	for name := range r {
		contender, found := strings.CutPrefix(name, "Middleware/"+framework+"/"+algorithm+"/")
		if found && !slices.Contains(ours, contender) {
			added = append(added, r.added(framework, algorithm, contender))
		}
	}
	if len(added) == 0 {
		return math.NaN()
	}
	return slices.Min(added)
}

func toPeer(algorithm, contender string) func(r round, framework string) float64 {
	return func(r round, framework string) float64 {
		return r.added(framework, algorithm, contender) / r.fastestPeer(framework, algorithm)
	}
}

func toSignature(algorithm string) func(r round, framework string) float64 {
	return func(r round, framework string) float64 {
		return r.added(framework, algorithm, "jwtgate-cold") / r.time("Middleware/"+framework+"/"+algorithm+"/signature")
	}
}

func allocations(algorithm, contender string) func(r round, framework string) float64 {
	return func(r round, framework string) float64 {
		of := "Middleware/" + framework + "/" + algorithm + "/"
		return r.value(of+contender, "allocs/op") - r.value(of+"bare", "allocs/op")
	}
}

func forged(r round, framework string) float64 {
	of := "Refuse/" + framework + "/forged/"
	return r.time(of+"jwtgate-warm") / r.time(of+"golang-jwt")
}

func forgedToPeer(r round, framework string) float64 {
	of := "Refuse/" + framework + "/forged/"
	var peers []float64
	for name := range r {
		if contender, found := strings.CutPrefix(name, of); found && !slices.Contains(ours, contender) {
			peers = append(peers, r.time(name))
		}
	}
	if len(peers) == 0 {
		return math.NaN()
	}
	return r.time(of+"jwtgate-warm") / slices.Min(peers)
}

func manyNames(r round, framework string) float64 {
	of := "Refuse/" + framework + "/"
	return r.time(of+"names/jwtgate-warm") / r.time(of+"4KB/jwtgate-warm")
}

func throughput(contender string) func(r round, framework string) float64 {
	return func(r round, framework string) float64 {
		return r.rate(framework+"/"+contender) / r.rate(framework+"/bare")
	}
}

func heapFor(what string) func(r round, _ string) float64 {
	return func(r round, _ string) float64 { return r.value("Heap/"+what, "B/"+what) }
}

// growth returns how many times as much heap one of a million needs as one of 100,000.
func growth(what string) func(r round, _ string) float64 {
	return func(r round, _ string) float64 {
		return r.value("HeapOfMillion/"+what, "B/"+what) / r.value("Heap/"+what, "B/"+what)
	}
}

func rotation(r round, _ string) float64 { return r.time("Rotation/sessions=100000") }
