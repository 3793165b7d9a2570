package jwtgate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// A senderRow is what a browser says about the origin of a state-changing request.
type senderRow struct {
	name   string
	site   string // Sec-Fetch-Site
	origin string
	host   string // site.example if it is empty
	cross  bool
}

// senders are the rows for a server that trusts https://app.example.
var senders = []senderRow{
	{"neither", "", "", "", false},
	{"same-origin", "same-origin", "", "", false},
	{"same-origin and Origin", "same-origin", "https://site.example", "", false},
	{"same-origin, Origin elsewhere", "same-origin", "https://evil.example", "", false},
	{"by hand", "none", "", "", false},
	{"same-site", "same-site", "https://other.site.example", "", true},
	{"same-site, no Origin", "same-site", "", "", true},
	{"cross-site", "cross-site", "https://evil.example", "", true},
	{"cross-site, no Origin", "cross-site", "", "", true},
	{"cross-site, Origin here", "cross-site", "https://site.example", "", true},
	{"cross-site, Origin null", "cross-site", "null", "", true},
	{"unknown", "galaxy", "", "", true},
	{"in upper case", "SAME-ORIGIN", "", "", true},
	{"two in one", "same-origin, cross-site", "", "", true},
	{"trusted", "cross-site", "https://app.example", "", false},
	{"trusted, same-site", "same-site", "https://app.example", "", false},
	{"trusted, no Sec-Fetch-Site", "", "https://app.example", "", false},
	{"trusted, other scheme", "cross-site", "http://app.example", "", true},
	{"trusted, other port", "cross-site", "https://app.example:8443", "", true},
	{"trusted, default port", "cross-site", "https://app.example:443", "", true},
	{"trusted, subdomain", "cross-site", "https://x.app.example", "", true},
	{"trusted, as a user", "cross-site", "https://app.example@evil.example", "", true},
	{"trusted, as a prefix", "cross-site", "https://app.example.evil.example", "", true},
	{"trusted, with a slash", "cross-site", "https://app.example/", "", true},
	{"trusted, upper case", "cross-site", "https://APP.example", "", true},
	{"Origin here", "", "https://site.example", "", false},
	{"Origin here, plain", "", "http://site.example", "", false},
	{"Origin here, port", "", "https://site.example:8443", "site.example:8443", false},
	{"Origin here, Host in upper case", "", "https://site.example", "SITE.example", false},
	{"Origin here, Host with the default port", "", "https://site.example", "site.example:443", false},
	{"Origin here, plain, Host with the default port", "", "http://site.example", "site.example:80", false},
	{"Origin here, plain, Host with another port", "", "http://site.example", "site.example:443", true},
	{"Origin here, Host with another port", "", "https://site.example", "site.example:80", true},
	{"Origin elsewhere, Host with the default port", "", "https://evil.example", "site.example:443", true},
	{"Origin elsewhere", "", "https://evil.example", "", true},
	{"Origin, other port", "", "https://site.example:8443", "", true},
	{"Origin, subdomain", "", "https://x.site.example", "", true},
	{"Origin, parent", "", "https://example", "", true},
	{"Origin, as a prefix", "", "https://site.example.evil.example", "", true},
	{"Origin null", "", "null", "", true},
	{"Origin with a user", "", "https://evil.example@site.example", "", true},
	{"Origin with a user, beside a trusted host", "", "https://evil.example@app.example", "", true},
	{"Origin with an empty user", "", "https://@site.example", "", true},
	{"Origin with a user, encoded", "", "https://evil.example%40site.example", "", true},
	{"Origin with a backslash", "", `https://evil.example\site.example`, "", true},
	{"Origin with a path to here", "", "https://evil.example/site.example", "", true},
	{"Origin with a fragment to here", "", "https://evil.example#site.example", "", true},
	{"Origin without scheme", "", "site.example", "", true},
	{"Origin of another scheme", "", "chrome-extension://abcdef", "", true},
	{"two Origins", "", "https://site.example https://evil.example", "", true},
	{"Origin is no URL", "", "https://%zz", "", true},
	{"Origin file", "", "file://", "", true},
	// Requests by HTTP/1.0, or of other adapters, may have no host.
	{"no host, Origin null", "", "null", "-", true},
	{"no host, Origin file", "", "file://", "-", true},
	{"no host but a port, Origin without a host", "", "https://", ":443", true},
	{"no host, Origin elsewhere", "", "https://evil.example", "-", true},
	{"no host, cross-site", "cross-site", "null", "-", true},
}

