package jwtgatetest

import (
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// runCookies tests access tokens in cookies: how they are found, and the header
// fields of the responses.
func runCookies(t *testing.T, serve Adapter) {
	auth := siteAuth(t, withCookies)
	good := Token(t, auth, "alice", "user")
	old := Token(t, siteAuth(t, anHourAgo), "alice")
	var (
		cookie    = "Cookie: __Host-at=" + good
		stale     = "Cookie: __Host-at=" + old
		bearer    = "Authorization: Bearer " + Token(t, auth, "robert")
		private   = passed("alice").with("Cache-Control", "private").with("Vary", "Cookie")
		malformed = refusal(jwtgate.CodeMalformedCredentials)
		missing   = refusal(jwtgate.CodeTokenMissing)
		expired   = refusal(jwtgate.CodeTokenExpired)
	)
	var s stage
	own := func(v View) jwtgate.Response {
		res := s.who(v)
		res.Header = append(res.Header, jwtgate.Field{Name: "Cache-Control", Value: "public, max-age=60"})
		return res
	}
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/private", Guards: guards(auth), Handler: s.who},
		{Method: "GET", Path: "/cached", Guards: guards(auth), Handler: own},
		{Method: "GET", Path: "/optional", Guards: guards(auth, jwtgate.Optional()), Handler: s.who},
		{Method: "GET", Path: "/admin", Guards: guards(auth, jwtgate.Role("admin")), Handler: s.who},
		{Method: "GET", Path: "/misfits", Guards: guards(auth, jwtgate.ClaimsOf[number]()), Handler: s.who},
		{Method: "GET", Path: "/unavailable", Guards: guards(auth, check(true, errUnavailable)), Handler: s.who},
	}})
	s.run(t, []row{
		{"good", get("/private", cookie), private},
		{"good, handler has its own Cache-Control", get("/cached", cookie), passed("alice").with("Cache-Control", "public, max-age=60").with("Vary", "Cookie")},
		{"good, optional", get("/optional", cookie), passed("alice").with("Cache-Control", "private").with("Vary", "Authorization, Cookie")},
		{"none", get("/private"), missing},
		{"name in lower case", get("/private", "cookie: __Host-at="+good), private},
		{"among others", get("/private", "Cookie: theme=dark; __Host-at="+good+"; lang=en"), private},
		{"on a second line", get("/private", "Cookie: theme=dark", cookie), private},
		{"spaces around", get("/private", "Cookie:  __Host-at = "+good+" ; lang=en"), private},
		{"beside a name beyond ASCII", get("/private", "Cookie: thème=dark; __Host-at="+good), private},
		{"beside a value beyond ASCII", get("/private", "Cookie: theme=sombré; __Host-at="+good), private},
		{"beside a value in quotes", get("/private", `Cookie: theme="dark;"; __Host-at=`+good), private},
		{"beside a cookie without =", get("/private", "Cookie: theme; __Host-at="+good), private},
		{"beside Basic", get("/private", cookie, "Authorization: Basic YWxpY2U6d29uZGVybGFuZA=="), private},

		{"other name by case", get("/private", "Cookie: __host-at="+good), missing},
		{"other name by a byte beyond ASCII", get("/private", "Cookie: \u00a0__Host-at="+good), missing},
		{"other name by a suffix", get("/private", "Cookie: __Host-at2="+good), missing},

		{"two of one name", get("/private", cookie+"; __Host-at="+good), malformed},
		{"two of one name, two lines", get("/private", cookie, cookie), malformed},
		{"two of one name, one empty", get("/private", cookie, "Cookie: theme=dark; __Host-at="), malformed},
		{"two of one name, spaces", get("/private", cookie+";__Host-at ="+good), malformed},
		{"empty", get("/private", "Cookie: __Host-at="), malformed},
		{"without =", get("/private", "Cookie: __Host-at"), malformed},
		{"in quotes", get("/private", `Cookie: __Host-at="`+good+`"`), malformed},
		{"two parts", get("/private", cookie+" "+good), malformed},
		{"comma", get("/private", cookie+","+good), malformed},
		{"beyond ASCII", get("/private", cookie+"é"), malformed},
		{"control character", get("/private", cookie+"\x01"), malformed.server()},
		{"folded", get("/private", cookie+"\r\n "+good), malformed.server()},

		{"header wins", get("/private", bearer, cookie), passed("robert")},
		{"bad header is not made good", get("/private", "Authorization: Bearer "+old, cookie), expired},
		{"malformed header is not made good", get("/private", "Authorization: Bearer", cookie), malformed},
		{"header beside a bad cookie", get("/private", bearer, stale), passed("robert")},
		{"header beside two cookies", get("/private", bearer, cookie, cookie), passed("robert")},

		{"401 clears both cookies", get("/private", stale), expired.cleared()},
		{"401 by a rule clears both cookies", get("/misfits", cookie), refusal(jwtgate.CodeTokenInvalid).cleared()},
		{"401 on an optional route clears both cookies", get("/optional", "Cookie: __Host-at=a.b.c"), refusal(jwtgate.CodeTokenInvalid).cleared()},
		{"401 by a header clears none", get("/private", "Authorization: Bearer "+old, stale), expired},
		{"401 on Upgrade clears none", get("/private", stale, "Upgrade: websocket"), expired},
		{"403 clears none", get("/admin", cookie), refusal(jwtgate.CodeInsufficientScope)},
		{"503 clears none", get("/unavailable", cookie), refusal(jwtgate.CodeUnavailable)},
	})
}

