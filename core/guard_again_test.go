package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestInnerGuard checks that an inner guard accepts the identity of an outer guard only for
// the credential that the outer guard has judged, and only from an origin that may use it.
// A handler can call an inner guard with another request and the context of the first one.
func TestInnerGuard(t *testing.T) {
	t.Parallel()
	for _, cached := range []bool{true, false} {
		s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
			if !cached {
				c.CacheSize = -1
			}
		})
		alice, robert := s.signIn("alice"), s.signIn("robert")
		a, b := browserWith(alice), browserWith(robert)
		bearer := func(method string, tokens jwtgate.Tokens) jwtgate.Request {
			return withToken(jwtgate.Request{Method: method, Host: "site.example"}, tokens.Access.Token)
		}
		crossSite := func(method string) jwtgate.Request {
			return withField(a.request(method), "Sec-Fetch-Site", "cross-site")
		}
		fromPage := func(method string) jwtgate.Request {
			return withField(a.request(method), "Origin", "https://site.example")
		}
		otherHost := fromPage(http.MethodPost)
		otherHost.Host = "other.example"
		const passed, crossSiteRefused = "pass alice", "403 cross_site"
		for _, test := range []struct {
			name         string
			outer, inner jwtgate.Request
			want         string
		}{
			{"the same, by cookie", a.request(http.MethodGet), a.request(http.MethodGet), passed},
			{"the same, by header", bearer(http.MethodGet, alice), bearer(http.MethodGet, alice), passed},
			{"another method", a.request(http.MethodGet), a.request(http.MethodPost), passed},
			{"another method, by header", bearer(http.MethodGet, alice), bearer(http.MethodPost, alice), passed},
			{"cross-site, the same", crossSite(http.MethodGet), crossSite(http.MethodGet), passed},
			{"cross-site, as POST", crossSite(http.MethodGet), crossSite(http.MethodPost), crossSiteRefused},
			{"cross-site, as a channel", crossSite(http.MethodGet), upgrade(crossSite(http.MethodGet)), crossSiteRefused},
			{"another host", fromPage(http.MethodPost), otherHost, crossSiteRefused},
			{"another cookie", a.request(http.MethodGet), b.request(http.MethodGet), "pass robert"},
			{"another header", bearer(http.MethodGet, alice), bearer(http.MethodGet, robert), "pass robert"},
			{"a header instead of a cookie", a.request(http.MethodGet), bearer(http.MethodGet, alice), passed},
			{"a cookie instead of a header", bearer(http.MethodGet, alice), crossSite(http.MethodPost), crossSiteRefused},
			{"a forged token", bearer(http.MethodGet, alice), bearer(http.MethodGet, jwtgate.Tokens{Access: jwtgate.AccessToken{Token: alice.Access.Token + "A"}}), "401 token_invalid"},
			{"no credential", a.request(http.MethodGet), jwtgate.Request{Method: http.MethodGet}, "401 token_missing"},
			{"two headers", bearer(http.MethodGet, alice), jwtgate.Request{Header: http.Header{"Authorization": {"Bearer a", "Bearer b"}}}, "400 malformed_credentials"},
		} {
			for _, warm := range []string{"first", "again"} { // the second time, the tokens are cached
				d := s.Decide(t.Context(), test.outer)
				if d.Refusal != nil {
					t.Fatalf("%s: the outer guard refused: %v", test.name, d.Refusal)
				}
				if got := s.describe(s.Decide(d.Context, test.inner)); got != test.want {
					t.Errorf("%s, cached %v, %s: got %s; want %s", test.name, cached, warm, got, test.want)
				}
			}
		}
	}
}

// TestInnerGuardClears checks that an inner guard that refuses a request clears the cookies
// only if it was judged by them.
func TestInnerGuardClears(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	tokens := s.signIn("alice")
	header, cookies := withToken(jwtgate.Request{Method: http.MethodGet}, tokens.Access.Token), browserWith(tokens).request(http.MethodGet)
	misfits := jwtgate.ClaimsOf[struct {
		Subject int `json:"sub"`
	}]()
	for _, test := range []struct {
		name         string
		outer, inner jwtgate.Request
		want         string
	}{
		{"by header, by cookie", header, cookies, "401 token_invalid clear"},
		{"by cookie, by header", cookies, header, "401 token_invalid"},
	} {
		if got := s.describe(s.Decide(s.Decide(t.Context(), test.outer).Context, test.inner, misfits)); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
	}
}

// TestInnerGuardRenewed checks that an inner guard does not renew a request again that the
// outer guard has renewed, unless it has other cookies.
func TestInnerGuardRenewed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	alice, robert := browserWith(s.signIn("alice")), browserWith(s.signIn("robert"))
	s.clock.Advance(time.Hour)
	outer := s.Decide(t.Context(), alice.request(http.MethodGet))
	if got, want := s.describe(outer), "pass alice new"; got != want {
		t.Fatalf("outer guard: got %s; want %s", got, want)
	}
	renewed := alice
	renewed.receive(outer.Response.Header)
	for _, test := range []struct {
		name string
		req  jwtgate.Request
		want string
	}{
		{"the same", alice.request(http.MethodGet), "pass alice"},
		{"with the new cookies", renewed.request(http.MethodGet), "pass alice"},
		{"with another refresh token", browser{alice.access, robert.refresh}.request(http.MethodGet), "401 token_invalid clear"},
		{"with other cookies", robert.request(http.MethodGet), "pass robert new"},
	} {
		if got := s.describe(s.Decide(outer.Context, test.req)); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
	}
}
