package jwtgatetest

import (
	"slices"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// runConfirm tests that Confirm records the first use of the current generation of
// live sessions, and changes nothing else.
func runConfirm(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	for _, row := range []struct {
		name  string
		turns int // how often the session is rotated before
		c     func(p session.Presented) []session.Confirmation
		used  bool
	}{
		{"current", 2, func(p session.Presented) []session.Confirmation { return of(p, 2) }, true},
		{"before the first rotation", 0, func(p session.Presented) []session.Confirmation { return of(p, 0) }, true},
		{"earlier", 2, func(p session.Presented) []session.Confirmation { return of(p, 1, 0) }, false},
		{"later", 2, func(p session.Presented) []session.Confirmation { return of(p, 3) }, false},
		{"among others", 2, func(p session.Presented) []session.Confirmation {
			unknown := session.Confirmation{ID: session.NewID(newOwner("nobody")), Generation: 2}
			return slices.Concat(of(p, 1, 7), []session.Confirmation{unknown}, of(p, 2, 2), []session.Confirmation{unknown})
		}, true},
		{"none", 2, func(session.Presented) []session.Confirmation { return nil }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t, newStore)
			p := s.create()
			for range row.turns {
				r, _ := s.advance(p, singleUse)
				p.Generation = r.Generation
			}
			before, _ := s.find(p.ID)
			s.wait(2 * time.Millisecond)
			s.confirm(openWindow, row.c(p)...)
			after, _ := s.find(p.ID)
			if used := !after.Used.IsZero(); used != row.used || used && !after.Used.After(before.Refreshed()) {
				t.Errorf("got Used %v, want some: %v", after.Used, row.used)
			}
			want := before
			want.Used = after.Used
			if !same(after, want) {
				t.Errorf("got record\n%+v, want\n%+v", after, want)
			}
			s.wait(2 * time.Millisecond)
			s.confirm(openWindow, row.c(p)...)
			if again, _ := s.find(p.ID); !same(again, after) {
				t.Errorf("got record\n%+v after a repetition, want\n%+v", again, after)
			}
		})
	}
	t.Run("ended", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		s.end(p.ID)
		before, _ := s.find(p.ID)
		s.confirm(openWindow, of(p, 0)...)
		if after, _ := s.find(p.ID); !same(after, before) {
			t.Errorf("got record\n%+v, want\n%+v", after, before)
		}
	})
	t.Run("many owners", func(t *testing.T) {
		s := newSessions(t, newStore)
		var all []session.Confirmation
		for range 100 {
			n, p := newSession(newOwner("one"))
			s.createAs(n, session.Bound{})
			all = append(all, of(p, 0)...)
		}
		s.confirm(openWindow, all...)
		for _, c := range all {
			if r, _ := s.find(c.ID); r.Used.IsZero() {
				t.Fatalf("no use of %v is known", c.ID)
			}
		}
	})
	t.Run("expiry", func(t *testing.T) {
		const moment = 30 * time.Millisecond
		s := newSessions(t, newStore)
		n, p := newSession(s.owner)
		n.Idle = 2 * moment
		s.createAs(n, session.Bound{})
		s.wait(moment)
		s.confirm(openWindow, of(p, 0)...)
		s.wait(2 * moment)
		s.checkOver(p)
		s.confirm(openWindow, of(p, 0)...)
		s.checkOver(p)
	})
}

// of returns confirmations of generations of the session of p.
func of(p session.Presented, generations ...uint32) []session.Confirmation {
	var all []session.Confirmation
	for _, generation := range generations {
		all = append(all, session.Confirmation{ID: p.ID, Generation: generation})
	}
	return all
}
