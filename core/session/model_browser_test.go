package session_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

// A browser is an honest client with one cookie jar, and some refreshes in
// flight.
type browser struct {
	chain    chain
	jar      uint32  // the generation of the token in the cookie jar
	sends    int8    // how many refreshes it can still send
	trips    [3]trip // sorted, because their order does not matter
	failover failover
	history
}

// A history has the events that can lead to an unwanted sign-out, and the
// sign-out.
type history struct {
	out  bool // the browser was signed out
	lost bool // a response was lost
	late bool // a window closed while the browser was not settled
}

// A trip is a refresh in flight: a request with a token, or a response with one.
type trip struct {
	stage      stage
	generation uint32
	age        int8
}

type stage int8

const (
	free stage = iota
	asked
	answered
)

// maxTrip is the maximum duration of a trip in ticks. It is less than half a
// window, so that a request sent just before a response arrived reaches the
// server before the window closes.
const maxTrip = 2

// with returns b with t as trip i.
func (b browser) with(i int, t trip) browser {
	b.trips[i] = t
	slices.SortFunc(b.trips[:], func(x, y trip) int {
		return cmp.Or(cmp.Compare(x.stage, y.stage), cmp.Compare(x.generation, y.generation), cmp.Compare(x.age, y.age))
	})
	return b
}

// busy returns the number of trips.
func (b *browser) busy() (n int) {
	for _, t := range b.trips {
		if t.stage != free {
			n++
		}
	}
	return n
}

// settled reports whether the jar and all requests have the current token, and
// no response is in flight that a newer one could overtake.
func (b *browser) settled() bool {
	for _, t := range b.trips {
		if t.stage == answered || t.stage == asked && t.generation < b.chain.generation {
			return false
		}
	}
	return b.jar >= b.chain.generation
}

// browsing is a model of a browser, with its parameters and its results.
type browsing struct {
	step     stepFunc
	lossy    bool // responses may be lost
	atOnce   int  // the maximum number of trips
	states   int
	forks    int // a second rotation in a window, or one past the next generation
	deadJars int // all responses were delivered, but the server does not accept the token in the jar
	out      map[history]int
}

// visit checks the state b, and calls next for all states that can follow.
func (m *browsing) visit(b browser, next func(browser)) {
	m.states++
	if b.out {
		m.out[history{lost: b.lost, late: b.late}]++
		return
	}
	oldest := int8(0)
	for i, t := range b.trips {
		if i > 0 && t == b.trips[i-1] {
			continue
		}
		oldest = max(oldest, t.age)
		m.move(b, i, next)
	}
	if oldest < maxTrip {
		next(b.tick())
	}
	b.failover.next(b.chain, func(c chain, f failover) {
		after := b
		after.chain, after.failover = c, f
		next(after)
	})
	if b.busy() == 0 && !b.late {
		stale := !b.lost && b.jar < b.chain.generation
		if stale || !b.chain.present(m.step, b.jar).Good() {
			m.deadJars++
		}
	}
}

// move calls next for all states that can follow from trip i.
func (m *browsing) move(b browser, i int, next func(browser)) {
	t := b.trips[i]
	switch t.stage {
	case free:
		if b.sends > 0 && b.busy() < m.atOnce {
			b.sends--
			next(b.with(i, trip{asked, b.jar, 0}))
		}
	case asked:
		before := b.chain
		verdict := b.chain.present(m.step, t.generation)
		if verdict == session.Rotated && (before.open() || b.chain.generation != before.generation+1) {
			m.forks++
		}
		b.out = !verdict.Good()
		next(b.with(i, trip{answered, b.chain.generation, t.age}))
	case answered:
		after := b.with(i, trip{})
		after.jar = t.generation
		next(after)
		if m.lossy {
			after.jar, after.lost = b.jar, true
			next(after)
		}
	}
}

// tick returns b a tick later.
func (b browser) tick() browser {
	wasOpen := b.chain.open()
	b.chain.pass(1)
	b.failover.copy.pass(1)
	b.late = b.late || wasOpen && !b.chain.open() && !b.settled()
	for i := range b.trips {
		if b.trips[i].stage != free {
			b.trips[i].age++
		}
	}
	return b
}

func (m *browsing) run(sends int8, fails bool) {
	m.out = make(map[history]int)
	explore(browser{sends: sends, failover: failover{done: !fails}}, m.visit)
}

// No honest client is signed out if its refreshes, including the retries of
// lost ones, have ended when a window closes. That also holds during a
// failover, whatever is in flight. The table lists all other cases that end in
// a sign-out.
func TestModelBrowser(t *testing.T) {
	t.Parallel()
	var (
		overtaken = history{late: true} // a response of one window was overtaken by one of the next
		lateRetry = history{late: true, lost: true}
	)
	for _, row := range []struct {
		name   string
		model  browsing
		sends  int8
		fails  bool
		wayOut []history
	}{
		{"one at a time", browsing{atOnce: 1}, 4, false, nil},
		{"one at a time, lossy", browsing{atOnce: 1, lossy: true}, 4, false, []history{lateRetry}},
		{"one at a time, failover", browsing{atOnce: 1}, 4, true, nil},
		{"one at a time, lossy, failover", browsing{atOnce: 1, lossy: true}, 3, true, []history{lateRetry}},
		{"three at once", browsing{atOnce: 3}, 4, false, []history{overtaken}},
		{"three at once, lossy", browsing{atOnce: 3, lossy: true}, 4, false, []history{overtaken, lateRetry}},
		{"three at once, failover", browsing{atOnce: 3}, 3, true, nil},
		{"two at once, lossy, failover", browsing{atOnce: 2, lossy: true}, 3, true, []history{lateRetry}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := row.model
			m.step = session.Step
			m.run(row.sends, row.fails)
			t.Logf("%d states", m.states)
			if m.forks != 0 || m.deadJars != 0 {
				t.Errorf("got %d forks and %d dead jars, want none", m.forks, m.deadJars)
			}
			for _, h := range row.wayOut {
				if m.out[h] == 0 {
					t.Errorf("got no sign-out with %+v, want some", h)
				}
				delete(m.out, h)
			}
			if len(m.out) != 0 {
				t.Errorf("got sign-outs with %+v, want none", m.out)
			}
		})
	}
}

// The model finds the sign-outs that the limit of one rotation per window
// prevents.
func TestModelBrowserEager(t *testing.T) {
	t.Parallel()
	m := browsing{step: eagerStep, atOnce: 3}
	m.run(4, false)
	if m.forks == 0 || m.deadJars == 0 || m.out[history{}] == 0 {
		t.Errorf("got %d forks, %d dead jars, %d sign-outs without a reason, want some of each", m.forks, m.deadJars, m.out[history{}])
	}
}
