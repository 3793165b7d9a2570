package jwtgate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// cookieLines returns the Set-Cookie lines of header, with values replaced by *.
func cookieLines(header []jwtgate.Field) string {
	lines := fieldValues(header, "Set-Cookie")
	for i, line := range lines {
		pair, attributes, _ := strings.Cut(line, "; ")
		name, value, _ := strings.Cut(pair, "=")
		if value != "" {
			value = "*"
		}
		lines[i] = name + "=" + value + "; " + attributes
	}
	return strings.Join(lines, "\n")
}

// TestCookieNames checks the names and the attributes of the cookies, when they are set and
// when they are deleted, and that cookies of another name are not taken for them.
func TestCookieNames(t *testing.T) {
	t.Parallel()
	const week, gone = "Max-Age=604800; HttpOnly", "Max-Age=0; HttpOnly"
	for _, test := range []struct {
		name       string
		config     jwtgate.CookieConfig
		access     string
		set, clear string // the attributes of each cookie, but for Max-Age
		host       string // the attributes by which the cookies of the host are deleted
	}{
		{"default", jwtgate.CookieConfig{}, "__Host-at", "Path=/; %s; Secure; SameSite=Lax", "", ""},
		{"name", jwtgate.CookieConfig{Name: "shop"}, "__Host-shop-at", "Path=/; %s; Secure; SameSite=Lax", "", ""},
		{"InsecureHTTP", jwtgate.CookieConfig{InsecureHTTP: true}, "at", "Path=/; %s; SameSite=Lax", "", ""},
		{"name, InsecureHTTP", jwtgate.CookieConfig{Name: "shop", InsecureHTTP: true}, "shop-at", "Path=/; %s; SameSite=Lax", "", ""},
		{"Domain", jwtgate.CookieConfig{Domain: "example.com"}, "__Secure-at", "Path=/; Domain=example.com; %s; Secure; SameSite=Lax", "", "Path=/; %s; Secure; SameSite=Lax"},
		{"name, Domain", jwtgate.CookieConfig{Name: "shop", Domain: "example.com", SameSite: http.SameSiteStrictMode}, "__Secure-shop-at", "Path=/; Domain=example.com; %s; Secure; SameSite=Strict", "", "Path=/; %s; Secure; SameSite=Strict"},
		{"SameSite None", jwtgate.CookieConfig{SameSite: http.SameSiteNoneMode, TrustedOrigins: []string{"https://app.example"}}, "__Host-at", "Path=/; %s; Secure; SameSite=None; Partitioned", "", ""},
	} {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Cookies = &test.config })
		refresh := strings.TrimSuffix(test.access, "at") + "rt"
		both := func(value, attributes, age string) string {
			attributes = strings.Replace(attributes, "%s", age, 1)
			return test.access + "=" + value + "; " + attributes + "\n" + refresh + "=" + value + "; " + attributes
		}
		set, cleared, host := both("*", test.set, week), both("", test.set, gone), ""
		if test.host != "" {
			host = both("", test.host, gone)
			cleared += "\n" + host
			host += "\n"
		}
		login := withField(postCookies(nil, aliceLogin), "Origin", "https://site.example")
		res := s.loginEndpoint()(t.Context(), login)
		if got, want := cookieLines(res.Header), host+set; got != want {
			t.Errorf("%s, login: got\n%s\nwant\n%s", test.name, got, want)
		}
		tokens := s.signIn("alice")
		if got, want := cookieLines(tokens.Cookies().Header), host+set; got != want {
			t.Errorf("%s, SignIn: got\n%s\nwant\n%s", test.name, got, want)
		}
		request := func(access, refresh string) jwtgate.Request {
			return withField(postCookies([]string{access + "=" + tokens.Access.Token + "; " + refresh + "=" + tokens.Refresh}, ""), "Origin", "https://site.example")
		}
		if d := s.Decide(t.Context(), request(test.access, refresh)); d.Refusal != nil {
			t.Errorf("%s: refused: %v", test.name, d.Refusal)
		}
		if d := s.Decide(t.Context(), request("x-"+test.access, "other")); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenMissing {
			t.Errorf("%s, cookies of another application: got %v", test.name, d.Refusal)
		}
		s.clock.Advance(time.Hour)
		if got := cookieLines(s.Decide(t.Context(), request(test.access, refresh)).Response.Header); got != set {
			t.Errorf("%s, renewed: got\n%s\nwant\n%s", test.name, got, set)
		}
		if got := cookieLines(s.Logout(t.Context(), request(test.access, refresh)).Header); got != cleared {
			t.Errorf("%s, logout: got\n%s\nwant\n%s", test.name, got, cleared)
		}
		if got := cookieLines(s.Decide(t.Context(), request(test.access, refresh)).Response.Header); got != cleared {
			t.Errorf("%s, refused: got\n%s\nwant\n%s", test.name, got, cleared)
		}
	}
}

