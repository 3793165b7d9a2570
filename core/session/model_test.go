package session_test

import (
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// The models try every order of a few refreshes, and apply Step to each refresh
// and Confirm to each use of an access token. A window has four ticks of their
// clock. model_browser_test.go has a model of honest clients, and
// model_theft_test.go one of a thief.
const (
	windowTicks = 4
	modelWindow = 10 * time.Second
	modelTick   = modelWindow / windowTicks

	// clockStep is the largest step of the clock, in ticks.
	clockStep = 3 * windowTicks / 4

	// maxRotated and maxUsed are the highest ages. A higher age makes no
	// difference to the rule: not after a step of the clock, and not to
	// couldReach, because no model gets so far ahead of its record.
	maxRotated = 4 * windowTicks
	maxUsed    = 3*windowTicks + clockStep

	never = -128 // the age of what has not happened
)

type stepFunc func(session.Record, session.Presented, time.Time, session.Policy) (session.Record, session.Verdict)

// A chain has the essential fields of a record. It has ages instead of times, so
// that states that differ only in the time are equal.
type chain struct {
	generation, parent uint8
	late, lateBefore   bool
	rotated, used      int8 // ticks since then, or never
}

// newChain returns a chain just after the login.
func newChain() chain { return chain{rotated: never, used: never} }

func (c *chain) pass(ticks int8) {
	c.rotated, c.used = older(c.rotated, ticks, maxRotated), older(c.used, ticks, maxUsed)
}

func older(age, ticks, most int8) int8 {
	if age == never {
		return never
	}
	return min(age+ticks, most)
}

var modelNow = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func (c chain) record() session.Record {
	at := func(age int8) time.Time {
		if age == never {
			return time.Time{}
		}
		return modelNow.Add(-time.Duration(age) * modelTick)
	}
	return session.Record{
		Generation: uint32(c.generation), Parent: uint32(c.parent), Late: c.late, LateBefore: c.lateBefore,
		Created: modelNow.Add(-time.Hour), Rotated: at(c.rotated), Used: at(c.used),
		Idle: modelNow.Add(time.Hour), Limit: modelNow.Add(time.Hour),
	}
}

// become sets c to what a step at modelNow made of its record.
func (c *chain) become(r session.Record) {
	age := func(t time.Time) int8 {
		if t.IsZero() {
			return never
		}
		return int8(modelNow.Sub(t) / modelTick)
	}
	*c = chain{uint8(r.Generation), uint8(r.Parent), r.Late, r.LateBefore, age(r.Rotated), age(r.Used)}
}

// present applies step to a token of the given generation.
func (c *chain) present(step stepFunc, generation uint8, window time.Duration) session.Verdict {
	after, verdict := step(c.record(), session.Presented{Generation: uint32(generation)}, modelNow, session.Policy{Idle: time.Hour, ReuseWindow: window})
	if verdict.Good() {
		c.become(after)
	}
	return verdict
}

// confirm applies Confirm to the given generation.
func (c *chain) confirm(generation uint8) {
	if after, changed := session.Confirm(c.record(), session.Confirmation{Generation: uint32(generation)}, modelNow); changed {
		c.become(after)
	}
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

// explore visits every state that can be reached from start, and returns their
// number.
func explore[S comparable](start S, visit func(s S, next func(S))) int {
	seen := map[S]struct{}{start: {}}
	todo := []S{start}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		visit(s, func(after S) {
			if _, known := seen[after]; !known {
				seen[after] = struct{}{}
				todo = append(todo, after)
			}
		})
	}
	return len(seen)
}

// fixedWindow is the rule of a fixed window without confirmations: a replaced token
// is accepted for one window after its replacement.
func fixedWindow(r session.Record, p session.Presented, now time.Time, policy session.Policy) (session.Record, session.Verdict) {
	r.Late, r.LateBefore, r.Used = false, false, time.Time{}
	after, verdict := session.Step(r, p, now, policy)
	if p.Generation == r.Parent && p.Generation < r.Generation && after.Rotated != r.Rotated {
		return r, session.Stolen
	}
	return after, verdict
}

// forgiving is Step without the limit on late answers in two generations running.
func forgiving(r session.Record, p session.Presented, now time.Time, policy session.Policy) (session.Record, session.Verdict) {
	r.LateBefore = false
	return session.Step(r, p, now, policy)
}

// fromRotation is Step without the window after the first use.
func fromRotation(r session.Record, p session.Presented, now time.Time, policy session.Policy) (session.Record, session.Verdict) {
	after, verdict := session.Step(r, p, now, policy)
	if verdict == session.Reissued && !r.Used.IsZero() && now.Sub(r.Rotated).Abs() >= policy.ReuseWindow {
		return r, session.Stolen
	}
	return after, verdict
}

// eager is Step without the limit of one rotation per window.
func eager(r session.Record, p session.Presented, now time.Time, policy session.Policy) (session.Record, session.Verdict) {
	if p.Generation == r.Generation {
		r.Rotated = time.Time{}
	}
	return session.Step(r, p, now, policy)
}
