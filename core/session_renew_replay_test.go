package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRenewalTabs checks two tabs that send the same cookies, one after the other.
func TestRenewalTabs(t *testing.T) {
	t.Parallel()
	none := func(*jwtgate.Config) {}
	for _, test := range []struct {
		name    string
		setting func(*jwtgate.Config)
		between time.Duration
		want    string
		lives   bool
	}{
		{"at once", none, 0, "pass alice new", true},
		{"inside the window", none, 10*time.Second - time.Millisecond, "pass alice new", true},
		{"at its end", none, 10 * time.Second, "401 refresh_stale", true},
		{"after three windows", none, 30 * time.Second, "401 refresh_reused clear", false},
		{"a longer window", func(c *jwtgate.Config) { c.Sessions.ReuseWindow = time.Minute }, 59 * time.Second, "pass alice new", true},
		{"single use", func(c *jwtgate.Config) { c.Sessions.SingleUse = true }, 0, "401 refresh_reused clear", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies, test.setting)
			old := browserWith(s.signIn("alice"))
			other := browserWith(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			one, two := old, old
			d := s.Decide(t.Context(), old.request(http.MethodPost))
			one.receive(d.Response.Header)
			s.use(one.refresh)
			s.clock.Advance(test.between)
			d = s.Decide(t.Context(), old.request(http.MethodPost))
			if got := s.describe(d); got != test.want {
				t.Fatalf("got %s; want %s", got, test.want)
			}
			two.receive(d.Response.Header)
			if test.want == "pass alice new" && one.refresh != two.refresh {
				t.Error("the tabs have different refresh tokens")
			}
			// With the cookies of either answer, the session goes on, or has ended.
			for _, b := range []browser{one, {"", one.refresh}} {
				want := "401 refresh_revoked clear"
				if b.access != "" {
					want = "401 token_revoked clear"
				}
				if test.lives {
					want = "pass alice"
					if b.access == "" {
						want += " new"
					}
				}
				if got := s.decide(b.request(http.MethodGet)); got != want {
					t.Errorf("the first tab: got %s; want %s", got, want)
				}
			}
			if got := s.decide(other.request(http.MethodGet)); got != "pass alice new" {
				t.Errorf("another session of alice: got %s", got)
			}
		})
	}
}

// TestRenewalReplayEndsSession checks that a replayed refresh token ends the session, and
// with it the access tokens of the thief.
func TestRenewalReplayEndsSession(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	victim := browserWith(s.signIn("alice"))
	stolen := victim
	s.clock.Advance(time.Hour)
	d := s.Decide(t.Context(), stolen.request(http.MethodGet))
	stolen.receive(d.Response.Header)
	s.use(stolen.refresh)
	s.clock.Advance(time.Minute)
	if got, want := s.decide(victim.request(http.MethodGet)), "401 refresh_reused clear"; got != want {
		t.Errorf("the victim: got %s; want %s", got, want)
	}
	if got, want := s.decide(stolen.request(http.MethodGet)), "401 token_revoked clear"; got != want {
		t.Errorf("the thief: got %s; want %s", got, want)
	}
	if got, want := s.decide(jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + stolen.access}}}), "401 token_revoked"; got != want {
		t.Errorf("the thief, by header: got %s; want %s", got, want)
	}
}