// TestTwoApplications checks that two applications on one host neither use nor clear each
// other's cookies if they have different names.
func TestTwoApplications(t *testing.T) {
	t.Parallel()
	shop := newTestServer(t, func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{Name: "shop"} })
	blog := newTestServer(t, func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{Name: "blog"} })
	tokens := shop.signIn("alice")
	req := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": {"__Host-shop-at=" + tokens.Access.Token}}}
	if d := shop.Decide(t.Context(), req); d.Refusal != nil {
		t.Errorf("shop: got %v", d.Refusal)
	}
	if d := blog.Decide(t.Context(), req); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenMissing || cookieLines(d.Response.Header) != "" {
		t.Errorf("blog: got %v and cookies %q", d.Refusal, cookieLines(d.Response.Header))
	}
}

// TestPlantedCookie checks that a browser that has a cookie twice, of the host and of the
// domain, is refused once, and that both are cleared then.
func TestPlantedCookie(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"", "example.com"} {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{Domain: domain} })
		access, refresh := "__Host-at", "__Host-rt"
		want := ""
		if domain != "" {
			access, refresh = "__Secure-at", "__Secure-rt"
			want = "__Secure-at=; Path=/; Domain=example.com; Max-Age=0; HttpOnly; Secure; SameSite=Lax\n__Secure-rt=; Path=/; Domain=example.com; Max-Age=0; HttpOnly; Secure; SameSite=Lax\n" +
				"__Secure-at=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax\n__Secure-rt=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
		}
		tokens := s.signIn("alice")
		for _, test := range []struct {
			name, cookies string
			answer        func(req jwtgate.Request) jwtgate.Response
		}{
			{"access cookies", access + "=" + tokens.Access.Token + "; " + access + "=planted", func(req jwtgate.Request) jwtgate.Response { return s.Decide(t.Context(), req).Response }},
			{"refresh cookies", refresh + "=" + tokens.Refresh + "; " + refresh + "=planted", func(req jwtgate.Request) jwtgate.Response { return s.Decide(t.Context(), req).Response }},
			{"refresh cookies at refresh", refresh + "=" + tokens.Refresh + "; " + refresh + "=planted", func(req jwtgate.Request) jwtgate.Response { return s.Refresh(t.Context(), req) }},
		} {
			res := test.answer(postCookies([]string{test.cookies}, ""))
			if got := cookieLines(res.Header); res.Status != 400 || got != want {
				t.Errorf("domain %q, two %s: got %d and\n%s\nwant 400 and\n%s", domain, test.name, res.Status, got, want)
			}
			upgraded := test.answer(upgrade(postCookies([]string{test.cookies}, "")))
			if got := cookieLines(upgraded.Header); got != "" {
				t.Errorf("domain %q, two %s of an upgrade: got %s", domain, test.name, got)
			}
		}
	}
}

