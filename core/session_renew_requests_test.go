package jwtgate_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRenewalOptional checks that on routes with Optional, too, cookies must be genuine if
// they are sent.
func TestRenewalOptional(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	good := func() browser { return browserWith(s.signIn("alice")) }
	expired := good()
	s.clock.Advance(time.Hour)
	for _, test := range []struct {
		name string
		req  jwtgate.Request
		want string
		vary string
	}{
		{"no cookies", browser{}.post(), "pass nobody", "Authorization, Cookie"},
		{"others' cookies", postCookies([]string{"theme=dark"}, ""), "pass nobody", "Authorization, Cookie"},
		{"good", good().request(http.MethodGet), "pass alice", "Authorization, Cookie"},
		{"expired", expired.request(http.MethodGet), "pass alice new", "Authorization, Cookie"},
		{"absent, refresh good", browser{"", good().refresh}.request(http.MethodGet), "pass alice new", "Authorization, Cookie"},
		{"absent, refresh good, Upgrade", upgrade(browser{"", good().refresh}.request(http.MethodGet)), "pass nobody", "Authorization, Cookie"},
		{"absent, refresh good, CONNECT", browser{"", good().refresh}.request(http.MethodConnect), "pass nobody", "Authorization, Cookie"},
		{"expired, refresh absent", browser{expired.access, ""}.request(http.MethodGet), "pass nobody clear", "Authorization, Cookie"},
		{"forged", browser{"a.b.c", good().refresh}.request(http.MethodGet), "401 token_invalid clear", ""},
		{"absent, refresh forged", browser{"", "jgr1_x"}.request(http.MethodGet), "pass nobody clear", "Authorization, Cookie"},
		{"malformed", browser{"(", ""}.request(http.MethodGet), "400 malformed_credentials", ""},
	} {
		d := s.Decide(t.Context(), test.req, jwtgate.Optional())
		if got := s.describe(d); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
		if got := strings.Join(fieldValues(d.Response.Header, "Vary"), "; "); got != test.vary {
			t.Errorf("%s: got Vary %q; want %q", test.name, got, test.vary)
		}
	}
}

// TestRenewalWithoutAnswer checks that a request whose answer cannot bring new cookies to
// the browser leaves the session and the cookies as they are.
func TestRenewalWithoutAnswer(t *testing.T) {
	t.Parallel()
	same := func(r jwtgate.Request) jwtgate.Request { return r }
	for _, test := range []struct {
		name  string
		shape func(jwtgate.Request) jwtgate.Request
		rules []jwtgate.Rule
		want  [3]string // for an access token that is expired, absent, signed with a key that is gone
	}{
		{"Upgrade", upgrade, nil, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"Upgrade, POST", func(r jwtgate.Request) jwtgate.Request { r.Method = "POST"; return withField(r, "Upgrade", "h2c") }, nil, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"CONNECT", func(r jwtgate.Request) jwtgate.Request { r.Method = "CONNECT"; return r }, nil, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"NoRenewal", same, []jwtgate.Rule{jwtgate.NoRenewal()}, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"NoRenewal, POST", func(r jwtgate.Request) jwtgate.Request { r.Method = "POST"; return r }, []jwtgate.Rule{jwtgate.NoRenewal()}, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"NoRenewal and a role", same, []jwtgate.Rule{jwtgate.Role("user"), jwtgate.NoRenewal()}, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"NoRenewal and Optional", same, []jwtgate.Rule{jwtgate.NoRenewal(), jwtgate.Optional()}, [3]string{"401 token_expired", "pass nobody", "pass nobody"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Cookies.ReissueRefresh = 5*time.Minute, true })
			tokens := s.signIn("alice")
			s.store.taken()
			for i, access := range []string{s.mint(tokens.SessionID, time.Hour, nil), "", s.mintWith(unknownSecret, "gone", tokens.SessionID, 0, nil)} {
				if got := s.decide(test.shape(browser{access, tokens.Refresh}.request(http.MethodGet)), test.rules...); got != test.want[i] {
					t.Errorf("got %s; want %s", got, test.want[i])
				}
			}
			for name, b := range map[string]browser{
				"good":           browserWith(tokens),
				"due":            {s.mint(tokens.SessionID, 14*time.Minute, nil), tokens.Refresh},
				"refresh absent": {tokens.Access.Token, ""},
			} {
				if got := s.decide(test.shape(b.request(http.MethodGet)), test.rules...); got != "pass alice" {
					t.Errorf("%s: got %s", name, got)
				}
			}
			if calls := s.store.taken(); calls != "" {
				t.Errorf("got store calls %s; want none", calls)
			}
			if got := s.decide(test.shape(browser{"a.b.c", tokens.Refresh}.request(http.MethodGet)), test.rules...); got != "401 token_invalid" {
				t.Errorf("forged: got %s; want 401 token_invalid", got)
			}
		})
	}
}