// from returns req as the browser sends it from there.
func (row senderRow) from(req jwtgate.Request) jwtgate.Request {
	req = withField(withField(req, "Sec-Fetch-Site", row.site), "Origin", row.origin)
	switch row.host {
	case "":
	case "-":
		req.Host = ""
	default:
		req.Host = row.host
	}
	return req
}

// TestCrossOriginSenders checks that a state-changing request with cookies from another site is
// refused with 403, whatever its method or endpoint, and has no effect.
func TestCrossOriginSenders(t *testing.T) {
	t.Parallel()
	for _, row := range senders {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			login := s.loginEndpoint()
			for _, test := range []struct {
				name   string
				ask    func(b browser) string
				passed string // the answer from this site
				ends   bool   // whether that ends the session
				oauth  bool   // whether a refusal has the OAuth error invalid_request
			}{
				{"POST", func(b browser) string { return s.decide(row.from(b.request("POST"))) }, "pass alice", false, false},
				{"PUT", func(b browser) string { return s.decide(row.from(b.request("PUT"))) }, "pass alice", false, false},
				{"DELETE", func(b browser) string { return s.decide(row.from(b.request("DELETE"))) }, "pass alice", false, false},
				{"unknown method", func(b browser) string { return s.decide(row.from(b.request("BREW"))) }, "pass alice", false, false},
				{"TRACE", func(b browser) string { return s.decide(row.from(b.request("TRACE"))) }, "pass alice", false, false},
				{"no method", func(b browser) string { return s.decide(row.from(b.request(""))) }, "pass alice", false, false},
				{"get", func(b browser) string { return s.decide(row.from(b.request("get"))) }, "pass alice", false, false},
				{"CONNECT", func(b browser) string { return s.decide(row.from(b.request("CONNECT"))) }, "pass alice", false, false},
				{"GET and Upgrade", func(b browser) string { return s.decide(row.from(upgrade(b.request("GET")))) }, "pass alice", false, false},
				{"HEAD and Upgrade", func(b browser) string { return s.decide(row.from(upgrade(b.request("HEAD")))) }, "pass alice", false, false},
				{"OPTIONS and Upgrade", func(b browser) string { return s.decide(row.from(upgrade(b.request("OPTIONS")))) }, "pass alice", false, false},
				{"POST, Optional", func(b browser) string { return s.decide(row.from(b.request("POST")), jwtgate.Optional()) }, "pass alice", false, false},
				{"POST beside Basic", func(b browser) string {
					req := withField(row.from(b.request("POST")), "Authorization", "Basic YTpi")
					return s.decide(req)
				}, "pass alice", false, false},
				{"POST, renewed", func(b browser) string { return s.decide(row.from(browser{"", b.refresh}.request("POST"))) }, "pass alice new", false, false},
				{"/login", func(b browser) string {
					return s.send(login, row.from(b.postJSON(aliceLogin))).text
				}, "200 new", true, true},
				{"/refresh", func(b browser) string { return s.send(s.Refresh, row.from(b.post())).text }, "200 new", false, true},
				{"/refresh beside Bearer", func(b browser) string {
					req := withField(row.from(b.post()), "Authorization", "Bearer "+b.access)
					return s.send(s.Refresh, req).text
				}, "200 new", false, true},
				{"/logout", func(b browser) string { return s.send(s.Logout, row.from(b.post())).text }, "204 clear", true, false},
				{"/logout, refresh only", func(b browser) string {
					return s.send(s.Logout, row.from(browser{"", b.refresh}.post())).text
				}, "204 clear", true, false},
				{"/logout/all", func(b browser) string { return s.send(s.LogoutAll, row.from(b.post())).text }, "204 clear", true, false},
			} {
				tokens := s.signIn("alice")
				s.store.taken()
				got := test.ask(browserWith(tokens))
				if !row.cross {
					if got != test.passed {
						t.Errorf("%s: got %s; want %s", test.name, got, test.passed)
					}
					if live := s.isLive(tokens.SessionID); live == test.ends {
						t.Errorf("%s: the session lives: %v", test.name, live)
					}
					continue
				}
				want := "403 cross_site"
				if test.oauth {
					want += " invalid_request"
				}
				if got != want {
					t.Errorf("%s: got %s; want %s", test.name, got, want)
				}
				// The request has no effect: the session and both tokens stay valid.
				if calls := s.store.taken(); calls != "" {
					t.Errorf("%s: got store calls %s; want none", test.name, calls)
				}
				b := browserWith(tokens)
				if got := s.decide(b.request(http.MethodPost)); got != "pass alice" {
					t.Errorf("%s: from here right after it: got %s", test.name, got)
				}
				b.access = ""
				if got := s.decide(b.request(http.MethodPost)); got != "pass alice new" {
					t.Errorf("%s: from here, to be renewed: got %s", test.name, got)
				}
			}

			// Requests without cookies, or with a Bearer token, may come from anywhere.
			b := browserWith(s.signIn("alice"))
			req := withField(row.from(b.request(http.MethodPost)), "Authorization", "Bearer "+jwtgatetest.Token(t, s.Auth, "robert"))
			if got := s.decide(req); got != "pass robert" {
				t.Errorf("by header: got %s", got)
			}
			if got := s.decide(row.from(browser{}.post())); got != "401 token_missing" {
				t.Errorf("nobody: got %s", got)
			}
			if got := s.decide(row.from(postCookies([]string{"theme=dark"}, "")), jwtgate.Optional()); got != "pass nobody" {
				t.Errorf("nobody, Optional, with a cookie that is not ours: got %s", got)
			}
			// So may requests that change nothing.
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				if got := s.decide(row.from(b.request(method))); got != "pass alice" {
					t.Errorf("%s: got %s", method, got)
				}
			}
		})
	}
}

