package jwtgate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// A senderRow is what a browser says of where a state-changing request comes from.
type senderRow struct {
	name   string
	site   string // Sec-Fetch-Site
	origin string
	host   string // site.example if it is empty
	cross  bool
}

// senders are the rows for a site that trusts https://app.example.
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
	// A server that is asked by HTTP/1.0, or an adapter of one's own, may have no host.
	{"no host, Origin null", "", "null", "-", true},
	{"no host, Origin file", "", "file://", "-", true},
	{"no host, Origin elsewhere", "", "https://evil.example", "-", true},
	{"no host, cross-site", "cross-site", "null", "-", true},
}

// from returns req as the browser sends it.
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

func TestCrossOriginSenders(t *testing.T) {
	t.Parallel()
	for _, row := range senders {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t)
			login := s.Auth.Login(checkAlice)
			for _, test := range []struct {
				name   string
				ask    func(j jar) string
				passed string
				ends   bool // the session
			}{
				{"POST", func(j jar) string { return s.decide(row.from(j.request("POST"))) }, "pass alice", false},
				{"PUT", func(j jar) string { return s.decide(row.from(j.request("PUT"))) }, "pass alice", false},
				{"DELETE", func(j jar) string { return s.decide(row.from(j.request("DELETE"))) }, "pass alice", false},
				{"unknown method", func(j jar) string { return s.decide(row.from(j.request("BREW"))) }, "pass alice", false},
				{"TRACE", func(j jar) string { return s.decide(row.from(j.request("TRACE"))) }, "pass alice", false},
				{"no method", func(j jar) string { return s.decide(row.from(j.request(""))) }, "pass alice", false},
				{"get", func(j jar) string { return s.decide(row.from(j.request("get"))) }, "pass alice", false},
				{"CONNECT", func(j jar) string { return s.decide(row.from(j.request("CONNECT"))) }, "pass alice", false},
				{"GET and Upgrade", func(j jar) string { return s.decide(row.from(upgrade(j.request("GET")))) }, "pass alice", false},
				{"HEAD and Upgrade", func(j jar) string { return s.decide(row.from(upgrade(j.request("HEAD")))) }, "pass alice", false},
				{"OPTIONS and Upgrade", func(j jar) string { return s.decide(row.from(upgrade(j.request("OPTIONS")))) }, "pass alice", false},
				{"POST, Optional", func(j jar) string { return s.decide(row.from(j.request("POST")), jwtgate.Optional()) }, "pass alice", false},
				{"POST beside Basic", func(j jar) string {
					req := withField(row.from(j.request("POST")), "Authorization", "Basic YTpi")
					return s.decide(req)
				}, "pass alice", false},
				{"POST, renewed", func(j jar) string { return s.decide(row.from(jar{"", j.refresh}.request("POST"))) }, "pass alice new", false},
				{"/login", func(j jar) string { return tell(t, login(t.Context(), row.from(postJSON(j.lines(), alicesPassword)))) }, "200 new", true},
				{"/refresh", func(j jar) string { return tell(t, s.Refresh(t.Context(), row.from(post(j.lines())))) }, "200 new", false},
				{"/refresh beside Bearer", func(j jar) string {
					req := withField(row.from(post(j.lines())), "Authorization", "Bearer "+j.access)
					return tell(t, s.Refresh(t.Context(), req))
				}, "200 new", false},
				{"/logout", func(j jar) string { return tell(t, s.Logout(t.Context(), row.from(post(j.lines())))) }, "204 clear", true},
				{"/logout, refresh only", func(j jar) string { return tell(t, s.Logout(t.Context(), row.from(post(jar{"", j.refresh}.lines())))) }, "204 clear", true},
				{"/logout/all", func(j jar) string { return tell(t, s.LogoutAll(t.Context(), row.from(post(j.lines())))) }, "204 clear", true},
			} {
				tokens := s.signIn("alice")
				s.store.taken()
				got := test.ask(jarOf(tokens))
				if !row.cross {
					if got != test.passed {
						t.Errorf("%s: got %s; want %s", test.name, got, test.passed)
					}
					if live := s.live(tokens.SessionID); live == test.ends {
						t.Errorf("%s: the session lives: %v", test.name, live)
					}
					continue
				}
				if want := "403 cross_site"; got != want {
					t.Errorf("%s: got %s; want %s", test.name, got, want)
				}
				// Nothing is spent: no rotation, no session, no cookie.
				if calls := s.store.taken(); calls != "" {
					t.Errorf("%s: the store was asked: %s", test.name, calls)
				}
				j := jarOf(tokens)
				if got := s.decide(j.request(http.MethodPost)); got != "pass alice" {
					t.Errorf("%s: from here right after it: got %s", test.name, got)
				}
				j.access = ""
				if got := s.decide(j.request(http.MethodPost)); got != "pass alice new" {
					t.Errorf("%s: from here, to be renewed: got %s", test.name, got)
				}
			}

			// What is not judged by cookies need not come from here.
			j := jarOf(s.signIn("alice"))
			req := withField(row.from(j.request(http.MethodPost)), "Authorization", "Bearer "+jwtgatetest.Token(t, s.Auth, "robert"))
			if got := s.decide(req); got != "pass robert" {
				t.Errorf("by header: got %s", got)
			}
			if got := s.decide(row.from(post(nil))); got != "401 token_missing" {
				t.Errorf("nobody: got %s", got)
			}
			if got := s.decide(row.from(post([]string{"theme=dark"})), jwtgate.Optional()); got != "pass nobody" {
				t.Errorf("nobody, Optional, with a cookie that is not ours: got %s", got)
			}
			// Nor what changes nothing.
			for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
				if got := s.decide(row.from(j.request(method))); got != "pass alice" {
					t.Errorf("%s: got %s", method, got)
				}
			}
		})
	}
}

