package jwtgatetest

import (
	"context"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// runRenewal tests requests of a browser whose access token has expired. The
// guard renews the session before the handler runs, and the response sets new
// cookies.
func runRenewal(t *testing.T, serve Adapter) {
	clock := NewClock(siteTime)
	auth := siteAuth(t, withSessions, func(c *jwtgate.Config) { c.Now = clock.Now })
	var old []jwtgate.Tokens // one session for each row that renews
	for range 30 {
		old = append(old, signIn(t, auth, "alice"))
	}
	plain, ended, transient := old[0], old[1], signIn(t, auth, "alice", forgotten)
	clock.Advance(time.Hour)
	if err := auth.EndSession(t.Context(), ended.SessionID); err != nil {
		t.Fatal(err)
	}
	changed := signIn(t, auth, "carol")
	clock.Advance(time.Second)
	if err := auth.RenewSubject(t.Context(), "carol"); err != nil {
		t.Fatal(err)
	}

	conditional := []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"}
	var s stage
	// This handler allows caches to store its response, and answers conditional
	// requests.
	cached := func(v View) jwtgate.Response {
		res := s.who(v)
		res.Header = append(res.Header, jwtgate.Field{Name: "Cache-Control", Value: "public, max-age=60"}, jwtgate.Field{Name: "ETag", Value: `"1"`})
		if v.Header("If-None-Match") != "" {
			res.Status, res.Body = 304, nil
		}
		return res
	}
	asked := func(v View) jwtgate.Response {
		s.ran.Add(1)
		var seen []string
		for _, name := range append([]string{"Accept", "Content-Type", "X-Trace"}, conditional...) {
			seen = append(seen, v.Header(name))
		}
		return text(strings.Join(seen, ","))
	}
	silent := func(View) jwtgate.Response {
		s.ran.Add(1)
		return jwtgate.Response{}
	}
	large := text(strings.Repeat("0123456789abcdef", 1<<14))
	much := func(View) jwtgate.Response {
		s.ran.Add(1)
		return large
	}
	missing := jwtgate.Response{Status: 404, Header: []jwtgate.Field{{Name: "Cache-Control", Value: "public"}}}
	notFound := func(context.Context, jwtgate.Request) jwtgate.Response {
		s.ran.Add(1)
		return missing
	}
	// This handler sets a cookie of its own, and another value of one of the cookies.
	setting := func(v View) jwtgate.Response {
		res := s.who(v)
		res.Header = append(res.Header, jwtgate.Field{Name: "Set-Cookie", Value: "theme=dark; Path=/"},
			jwtgate.Field{Name: "Set-Cookie", Value: "__Host-at=x; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax"})
		return res
	}
	logout := func(ctx context.Context, req jwtgate.Request) jwtgate.Response {
		s.ran.Add(1)
		return auth.Logout(ctx, req)
	}
	handOver := siteAuth(t, withSessions, func(c *jwtgate.Config) { c.Now, c.Refuse = clock.Now, jwtgate.HandOver })
	clock.Advance(-time.Hour)
	handedOver := signIn(t, handOver, "alice")
	clock.Advance(time.Hour)
	admins := []jwtgate.Rule{jwtgate.Role("admin")}
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/me", Guards: guards(auth), Handler: s.who},
		{Method: "HEAD", Path: "/me", Guards: guards(auth), Handler: s.who},
		{Method: "POST", Path: "/me", Guards: guards(auth), Handler: s.who},
		{Method: "GET", Path: "/cached", Guards: guards(auth), Handler: cached},
		{Method: "GET", Path: "/asked", Guards: guards(auth), Handler: asked},
		{Method: "GET", Path: "/silent", Guards: guards(auth), Handler: silent},
		{Method: "GET", Path: "/much", Guards: guards(auth), Handler: much},
		{Method: "GET", Path: "/missing", Guards: guards(auth), Endpoint: notFound},
		{Method: "GET", Path: "/setting", Guards: guards(auth), Handler: setting},
		{Method: "POST", Path: "/logout", Guards: guards(auth), Endpoint: logout},
		{Method: "GET", Path: "/hand-over", Guards: guards(handOver, admins...), Handler: s.who},
		{Method: "GET", Path: "/optional", Guards: guards(auth, jwtgate.Optional()), Handler: s.who},
		{Method: "GET", Path: "/twice", Guards: []Guard{{Auth: auth}, {Auth: auth}}, Handler: s.who},
		{Method: "GET", Path: "/admin", Guards: guards(auth, admins...), Handler: s.who},
		{Method: "GET", Path: "/inner-admin", Guards: []Guard{{Auth: auth}, {auth, admins}}, Handler: s.who},
		{Method: "GET", Path: "/inner-claims", Guards: []Guard{{Auth: auth}, {auth, []jwtgate.Rule{jwtgate.ClaimsOf[number]()}}}, Handler: s.who},
		{Method: "GET", Path: "/judged", Guards: guards(auth, jwtgate.NoRenewal()), Handler: s.who},
		{Method: "GET", Path: "/recent", Guards: guards(auth, jwtgate.RecentLogin(time.Minute)), Handler: s.who},
	}})

	some := func() string {
		last := old[len(old)-1]
		old = old[:len(old)-1]
		return cookies(last)
	}
	renewed := func(a answer) answer {
		a.ran = true
		return a.renewed().with("Vary", "Cookie")
	}
	forbidden := refusal(jwtgate.CodeInsufficientScope)
	s.run(t, []row{
		{"renewed", get("/me", some()), renewed(passed("alice"))},
		{"renewed, no access cookie", get("/me", "Cookie: __Host-rt="+old[2].Refresh), renewed(passed("alice"))},
		{"renewed, HEAD", request("HEAD", "/me", "", some()), renewed(passed("alice"))},
		{"renewed, POST", post("/me", some()), renewed(passed("alice"))},
		{"renewed, optional", get("/optional", some()), passed("alice").renewed().with("Vary", "Authorization, Cookie")},
		{"renewed once", get("/twice", some()), renewed(passed("alice"))},
		{"subject renewed", get("/me", cookies(changed)), renewed(passed("carol"))},
		{"subject renewed, Bearer", get("/me", "Authorization: Bearer "+changed.Access.Token), refusal(jwtgate.CodeTokenExpired)},
		{"subject renewed, Upgrade", get("/me", cookies(changed), "Upgrade: websocket"), refusal(jwtgate.CodeTokenExpired)},
		{"renewed for the session of the browser", get("/me", cookies(transient)), passed("alice").with("Vary", "Cookie").renewedFor("")},
		{"handler has its own Cache-Control", get("/cached", some()), renewed(passed("alice")).with("ETag", `"1"`)},
		{"never 304", get("/cached", some(), `If-None-Match: "1"`), renewed(passed("alice")).with("ETag", `"1"`)},
		{"conditions dropped, all else kept", get("/asked", some(), "Accept: a", "If-Match: b", "If-None-Match: c", "If-Modified-Since: d", "If-Unmodified-Since: e",
			"If-Range: f", "Range: bytes=0-1", "Content-Type: g", "X-Trace: h"), renewed(passed("a,g,h,,,,,,"))},
		{"handler writes nothing", get("/silent", some()), renewed(answer{Response: jwtgate.Response{Status: 200}})},
		{"handler writes much", get("/much", some()), renewed(answer{Response: large})},
		{"handler sets cookies", get("/setting", some()), renewed(passed("alice").with("Set-Cookie", "theme=dark; Path=/"))},
		{"logout", post("/logout", some()), answer{Response: jwtgate.Response{Status: 204}, ran: true}.with("Vary", "Cookie").cleared().uncacheable()},
		{"endpoint", get("/missing", some()), renewed(answer{Response: jwtgate.Response{Status: 404}})},
		{"refused by a rule", get("/admin", some()), forbidden.renewed()},
		{"refused by a later guard", get("/inner-admin", some()), forbidden.renewed().with("Vary", "Cookie")},
		{"refused by a later guard, and signed out", get("/inner-claims", some()), refusal(jwtgate.CodeTokenInvalid).with("Vary", "Cookie").cleared().uncacheable()},
		{"login too old", get("/recent", some()), refusal(jwtgate.CodeLoginTooOld).renewed()},
		{"refused, handed over", get("/hand-over", cookies(handedOver)), forbidden.renewed().handedOver()},

		{"cross-site POST", post("/me", cookies(plain), "Sec-Fetch-Site: cross-site"), refusal(jwtgate.CodeCrossSite)},
		{"Upgrade is not renewed", get("/me", cookies(plain), "Upgrade: websocket"), refusal(jwtgate.CodeTokenExpired)},
		{"NoRenewal", get("/judged", cookies(plain)), refusal(jwtgate.CodeTokenExpired)},
		{"NoRenewal, no access cookie", get("/judged", "Cookie: __Host-rt="+plain.Refresh), refusal(jwtgate.CodeTokenMissing)},
		{"header is not renewed", get("/me", cookies(plain), "Authorization: Bearer "+plain.Access.Token), refusal(jwtgate.CodeTokenExpired)},
		{"ended session", get("/me", cookies(ended)), refusal(jwtgate.CodeRefreshRevoked).cleared()},
		{"forged access cookie", get("/me", "Cookie: __Host-at=a.b.c; __Host-rt="+plain.Refresh), refusal(jwtgate.CodeTokenInvalid).cleared()},
		{"forged refresh cookie", get("/me", "Cookie: __Host-at="+plain.Access.Token+"; __Host-rt=a"), refusal(jwtgate.CodeRefreshInvalid).cleared()},
		{"two refresh cookies", get("/me", cookies(plain), "Cookie: __Host-rt=a"), refusal(jwtgate.CodeMalformedCredentials)},
	})
}
