package session_test

import (
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// The models look at every schedule of a few refreshes, and take the Step of
// each. Their clock ticks five times in a window. What is shown of a browser is
// in model_browser_test.go, of a thief in model_theft_test.go.
const (
	modelWindow = 10 * time.Second
	modelTick   = modelWindow / windowTicks
	windowTicks = 5

	// maxAge is where time stands still: no model gets so many rotations ahead
	// of its record that it would need longer to be plausible.
	maxAge = 5 * windowTicks
)

type stepFunc func(session.Record, session.Presented, time.Time, session.Policy) (session.Record, session.Verdict)

// eagerStep is Step without the rule of one rotation a window.
func eagerStep(r session.Record, p session.Presented, now time.Time, policy session.Policy) (session.Record, session.Verdict) {
	if p.Generation == r.Generation {
		r.Rotated = time.Time{}
	}
	return session.Step(r, p, now, policy)
}

// A chain is what matters of a record. Its time is relative, so that states
// which differ in nothing else are one.
type chain struct {
	generation uint32
	age        int8 // ticks since the last rotation, or the login
}

func (c chain) open() bool { return c.generation > 0 && c.age < windowTicks }

func (c *chain) pass(ticks int8) { c.age = min(c.age+ticks, maxAge) }

// present takes the step of a token of generation.
func (c *chain) present(step stepFunc, generation uint32) session.Verdict {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	used := now.Add(-time.Duration(c.age) * modelTick)
	r := session.Record{Generation: c.generation, Created: used, Idle: now.Add(time.Hour), Limit: now.Add(time.Hour)}
	if c.generation > 0 {
		r.Rotated = used
	}
	after, verdict := step(r, session.Presented{Generation: generation}, now, session.Policy{Idle: time.Hour, ReuseWindow: modelWindow})
	c.generation = after.Generation
	if after.Rotated.Equal(now) {
		c.age = 0
	}
	return verdict
}

// A failover brings back a record as it was before: once at most, at any time.
type failover struct {
	done  bool
	taken bool
	copy  chain
}

// next calls visit with what can become of c by f.
func (f failover) next(c chain, visit func(chain, failover)) {
	switch {
	case f.done:
	case f.taken:
		visit(f.copy, failover{done: true})
	default:
		visit(c, failover{taken: true, copy: c})
	}
}

// explore visits every state that can be reached from start.
func explore[S comparable](start S, visit func(s S, next func(S))) {
	seen := map[S]bool{start: true}
	todo := []S{start}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		visit(s, func(after S) {
			if !seen[after] {
				seen[after] = true
				todo = append(todo, after)
			}
		})
	}
}
