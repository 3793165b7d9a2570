package jwtgatetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// runCreate tests the record of a new session, and that Find and List return it.
func runCreate(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	t.Run("record", func(t *testing.T) {
		s := newSessions(t, newStore)
		for _, row := range []struct{ name, more, userAgent string }{
			{"plain", "", "a browser"},
			{"no user agent", "", ""},
			{"long user agent", "", strings.Repeat("é", 128)},
			{"odd user agent", "", "\x00\r\n\"'{}[]:|*?\\"},
			{"upper case", "A", "a browser"},
			{"lower case", "a", "a browser"},
			{"blank", " ", "a browser"},
			{"braces", "{}", "a browser"},
			{"separators", ":*|\n\x00", "a browser"},
			{"not UTF-8", "\xff", "a browser"},
			{"long", strings.Repeat("x", 1000), "a browser"},
		} {
			t.Run(row.name, func(t *testing.T) {
				owner := with(s.owner, row.more)
				before := ids(s.list(owner))
				n, _ := newSession(owner)
				n.UserAgent = row.userAgent
				s.tick()
				r := s.createAs(n, session.Bound{})
				want := session.Record{
					ID: n.ID, Owner: owner, NonceHash: n.NonceHash, UserAgent: row.userAgent,
					Created: r.Created, Idle: r.Created.Add(idleLimit), Limit: r.Created.Add(absoluteLimit),
				}
				if r.Created.IsZero() || !same(r, want) {
					t.Errorf("got record\n%+v, want\n%+v", r, want)
				}
				if got, found := s.find(n.ID); !found || !same(got, want) {
					t.Errorf("found %v, record\n%+v, want\n%+v", found, got, want)
				}
				got := s.list(owner)
				if !slices.Equal(ids(got), append(before, n.ID)) || !same(got[len(got)-1], want) {
					t.Errorf("listed\n%+v, want as the last one\n%+v", got, want)
				}
			})
		}
	})
	t.Run("idle past the limit", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, _ := newSession(s.owner)
		n.Idle = n.Limit + time.Hour
		if r := s.createAs(n, session.Bound{}); !r.Expires().Equal(r.Created.Add(n.Limit)) {
			t.Errorf("got Expires %v, want %v", r.Expires(), r.Created.Add(n.Limit))
		}
	})
	t.Run("nobody", func(t *testing.T) {
		s := newSessions(t, newStore)
		id := session.NewID(s.owner)
		if r, found := s.find(id); found || r != (session.Record{}) {
			t.Errorf("found %v, record %+v, want none", found, r)
		}
		if records := s.list(s.owner); len(records) != 0 {
			t.Errorf("listed %+v, want none", records)
		}
		if s.end(id) {
			t.Error("ended a session that does not exist")
		}
		if ended := s.endAll(s.owner); len(ended) != 0 {
			t.Errorf("ended %v, want none", ended)
		}
		if _, verdict := s.advance(session.Presented{ID: id}, openWindow); verdict != session.Unknown {
			t.Errorf("got verdict %d, want %d", verdict, session.Unknown)
		}
	})
	t.Run("repeated", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, p := newSession(s.owner)
		s.createAs(n, session.Bound{Max: 1})
		want, _ := s.advance(p, openWindow)
		// The caller repeats the call, because the response was lost.
		if got := s.createAs(n, session.Bound{Max: 1}); !same(got, want) {
			t.Errorf("got record\n%+v, want\n%+v", got, want)
		}
		if got := s.live(); !slices.Equal(got, []session.ID{n.ID}) {
			t.Errorf("listed %v, want %v", got, n.ID)
		}
		n.NonceHash[0] ^= 1
		if _, err := s.Store.Create(s.ctx, n, session.Bound{}); err == nil {
			t.Error("created a session with the ID of another")
		}
		if got, found := s.find(n.ID); !found || !same(got, want) {
			t.Errorf("found %v, record\n%+v, want\n%+v", found, got, want)
		}
	})
	t.Run("repeated after its end", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, _ := newSession(s.owner)
		s.createAs(n, session.Bound{})
		s.end(n.ID)
		if got := s.createAs(n, session.Bound{}); got.Ended != session.SignedOut {
			t.Errorf("got Ended %d, want %d", got.Ended, session.SignedOut)
		}
		if got := s.live(); len(got) != 0 {
			t.Errorf("listed %v, want none", got)
		}
	})
}

