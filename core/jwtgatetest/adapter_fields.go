package jwtgatetest

import (
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// runFields tests tokens in header fields other than Authorization and Cookie.
func runFields(t *testing.T, serve Adapter) {
	auth := siteAuth(t, withCookies, func(c *jwtgate.Config) {
		c.TokenHeaders = []jwtgate.TokenHeader{{Name: "Cf-Access-Jwt-Assertion"}, {Name: "X-Token", Scheme: "JWT"}}
		c.WebSocketProtocol = true
	})
	good, other := Token(t, auth, "alice"), Token(t, auth, "robert")
	const upgrade = "Upgrade: websocket"
	var (
		assertion = "Cf-Access-Jwt-Assertion: " + good
		token     = "X-Token: JWT " + good
		offer     = "Sec-WebSocket-Protocol: chat, jwtgate.bearer." + good
		bearer    = "Authorization: Bearer " + good
		missing   = refusal(jwtgate.CodeTokenMissing)
		malformed = refusal(jwtgate.CodeMalformedCredentials)
		invalid   = refusal(jwtgate.CodeTokenInvalid)
	)
	private := func(name string) answer { return passed("alice").with("Cache-Control", "private").with("Vary", name) }
	var s stage
	// A WebSocket library answers with the first of the application's protocols that
	// the client offers.
	chat := func(v View) jwtgate.Response {
		res := s.who(v)
		for offered := range strings.SplitSeq(v.Header("Sec-Websocket-Protocol"), ",") {
			if offered = strings.TrimSpace(offered); offered == "chat" {
				res.Header = append(res.Header, jwtgate.Field{Name: "Sec-WebSocket-Protocol", Value: offered})
			}
		}
		return res
	}
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/private", Guards: guards(auth), Handler: s.who},
		{Method: "POST", Path: "/private", Guards: guards(auth), Handler: s.who},
		{Method: "GET", Path: "/optional", Guards: guards(auth, jwtgate.Optional()), Handler: s.who},
		{Method: "GET", Path: "/chat", Guards: guards(auth), Handler: chat},
	}})
	s.run(t, []row{
		{"the token alone", get("/private", assertion), private("Cf-Access-Jwt-Assertion")},
		{"name in lower case", get("/private", "cf-access-jwt-assertion: "+good), private("Cf-Access-Jwt-Assertion")},
		{"spaces and tabs around", get("/private", "Cf-Access-Jwt-Assertion: \t "+good+" \t"), private("Cf-Access-Jwt-Assertion")},
		{"with a scheme", get("/private", token), private("X-Token")},
		{"with a scheme in lower case", get("/private", "x-token: jwt "+good), private("X-Token")},
		{"without the scheme", get("/private", "X-Token: "+good), missing},
		{"empty", get("/private", "Cf-Access-Jwt-Assertion:"), missing},
		{"bad", get("/private", assertion+"A"), invalid},
		{"beyond ASCII", get("/private", assertion+"é"), malformed},
		{"two lines", get("/private", assertion, assertion), malformed},
		{"two lines, one empty", get("/private", assertion, "cf-access-jwt-assertion:"), malformed},
		{"two fields", get("/private", assertion, token), malformed},
		{"beside Bearer", get("/private", assertion, bearer), malformed},
		{"beside Basic", get("/private", assertion, "Authorization: Basic YTpi"), private("Cf-Access-Jwt-Assertion")},
		{"beside a cookie", get("/private", token, "Cookie: __Host-at="+other), private("X-Token")},
		{"POST", post("/private", assertion), private("Cf-Access-Jwt-Assertion")},
		{"POST from another site", post("/private", assertion, "Origin: https://evil.example"), refusal(jwtgate.CodeCrossSite)},
		{"optional, nobody", get("/optional"), passed("nobody").with("Vary", "Authorization, Cookie, Cf-Access-Jwt-Assertion, X-Token")},
		{"optional, somebody", get("/optional", token), private("Authorization, Cookie, Cf-Access-Jwt-Assertion, X-Token")},

		{"a handshake", get("/chat", upgrade, offer), passed("alice").with("Sec-WebSocket-Protocol", "chat")},
		{"a handshake in two lines", get("/chat", upgrade, "Sec-WebSocket-Protocol: chat", "sec-websocket-protocol: jwtgate.bearer."+good), passed("alice").with("Sec-WebSocket-Protocol", "chat")},
		{"a handshake from another site", get("/chat", upgrade, offer, "Origin: https://evil.example"), passed("alice").with("Sec-WebSocket-Protocol", "chat")},
		{"a handshake without a token", get("/chat", upgrade, "Sec-WebSocket-Protocol: chat"), missing},
		{"a handshake with the token alone", get("/chat", upgrade, "Sec-WebSocket-Protocol: jwtgate.bearer."+good), malformed},
		{"a handshake with two tokens", get("/chat", upgrade, offer+", jwtgate.bearer."+good), malformed},
		{"a handshake with a bad token", get("/chat", upgrade, offer+"A"), invalid},
		{"a handshake and Bearer", get("/chat", upgrade, offer, bearer), malformed},
		{"an offer without a handshake", get("/chat", offer), missing},
	})
}
