package jwtgate_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestClocksDiffer checks that sessions work when the clocks of the Auth and of the store
// differ.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-24 * time.Hour, -time.Hour, -11 * time.Second, -time.Second, -time.Millisecond, time.Millisecond, time.Second, 11 * time.Second, time.Hour, 24 * time.Hour} {
		ours := jwtgatetest.NewClock(serverStart.Add(ahead))
		s := newTestServer(t, func(c *jwtgate.Config) { c.Now = ours.Now })
		pass := func(by time.Duration) {
			ours.Advance(by)
			s.clock.Advance(by) // the clock of the store
		}
		tokens := s.login("alice")
		for round := range 3 {
			if got := s.authenticate(tokens.Access); got != "alice" {
				t.Errorf("%v ahead, round %d: access token: got %s", ahead, round, got)
			}
			next := s.mustRefresh(tokens.Refresh)
			pass(9 * time.Second)
			if s.mustRefresh(tokens.Refresh).Refresh != next.Refresh || s.mustRefresh(next.Refresh).Refresh != next.Refresh {
				t.Errorf("%v ahead, round %d: the window is not open", ahead, round)
			}
			pass(time.Second)
			tokens = next
		}
		next := s.mustRefresh(tokens.Refresh)
		s.use(next.Refresh)
		pass(30 * time.Second)
		if got := s.refresh(tokens.Refresh).text; got != refreshReused {
			t.Errorf("%v ahead: the window does not close: got %s", ahead, got)
		}
		if got := s.authenticate(next.Access); got != revoked {
			t.Errorf("%v ahead: access token after a replay: got %s", ahead, got)
		}
	}
}

// TestClockOfRepeatedRefresh checks that a refresh that is repeated long after the rotation
// causes no warning that clocks differ.
func TestClockOfRepeatedRefresh(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	next := s.mustRefresh(tokens.Refresh)
	s.clock.Advance(time.Hour)
	s.use(next.Refresh)
	if s.mustRefresh(tokens.Refresh).Refresh != next.Refresh {
		t.Fatal("the window is not open")
	}
	if s.warnings("the clock of this server differs") > 0 {
		t.Error("got a warning that the clocks differ")
	}
}

// TestClockSteps checks a clock that is set forward or back: the session goes on with its
// current token, and new access tokens are valid by the clock as it is then.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		step     time.Duration
		replaced string // the answer to the replaced token, or "" for the same successor
	}{
		{-time.Second, ""},
		{-9 * time.Second, ""},
		{-10 * time.Second, refreshStale},
		{-time.Hour, refreshStale},
		{-8 * 24 * time.Hour, refreshStale},
		{9 * time.Second, ""},
		{10 * time.Second, refreshStale},
		{time.Hour, refreshReused},
	} {
		s := newTestServer(t)
		tokens := s.login("alice")
		next := s.mustRefresh(tokens.Refresh)
		s.clock.Advance(row.step)
		res := s.mustRefresh(next.Refresh)
		if got := s.authenticate(res.Access); got != "alice" {
			t.Errorf("step of %v: access token: got %s", row.step, got)
		}
		if s.mustRefresh(res.Refresh); s.liveSessions("alice") != 1 {
			t.Errorf("step of %v: the session was ended", row.step)
		}

		s = newTestServer(t)
		tokens = s.login("alice")
		next = s.mustRefresh(tokens.Refresh)
		s.use(next.Refresh)
		s.clock.Advance(row.step)
		res = s.refresh(tokens.Refresh)
		if row.replaced == "" && res.Refresh != next.Refresh || row.replaced != "" && res.text != row.replaced {
			t.Errorf("step of %v: replaced token: got %s; want %s", row.step, res.text, row.replaced)
		}
	}
	// A clock that is a year ahead for a moment.
	s := newTestServer(t)
	tokens := s.login("alice")
	s.clock.Advance(365 * 24 * time.Hour)
	if got := s.refresh(tokens.Refresh).text; got != refreshExpired {
		t.Errorf("a year later: got %s", got)
	}
	s.clock.Advance(-365 * 24 * time.Hour)
	if got := s.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("back again: got %s", got)
	}
}

// TestClockStepsDuringRotation checks a clock that is set forward, beyond the end of the
// session, after the store has rotated it: no token is signed.
func TestClockStepsDuringRotation(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		ask  func(s *testServer, tokens reply) string
		want string
	}{
		"refresh": {func(s *testServer, tokens reply) string { return s.refresh(tokens.Refresh).text }, refreshExpired},
		"renewal": {func(s *testServer, tokens reply) string {
			return s.decide(browser{tokens.Access, tokens.Refresh}.request(http.MethodPost))
		}, "401 refresh_expired clear"},
	} {
		s := newTestServer(t, withCookies)
		tokens := s.login("alice")
		s.clock.Advance(time.Hour)
		s.store.hook(nil, func(_ context.Context, call string) error {
			if call == "Advance" {
				s.clock.Advance(365 * 24 * time.Hour)
			}
			return nil
		})
		if got := row.ask(s, tokens); got != row.want {
			t.Errorf("%s: got %s; want %s", name, got, row.want)
		}
		if got := s.countEvents(jwtgate.EventStoreDown); got != 0 {
			t.Errorf("%s: got %d events of a store that is down; want none", name, got)
		}
	}
}
