package jwtgatetest

import (
	"math"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

// A presentation is one use of a refresh token, and the expected result.
type presentation struct {
	generation uint32
	policy     session.Policy
	want       session.Verdict
	after      uint32 // the generation of the record
}

// used, in place of a verdict, makes a presentation a confirmation.
const used session.Verdict = 0

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
		{"one before, unused", []presentation{{0, singleUse, session.Rotated, 1}, {0, singleUse, session.Reissued, 1}, {0, singleUse, session.Reissued, 1}, {1, singleUse, session.Rotated, 2}}},
		{"one before, used", []presentation{{0, singleUse, session.Rotated, 1}, {1, singleUse, used, 1}, {0, singleUse, session.Stolen, 1}, {1, singleUse, session.Revoked, 1}}},
		{"one before, used, window open", []presentation{{0, singleUse, session.Rotated, 1}, {1, singleUse, used, 1}, {0, openWindow, session.Reissued, 1}, {0, singleUse, session.Stolen, 1}}},
		{"used again", []presentation{{0, openWindow, session.Rotated, 1}, {1, openWindow, session.Repeated, 1}, {1, openWindow, used, 1}, {1, openWindow, session.Repeated, 1}, {0, singleUse, session.Stolen, 1}}},
		{"the first used", []presentation{{0, openWindow, used, 0}, {0, openWindow, session.Rotated, 1}, {0, singleUse, session.Reissued, 1}}},
		{"late twice", []presentation{{0, singleUse, session.Rotated, 1}, {0, singleUse, session.Reissued, 1}, {1, singleUse, session.Rotated, 2}, {1, singleUse, session.Displaced, 3}, {1, singleUse, session.Displaced, 4}, {4, singleUse, session.Rotated, 5}, {4, singleUse, session.Displaced, 6}}},
		{"late, then in time, then late", []presentation{{0, singleUse, session.Rotated, 1}, {0, singleUse, session.Reissued, 1}, {1, singleUse, session.Rotated, 2}, {2, singleUse, session.Rotated, 3}, {2, singleUse, session.Reissued, 3}}},
		{"displaced", []presentation{{0, singleUse, session.Rotated, 1}, {0, singleUse, session.Reissued, 1}, {1, singleUse, session.Rotated, 2}, {1, singleUse, session.Displaced, 3}, {2, singleUse, session.Stolen, 3}}},
		{"displaced, window open", []presentation{{0, singleUse, session.Rotated, 1}, {0, singleUse, session.Reissued, 1}, {1, singleUse, session.Rotated, 2}, {1, singleUse, session.Displaced, 3}, {2, openWindow, session.Reissued, 3}, {1, openWindow, session.Reissued, 3}, {3, openWindow, session.Repeated, 3}, {2, openWindow, session.Reissued, 3}}},
		{"two before", []presentation{{0, singleUse, session.Rotated, 1}, {1, singleUse, session.Rotated, 2}, {0, openWindow, session.Stolen, 2}, {0, openWindow, session.Revoked, 2}}},
		{"one ahead", []presentation{{1, openWindow, session.Healed, 1}, {1, openWindow, session.Repeated, 1}, {0, openWindow, session.Reissued, 1}}},
		{"two ahead", []presentation{{2, openWindow, session.Stolen, 0}, {0, openWindow, session.Revoked, 0}}},
		{"far ahead", []presentation{{1 << 20, singleUse, session.Healed, 1<<20 + 1}, {1<<20 + 1, openWindow, session.Repeated, 1<<20 + 1}}},
		{"behind after healing", []presentation{{5, singleUse, session.Healed, 6}, {0, openWindow, session.Stolen, 6}}},
		{"last but one", []presentation{{last - 1, singleUse, session.Healed, last}, {last - 1, openWindow, session.Reissued, last}}},
		{"late twice at the end", []presentation{{last - 2, singleUse, session.Healed, last - 1}, {last - 2, singleUse, session.Reissued, last - 1}, {last - 1, singleUse, session.Rotated, last}, {last - 1, singleUse, session.Expired, last}}},
		{"last", []presentation{{last - 1, singleUse, session.Healed, last}, {last, singleUse, session.Expired, last}, {0, singleUse, session.Stolen, last}}},
		{"last at once", []presentation{{last, singleUse, session.Expired, 0}, {0, singleUse, session.Rotated, 1}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t, newStore)
			p := s.create()
			for i, step := range row.steps {
				before, _ := s.find(p.ID)
				p.Generation = step.generation
				if step.want == used {
					s.confirm(step.policy, session.Confirmation{ID: p.ID, Generation: p.Generation})
					continue
				}
				got, verdict := s.advance(p, step.policy)
				if verdict != step.want || got.Generation != step.after {
					t.Fatalf("step %d: got verdict %d, generation %d, want %d, %d", i, verdict, got.Generation, step.want, step.after)
				}
				s.checkAdvanced(before, got, verdict, p, step.policy)
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
			s.checkAdvanced(before, got, verdict, p, singleUse)
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

// checkAdvanced checks that after, the result of Advance, is what Step makes of
// before, and that the store has the same record.
func (s *sessions) checkAdvanced(before, after session.Record, verdict session.Verdict, p session.Presented, policy session.Policy) {
	s.t.Helper()
	want := before
	switch {
	case verdict == session.Stolen:
		want.Ended = session.Replayed
	case verdict.Good():
		now := after.Rotated
		if verdict == session.Repeated {
			now = after.Used
		}
		want, _ = session.Step(before, p, now, policy)
		if now.Before(before.Refreshed()) {
			s.t.Errorf("got a step at %v, before the last one at %v", now, before.Refreshed())
		}
	}
	if !same(after, want) {
		s.t.Errorf("got record\n%+v after verdict %d, want\n%+v", after, verdict, want)
	}
	if got, found := s.find(before.ID); !found || !same(got, want) {
		s.t.Errorf("found %v, record\n%+v after verdict %d, want\n%+v", found, got, verdict, want)
	}
}
