package jwtgate_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestLogoutErrors checks that a store error during a logout answers 503, and that the next
// logout ends the session.
func TestLogoutErrors(t *testing.T) {
	t.Parallel()
	body := func(_ *testServer, tokens reply) jwtgate.Request { return formRequest("refresh_token", tokens.Refresh) }
	head := func(_ *testServer, tokens reply) jwtgate.Request { return withToken(formRequest(), tokens.Access) }
	jti := func(s *testServer, _ reply) jwtgate.Request {
		return withToken(formRequest(), jwtgatetest.Token(s.tb, s.Auth, "alice"))
	}
	for _, row := range []struct {
		name  string
		all   bool
		req   func(*testServer, reply) jwtgate.Request
		call  string
		after bool
	}{
		{"body", false, body, "Find", false},
		{"body", false, body, "End", false},
		{"body", false, body, "End", true},
		{"Bearer", false, head, "End", false},
		{"Bearer", false, head, "End", true},
		{"Bearer without sid", false, jti, "Revoke", false},
		{"Bearer without sid", false, jti, "Revoke", true},
		{"everywhere", true, head, "EndAll", false},
		{"everywhere, without sid", true, jti, "EndAll", false},
		{"everywhere, without sid", true, jti, "Revoke", false},
	} {
		s := newTestServer(t)
		endpoint := jwtgate.Endpoint(s.Logout)
		if row.all {
			endpoint = s.LogoutAll
		}
		tokens := s.login("alice")
		req := row.req(s, tokens)
		s.events()
		s.store.breaks(row.call, row.after)
		if got := s.send(endpoint, req).text; got != "503 unavailable" {
			t.Errorf("%s, %s fails: got %s", row.name, row.call, got)
		}
		if events := s.events(); !strings.Contains(events, "store_down") || strings.Count(events, errBroken.Error()) != 1 {
			t.Errorf("%s, %s fails: got events %q", row.name, row.call, events)
		}
		s.store.mend()
		again := withField(row.req(s, tokens), "Authorization", req.Header.Values("Authorization")...)
		if got := s.send(endpoint, again).text; got != "204" && !(row.all && got == revoked) {
			t.Errorf("%s, %s works again: got %s", row.name, row.call, got)
		}
		if token := strings.TrimPrefix(req.First("Authorization"), "Bearer "); token != "" && s.authenticate(token) != revoked {
			t.Errorf("%s, %s works again: the token is good", row.name, row.call)
		}
		if row.call != "Revoke" && s.liveSessions("alice") != 0 {
			t.Errorf("%s, %s works again: the session is live", row.name, row.call)
		}
	}
}

// TestEndTimeout checks that endpoints give up a store call that hangs after Timeout.
func TestEndTimeout(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		call string
		end  func(s *testServer, tokens reply) string
		want string
	}{
		"/logout":       {"End", func(s *testServer, tokens reply) string { return s.logout(tokens.Refresh).text }, "503 unavailable"},
		"/logout, Find": {"Find", func(s *testServer, tokens reply) string { return s.logout(tokens.Refresh).text }, "503 unavailable"},
		"/logout/all": {"EndAll", func(s *testServer, tokens reply) string {
			return s.send(s.LogoutAll, withToken(formRequest(), tokens.Access)).text
		}, "503 unavailable"},
		"/sessions": {"List", func(s *testServer, tokens reply) string {
			return s.send(s.ListSessions, withToken(jwtgate.Request{Method: "GET"}, tokens.Access)).text
		}, "503 unavailable"},
		"/sessions/{id}": {"End", func(s *testServer, tokens reply) string {
			return s.send(s.DeleteSession, withToken(jwtgate.Request{Method: "DELETE", Path: "/" + sidOf(s.tb, tokens.Access)}, tokens.Access)).text
		}, "503 unavailable"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t)
			tokens := s.login("alice")
			s.store.hangs(row.call)
			begun := time.Now()
			if got := row.end(s, tokens); got != row.want || time.Since(begun) != 5*time.Second {
				t.Errorf("%s: got %s after %v; want 503 after 5s", name, got, time.Since(begun))
			}
		})
	}
}
