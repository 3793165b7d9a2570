package session_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A schedule is a model of an honest client with one pair of tokens, such as a
// browser: what can happen to its requests and to the store. Requests with an
// access token that has not expired only confirm its generation, and are not
// counted.
type schedule struct {
	requests    int8          // how many refreshes the client sends
	atOnce      int           // how many of them are in flight at once
	window      time.Duration // the reuse window
	life        int8          // the lifetime of access tokens in ticks
	cookies     int8          // an answer of a higher age has no cookies
	answers     int8          // an answer arrives, or is lost, at this age at the latest
	arrive      int8          // a request arrives at this age at the latest
	compare     bool          // the client stores an answer only over the token that it presented
	unconfirmed bool          // confirmations are late or lost
	fails       bool          // the store is replaced by an earlier copy
	steps       bool          // the clock steps by clockStep or less
	early       bool          // the client also refreshes before the access token expires
}

const always = 127 // an age that is never reached

// A client is the state of an honest client and of its session.
type client struct {
	chain     chain
	jar       uint8   // the generation of the tokens of the client
	age       int8    // of its access token
	sends     int8    // how many refreshes it can still send
	trips     [3]trip // sorted, because their order does not matter
	confirms  uint8   // the generations with a confirmation under way, as bits
	failover  failover
	stepped   bool // the clock has stepped
	signedOut bool
}

// A trip is a refresh in flight: a request with a token, or an answer with one.
type trip struct {
	stage     stage
	presented uint8
	generated uint8 // in an answer: the generation of the tokens
	age       int8  // of the request, or of the answer
}

type stage int8

const (
	free stage = iota
	asked
	answered
)

// with returns c with t as trip i.
func (c client) with(i int, t trip) client {
	c.trips[i] = t
	slices.SortFunc(c.trips[:], func(x, y trip) int {
		return cmp.Or(cmp.Compare(x.stage, y.stage), cmp.Compare(x.presented, y.presented), cmp.Compare(x.generated, y.generated), cmp.Compare(x.age, y.age))
	})
	return c
}

// busy returns the number of trips.
func (c *client) busy() (n int) {
	for _, t := range c.trips {
		if t.stage != free {
			n++
		}
	}
	return n
}

// explored has what a schedule leads to.
type explored struct {
	states   int
	signOuts int // the session of the client ended, or the server does not accept its token any more
	forks    int // there was a second rotation in a window
}

// explore explores all states of m under step.
func (m schedule) explore(step stepFunc) (e explored) {
	start := client{chain: newChain(), sends: m.requests, failover: failover{done: !m.fails}, stepped: !m.steps}
	e.states = explore(start, func(c client, next func(client)) {
		if c.signedOut {
			e.signOuts++
			return
		}
		m.visit(c, step, &e, next)
	})
	return e
}

func (m schedule) visit(c client, step stepFunc, e *explored, next func(client)) {
	expired := c.age >= m.life
	if busy := c.busy(); busy == 0 && expired {
		probe := c.chain
		if verdict := probe.present(step, c.jar, m.window); !verdict.Good() && verdict != session.Busy {
			e.signOuts++
		}
	}
	if !expired { // a request with the access token
		after := c
		if m.unconfirmed {
			after.confirms |= 1 << c.jar
		} else {
			after.chain.confirm(c.jar)
		}
		next(after)
	}
	for g := range uint8(8) { // a confirmation arrives
		if c.confirms&(1<<g) != 0 {
			after := c
			after.confirms &^= 1 << g
			next(after) // lost
			after.chain.confirm(g)
			next(after)
			after.confirms |= 1 << g
			next(after) // and will be repeated
		}
	}
	for i, t := range c.trips {
		if i == 0 || t != c.trips[i-1] {
			m.move(c, i, expired || m.early, step, e, next)
		}
	}
	m.pass(c, next)
	c.failover.next(c.chain, func(record chain, f failover) {
		after := c
		after.chain, after.failover = record, f
		next(after)
	})
	if !c.stepped {
		for ticks := int8(-clockStep); ticks <= clockStep; ticks++ {
			after := c
			after.chain.pass(ticks)
			after.failover.copy.pass(ticks)
			after.stepped = true
			next(after)
		}
	}
}

// move calls next for all states that can follow from trip i.
func (m schedule) move(c client, i int, refresh bool, step stepFunc, e *explored, next func(client)) {
	t := c.trips[i]
	switch t.stage {
	case free:
		if !refresh || c.sends == 0 || c.busy() >= m.atOnce {
			return
		}
		c.sends--
		t = trip{stage: asked, presented: c.jar}
		if m.arrive > 0 {
			next(c.with(i, t))
			return
		}
		m.arrives(c, i, t, step, e, next)
	case asked:
		m.arrives(c, i, t, step, e, next)
	case answered:
		after := c.with(i, trip{})
		next(after) // the answer is lost
		if t.age <= m.cookies && (!m.compare || t.presented == c.jar) {
			after.jar, after.age = t.generated, t.age
			next(after)
		}
	}
}

// arrives calls next for the state after the request t arrived at the server.
func (m schedule) arrives(c client, i int, t trip, step stepFunc, e *explored, next func(client)) {
	before := c.chain
	verdict := c.chain.present(step, t.presented, m.window)
	if verdict == session.Rotated && before.rotated != never && modelTick*time.Duration(max(before.rotated, -before.rotated)) < m.window {
		e.forks++
	}
	switch verdict {
	case session.Busy, session.Stale: // the client keeps its tokens
		next(c.with(i, trip{}))
		return
	case session.Stolen:
		c.signedOut = true
	}
	next(c.with(i, trip{answered, t.presented, c.chain.generation, 0}))
}

