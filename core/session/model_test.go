package session_test

import (
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// The models try every order of a few refreshes, and apply Step to each
// refresh. A window has five ticks of their clock. model_browser_test.go has a
// model of a browser, and model_theft_test.go one of a thief.
const (
	modelWindow = 10 * time.Second
	modelTick   = modelWindow / windowTicks
	windowTicks = 5

	// maxAge is the highest age. No model gets so many rotations ahead of its
	// record that a higher age would make a difference to couldReach.
	maxAge = 5 * windowTicks
)

type stepFunc func(session.Record, session.Presented, time.Time, session.Policy) (session.Record, session.Verdict)

// eagerStep is Step without the limit of one rotation per window.
func eagerStep(r session.Record, p session.Presented, now time.Time, policy session.Policy) (session.Record, session.Verdict) {
	if p.Generation == r.Generation {
		r.Rotated = time.Time{}
	}
	return session.Step(r, p, now, policy)
}

// A chain has the essential fields of a record. It has an age instead of times,
// so that states that differ only in the time are equal.
type chain struct {
	generation uint32
	age        int8 // ticks since the last rotation, or the login
}

// open reports whether the reuse window is open.
func (c chain) open() bool { return c.generation > 0 && c.age < windowTicks }

func (c *chain) pass(ticks int8) { c.age = min(c.age+ticks, maxAge) }

// present applies step to a token of the given generation.
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

// A failover replaces a record by an earlier copy. It happens at most once, at
// any time.
type failover struct {
	done  bool
	taken bool
	copy  chain
}

// next calls visit for each next state of c and f that the failover can cause.
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