func upgrade(req jwtgate.Request) jwtgate.Request {
	return withField(req, "Upgrade", "websocket")
}

// TestCrossOriginEndpoints is about other sites at endpoints where no cookie is
// what is judged.
func TestCrossOriginEndpoints(t *testing.T) {
	t.Parallel()
	elsewhere := senderRow{site: "cross-site", origin: "https://evil.example"}
	for _, test := range []struct {
		name string
		ask  func(s *cookieSite, j jar) jwtgate.Response
		want string
		live bool
	}{
		{"login without cookies", func(s *cookieSite, _ jar) jwtgate.Response {
			return s.Auth.Login(checkAlice)(t.Context(), elsewhere.from(postJSON(nil, alicesPassword)))
		}, "403 cross_site", true},
		{"login, malformed cookies", func(s *cookieSite, _ jar) jwtgate.Response {
			return s.Auth.Login(checkAlice)(t.Context(), elsewhere.from(postJSON([]string{"__Host-at="}, alicesPassword)))
		}, "403 cross_site", true},
		{"login, wrong password", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Auth.Login(checkAlice)(t.Context(), elsewhere.from(postJSON(j.lines(), wrongPassword)))
		}, "403 cross_site", true},
		{"token: no cookie in, none out", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Auth.Token(checkAlice)(t.Context(), elsewhere.from(postJSON(j.lines(), alicesPassword)))
		}, "200", true},
		{"refresh without cookies", func(s *cookieSite, _ jar) jwtgate.Response { return s.Refresh(t.Context(), elsewhere.from(post(nil))) }, "401 refresh_missing", true},
		{"refresh, access cookie only", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Refresh(t.Context(), elsewhere.from(post(jar{j.access, ""}.lines())))
		}, "403 cross_site", true},
		{"refresh, malformed cookies", func(s *cookieSite, _ jar) jwtgate.Response {
			return s.Refresh(t.Context(), elsewhere.from(post([]string{"__Host-rt=("})))
		}, "403 cross_site", true},
		{"refresh by body", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Refresh(t.Context(), elsewhere.from(postJSON(nil, `{"refresh_token":"`+j.refresh+`"}`)))
		}, "200", true},
		{"refresh by body, both", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Refresh(t.Context(), elsewhere.from(postJSON(j.lines(), `{"refresh_token":"`+j.refresh+`"}`)))
		}, "400 malformed_request", true},
		{"logout without cookies", func(s *cookieSite, _ jar) jwtgate.Response { return s.Logout(t.Context(), elsewhere.from(post(nil))) }, "204", true},
		{"logout, malformed cookies", func(s *cookieSite, _ jar) jwtgate.Response {
			return s.Logout(t.Context(), elsewhere.from(post([]string{"__Host-at=; __Host-rt="})))
		}, "204", true},
		{"logout, two cookies", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Logout(t.Context(), elsewhere.from(post(append(j.lines(), j.lines()...))))
		}, "204", true},
		{"logout, forged Bearer beside cookies", func(s *cookieSite, j jar) jwtgate.Response {
			req := withField(elsewhere.from(post(j.lines())), "Authorization", "Bearer a.b.c")
			return s.Logout(t.Context(), req)
		}, "403 cross_site", true},
		{"logout, forged body beside cookies", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Logout(t.Context(), elsewhere.from(postJSON(j.lines(), `{"refresh_token":"jgr1_x"}`)))
		}, "403 cross_site", true},
		{"logout, unreadable body beside cookies", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Logout(t.Context(), elsewhere.from(postJSON(j.lines(), `{`)))
		}, "400 malformed_request", true},
		{"logout, another's Bearer beside cookies", func(s *cookieSite, j jar) jwtgate.Response {
			req := withField(elsewhere.from(post(j.lines())), "Authorization", "Bearer "+s.signIn("mallory").Access.Token)
			return s.Logout(t.Context(), req)
		}, "204", true},
		{"logout of all, another's Bearer beside cookies", func(s *cookieSite, j jar) jwtgate.Response {
			req := withField(elsewhere.from(post(j.lines())), "Authorization", "Bearer "+s.signIn("mallory").Access.Token)
			return s.LogoutAll(t.Context(), req)
		}, "204", true},
		{"delete a session", func(s *cookieSite, j jar) jwtgate.Response {
			d := s.Decide(t.Context(), j.request(http.MethodGet))
			req := elsewhere.from(j.request(http.MethodDelete))
			req.Path = "/sessions/" + d.Identity.SessionID()
			return s.DeleteSession(t.Context(), req)
		}, "403 cross_site", true},
		{"list sessions", func(s *cookieSite, j jar) jwtgate.Response {
			return s.ListSessions(t.Context(), elsewhere.from(j.request(http.MethodGet)))
		}, "200", true},
		{"wrong method", func(s *cookieSite, j jar) jwtgate.Response {
			return s.Logout(t.Context(), elsewhere.from(j.request(http.MethodGet)))
		}, "405 method_not_allowed", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t)
			tokens := s.signIn("alice")
			if got := tell(t, test.ask(s, jarOf(tokens))); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := s.live(tokens.SessionID); got != test.live {
				t.Errorf("the session lives: %v; want %v", got, test.live)
			}
		})
	}
}

