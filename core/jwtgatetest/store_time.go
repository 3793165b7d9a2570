package jwtgatetest

import (
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// runTime tests windows that close, sessions that expire, and the time for
// which ended sessions are remembered.
func runTime(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	const moment = 30 * time.Millisecond
	t.Run("window", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		policy := session.Policy{Idle: idleLimit, ReuseWindow: moment, Remember: remember}
		for i := range uint32(2) {
			p.Generation = i
			if r, verdict := s.advance(p, policy); verdict != session.Rotated || r.Generation != i+1 {
				t.Fatalf("got verdict %d, generation %d, want %d, %d", verdict, r.Generation, session.Rotated, i+1)
			}
			s.wait(2 * moment)
		}
		if r, verdict := s.advance(p, policy); verdict != session.Reissued || r.Generation != 2 {
			t.Errorf("got verdict %d, generation %d, want %d, 2", verdict, r.Generation, session.Reissued)
		}
	})
	t.Run("used", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		policy := session.Policy{Idle: idleLimit, ReuseWindow: moment, Remember: remember}
		r, _ := s.advance(p, policy)
		s.confirm(policy, session.Confirmation{ID: p.ID, Generation: r.Generation})
		s.wait(4 * moment)
		if _, verdict := s.advance(p, policy); verdict != session.Stolen {
			t.Errorf("got verdict %d, want %d", verdict, session.Stolen)
		}
	})
	t.Run("idle after a late answer", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		s.advance(p, session.Policy{Idle: 4 * moment, Remember: remember})
		s.wait(2 * moment)
		s.advance(p, singleUse) // does not extend the session
		s.wait(3 * moment)
		s.checkOver(p)
	})
	t.Run("idle", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, p := newSession(s.owner)
		n.Idle = moment
		s.createAs(n, session.Bound{})
		s.wait(2 * moment)
		s.checkOver(p)
	})
	t.Run("idle after a rotation", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		s.advance(p, session.Policy{Idle: moment, ReuseWindow: idleLimit, Remember: remember})
		s.wait(2 * moment)
		s.checkOver(p)
	})
	t.Run("limit", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, p := newSession(s.owner)
		n.Limit = 2 * moment
		r := s.createAs(n, session.Bound{})
		if after, verdict := s.advance(p, openWindow); verdict == session.Rotated && !after.Expires().Equal(r.Limit) {
			t.Errorf("got Expires %v after a rotation, want the limit %v", after.Expires(), r.Limit)
		}
		s.wait(3 * moment)
		s.checkOver(p)
	})
	t.Run("bound", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, _ := newSession(s.owner)
		n.Idle = moment
		s.createAs(n, session.Bound{})
		s.wait(2 * moment)
		next, _ := newSession(s.owner)
		s.createAs(next, session.Bound{Max: 1, Refuse: true}) // an expired session does not count
	})
	t.Run("forgotten", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		if _, err := s.Store.End(s.ctx, p.ID, moment); err != nil {
			t.Fatal(err)
		}
		s.wait(2 * moment)
		if _, found := s.find(p.ID); found {
			t.Error("found a session that is to be forgotten")
		}
		if _, verdict := s.advance(p, openWindow); verdict != session.Unknown {
			t.Errorf("got verdict %d, want %d", verdict, session.Unknown)
		}
	})
	t.Run("remembered", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, p := newSession(s.owner)
		n.Idle = moment
		s.createAs(n, session.Bound{})
		s.end(p.ID)
		s.wait(2 * moment) // the session would have expired by now
		if got := s.reason(p.ID); got != session.SignedOut {
			t.Errorf("got Ended %d, want %d", got, session.SignedOut)
		}
	})
	t.Run("exactly", func(t *testing.T) {
		s := newSessions(t, newStore)
		if s.Pass == nil {
			t.Skip("the store's clock cannot be set")
		}
		s.checkExactly()
		s.checkLate()
	})
}

// checkOver checks that every method treats the session of p, the only one of
// the owner, as over.
func (s *sessions) checkOver(p session.Presented) {
	s.t.Helper()
	if got := s.live(); len(got) != 0 {
		s.t.Errorf("listed %v, want none", got)
	}
	if _, verdict := s.advance(p, openWindow); verdict != session.Expired && verdict != session.Unknown {
		s.t.Errorf("got verdict %d, want %d or %d", verdict, session.Expired, session.Unknown)
	}
	if s.end(p.ID) {
		s.t.Error("ended a session that was over")
	}
	if ended := s.endAll(s.owner); len(ended) != 0 {
		s.t.Errorf("ended %v, want none", ended)
	}
}

