package jwtgatetest

import (
	"context"
	"slices"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// runRefuse tests refusals with a custom response of the application.
func runRefuse(t *testing.T, serve Adapter) {
	refuse := func(res jwtgate.Response) *jwtgate.Auth {
		return siteAuth(t, withCookies, func(c *jwtgate.Config) {
			c.Refuse = func(context.Context, jwtgate.Request, *jwtgate.Refusal) jwtgate.Response { return res }
		})
	}
	login := jwtgate.Response{
		Status: 302,
		Header: []jwtgate.Field{{Name: "Location", Value: "/login"}, {Name: "Set-Cookie", Value: "back=/private; Path=/"}, {Name: "Cache-Control", Value: "public"}},
	}
	teapot := jwtgate.Response{
		Status: 418,
		Header: []jwtgate.Field{{Name: "Content-Type", Value: "text/plain"}, {Name: "WWW-Authenticate", Value: "Teapot"}},
		Body:   []byte("short and stout"),
	}
	handOver := siteAuth(t, withCookies, func(c *jwtgate.Config) { c.Refuse = jwtgate.HandOver })
	var s stage
	route := func(path string, auth *jwtgate.Auth, rules ...jwtgate.Rule) Route {
		return Route{Method: "GET", Path: path, Guards: guards(auth, rules...), Handler: s.who}
	}
	s.addr = serve(t, Site{Routes: []Route{
		route("/login", refuse(login)),
		route("/teapot", refuse(teapot)),
		route("/zero", refuse(jwtgate.Response{Header: login.Header, Body: teapot.Body})),
		route("/hand-over", handOver),
		route("/hand-over-admin", handOver, jwtgate.Role("admin")),
	}})
	token := Token(t, handOver, "alice")
	stale := "Cookie: __Host-at=" + Token(t, siteAuth(t, anHourAgo), "alice")
	redirect := answer{Response: jwtgate.Response{Status: 302, Header: login.Header[:2]}}.with("Cache-Control", "no-store")
	s.run(t, []row{
		{"redirect", get("/login"), redirect},
		{"redirect, by cookie", get("/login", stale), redirect.cleared()},
		{"redirect, good token", get("/login", "Authorization: Bearer "+token), passed("alice")},
		{"another status", get("/teapot"), answer{Response: teapot}.with("Cache-Control", "no-store")},
		{"another status, by cookie", get("/teapot", stale), answer{Response: teapot}.with("Cache-Control", "no-store").cleared()},
		{"status zero lets nobody through", get("/zero"), refusal(jwtgate.CodeTokenMissing)},
		{"handed over", get("/hand-over"), refusal(jwtgate.CodeTokenMissing).handedOver()},
		{"handed over, by cookie", get("/hand-over", stale), refusal(jwtgate.CodeTokenExpired).cleared().handedOver()},
		{"handed over, malformed", get("/hand-over", "Authorization: Bearer"), refusal(jwtgate.CodeMalformedCredentials).handedOver()},
		{"handed over, 403", get("/hand-over-admin", "Authorization: Bearer "+token), refusal(jwtgate.CodeInsufficientScope).handedOver()},
	})
}

// outerKey is the context key of a value that the outer middleware sets.
type outerKey struct{}

// runOuter tests that the header fields and the context of a middleware outside
// of the guards are kept.
func runOuter(t *testing.T, serve Adapter) {
	auth := siteAuth(t, withCookies)
	token := Token(t, auth, "alice")
	saw := func(ctx context.Context) string {
		value, _ := ctx.Value(outerKey{}).(string)
		return value
	}
	ruled := jwtgate.Check(func(ctx context.Context, _ *jwtgate.Identity) (bool, error) { return saw(ctx) == "outer", nil })
	var s stage
	handler := func(v View) jwtgate.Response {
		s.ran.Add(1)
		return text(subject(v) + " and " + saw(v.Context))
	}
	endpoint := func(ctx context.Context, _ jwtgate.Request) jwtgate.Response {
		s.ran.Add(1)
		return text(saw(ctx))
	}
	site := Site{
		Header: []jwtgate.Field{
			{Name: "Vary", Value: "Accept-Encoding"},
			{Name: "Set-Cookie", Value: "theme=dark; Path=/"},
			{Name: "WWW-Authenticate", Value: `Basic realm="outer"`},
			{Name: "Cache-Control", Value: "max-age=60"},
		},
		Context: func(ctx context.Context) context.Context { return context.WithValue(ctx, outerKey{}, "outer") },
		Routes: []Route{
			{Method: "GET", Path: "/public", Handler: handler},
			{Method: "GET", Path: "/private", Guards: guards(auth, ruled), Handler: handler},
			{Method: "GET", Path: "/optional", Guards: guards(auth, jwtgate.Optional()), Handler: handler},
			{Method: "GET", Path: "/endpoint", Endpoint: endpoint},
		},
	}
	s.addr = serve(t, site)

	within := func(a answer) answer {
		a.Header = slices.Concat(site.Header, a.Header)
		return a
	}
	var (
		bearer = "Authorization: Bearer " + token
		cookie = "Cookie: __Host-at=" + token
		stale  = "Cookie: __Host-at=" + Token(t, siteAuth(t, anHourAgo), "alice")
	)
	s.run(t, []row{
		{"public", get("/public"), within(passed("nobody and outer"))},
		{"by header", get("/private", bearer), within(passed("alice and outer"))},
		{"by cookie", get("/private", cookie), within(passed("alice and outer").with("Cache-Control", "private").with("Vary", "Cookie"))},
		{"optional, nobody", get("/optional"), within(passed("nobody and outer").with("Vary", "Authorization, Cookie"))},
		{"refused", get("/private"), within(refusal(jwtgate.CodeTokenMissing))},
		{"refused by cookie", get("/private", stale), within(refusal(jwtgate.CodeTokenExpired).cleared())},
		{"endpoint", get("/endpoint"), within(passed("outer"))},
	})
}
