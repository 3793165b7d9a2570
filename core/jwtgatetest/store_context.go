package jwtgatetest

import (
	"context"
	"errors"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

// runContext tests that every method returns the error of a context that is
// done, and changes nothing.
func runContext(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	s := newSessions(t, newStore)
	p := s.create()
	before, _ := s.find(p.ID)
	n, _ := newSession(s.owner)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		name string
		step func(ctx context.Context) error
	}{
		{"Create", func(ctx context.Context) error {
			_, err := s.Store.Create(ctx, n, session.Bound{Max: 1})
			return err
		}},
		{"Find", func(ctx context.Context) error { _, _, err := s.Store.Find(ctx, p.ID); return err }},
		{"Advance", func(ctx context.Context) error { _, _, err := s.Store.Advance(ctx, p, openWindow); return err }},
		{"Confirm", func(ctx context.Context) error { return s.Store.Confirm(ctx, of(p, 0), openWindow) }},
		{"End", func(ctx context.Context) error { _, err := s.Store.End(ctx, p.ID, remember); return err }},
		{"EndAll", func(ctx context.Context) error { _, _, err := s.Store.EndAll(ctx, ending(s.owner)); return err }},
		{"List", func(ctx context.Context) error {
			_, err := s.Store.List(ctx, s.owner, session.Cursor{}, 10)
			return err
		}},
		{"Revoke", func(ctx context.Context) error {
			return s.Store.Revoke(ctx, session.Revocation{Token: s.owner.Subject, From: before.Created, Until: before.Idle})
		}},
		{"Feed", func(ctx context.Context) error { return s.Store.Feed(ctx, func(session.Revocation) {}, func() {}) }},
	} {
		if err := row.step(done); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v, want %v", row.name, err, context.Canceled)
		}
	}
	if got := s.list(s.owner); len(got) != 1 || !same(got[0], before) {
		t.Errorf("listed\n%+v, want\n%+v", got, before)
	}
	if got, _ := s.find(p.ID); !same(got, before) {
		t.Errorf("found\n%+v, want\n%+v", got, before)
	}
}
