package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestCookieLogout checks which session a logout of a browser ends.
func TestCookieLogout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		after time.Duration
		lines func(b browser) []string
		body  string
		want  string
		ends  bool
	}{
		{"both", 0, func(b browser) []string { return b.cookies() }, "", "204 clear", true},
		{"refresh only", 0, func(b browser) []string { return browser{"", b.refresh}.cookies() }, "", "204 clear", true},
		{"access only", 0, func(b browser) []string { return browser{b.access, ""}.cookies() }, "", "204 clear", true},
		{"access only, expired", time.Hour, func(b browser) []string { return browser{b.access, ""}.cookies() }, "", "204 clear", true},
		{"refresh forged", 0, func(b browser) []string { return browser{b.access, "jgr1_x"}.cookies() }, "", "204 clear", true},
		{"access forged", 0, func(b browser) []string { return browser{"a.b.c", b.refresh}.cookies() }, "", "204 clear", true},
		{"none", 0, func(browser) []string { return nil }, "", "204 clear", false},
		{"forged", 0, func(browser) []string { return browser{"a.b.c", "jgr1_x"}.cookies() }, "", "204 clear", false},
		{"malformed", 0, func(browser) []string { return []string{"__Host-at=; __Host-rt="} }, "", "204 clear", false},
		{"two", 0, func(b browser) []string { return append(b.cookies(), b.cookies()...) }, "", "204 clear", false},
		{"unreadable body", 0, func(b browser) []string { return b.cookies() }, "{", "400 malformed_request clear", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			tokens, other := s.signIn("alice"), s.signIn("alice")
			s.clock.Advance(test.after)
			if got := s.send(s.Logout, postCookies(test.lines(browserWith(tokens)), test.body)).text; got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := !s.isLive(tokens.SessionID); got != test.ends {
				t.Errorf("ended: %v; want %v", got, test.ends)
			}
			if !s.isLive(other.SessionID) {
				t.Error("the other session was ended")
			}
		})
	}
}

// TestLogoutWithoutCookies checks that a server without Config.Cookies ignores cookies.
func TestLogoutWithoutCookies(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	b := browser{tokens.Access, tokens.Refresh}
	for name, req := range map[string]jwtgate.Request{
		"a cookie line":              b.post(),
		"a form and a cookie line":   withField(formRequest("refresh_token", "jgr1_x"), "Cookie", b.cookies()...),
		"a Bearer and a cookie line": withToken(b.post(), "a.b.c"),
	} {
		if got, want := s.send(s.Logout, req).text, "204"; got != want {
			t.Errorf("%s: got %s; want %s", name, got, want)
		}
	}
	if got, want := s.authenticate(tokens.Access), "alice"; got != want {
		t.Errorf("the session of the cookies: got %s; want %s", got, want)
	}
}

func TestCookieLogoutAll(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	s.signIn("alice")
	b, robert := browserWith(s.signIn("alice")), s.signIn("robert")
	if got, want := s.send(s.LogoutAll, browser{}.post()).text, "401 token_missing"; got != want {
		t.Errorf("nobody: got %s; want %s", got, want)
	}
	s.clock.Advance(time.Hour)
	if got, want := s.send(s.LogoutAll, b.post()).text, "204 clear"; got != want {
		t.Errorf("renewed: got %s; want %s", got, want)
	}
	if records, _ := s.store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 1000); len(records) != 0 || !s.isLive(robert.SessionID) {
		t.Errorf("alice has %d sessions; robert's lives: %v", len(records), s.isLive(robert.SessionID))
	}
	if got, want := s.decide(b.request(http.MethodGet)), "401 refresh_revoked clear"; got != want {
		t.Errorf("after it: got %s; want %s", got, want)
	}
	res := s.send(s.loginEndpoint(), b.postJSON(aliceLogin))
	b.receive(res.Header)
	if got, want := s.decide(b.request(http.MethodGet)), "pass alice"; got != want {
		t.Errorf("a login right after it: got %s; want %s", got, want)
	}
}
