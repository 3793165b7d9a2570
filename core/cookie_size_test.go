package jwtgate_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestCookieSize checks that a login whose cookies are over 4096 bytes, name and value, is
// refused: browsers drop such cookies silently.
func TestCookieSize(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	size := 2000
	s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
		return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", size)}}, nil
	})
	// base64url encodes three bytes in four characters, so not every length occurs.
	for len("__Host-at")+len(s.signIn("alice").Access.Token) < 4092 {
		size++
	}
	for _, more := range []int{0, 1, 2, 3, 4, 5, 6, 100, 1_000} {
		size += more
		tokens := s.signIn("alice")
		length := len("__Host-at") + len(tokens.Access.Token)
		want := "0 new"
		if length > 4096 {
			want = "500 internal_error"
		}
		if got := s.read(tokens.Cookies()).text; got != want {
			t.Errorf("cookie of %d bytes: got %s; want %s", length, got, want)
		}
		want = "200 new"
		if length > 4096 {
			want = "500 internal_error"
		}
		if got := s.send(s.loginEndpoint(), browser{}.postJSON(aliceLogin)).text; got != want {
			t.Errorf("login with a cookie of %d bytes: got %s; want %s", length, got, want)
		}
		size -= more
	}
}

// TestCookieSizeAtLogin checks that a login whose cookies are too large leaves no session
// behind, and does not end the previous one.
func TestCookieSizeAtLogin(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	old := s.signIn("alice")
	s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
		return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", 5000)}}, nil
	})
	if got, want := s.send(s.loginEndpoint(), browserWith(old).postJSON(aliceLogin)).text, "500 internal_error"; got != want {
		t.Fatalf("got %s; want %s", got, want)
	}
	records, err := s.store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 1000)
	if err != nil || len(records) != 1 || records[0].ID.String() != old.SessionID {
		t.Errorf("got %d sessions, %v; want the old one", len(records), err)
	}
}

// TestCookieSizeAtRenewal checks that a renewal whose cookies are too large does not end the
// session: the browser could not know that its refresh token was replaced.
func TestCookieSizeAtRenewal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ask  func(s *testServer, b browser) string
	}{
		{"on the way in", func(s *testServer, b browser) string { return s.decide(b.request(http.MethodGet)) }},
		{"at refresh", func(s *testServer, b browser) string { return s.send(s.Refresh, b.post()).text }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			b := browserWith(s.signIn("alice"))
			b.access = ""
			size := 5000
			s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
				return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", size)}}, nil
			})
			if got, want := test.ask(s, b), "500 internal_error"; got != want {
				t.Fatalf("got %s; want %s", got, want)
			}
			size = 10
			s.clock.Advance(time.Minute)
			if got, want := s.decide(b.request(http.MethodGet)), "pass alice new"; got != want {
				t.Errorf("when it fits again: got %s; want %s", got, want)
			}
		})
	}
}

// TestTokenTooLarge checks that a token that is too large is an error of its own, which names
// the size and the remedy in the log, and leaves no session behind.
func TestTokenTooLarge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		size  int
		login func(s *testServer) string
		cause string
		tells string // the beginning of the event
	}{
		{"login", 5000, func(s *testServer) string { return s.send(s.loginEndpoint(), browser{}.postJSON(aliceLogin)).text }, "browsers store cookies of at most 4096 bytes, the name included: give the Grant fewer roles or claims", "token_too_large alice: "},
		{"SignIn", 5000, func(s *testServer) string { return s.read(s.signIn("alice").Cookies()).text }, "browsers store cookies of at most 4096 bytes", "token_too_large alice "},
		{"token", 9000, func(s *testServer) string {
			return s.send(s.tokenEndpoint(), formRequest("username", "alice", "password", "wonderland")).text
		}, "Config.MaxTokenSize is 8192: give the Grant fewer roles or claims, or raise MaxTokenSize", "token_too_large alice: "},
	} {
		s := newTestServer(t, withCookies)
		s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
			return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", test.size)}}, nil
		})
		if got, want := test.login(s), "500 internal_error"; got != want {
			t.Errorf("%s: got %s; want %s", test.name, got, want)
		}
		if got := s.events(); !strings.Contains(got, test.tells) || !strings.Contains(got, " bytes, and ") {
			t.Errorf("%s: got events %q; want %q", test.name, got, test.tells)
		}
		if s.warnings(test.cause) == 0 {
			t.Errorf("%s: the log does not say %q", test.name, test.cause)
		}
		if got := s.warnings("level=ERROR"); got != 1 {
			t.Errorf("%s: got %d errors in the log; want one", test.name, got)
		}
		if got := s.liveSessions("alice"); got != 0 {
			t.Errorf("%s: got %d sessions; want none", test.name, got)
		}
	}
}
