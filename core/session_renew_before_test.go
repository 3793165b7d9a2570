package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRenewBefore checks the renewal of access tokens that are still valid.
func TestRenewBefore(t *testing.T) {
	t.Parallel()
	const before = 2 * time.Minute
	for _, test := range []struct {
		name    string
		after   time.Duration
		refresh string
		want    string
		end     bool // whether the session ends
	}{
		{"fresh", 0, "good", "pass alice", false},
		{"not yet due", 13*time.Minute - time.Millisecond, "good", "pass alice", false},
		{"just due", 13 * time.Minute, "good", "pass alice new", false},
		{"in its last second", 15*time.Minute - time.Millisecond, "good", "pass alice new", false},
		{"expired", 15 * time.Minute, "good", "pass alice new", false},
		{"due, refresh absent", 14 * time.Minute, "absent", "pass alice", false},
		{"due, refresh forged", 14 * time.Minute, "forged", "pass alice", false},
		{"due, refresh of another session", 14 * time.Minute, "other", "pass alice", false},
		{"due, refresh replayed", 14 * time.Minute, "replayed", "401 token_revoked clear", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.RenewBefore = before })
			tokens := s.signIn("alice")
			b := browserWith(tokens)
			switch test.refresh {
			case "absent":
				b.refresh = ""
			case "forged":
				b.refresh = "jgr1_x"
			case "other":
				b.refresh = s.signIn("robert").Refresh
			case "replayed":
				s.use(s.mustRefresh(b.refresh).Refresh)
			}
			s.clock.Advance(test.after)
			d := s.Decide(t.Context(), b.request(http.MethodPost))
			if got := s.describe(d); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := !s.isLive(tokens.SessionID); got != test.end {
				t.Errorf("session ended: %v; want %v", got, test.end)
			}
			if !d.Renewed {
				return
			}
			if left := d.Identity.Expires().Sub(s.clock.Now()); left < 14*time.Minute {
				t.Errorf("the handler has an identity for %v more", left)
			}
			b.receive(d.Response.Header)
			if got := s.decide(b.request(http.MethodPost)); got != "pass alice" {
				t.Errorf("right after it: got %s", got)
			}
		})
	}
}

// TestRenewBeforeAtTheEnd checks that there is no early renewal near the end of a session,
// where it cannot make the access token last longer. Each one would use the store and the
// subject loader, and would make an answer that caches cannot store.
func TestRenewBeforeAtTheEnd(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
		c.Cookies.RenewBefore = 2 * time.Minute
		c.Sessions.SessionTTL = 20 * time.Minute
	})
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(19 * time.Minute)
	d := s.Decide(t.Context(), b.request(http.MethodGet))
	b.receive(d.Response.Header)
	if got := s.decide(b.request(http.MethodGet)); got != "pass alice" {
		t.Errorf("the next request: got %s", got)
	}
	for _, row := range []struct { // the token was made a minute before the end
		after time.Duration
		want  string
	}{{30*time.Second - time.Millisecond, "pass alice"}, {time.Millisecond, "pass alice new"}} {
		s.clock.Advance(row.after)
		if got := s.decide(b.request(http.MethodGet)); got != row.want {
			t.Errorf("%v later: got %s; want %s", row.after, got, row.want)
		}
	}
}

// TestRenewalRetireReplaced checks that with RetireReplaced, early renewals never leave a
// browser with a revoked access token.
func TestRenewalRetireReplaced(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
		c.Sessions.RetireReplaced = true
		c.Cookies.RenewBefore = 7 * time.Minute
	})
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(10 * time.Minute)
	old := b
	d := s.Decide(t.Context(), b.request(http.MethodGet))
	b.receive(d.Response.Header)
	if got, want := s.decide(old.request(http.MethodGet)), "pass alice new"; got != want {
		t.Errorf("the old one inside the window: got %s; want %s", got, want)
	}
	s.clock.Advance(10 * time.Second)
	if got, want := s.decide(b.request(http.MethodGet)), "pass alice"; got != want {
		t.Errorf("the new one: got %s; want %s", got, want)
	}
}
