package jwtgate_test

import (
	"bytes"
	"net/http"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestCookieLogin checks the login of browsers that send cookies: it ends the session that
// they are of, and invalid cookies have no effect.
func TestCookieLogin(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	login := s.loginEndpoint()
	for _, test := range []struct {
		name  string
		lines func(b browser) []string
		body  string
		want  string
		ends  bool // whether the old session ends
	}{
		{"no cookies", func(browser) []string { return nil }, aliceLogin, "200 new", false},
		{"live session", func(b browser) []string { return b.cookies() }, aliceLogin, "200 new", true},
		{"live session, refresh only", func(b browser) []string { return browser{"", b.refresh}.cookies() }, aliceLogin, "200 new", true},
		{"live session, access only", func(b browser) []string { return browser{b.access, ""}.cookies() }, aliceLogin, "200 new", true},
		{"live session, refresh forged", func(b browser) []string { return browser{b.access, "jgr1_x"}.cookies() }, aliceLogin, "200 new", true},
		{"live session, access forged", func(b browser) []string { return browser{"a.b.c", b.refresh}.cookies() }, aliceLogin, "200 new", true},
		{"all forged", func(browser) []string { return browser{"a.b.c", "jgr1_x"}.cookies() }, aliceLogin, "200 new", false},
		{"malformed", func(browser) []string { return []string{`__Host-at="x"`} }, aliceLogin, "200 new", false},
		{"empty", func(browser) []string { return []string{"__Host-at=; __Host-rt="} }, aliceLogin, "200 new", false},
		{"two", func(b browser) []string { return append(b.cookies(), b.cookies()...) }, aliceLogin, "200 new", false},
		{"wrong password", func(b browser) []string { return b.cookies() }, aliceWrongPassword, "401 invalid_credentials invalid_grant", false},
		{"wrong password, no cookies", func(browser) []string { return nil }, aliceWrongPassword, "401 invalid_credentials invalid_grant", false},
		{"no body", func(b browser) []string { return b.cookies() }, "", "400 malformed_request invalid_request", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.subtest(t)
			old := s.signIn("alice")
			res := login(t.Context(), postCookies(test.lines(browserWith(old)), test.body))
			if got := s.read(res).text; got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := !s.isLive(old.SessionID); got != test.ends {
				t.Errorf("old session ended: %v; want %v", got, test.ends)
			}
			if bytes.Contains(res.Body, []byte("token\"")) || bytes.Contains(res.Body, []byte("jgr1_")) {
				t.Errorf("a token in the body: %s", res.Body)
			}
			if res.Status != http.StatusOK {
				return
			}
			var b browser
			b.receive(res.Header)
			if got := s.decide(b.request(http.MethodGet)); got != "pass alice" {
				t.Errorf("with the new cookies: got %s", got)
			}
			if b == browserWith(old) || b.refresh == old.Refresh || b.access == old.Access.Token {
				t.Error("the login kept a token that was known before it")
			}
			if want := "401 token_revoked clear"; test.ends {
				if got := s.decide(browserWith(old).request(http.MethodGet)); got != want {
					t.Errorf("with the old cookies: got %s; want %s", got, want)
				}
			}
		})
	}
}

// TestCookieFixation checks session fixation: an attacker who sets the cookies of a session
// of their own in a victim's browser has no access to the session of the victim's login.
func TestCookieFixation(t *testing.T) {
	t.Parallel()
	for _, reissue := range []bool{false, true} {
		s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = reissue })
		planted := s.signIn("mallory")
		res := s.send(s.loginEndpoint(), browserWith(planted).postJSON(aliceLogin))
		var victim browser
		victim.receive(res.Header)
		d := s.Decide(t.Context(), victim.request(http.MethodGet))
		if got := s.describe(d); got != "pass alice" {
			t.Fatalf("the victim: got %s", got)
		}
		if d.Identity.SessionID() == planted.SessionID {
			t.Error("the login went on with the session that was planted")
		}
		for _, b := range []browser{browserWith(planted), {"", planted.Refresh}, {planted.Access.Token, ""}} {
			d := s.Decide(t.Context(), b.request(http.MethodGet))
			if d.Identity != nil {
				t.Errorf("the attacker is signed in as %s", d.Identity.Subject())
			}
		}
	}
}