// runBound tests the limit of live sessions of a subject.
func runBound(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	for _, row := range []struct {
		name  string
		have  int
		bound session.Bound
		ends  int
		err   error
	}{
		{"none", 4, session.Bound{}, 0, nil},
		{"none, refusing", 4, session.Bound{Refuse: true}, 0, nil},
		{"below", 2, session.Bound{Max: 3}, 0, nil},
		{"at", 3, session.Bound{Max: 3}, 1, nil},
		{"at one", 1, session.Bound{Max: 1}, 1, nil},
		{"above", 5, session.Bound{Max: 3}, 3, nil},
		{"below, refusing", 2, session.Bound{Max: 3, Refuse: true}, 0, nil},
		{"at, refusing", 3, session.Bound{Max: 3, Refuse: true}, 0, session.ErrTooMany},
		{"above, refusing", 5, session.Bound{Max: 3, Refuse: true}, 0, session.ErrTooMany},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t, newStore)
			// Ended sessions and sessions of other subjects do not count.
			s.end(s.create().ID)
			other, _ := newSession(with(s.owner, "'s neighbour"))
			s.createAs(other, session.Bound{Max: 1})
			oldest := s.create()
			want := []session.ID{oldest.ID}
			for len(want) < row.have {
				want = append(want, s.create().ID)
			}
			s.advance(oldest, openWindow) // a rotation does not change which session is the oldest

			n, _ := newSession(s.owner)
			s.tick()
			if _, err := s.Store.Create(s.ctx, n, row.bound); !errors.Is(err, row.err) {
				t.Fatalf("got error %v, want %v", err, row.err)
			}
			ended := want[:row.ends]
			if want = want[row.ends:]; row.err == nil {
				want = append(slices.Clone(want), n.ID)
			}
			if got := s.live(); !slices.Equal(got, want) {
				t.Errorf("listed %v, want %v", got, want)
			}
			for _, id := range ended {
				if got := s.reason(id); got != session.SignedOut {
					t.Errorf("got Ended %d, want %d", got, session.SignedOut)
				}
			}
			if _, found := s.find(n.ID); found != (row.err == nil) {
				t.Errorf("found the new session: %v, want %v", found, row.err == nil)
			}
			if got := s.list(other.Owner); len(got) != 1 {
				t.Errorf("listed %d sessions of another subject, want 1", len(got))
			}
		})
	}
}

// runEnd tests the end of one session.
func runEnd(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	s := newSessions(t, newStore)
	first, second, third := s.create(), s.create(), s.create()
	if !s.end(second.ID) {
		t.Error("got false for a live session, want true")
	}
	if s.end(second.ID) {
		t.Error("got true for a session that was ended, want false")
	}
	if got := s.reason(second.ID); got != session.SignedOut {
		t.Errorf("got Ended %d, want %d", got, session.SignedOut)
	}
	if _, verdict := s.advance(second, openWindow); verdict != session.Revoked {
		t.Errorf("got verdict %d, want %d", verdict, session.Revoked)
	}
	if got, want := s.live(), []session.ID{first.ID, third.ID}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	for _, p := range []session.Presented{first, third} {
		if _, verdict := s.advance(p, openWindow); verdict != session.Rotated {
			t.Errorf("got verdict %d for a session that is still live, want %d", verdict, session.Rotated)
		}
	}
	first.Generation, third.Generation = 1, 1
	for _, p := range []session.Presented{first, third} {
		if _, verdict := s.advance(p, singleUse); verdict != session.Rotated {
			t.Errorf("got verdict %d, want %d", verdict, session.Rotated)
		}
		s.confirm(singleUse, of(p, 2)...)
		if _, verdict := s.advance(p, singleUse); verdict != session.Stolen {
			t.Errorf("got verdict %d, want %d", verdict, session.Stolen)
		}
		if s.end(p.ID) {
			t.Error("got true for a session that was replayed, want false")
		}
		if got := s.reason(p.ID); got != session.Replayed {
			t.Errorf("got Ended %d, want %d", got, session.Replayed)
		}
	}
	if got := s.live(); len(got) != 0 {
		t.Errorf("listed %v, want none", got)
	}
}

// runEndAll tests the end of all sessions of a subject, or of all but some.
func runEndAll(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	for _, row := range []struct {
		name   string
		except []int
		ends   []int
	}{
		{"all", nil, []int{0, 1, 2, 3}},
		{"all but the first", []int{0}, []int{1, 2, 3}},
		{"all but the last", []int{3}, []int{0, 1, 2}},
		{"all but two", []int{2, 1}, []int{0, 3}},
		{"none", []int{0, 1, 2, 3}, nil},
		{"all but another's", []int{4}, []int{0, 1, 2, 3}},
		{"all but one that is over", []int{5, 1}, []int{0, 2, 3}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t, newStore)
			var all []session.ID
			for range 4 {
				all = append(all, s.create().ID)
			}
			other, _ := newSession(with(s.owner, "'s neighbour"))
			s.createAs(other, session.Bound{})
			over := s.create().ID
			s.end(over)
			all = append(all, other.ID, over)
			pick := func(indexes []int) []session.ID {
				var picked []session.ID
				for _, i := range indexes {
					picked = append(picked, all[i])
				}
				return picked
			}
			want := pick(row.ends)
			if got := s.endAll(s.owner, pick(row.except)...); !sameIDs(got, want) {
				t.Errorf("ended %v, want %v", got, want)
			}
			for _, id := range want {
				if got := s.reason(id); got != session.SignedOut {
					t.Errorf("got Ended %d, want %d", got, session.SignedOut)
				}
			}
			spared := slices.DeleteFunc(slices.Clone(all[:4]), func(id session.ID) bool { return slices.Contains(want, id) })
			// EndAll does not end a session that is created later.
			spared = append(spared, s.create().ID)
			if got := s.live(); !slices.Equal(got, spared) {
				t.Errorf("listed %v, want %v", got, spared)
			}
			if got := s.list(other.Owner); len(got) != 1 {
				t.Errorf("listed %d sessions of another subject, want 1", len(got))
			}
		})
	}
}

// sameIDs reports whether a and b have the same IDs, in any order.
func sameIDs(a, b []session.ID) bool {
	order := func(a, b session.ID) int { return slices.Compare(a[:], b[:]) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}
