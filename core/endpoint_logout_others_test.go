package jwtgate_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestLogoutOthers checks that all sessions of the subject but that of the request end on
// every process.
func TestLogoutOthers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		req  func(s *testServer, own reply) jwtgate.Request
		own  bool // the session of own stays
		want string
	}{
		{"Bearer", func(_ *testServer, own reply) jwtgate.Request { return withToken(formRequest(), own.Access) }, true, "204"},
		{"cookies", func(_ *testServer, own reply) jwtgate.Request { return browser{own.Access, own.Refresh}.post() }, true, "204"},
		{"cookies, expired", func(s *testServer, own reply) jwtgate.Request {
			return browser{s.mint(sidOf(s.tb, own.Access), time.Hour, nil), own.Refresh}.post()
		}, true, "204 new"},
		{"without a session", func(s *testServer, _ reply) jwtgate.Request {
			return withToken(formRequest(), jwtgatetest.Token(s.tb, s.Auth, "alice"))
		}, false, "204"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t, withCookies)
			elsewhere := s.another()
			synctest.Wait()
			own, first, second, bob := s.login("alice"), s.login("alice"), s.login("alice"), s.login("bob")
			loose := jwtgatetest.Token(t, s.Auth, "alice")
			req := row.req(s, own)
			s.events()
			if got := s.send(s.LogoutOthers, req).text; got != row.want {
				t.Errorf("%s: got %s; want %s", row.name, got, row.want)
			}
			if got := s.countEvents(jwtgate.EventEndedAll); got != 1 {
				t.Errorf("%s: got %d events; want 1", row.name, got)
			}
			synctest.Wait()
			for _, at := range []*testServer{s, elsewhere} {
				for name, want := range map[string]struct {
					access string
					good   bool
				}{"own": {own.Access, row.own}, "first": {first.Access, false}, "second": {second.Access, false}, "without a session": {loose, true}, "bob's": {bob.Access, true}} {
					if got := at.authenticate(want.access) != revoked; got != want.good {
						t.Errorf("%s: %s access token is good: %v; want %v", row.name, name, got, want.good)
					}
				}
			}
			if got, want := s.refresh(first.Refresh).text, refreshRevoked; got != want {
				t.Errorf("%s: refresh of another session: got %s; want %s", row.name, got, want)
			}
		})
	}
}

func TestLogoutOthersRefusals(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	own, other := s.signIn("alice"), s.signIn("alice")
	b := browserWith(own)
	for _, row := range []struct {
		name string
		req  jwtgate.Request
		want string
	}{
		{"nobody", formRequest(), "401 token_missing"},
		{"refresh token in the body", formRequest("refresh_token", own.Refresh), "401 token_missing"},
		{"cross-site", withField(b.post(), "Sec-Fetch-Site", "cross-site"), "403 cross_site"},
		{"another origin", withField(b.post(), "Origin", "https://evil.example"), "403 cross_site"},
		{"GET", b.request(http.MethodGet), "405 method_not_allowed"},
		{"forged", browser{own.Access.Token + "A", own.Refresh}.post(), "401 token_invalid clear"},
	} {
		if got := s.send(s.LogoutOthers, row.req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	s.store.breaks("EndAll", false)
	if got, want := s.send(s.LogoutOthers, b.post()).text, "503 unavailable"; got != want {
		t.Errorf("store down: got %s; want %s", got, want)
	}
	if !s.isLive(other.SessionID) {
		t.Error("a refused request has ended a session")
	}
}