// TestRenewalNotByBearer checks that a Bearer token takes precedence over cookies, which
// then have no effect.
func TestRenewalNotByBearer(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Cookies.ReissueRefresh = 5*time.Minute, true })
	tokens, robert := s.signIn("alice"), s.signIn("robert")
	ended := s.signIn("alice")
	if err := s.EndSession(t.Context(), ended.SessionID); err != nil {
		t.Fatal(err)
	}
	s.store.taken()
	for _, test := range []struct {
		name string
		auth []string
		j    browser
		want string
	}{
		{"good", []string{"Bearer " + robert.Access.Token}, browserWith(tokens), "pass robert"},
		{"good, access cookie expired", []string{"Bearer " + robert.Access.Token}, browser{s.mint(tokens.SessionID, time.Hour, nil), tokens.Refresh}, "pass robert"},
		{"good, access cookie absent", []string{"Bearer " + robert.Access.Token}, browser{"", tokens.Refresh}, "pass robert"},
		{"good, cookies forged", []string{"Bearer " + robert.Access.Token}, browser{"a.b.c", "jgr1_x"}, "pass robert"},
		{"good, cookies malformed", []string{"Bearer " + robert.Access.Token}, browser{"(", "("}, "pass robert"},
		{"due", []string{"Bearer " + s.mint(tokens.SessionID, 14*time.Minute, nil)}, browserWith(tokens), "pass alice"},
		{"due, refresh absent", []string{"Bearer " + s.mint(tokens.SessionID, 14*time.Minute, nil)}, browser{}, "pass alice"},
		{"expired", []string{"Bearer " + s.mint(tokens.SessionID, time.Hour, nil)}, browserWith(tokens), "401 token_expired"},
		{"by a key that is gone", []string{"Bearer " + s.mintWith(unknownSecret, "gone", tokens.SessionID, 0, nil)}, browserWith(tokens), "401 token_invalid"},
		{"forged", []string{"Bearer a.b.c"}, browserWith(tokens), "401 token_invalid"},
		{"a refresh token", []string{"Bearer " + tokens.Refresh}, browserWith(tokens), "401 token_invalid"},
		{"revoked", []string{"Bearer " + ended.Access.Token}, browserWith(tokens), "401 token_revoked"},
		{"malformed", []string{"Bearer"}, browserWith(tokens), "400 malformed_credentials"},
		{"two", []string{"Bearer " + tokens.Access.Token, "Bearer " + tokens.Access.Token}, browserWith(tokens), "400 malformed_credentials"},
		{"two, neither is Bearer", []string{"Basic a", "Basic b"}, browserWith(tokens), "400 malformed_credentials"},
	} {
		req := withField(test.j.request(http.MethodGet), "Authorization", test.auth...)
		if got := s.decide(req); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
	}
	if calls := s.store.taken(); calls != "" {
		t.Errorf("got store calls %s; want none", calls)
	}
	req := withField(browser{"", tokens.Refresh}.request(http.MethodGet), "Authorization", "Basic YTpi")
	if got := s.decide(req); got != "pass alice new" {
		t.Errorf("another scheme: got %s", got)
	}
}

// TestRenewalLoadsSubject checks that a renewal loads the subject, and that the rules and
// the handler of the same request see the new roles and claims.
func TestRenewalLoadsSubject(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.setSubject(func(_ context.Context, subject string) (jwtgate.Grant, error) {
		if subject != "alice" {
			t.Errorf("got subject %q", subject)
		}
		return jwtgate.Grant{Subject: "someone else", Roles: []string{"admin"}, Scopes: []string{"write"}, Claims: map[string]int{"level": 3}}, nil
	})
	if got, want := s.decide(b.request(http.MethodGet), jwtgate.Role("admin")), "403 insufficient_scope"; got != want {
		t.Errorf("before: got %s; want %s", got, want)
	}
	s.clock.Advance(15 * time.Minute)
	d := s.Decide(t.Context(), b.request(http.MethodGet), jwtgate.Role("admin"), jwtgate.Scope("write"))
	if got, want := s.describe(d), "pass alice new"; got != want {
		t.Fatalf("got %s; want %s", got, want)
	}
	claims, err := jwtgate.Claims[struct {
		Subject  string `json:"sub"`
		Level    int    `json:"level"`
		AuthTime int64  `json:"auth_time"`
		Issued   int64  `json:"iat"`
	}](d.Context)
	if err != nil || claims.Subject != "alice" || claims.Level != 3 || claims.AuthTime != serverStart.Unix() || claims.Issued != serverStart.Add(15*time.Minute).Unix() {
		t.Errorf("got %+v, %v", claims, err)
	}
	if d.Identity.HasRole("user") || d.Identity.AuthTime().Unix() != serverStart.Unix() {
		t.Errorf("the identity has old roles, or a new auth_time %v", d.Identity.AuthTime())
	}
}

