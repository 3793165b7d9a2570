package jwtgate_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRefreshConcurrent checks that concurrent refreshes on two servers make one rotation,
// and that all of them get its refresh token.
func TestRefreshConcurrent(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	other := s.another()
	token := s.login("alice").Refresh
	for round := range 5 {
		s.events()
		answers := make([]reply, 64)
		var racers sync.WaitGroup
		start := make(chan struct{})
		for i := range answers {
			racers.Go(func() {
				<-start
				answers[i] = []*testServer{s, other}[i%2].refresh(token)
			})
		}
		close(start)
		racers.Wait()
		seen := map[string]bool{}
		for _, res := range answers {
			if res.text != "200" || res.Refresh != answers[0].Refresh {
				t.Fatalf("round %d: got %s, and not one token", round, res.text)
			}
			if got := s.authenticate(res.Access); got != "alice" || seen[res.Access] {
				t.Errorf("round %d: access token: got %s, seen before: %v", round, got, seen[res.Access])
			}
			seen[res.Access] = true
		}
		if got := s.countEvents(jwtgate.EventRotated); got != 1 || s.countEvents(jwtgate.EventRepeated) != 63 {
			t.Errorf("round %d: %d rotations: %s", round, got, s.events())
		}
		token = answers[0].Refresh
		s.clock.Advance(10 * time.Second)
	}
}

// TestRefreshConcurrentSingleUse checks that with SingleUse, concurrent refreshes get the same
// successor, and that its use ends the replaced token.
func TestRefreshConcurrentSingleUse(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.SingleUse = true })
	tokens := s.login("alice")
	answers := make([]reply, 16)
	var racers sync.WaitGroup
	for i := range answers {
		racers.Go(func() { answers[i] = s.refresh(tokens.Refresh) })
	}
	racers.Wait()
	for _, res := range answers {
		if res.text != "200" || res.Refresh != answers[0].Refresh {
			t.Errorf("got %s, or another successor", res.text)
		}
	}
	s.mustRefresh(answers[0].Refresh)
	if got := s.refresh(tokens.Refresh).text; got != refreshReused {
		t.Errorf("the replaced token, after its successor: got %s; want %s", got, refreshReused)
	}
	if s.countEvents(jwtgate.EventReused) != 1 {
		t.Errorf("got events %s", s.events())
	}
}

// waysToEnd are the ways in which a session ends that was rotated once, half a minute ago, and
// used since. Each
// returns a text, which tests ignore.
var waysToEnd = map[string]func(s *testServer, first, last reply) string{
	"/logout": func(s *testServer, _, last reply) string { return s.logout(last.Refresh).text },
	"/logout, Bearer": func(s *testServer, _, last reply) string {
		return s.send(s.Logout, withToken(formRequest(), last.Access)).text
	},
	"/logout/all": func(s *testServer, _, last reply) string {
		return s.send(s.LogoutAll, withToken(formRequest(), last.Access)).text
	},
	"replay":      func(s *testServer, first, _ reply) string { return s.refresh(first.Refresh).text },
	"EndSessions": func(s *testServer, _, _ reply) string { return fmt.Sprint(s.EndSessions(s.tb.Context(), "alice")) },
}

// TestRefreshAndEnd ends a session at each point of a refresh: the tokens that the refresh
// returns are revoked.
func TestRefreshAndEnd(t *testing.T) {
	t.Parallel()
	for name, end := range waysToEnd {
		for _, at := range []string{"before Find", "after Find", "Subject", "before Advance", "after Advance"} {
			s := newTestServer(t)
			first := s.login("alice")
			last := s.mustRefresh(first.Refresh)
			s.use(last.Refresh)
			s.clock.Advance(30 * time.Second)
			ended := false
			reached := func(point string) error {
				if point == at && !ended {
					ended = true
					end(s, first, last)
				}
				return nil
			}
			s.store.hook(
				func(_ context.Context, call string) error { return reached("before " + call) },
				func(_ context.Context, call string) error { return reached("after " + call) })
			s.setSubject(func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, reached("Subject") })
			res := s.refresh(last.Refresh)
			want := refreshRevoked
			if at == "after Advance" {
				want = "200"
			}
			if res.text != want || !ended {
				t.Errorf("%s %s: refresh: got %s; want %s", name, at, res.text, want)
			}
			if res.text != "200" {
				continue
			}
			if got := s.authenticate(res.Access); got != revoked {
				t.Errorf("%s %s: access token: got %s", name, at, got)
			}
			if got := s.refresh(res.Refresh).text; got != refreshRevoked {
				t.Errorf("%s %s: refresh token: got %s", name, at, got)
			}
		}
	}
}

// TestRefreshAndEndConcurrent ends sessions while they are refreshed, without control over
// the order: the tokens that a refresh returns are revoked.
func TestRefreshAndEndConcurrent(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for name, end := range waysToEnd {
		for range 30 {
			first := s.login("alice")
			last := s.mustRefresh(first.Refresh)
			s.use(last.Refresh)
			s.clock.Advance(30 * time.Second)
			var res reply
			var both sync.WaitGroup
			both.Go(func() { res = s.refresh(last.Refresh) })
			both.Go(func() { end(s, first, last) })
			both.Wait()
			if res.text != "200" {
				if res.text != refreshRevoked {
					t.Errorf("%s: refresh: got %s", name, res.text)
				}
				continue
			}
			if got := s.authenticate(res.Access); got != revoked {
				t.Errorf("%s: access token: got %s", name, got)
			}
			if got := s.refresh(res.Refresh).text; got != refreshRevoked {
				t.Errorf("%s: refresh token: got %s", name, got)
			}
		}
	}
}
