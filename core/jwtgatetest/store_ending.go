package jwtgatetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// runEnding tests what EndAll revokes, and the end of many sessions.
func runEnding(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	t.Run("from", func(t *testing.T) {
		s := newSessions(t, newStore)
		before, _ := s.find(s.create().ID)
		_, from, err := s.Store.EndAll(s.ctx, ending(s.owner))
		if err != nil {
			t.Fatal(err)
		}
		exact := s.Pass != nil && from.UnixMilli() != before.Created.UnixMilli() // the clock stands still
		after, _ := s.find(s.create().ID)
		if from.Before(before.Created) || from.After(after.Created) || exact {
			t.Errorf("got From %v, want it by the clock of the store, where a session began before at %v, and another after at %v", from, before.Created, after.Created)
		}
		want := session.Revocation{Issuer: s.owner.Issuer, Subject: s.owner.Subject, From: from, Until: from.Add(revoke)}
		s.follow().find(func(r session.Revocation) bool { return sameRevocation(r, want) })
	})
	t.Run("with exceptions", func(t *testing.T) {
		s := newSessions(t, newStore)
		if _, from, err := s.Store.EndAll(s.ctx, ending(s.owner, s.create().ID)); err != nil || !from.IsZero() {
			t.Errorf("got From %v, error %v, want the zero time, because the subject is not revoked", from, err)
		}
	})
	t.Run("other audiences and issuers", func(t *testing.T) {
		s := newSessions(t, newStore)
		audience, issuer := s.owner, s.owner
		audience.Audience += "/other"
		issuer.Issuer += "/other"
		var others []session.Presented
		for _, owner := range []session.Owner{audience, issuer} {
			n, p := newSession(owner)
			s.createAs(n, session.Bound{})
			others = append(others, p)
		}
		f := s.follow()
		s.endAll(s.owner)
		f.find(func(r session.Revocation) bool { return r.Subject == s.owner.Subject && r.Issuer == s.owner.Issuer })
		for _, p := range others {
			if _, verdict := s.advance(p, openWindow); verdict != session.Rotated {
				t.Errorf("got verdict %d for a session of another owner, want %d", verdict, session.Rotated)
			}
		}
		if got := f.all(func(r session.Revocation) bool { return r.Subject == s.owner.Subject && r.Issuer != s.owner.Issuer }); len(got) != 0 {
			t.Errorf("got %+v for the subject of another issuer, want nothing", got)
		}
	})
	t.Run("many", func(t *testing.T) {
		s := newSessions(t, newStore)
		all := s.createMany(manySessions)
		kept := []session.ID{all[0], all[1], all[manySessions/2], all[manySessions-1]}
		ended := s.endAll(s.owner, kept...)
		if !sameIDs(slices.Concat(ended, kept), all) {
			t.Errorf("ended %d sessions, want %d: all but the kept ones", len(ended), manySessions-len(kept))
		}
		if got := s.live(); !sameIDs(got, kept) {
			t.Errorf("listed %v, want the kept ones %v", got, kept)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		s := newSessions(t, newStore)
		all := s.createMany(manySessions)
		ctx, cancel := context.WithCancel(s.ctx)
		defer cancel()
		heard := s.feedUntil(func(r session.Revocation) bool { return slices.Contains(all, r.Session) }, cancel)
		ended, _, err := s.Store.EndAll(ctx, ending(s.owner))
		// Whether the call was interrupted or not, the subject was revoked first.
		heard()
		f := s.follow()
		f.find(func(r session.Revocation) bool { return r.Subject == s.owner.Subject })
		live := s.list(s.owner)
		if err == nil && len(live) > 0 || err == nil && !sameIDs(ended, all) {
			t.Errorf("ended %d sessions, %d are left, want all %d ended, because there was no error", len(ended), len(live), manySessions)
		}
		if again := s.endAll(s.owner); !sameIDs(again, ids(live)) {
			t.Errorf("the repeated call ended %d sessions, want %d", len(again), len(live))
		}
		if got := s.live(); len(got) != 0 {
			t.Errorf("listed %d sessions, want none", len(got))
		}
		for _, id := range all {
			f.find(func(r session.Revocation) bool { return r.Session == id })
			if got := s.reason(id); got != session.SignedOut {
				t.Fatalf("got Ended %d, want %d", got, session.SignedOut)
			}
		}
	})
	t.Run("large bound", func(t *testing.T) {
		const moment, expire = 50 * time.Millisecond, 10
		s := newSessions(t, newStore)
		all := s.createMany(manySessions - expire)
		for range expire {
			n, _ := newSession(s.owner)
			n.Idle = moment
			s.createAs(n, session.Bound{})
		}
		s.wait(2 * moment)
		bound := session.Bound{Max: manySessions}
		next := func() session.ID { // an expired session does not count
			t.Helper()
			n, _ := newSession(s.owner)
			s.tick()
			s.createAs(n, bound)
			return n.ID
		}
		for range expire {
			all = append(all, next())
		}
		if got := s.live(); !slices.Equal(got, all) {
			t.Errorf("listed %d sessions below the bound, want all %d", len(got), len(all))
		}
		n, _ := newSession(s.owner)
		if _, err := s.Store.Create(s.ctx, n, session.Bound{Max: manySessions, Refuse: true}); !errors.Is(err, session.ErrTooMany) {
			t.Errorf("got error %v at the bound, want %v", err, session.ErrTooMany)
		}
		if _, err := s.Store.Create(s.ctx, n, session.Bound{Max: 1, Refuse: true}); !errors.Is(err, session.ErrTooMany) {
			t.Errorf("got error %v far above the bound, want %v", err, session.ErrTooMany)
		}
		all = append(all[1:], next())
		if got := s.live(); !slices.Equal(got, all) {
			t.Errorf("listed %d sessions at the bound, want all but the oldest one", len(got))
		}
	})
	t.Run("bound lowered", func(t *testing.T) {
		s := newSessions(t, newStore)
		all := s.createMany(manySessions)
		n, _ := newSession(s.owner)
		s.tick()
		s.createAs(n, session.Bound{Max: 3})
		if got, want := s.live(), append(slices.Clone(all[manySessions-2:]), n.ID); !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		f := s.follow()
		f.find(func(r session.Revocation) bool { return r.Session == all[manySessions-3] })
		if got := f.all(func(r session.Revocation) bool { return slices.Contains(all, r.Session) }); len(got) != manySessions-2 {
			t.Errorf("got the ends of %d sessions, want %d", len(got), manySessions-2)
		}
	})
}

// manySessions is more than a store may end in one step.
const manySessions = 700

// createMany creates n sessions of the test's owner, each in a millisecond of its
// own, and returns their IDs.
func (s *sessions) createMany(n int) (all []session.ID) {
	s.t.Helper()
	for range n {
		all = append(all, s.create().ID)
	}
	return all
}

// feedUntil calls then, in a call of the feed, for the first wanted revocation. The
// function that it returns ends the feed.
func (s *sessions) feedUntil(wanted func(session.Revocation) bool, then func()) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	ready, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		up := false
		_ = s.Store.Feed(ctx, func(r session.Revocation) {
			if wanted(r) {
				then()
			}
		}, func() {
			if !up {
				up = true
				close(ready)
			}
		})
	}()
	select {
	case <-ready:
	case <-time.After(patience):
		s.t.Error("the feed is not up to date")
	}
	return func() { cancel(); <-over }
}