// TestRenewalStacked checks two guards of one Auth in front of one handler: the inner one
// applies its rules to the identity that the outer one found.
func TestRenewalStacked(t *testing.T) {
	t.Parallel()
	type misfit struct {
		Roles int `json:"roles"`
	}
	for _, test := range []struct {
		name  string
		outer []jwtgate.Rule
		inner []jwtgate.Rule
		want  string
	}{
		{"passes", nil, []jwtgate.Rule{jwtgate.Role("user")}, "pass alice"},
		{"403", nil, []jwtgate.Rule{jwtgate.Role("admin")}, "403 insufficient_scope"},
		{"401", nil, []jwtgate.Rule{jwtgate.ClaimsOf[misfit]()}, "401 token_invalid clear"},
		{"login too old", nil, []jwtgate.Rule{jwtgate.RecentLogin(time.Minute)}, "401 login_too_old"},
		{"optional outside", []jwtgate.Rule{jwtgate.Optional()}, []jwtgate.Rule{jwtgate.Role("user")}, "pass alice"},
		{"optional inside", nil, []jwtgate.Rule{jwtgate.Optional()}, "pass alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			b := browserWith(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			s.store.taken()
			outer := s.Decide(t.Context(), b.request(http.MethodPost), test.outer...)
			if got, want := s.describe(outer), "pass alice new"; got != want {
				t.Fatalf("outer: got %s; want %s", got, want)
			}
			// The inner guard gets the request as the browser sent it, with the old cookies.
			s.clock.Advance(time.Hour)
			inner := s.Decide(outer.Context, b.request(http.MethodPost), test.inner...)
			if got := s.describe(inner); got != test.want {
				t.Errorf("inner: got %s; want %s", got, test.want)
			}
			if inner.Refusal == nil && (len(inner.Response.Header) != 0 || inner.Identity != outer.Identity || inner.Context != outer.Context) {
				t.Errorf("inner: got %+v; want what the outer one found, and no header", inner)
			}
			if got, want := s.store.taken(), "Find Advance"; got != want {
				t.Errorf("got store calls %s; want %s", got, want)
			}
		})
	}
}

// TestRenewalTwoAuths checks guards of two Auths in front of one handler: the second one
// decides for itself, and both hand out the same refresh token.
func TestRenewalTwoAuths(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	second := s.another()
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	first := s.Decide(t.Context(), b.request(http.MethodGet))
	then := second.Decide(first.Context, b.request(http.MethodGet))
	if got := s.describe(first) + ", " + s.describe(then); got != "pass alice new, pass alice new" {
		t.Fatalf("got %s", got)
	}
	var one, two browser
	one.receive(first.Response.Header)
	two.receive(then.Response.Header)
	if one.refresh != two.refresh {
		t.Error("the session has two refresh tokens")
	}
}

// TestNoRenewalThenRenewal checks that only the guard with NoRenewal does not renew: the
// browser's next request, and another guard of the same request, do.
func TestNoRenewalThenRenewal(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	for range 2 {
		if got := s.decide(b.request(http.MethodGet), jwtgate.NoRenewal()); got != "401 token_expired" {
			t.Errorf("got %s; want 401 token_expired, and the cookies kept", got)
		}
	}
	b.access = ""
	outer := s.Decide(t.Context(), b.request(http.MethodGet), jwtgate.NoRenewal(), jwtgate.Optional())
	inner := s.Decide(outer.Context, b.request(http.MethodGet))
	if got := s.describe(outer) + ", " + s.describe(inner); got != "pass nobody, pass alice new" {
		t.Errorf("two guards: got %s", got)
	}
	b.receive(inner.Response.Header)
	if got := s.decide(b.request(http.MethodGet), jwtgate.NoRenewal()); got != "pass alice" {
		t.Errorf("renewed: got %s", got)
	}
	if err := s.EndSessions(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := s.decide(b.request(http.MethodGet), jwtgate.NoRenewal()); got != "401 token_revoked" {
		t.Errorf("ended: got %s", got)
	}
	if got := s.decide(b.request(http.MethodPost), jwtgate.NoRenewal(), jwtgate.RecentLogin(0)); got != "401 token_revoked" {
		t.Errorf("ended, with a rule: got %s", got)
	}
}