// checkExactly checks all time limits to the millisecond.
func (s *sessions) checkExactly() {
	const window = 10 * time.Second
	policy := session.Policy{Idle: time.Minute, ReuseWindow: window, Remember: time.Minute}
	n, p := newSession(s.owner)
	n.Idle, n.Limit = time.Minute, 2*time.Minute
	created := s.createAs(n, session.Bound{}).Created
	at := time.Duration(0)
	for _, step := range []struct {
		at   time.Duration
		p    uint32
		want session.Verdict
	}{
		{time.Minute - time.Millisecond, 0, session.Rotated},
		{time.Minute - time.Millisecond + window - time.Millisecond, 0, session.Reissued},
		{time.Minute - time.Millisecond + window - time.Millisecond, 1, session.Repeated},
		{time.Minute - time.Millisecond + window, 1, session.Rotated},
		{2*time.Minute - time.Millisecond, 2, session.Rotated},
	} {
		s.Pass(step.at - at)
		at = step.at
		p.Generation = step.p
		r, verdict := s.advance(p, policy)
		if verdict != step.want {
			s.t.Fatalf("%v after the login: got verdict %d, want %d", at, verdict, step.want)
		}
		if verdict == session.Rotated && r.Rotated.UnixMilli() != created.Add(at).UnixMilli() {
			s.t.Errorf("got Rotated %v, want %v", r.Rotated, created.Add(at))
		}
	}
	if got := s.live(); len(got) != 1 {
		s.t.Errorf("listed %v a millisecond before the limit, want one", got)
	}
	s.Pass(time.Millisecond)
	s.checkOver(p)

	n, p = newSession(s.owner)
	n.Idle = time.Minute
	s.createAs(n, session.Bound{})
	s.Pass(time.Minute - time.Millisecond)
	if got := s.live(); len(got) != 1 {
		s.t.Errorf("listed %v a millisecond before it is idle, want one", got)
	}
	s.Pass(time.Millisecond)
	s.checkOver(p)

	over := s.create()
	s.end(over.ID)
	s.Pass(remember - time.Millisecond)
	if got := s.reason(over.ID); got != session.SignedOut {
		s.t.Errorf("got Ended %d, want %d", got, session.SignedOut)
	}
	s.Pass(time.Millisecond)
	if _, found := s.find(over.ID); found {
		s.t.Error("found a session that is to be forgotten")
	}
}

// checkLate checks the times of late answers to the millisecond.
func (s *sessions) checkLate() {
	const window, moment = 10 * time.Second, time.Millisecond
	policy := session.Policy{Idle: idleLimit, ReuseWindow: window, Remember: remember}
	p := s.create()
	for i, step := range []struct {
		wait  time.Duration
		p     uint32
		want  session.Verdict // used: a confirmation
		after uint32
	}{
		{0, 0, session.Rotated, 1},
		{window, 0, session.Reissued, 1}, // late
		{window - moment, 1, session.Repeated, 1},
		{window - moment, 0, session.Reissued, 1}, // since the first use
		{moment, 0, session.Stale, 1},
		{2*window - moment, 0, session.Stale, 1},
		{0, 1, session.Rotated, 2},
		{window - moment, 1, session.Reissued, 2},
		{moment, 1, session.Busy, 2}, // the generation before was late, too
		{window - moment, 1, session.Busy, 2},
		{moment, 1, session.Displaced, 3},
		{window - moment, 2, session.Reissued, 3}, // the displaced generation
		{window, 3, used, 3},
		{window - moment, 2, session.Reissued, 3}, // since the first use
		{0, 1, session.Reissued, 3},
		{0, 3, session.Rotated, 4},
		{window, 3, session.Busy, 4},
		{window, 3, session.Displaced, 5},
		{0, 5, session.Repeated, 5},
		{3 * window, 3, session.Stolen, 5},
	} {
		s.Pass(step.wait)
		p.Generation = step.p
		if step.want == used {
			s.confirm(policy, session.Confirmation{ID: p.ID, Generation: p.Generation})
			continue
		}
		if r, verdict := s.advance(p, policy); verdict != step.want || r.Generation != step.after {
			s.t.Fatalf("step %d: got verdict %d, generation %d, want %d, %d", i, verdict, r.Generation, step.want, step.after)
		}
	}
}