// pass calls next for the state a tick later, if no request or answer has to
// arrive before.
func (m schedule) pass(c client, next func(client)) {
	c.chain.pass(1)
	c.failover.copy.pass(1)
	c.age = min(c.age+1, m.life)
	for i := range c.trips {
		switch t := &c.trips[i]; t.stage {
		case asked:
			if t.age++; t.age > m.arrive {
				return
			}
		case answered:
			t.age = min(t.age+1, m.life)
			switch {
			case t.age > m.answers:
				return
			case t.age > m.cookies:
				*t = trip{} // it changes nothing any more
			}
		}
	}
	next(c.with(0, c.trips[0]))
}

const half = windowTicks / 2

// The schedules. In the first ones, a request arrives within half of a window. An
// answer is held for any time, as by a handler, and has cookies only for half of a
// window.
var (
	sequential = schedule{requests: 4, atOnce: 1, window: modelWindow, life: 2 * windowTicks, cookies: always, answers: always, compare: true}
	twoAtOnce  = schedule{requests: 4, atOnce: 2, window: modelWindow, life: 2 * windowTicks, cookies: half, answers: always, arrive: half}
	prompt     = schedule{requests: 5, atOnce: 2, window: modelWindow, life: 2 * windowTicks, cookies: always, answers: always}
)

func (m schedule) but(change func(m *schedule)) schedule {
	change(&m)
	return m
}

// No schedule of the first rows signs an honest client out. The other rows have
// requests or answers that are later than the rule can forgive: an answer that the
// next generation's overtakes, or late answers in two generations running. Their
// sign-outs are counted, and the rule must not make more of them than a fixed
// window.
func TestModelClient(t *testing.T) {
	for _, row := range []struct {
		name  string
		model schedule
		large bool
		never bool // the client is never signed out
	}{
		{"F1, two at once", twoAtOnce, false, true},
		{"F2, six requests", twoAtOnce.but(func(m *schedule) { m.requests = 6 }), true, true},
		{"F3, three at once", twoAtOnce.but(func(m *schedule) { m.atOnce = 3 }), true, true},
		{"F4, confirmations late or lost", twoAtOnce.but(func(m *schedule) { m.unconfirmed = true }), true, true},
		{"F5, answers late by a window, with cookies", prompt.but(func(m *schedule) { m.answers, m.life = windowTicks, 2*windowTicks+1 }), false, true},
		{"F8, one at a time", sequential, false, true},
		{"F8, one at a time, confirmations late or lost", sequential.but(func(m *schedule) { m.unconfirmed = true }), false, true},
		{"F10, three requests, failover", twoAtOnce.but(func(m *schedule) { m.requests, m.fails = 3, true }), true, true},
		{"F11, the clock steps", twoAtOnce.but(func(m *schedule) { m.arrive, m.steps = windowTicks/4, true }), true, true},
		{"single use, one at a time", sequential.but(func(m *schedule) { m.window = 0 }), false, true},
		{"single use, one at a time, failover", sequential.but(func(m *schedule) { m.window, m.fails = 0, true }), false, true},

		{"F5, with access tokens that live twice as long as answers take", prompt.but(func(m *schedule) { m.answers = windowTicks }), false, false},
		{"F6, answers late without limit, with cookies", prompt.but(func(m *schedule) { m.requests = 4 }), false, false},
		{"F7, the same, stored over the token presented", prompt.but(func(m *schedule) { m.compare = true }), false, false},
		{"F9, requests late by two windows", twoAtOnce.but(func(m *schedule) { m.arrive = 2 * windowTicks }), true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.large && testing.Short() {
				t.Skip("large")
			}
			got, fixed := row.model.explore(session.Step), row.model.explore(fixedWindow)
			t.Logf("%d states, %d sign-outs; with a fixed window %d states, %d sign-outs", got.states, got.signOuts, fixed.states, fixed.signOuts)
			if got.forks != 0 && row.model.window > 0 {
				t.Errorf("got %d forks, want none", got.forks)
			}
			if row.never != (got.signOuts == 0) {
				t.Errorf("got %d sign-outs, want none: %v", got.signOuts, row.never)
			}
			if fixed.signOuts <= got.signOuts {
				t.Errorf("got %d sign-outs with a fixed window, want more than the %d of the rule", fixed.signOuts, got.signOuts)
			}
		})
	}
}

// The models find the sign-outs that parts of the rule prevent.
func TestModelClientParts(t *testing.T) {
	for _, row := range []struct {
		name  string
		step  stepFunc
		model schedule
	}{
		{"a window after the first use", fromRotation, twoAtOnce},
		{"one rotation per window", eager, twoAtOnce.but(func(m *schedule) { m.early = true })},
	} {
		got, without := row.model.explore(session.Step), row.model.explore(row.step)
		t.Logf("%s: %d sign-outs, %d without", row.name, got.signOuts, without.signOuts)
		if without.signOuts <= got.signOuts {
			t.Errorf("%s: got %d sign-outs without it, want more than %d", row.name, without.signOuts, got.signOuts)
		}
	}
}