// A refused request does not spend the refresh token, even where the access
// token is what is wrong: the check comes before anything is looked at.
func TestCrossOriginComesFirst(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	tokens := s.signIn("alice")
	s.clock.Advance(time.Hour)
	for _, test := range []struct {
		name string
		j    jar
		want string
	}{
		{"expired", jarOf(tokens), "403 cross_site"},
		{"absent", jar{"", tokens.Refresh}, "403 cross_site"},
		{"forged", jar{"a.b.c", tokens.Refresh}, "403 cross_site"},
		{"refresh forged", jar{"", "jgr1_x"}, "403 cross_site"},
		{"replaced twice", jar{"", "jgr1_x"}, "403 cross_site"},
		{"malformed", jar{"(", tokens.Refresh}, "400 malformed_credentials"},
	} {
		s.store.taken()
		req := withField(test.j.request(http.MethodPost), "Sec-Fetch-Site", "cross-site")
		if got := s.decide(req); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
		if calls := s.store.taken(); calls != "" {
			t.Errorf("%s: the store was asked: %s", test.name, calls)
		}
	}
	if got := s.decide(jarOf(tokens).request(http.MethodPost)); got != "pass alice new" {
		t.Errorf("from here: got %s", got)
	}
}

// A navigation from elsewhere is renewed like any other: the visitor who follows
// a link must not find a login page. SameSite=Strict is for those who want that.
func TestCrossOriginNavigation(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	req := jar{"", s.signIn("alice").Refresh}.request(http.MethodGet)
	req = withField(withField(req, "Sec-Fetch-Site", "cross-site"), "Sec-Fetch-Mode", "navigate")
	if got := s.decide(req); got != "pass alice new" {
		t.Errorf("got %s; want pass alice new", got)
	}
}

func FuzzCrossOrigin(f *testing.F) {
	for _, row := range senders {
		f.Add(row.origin)
	}
	s := newCookieSite(f)
	token := jwtgatetest.Token(f, s.Auth, "alice")
	f.Fuzz(func(t *testing.T, origin string) {
		req := withField(jar{access: token}.request(http.MethodPost), "Origin", origin)
		d := s.Decide(t.Context(), req)
		if d.Identity == nil || origin == "" || origin == "https://app.example" {
			return
		}
		// What passes must be of this host, as a browser would read it.
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
