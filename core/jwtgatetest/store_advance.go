package jwtgatetest

import (
	"math"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A presentation is one use of a refresh token, and the expected result.
type presentation struct {
	generation uint32
	policy     session.Policy
	want       session.Verdict
	after      uint32 // the generation of the record
}

// runAdvance tests the steps of [session.Step] that do not depend on the time.
func runAdvance(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	const last = math.MaxUint32
	for _, row := range []struct {
		name  string
		steps []presentation
	}{
		{"login opens no window", []presentation{{0, openWindow, session.Rotated, 1}}},
		{"in parallel", []presentation{{0, openWindow, session.Rotated, 1}, {0, openWindow, session.Reissued, 1}, {1, openWindow, session.Repeated, 1}, {0, openWindow, session.Reissued, 1}}},
		{"one after the other", []presentation{{0, singleUse, session.Rotated, 1}, {1, singleUse, session.Rotated, 2}, {2, singleUse, session.Rotated, 3}}},
		{"one before", []presentation{{0, singleUse, session.Rotated, 1}, {0, singleUse, session.Stolen, 1}, {1, singleUse, session.Revoked, 1}}},
		{"two before", []presentation{{0, singleUse, session.Rotated, 1}, {1, singleUse, session.Rotated, 2}, {0, openWindow, session.Stolen, 2}, {0, openWindow, session.Revoked, 2}}},
		{"one ahead", []presentation{{1, openWindow, session.Healed, 1}, {1, openWindow, session.Repeated, 1}, {0, openWindow, session.Reissued, 1}}},
		{"two ahead", []presentation{{2, openWindow, session.Stolen, 0}, {0, openWindow, session.Revoked, 0}}},
		{"far ahead", []presentation{{1 << 20, singleUse, session.Healed, 1<<20 + 1}, {1<<20 + 1, openWindow, session.Repeated, 1<<20 + 1}}},
		{"behind after healing", []presentation{{5, singleUse, session.Healed, 6}, {0, openWindow, session.Stolen, 6}}},
		{"last but one", []presentation{{last - 1, singleUse, session.Healed, last}, {last - 1, openWindow, session.Reissued, last}}},
		{"last", []presentation{{last - 1, singleUse, session.Healed, last}, {last, singleUse, session.Expired, last}, {0, singleUse, session.Stolen, last}}},
		{"last at once", []presentation{{last, singleUse, session.Expired, 0}, {0, singleUse, session.Rotated, 1}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t, newStore)
			p := s.create()
			for i, step := range row.steps {
				before, _ := s.find(p.ID)
				p.Generation = step.generation
				got, verdict := s.advance(p, step.policy)
				if verdict != step.want || got.Generation != step.after {
					t.Fatalf("step %d: got verdict %d, generation %d, want %d, %d", i, verdict, got.Generation, step.want, step.after)
				}
				s.checkAdvanced(before, got, verdict, step.policy)
			}
		})
	}
	t.Run("another nonce", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		before, _ := s.find(p.ID)
		p.NonceHash[31] ^= 1
		for _, p.Generation = range []uint32{0, 1, 7} {
			got, verdict := s.advance(p, singleUse)
			if verdict != session.Invalid {
				t.Errorf("got verdict %d, want %d", verdict, session.Invalid)
			}
			s.checkAdvanced(before, got, verdict, singleUse)
		}
	})
	t.Run("another session of the subject", func(t *testing.T) {
		s := newSessions(t, newStore)
		first, second := s.create(), s.create()
		s.advance(first, singleUse)
		s.advance(first, singleUse) // ends the first session
		if _, verdict := s.advance(second, singleUse); verdict != session.Rotated {
			t.Errorf("got verdict %d, want %d", verdict, session.Rotated)
		}
	})
}

// checkAdvanced checks that after, the result of Advance, is before with the
// changes that follow from verdict, and that the store has the same record.
func (s *sessions) checkAdvanced(before, after session.Record, verdict session.Verdict, policy session.Policy) {
	s.t.Helper()
	want := before
	switch verdict {
	case session.Rotated, session.Healed:
		if after.Rotated.Before(before.Created) {
			s.t.Errorf("got Rotated %v, before Created %v", after.Rotated, before.Created)
		}
		want.Generation, want.Rotated, want.Idle = after.Generation, after.Rotated, after.Rotated.Add(policy.Idle)
		if want.Limit.Before(want.Idle) {
			want.Idle = want.Limit
		}
	case session.Stolen:
		want.Ended = session.Replayed
	}
	if !same(after, want) {
		s.t.Errorf("got record\n%+v after verdict %d, want\n%+v", after, verdict, want)
	}
	if got, found := s.find(before.ID); !found || !same(got, want) {
		s.t.Errorf("found %v, record\n%+v after verdict %d, want\n%+v", found, got, verdict, want)
	}
}

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
		if _, verdict := s.advance(p, policy); verdict != session.Stolen {
			t.Errorf("got verdict %d, want %d", verdict, session.Stolen)
		}
	})
	t.Run("idle", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, p := newSession(s.subject)
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
		n, p := newSession(s.subject)
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
		n, _ := newSession(s.subject)
		n.Idle = moment
		s.createAs(n, session.Bound{})
		s.wait(2 * moment)
		next, _ := newSession(s.subject)
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
		n, p := newSession(s.subject)
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
	})
}

// checkOver checks that every method treats the session of p, the only one of
// the subject, as over.
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
	if ended := s.endAll(s.subject); len(ended) != 0 {
		s.t.Errorf("ended %v, want none", ended)
	}
}

// checkExactly checks all time limits to the millisecond.
func (s *sessions) checkExactly() {
	const window = 10 * time.Second
	policy := session.Policy{Idle: time.Minute, ReuseWindow: window, Remember: time.Minute}
	n, p := newSession(s.subject)
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

	n, p = newSession(s.subject)
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