// TestSameSiteNone checks which requests are accepted, renewed and cleared if pages of other
// sites can make the browser send the cookies.
func TestSameSiteNone(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Cookies = &jwtgate.CookieConfig{SameSite: http.SameSiteNoneMode, TrustedOrigins: []string{"https://app.example"}}
	})
	type fields map[string]string
	const get, post = http.MethodGet, http.MethodPost
	for _, test := range []struct {
		name    string
		method  string
		fields  fields
		good    string // with a good access token
		renewed bool   // with an expired one
	}{
		{"this origin", get, fields{"Sec-Fetch-Site": "same-origin"}, "", true},
		{"this origin, no metadata", get, fields{"Origin": "https://site.example"}, "", true},
		{"the visitor", get, fields{"Sec-Fetch-Site": "none"}, "", true},
		{"trusted", get, fields{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}, "", true},
		{"trusted, no metadata", get, fields{"Origin": "https://app.example"}, "", true},
		{"not trusted", get, fields{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, "", false},
		{"not trusted, no origin", get, fields{"Sec-Fetch-Site": "cross-site"}, "", false},
		{"not trusted, same site", get, fields{"Sec-Fetch-Site": "same-site"}, "", false},
		{"not trusted, link", get, fields{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "", false},
		{"not trusted, no metadata", get, fields{"Origin": "https://evil.example"}, "", false},
		{"opaque", get, fields{"Origin": "null"}, "", false},
		{"neither field", get, nil, "", false},
		{"POST, this origin", post, fields{"Sec-Fetch-Site": "same-origin"}, "", true},
		{"POST, trusted", post, fields{"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}, "", true},
		{"POST, not trusted", post, fields{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, "cross_site", false},
		{"POST, neither field", post, nil, "cross_site", false},
	} {
		tokens := s.signIn("alice")
		request := func(tokens jwtgate.Tokens) jwtgate.Request {
			req := browserWith(tokens).request(test.method)
			for name, value := range test.fields {
				req = withField(req, name, value)
			}
			return req
		}
		code := func(d jwtgate.Decision) string {
			if d.Refusal == nil {
				return ""
			}
			return string(d.Refusal.Code)
		}
		if got := code(s.Decide(t.Context(), request(tokens))); got != test.good {
			t.Errorf("%s: got %q; want %q", test.name, got, test.good)
		}
		s.clock.Advance(time.Hour)
		d := s.Decide(t.Context(), request(tokens))
		want := test.good
		if want == "" && !test.renewed {
			want = "token_expired"
		}
		if got := code(d); got != want || d.Renewed != test.renewed || !test.renewed && cookieLines(d.Response.Header) != "" {
			t.Errorf("%s, expired: got %q, renewed %v, cookies %q; want %q, renewed %v", test.name, got, d.Renewed, cookieLines(d.Response.Header), want, test.renewed)
		}
	}
	for name, endpoint := range map[string]jwtgate.Endpoint{"login": s.loginEndpoint(), "refresh": s.Refresh, "logout": s.Logout} {
		req := browserWith(s.signIn("alice")).postJSON(map[string]string{"login": aliceLogin}[name])
		if res := endpoint(t.Context(), req); res.Status != 403 {
			t.Errorf("%s with neither field: got %d", name, res.Status)
		}
		if res := endpoint(t.Context(), withField(req, "Origin", "https://app.example")); res.Status >= 300 {
			t.Errorf("%s from a trusted origin: got %d", name, res.Status)
		}
	}
}

// TestSameSiteNoneMaintained checks that nothing is renewed early, and no refresh token
// issued anew, for a page that is not trusted.
func TestSameSiteNoneMaintained(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		origin  string
		renewed bool
	}{{"https://app.example", true}, {"https://evil.example", false}} {
		s := newTestServer(t, func(c *jwtgate.Config) {
			c.Cookies = &jwtgate.CookieConfig{SameSite: http.SameSiteNoneMode, TrustedOrigins: []string{"https://app.example"}, RenewBefore: 5 * time.Minute, ReissueRefresh: true}
		})
		b := browserWith(s.signIn("alice"))
		s.clock.Advance(11 * time.Minute)
		for _, refresh := range []string{b.refresh, ""} {
			req := withField(browser{b.access, refresh}.request(http.MethodGet), "Origin", test.origin)
			if d := s.Decide(t.Context(), req); d.Refusal != nil || d.Renewed != test.renewed {
				t.Errorf("%s, refresh token %v: got %v, renewed %v; want %v", test.origin, refresh != "", d.Refusal, d.Renewed, test.renewed)
			}
		}
	}
}