// TestCrossOriginCheckedFirst checks that the origin of a request is checked before its tokens,
// so that a refused request does not use up the refresh token.
func TestCrossOriginCheckedFirst(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	tokens := s.signIn("alice")
	s.clock.Advance(time.Hour)
	for _, test := range []struct {
		name string
		j    browser
		want string
	}{
		{"expired", browserWith(tokens), "403 cross_site"},
		{"absent", browser{"", tokens.Refresh}, "403 cross_site"},
		{"forged", browser{"a.b.c", tokens.Refresh}, "403 cross_site"},
		{"refresh forged", browser{"", "jgr1_x"}, "403 cross_site"},
		{"replaced twice", browser{"", "jgr1_x"}, "403 cross_site"},
		{"malformed", browser{"(", tokens.Refresh}, "400 malformed_credentials"},
	} {
		s.store.taken()
		req := withField(test.j.request(http.MethodPost), "Sec-Fetch-Site", "cross-site")
		if got := s.decide(req); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
		if calls := s.store.taken(); calls != "" {
			t.Errorf("%s: got store calls %s; want none", test.name, calls)
		}
	}
	if got := s.decide(browserWith(tokens).request(http.MethodPost)); got != "pass alice new" {
		t.Errorf("from here: got %s", got)
	}
}

// TestCrossOriginNavigation checks that the session of a visitor who follows a link from another
// site is renewed. An application that does not want this sets SameSite=Strict.
func TestCrossOriginNavigation(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	req := browser{"", s.signIn("alice").Refresh}.request(http.MethodGet)
	req = withField(withField(req, "Sec-Fetch-Site", "cross-site"), "Sec-Fetch-Mode", "navigate")
	if got := s.decide(req); got != "pass alice new" {
		t.Errorf("got %s; want pass alice new", got)
	}
}

// FuzzCrossOrigin checks that a request is accepted only if a browser reads the host of its
// Origin as the host of the request.
func FuzzCrossOrigin(f *testing.F) {
	for _, row := range senders {
		f.Add(row.origin)
	}
	s := newTestServer(f, withCookies, withoutRecorder)
	token := jwtgatetest.Token(f, s.Auth, "alice")
	f.Fuzz(func(t *testing.T, origin string) {
		req := withField(browser{access: token}.request(http.MethodPost), "Origin", origin)
		d := s.Decide(t.Context(), req)
		if d.Identity == nil || origin == "" || origin == "https://app.example" {
			return
		}
		// The host of an accepted Origin, as a browser reads it, is that of the request.
		_, rest, found := strings.Cut(origin, "://")
		host, _, _ := strings.Cut(rest, "/")
		if host, _, _ = strings.Cut(host, "?"); !found {
			host, _ = strings.CutPrefix(origin, "//")
		}
		if host, _, _ = strings.Cut(host, "#"); host != req.Host {
			t.Errorf("Origin %q passes at %s", origin, req.Host)
		}
	})
}
