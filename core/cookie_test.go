package jwtgate_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestCookieAttributes checks the names and attributes of the cookies that a login sets and
// that a logout deletes.
func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, test := range []struct {
		name   string
		change func(*jwtgate.Config)
		want   string // the attributes of both cookies
		names  string
	}{
		{"defaults", func(*jwtgate.Config) {}, "Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
		{"default mode", func(c *jwtgate.Config) { c.Cookies.SameSite = http.SameSiteDefaultMode }, "Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
		{"strict", func(c *jwtgate.Config) { c.Cookies.SameSite = http.SameSiteStrictMode }, "Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Strict", "__Host-at __Host-rt"},
		{"insecure", func(c *jwtgate.Config) { c.Cookies.InsecureHTTP = true }, "Path=/; Max-Age=604800; HttpOnly; SameSite=Lax", "at rt"},
		{"RefreshTTL", func(c *jwtgate.Config) { c.Sessions.RefreshTTL = time.Hour }, "Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
		{"SessionTTL", func(c *jwtgate.Config) { c.Sessions.SessionTTL = day }, "Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies, test.change)
			tokens := s.signIn("alice")
			res := tokens.Cookies()
			names := strings.Fields(test.names)
			want := []jwtgate.Field{
				{Name: "Set-Cookie", Value: names[0] + "=" + tokens.Access.Token + "; " + test.want},
				{Name: "Set-Cookie", Value: names[1] + "=" + tokens.Refresh + "; " + test.want},
				{Name: "Cache-Control", Value: "no-store"},
				{Name: "CDN-Cache-Control", Value: "no-store"},
				{Name: "Surrogate-Control", Value: "no-store"},
			}
			if !slices.Equal(res.Header, want) || res.Status != 0 || res.Body != nil {
				t.Errorf("got %d %q %q; want %q", res.Status, res.Header, res.Body, want)
			}
			for _, name := range names {
				req := jwtgate.Request{Method: http.MethodGet, Host: "site.example", Header: http.Header{"Cookie": {name + "=" + tokens.Access.Token}}}
				got := s.Decide(t.Context(), req)
				if name == names[0] && got.Identity == nil {
					t.Errorf("%s: refused: %v", name, got.Refusal)
				}
				if name == names[1] && got.Identity != nil {
					t.Errorf("%s is taken for an access token", name)
				}
			}
			// A cookie is only deleted by one with the same name, path and attributes.
			gone := regexp.MustCompile(`Max-Age=\d+`).ReplaceAllString(test.want, "Max-Age=0")
			res = s.Logout(t.Context(), postCookies([]string{names[0] + "=" + tokens.Access.Token}, ""))
			if got, want := fieldValues(res.Header, "Set-Cookie"), []string{names[0] + "=; " + gone, names[1] + "=; " + gone}; !slices.Equal(got, want) {
				t.Errorf("logout: got %q; want %q", got, want)
			}
			if s.isLive(tokens.SessionID) {
				t.Error("logout: the session lives")
			}
		})
	}
}

// TestCookieNamesByScheme checks that a server without Secure does not accept the cookies of
// one with it, nor the other way round.
func TestCookieNamesByScheme(t *testing.T) {
	t.Parallel()
	secure := newTestServer(t, withCookies)
	insecure := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.InsecureHTTP = true })
	for _, test := range []struct {
		name string
		site *testServer
		line string
		want string
	}{
		{"secure, prefixed", secure, "__Host-at=", "pass alice"},
		{"secure, bare", secure, "at=", "401 token_missing"},
		{"secure, __Secure-", secure, "__Secure-at=", "401 token_missing"},
		{"insecure, prefixed", insecure, "__Host-at=", "401 token_missing"},
		{"insecure, bare", insecure, "at=", "pass alice"},
	} {
		req := jwtgate.Request{Method: http.MethodGet, Host: "site.example", Header: http.Header{"Cookie": {test.line + jwtgatetest.Token(t, test.site.Auth, "alice")}}}
		if got := test.site.decide(req); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
	}
}

// TestCookieMaxAge checks that both cookies last as long as the session can be renewed.
func TestCookieMaxAge(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	for _, test := range []struct {
		after time.Duration
		want  int // seconds
	}{
		{3 * day, 7 * 86400},
		{6 * day, 7 * 86400},
		{6 * day, 7 * 86400},
		{6 * day, 7 * 86400},
		{6 * day, 3 * 86400},
		{2*day + 23*time.Hour, 3600},
		{59*time.Minute + 58*time.Second + 500*time.Millisecond, 2},
	} {
		s.clock.Advance(test.after)
		b.access = "" // the browser lost it
		d := s.Decide(t.Context(), b.request(http.MethodGet))
		if got := s.describe(d); got != "pass alice new" {
			t.Fatalf("%v later: got %s", test.after, got)
		}
		for _, line := range fieldValues(d.Response.Header, "Set-Cookie") {
			if want := fmt.Sprintf("; Max-Age=%d;", test.want); !strings.Contains(line, want) {
				t.Errorf("%v later: got %s; want %s", test.after, line, want)
			}
		}
		b.receive(d.Response.Header)
	}
	s.clock.Advance(1500 * time.Millisecond)
	if got, want := s.decide(b.request(http.MethodGet)), "401 refresh_expired clear"; got != want {
		t.Errorf("past the end: got %s; want %s", got, want)
	}
}

// TestCookieMaxAgeOfAccess checks that the access cookie lasts as long as its token, even if
// the refresh token expires earlier: ReissueRefresh depends on it.
func TestCookieMaxAgeOfAccess(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
		c.Sessions.RefreshTTL = 5 * time.Minute
		c.Cookies.ReissueRefresh = true
	})
	lines := fieldValues(s.signIn("alice").Cookies().Header, "Set-Cookie")
	if !strings.Contains(lines[0], "; Max-Age=900;") || !strings.Contains(lines[1], "; Max-Age=300;") {
		t.Errorf("got %q; want Max-Age 900 and 300", lines)
	}
}