// runOrigins tests requests that a page of another site makes a browser send.
func runOrigins(t *testing.T, serve Adapter) {
	auth := siteAuth(t, func(c *jwtgate.Config) {
		c.Cookies = &jwtgate.CookieConfig{TrustedOrigins: []string{"https://app.example"}}
	})
	token := Token(t, auth, "alice")
	var s stage
	var routes []Route
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "CONNECT"} {
		routes = append(routes, Route{Method: method, Path: "/notes", Guards: guards(auth), Handler: s.who})
	}
	s.addr = serve(t, Site{Routes: routes})

	send := func(method string, lines ...string) string {
		return request(method, "/notes", "", append(lines, "Cookie: __Host-at="+token)...)
	}
	bearer := func(method string, lines ...string) string {
		return send(method, append(lines, "Authorization: Bearer "+token)...)
	}
	const (
		elsewhere = "Sec-Fetch-Site: cross-site"
		sibling   = "Sec-Fetch-Site: same-site"
		here      = "Sec-Fetch-Site: same-origin"
		typed     = "Sec-Fetch-Site: none"
		upgrade   = "Upgrade: websocket"
	)
	pass := passed("alice").with("Cache-Control", "private").with("Vary", "Cookie")
	cross := refusal(jwtgate.CodeCrossSite)
	s.run(t, []row{
		{"GET", send("GET", elsewhere), pass},
		{"HEAD", send("HEAD", elsewhere), pass},
		{"OPTIONS", send("OPTIONS", elsewhere), pass},
		{"POST", send("POST", elsewhere), cross},
		{"PUT", send("PUT", elsewhere), cross},
		{"PATCH", send("PATCH", elsewhere), cross},
		{"DELETE", send("DELETE", elsewhere), cross},
		{"POST from a sibling", send("POST", sibling), cross},
		{"POST from here", send("POST", here), pass},
		{"POST by hand", send("POST", typed), pass},
		{"POST by no browser", send("POST"), pass},
		{"POST, name in lower case", send("POST", "sec-fetch-site: cross-site"), cross},
		{"POST, Origin elsewhere", send("POST", "Origin: https://evil.example"), cross},
		{"POST, Origin here", send("POST", "Origin: https://site.example"), pass},
		{"POST, Origin of another port", send("POST", "Origin: https://site.example:8443"), cross},
		{"POST, Origin null", send("POST", "Origin: null"), cross},
		{"POST, Origin with a user", send("POST", "Origin: https://evil@site.example"), cross},
		{"POST, Origin here says Sec-Fetch-Site", send("POST", here, "Origin: https://evil.example"), pass},
		{"POST, Origin trusted", send("POST", elsewhere, "Origin: https://app.example"), pass},
		{"CONNECT", send("CONNECT", elsewhere), cross},
		{"Upgrade", send("GET", elsewhere, upgrade), cross},
		{"Upgrade, Origin elsewhere", send("GET", upgrade, "Origin: https://evil.example"), cross},
		{"Upgrade from here", send("GET", here, upgrade), pass},
		{"POST by header", bearer("POST", elsewhere), passed("alice")},
		{"Upgrade by header", bearer("GET", elsewhere, upgrade), passed("alice")},
		{"POST by nobody", request("POST", "/notes", "", elsewhere), refusal(jwtgate.CodeTokenMissing)},
		{"before the token is looked at", request("POST", "/notes", "", elsewhere, "Cookie: __Host-at=a"), cross},
	})
}
