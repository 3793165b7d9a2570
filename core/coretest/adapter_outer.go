package coretest

import (
	"context"
	"slices"
	"testing"

	"github.com/jwtgate/jwtgate/core"
)

// runRefuse is about refusals that the application answers in its own way.
func runRefuse(t *testing.T, serve Adapter) {
	refuse := func(res core.Response) *core.Auth {
		return newAuth(t, withCookies, func(c *core.Config) {
			c.Refuse = func(context.Context, core.Request, *core.Refusal) core.Response { return res }
		})
	}
	login := core.Response{
		Status: 302,
		Header: []core.Field{{Name: "Location", Value: "/login"}, {Name: "Set-Cookie", Value: "back=/private; Path=/"}, {Name: "Cache-Control", Value: "public"}},
	}
	teapot := core.Response{
		Status: 418,
		Header: []core.Field{{Name: "Content-Type", Value: "text/plain"}, {Name: "WWW-Authenticate", Value: "Teapot"}},
		Body:   []byte("short and stout"),
	}
	handOver := newAuth(t, withCookies, func(c *core.Config) { c.Refuse = core.HandOver })
	var s stage
	route := func(path string, auth *core.Auth, rules ...core.Rule) Route {
		return Route{Method: "GET", Path: path, Guards: guards(auth, rules...), Handler: s.who}
	}
	s.addr = serve(t, Site{Routes: []Route{
		route("/login", refuse(login)),
		route("/teapot", refuse(teapot)),
		route("/zero", refuse(core.Response{Header: login.Header, Body: teapot.Body})),
		route("/hand-over", handOver),
		route("/hand-over-admin", handOver, core.Role("admin")),
	}})
	token := Token(t, handOver, "alice")
	stale := "Cookie: __Host-at=" + Token(t, newAuth(t, anHourAgo), "alice")
	redirect := answer{Response: core.Response{Status: 302, Header: login.Header[:2]}}.with("Cache-Control", "no-store")
	errorPath := func(a answer) answer {
		a.anyBody = true
		return a
	}
	s.run(t, []row{
		{"redirect", get("/login"), redirect},
		{"redirect, by cookie", get("/login", stale), redirect.cleared()},
		{"redirect, good token", get("/login", "Authorization: Bearer "+token), passed("alice")},
		{"another status", get("/teapot"), answer{Response: teapot}.with("Cache-Control", "no-store")},
		{"another status, by cookie", get("/teapot", stale), answer{Response: teapot}.with("Cache-Control", "no-store").cleared()},
		{"status zero lets nobody through", get("/zero"), refusal(core.CodeTokenMissing)},
		{"handed over", get("/hand-over"), errorPath(refusal(core.CodeTokenMissing))},
		{"handed over, by cookie", get("/hand-over", stale), errorPath(refusal(core.CodeTokenExpired).cleared())},
		{"handed over, malformed", get("/hand-over", "Authorization: Bearer"), errorPath(refusal(core.CodeMalformedCredentials))},
		{"handed over, 403", get("/hand-over-admin", "Authorization: Bearer "+token), errorPath(refusal(core.CodeInsufficientScope))},
	})
}

// outerKey is the key of what an outer middleware put into the context.
type outerKey struct{}

// runOuter is about what a middleware outside of the guards has done: its header
// fields and its context are there still.
func runOuter(t *testing.T, serve Adapter) {
	auth := newAuth(t, withCookies)
	token := Token(t, auth, "alice")
	saw := func(ctx context.Context) string {
		value, _ := ctx.Value(outerKey{}).(string)
		return value
	}
	ruled := core.Check(func(ctx context.Context, _ *core.Identity) (bool, error) { return saw(ctx) == "outer", nil })
	var s stage
	handler := func(v View) core.Response {
		s.ran.Add(1)
		return text(subject(v) + " and " + saw(v.Context))
	}
	endpoint := func(ctx context.Context, _ core.Request) core.Response {
		s.ran.Add(1)
		return text(saw(ctx))
	}
	site := Site{
		Header: []core.Field{
			{Name: "Vary", Value: "Accept-Encoding"},
			{Name: "Set-Cookie", Value: "theme=dark; Path=/"},
			{Name: "WWW-Authenticate", Value: `Basic realm="outer"`},
			{Name: "Cache-Control", Value: "max-age=60"},
		},
		Context: func(ctx context.Context) context.Context { return context.WithValue(ctx, outerKey{}, "outer") },
		Routes: []Route{
			{Method: "GET", Path: "/public", Handler: handler},
			{Method: "GET", Path: "/private", Guards: guards(auth, ruled), Handler: handler},
			{Method: "GET", Path: "/optional", Guards: guards(auth, core.Optional()), Handler: handler},
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
		stale  = "Cookie: __Host-at=" + Token(t, newAuth(t, anHourAgo), "alice")
	)
	s.run(t, []row{
		{"public", get("/public"), within(passed("nobody and outer"))},
		{"by header", get("/private", bearer), within(passed("alice and outer"))},
		{"by cookie", get("/private", cookie), within(passed("alice and outer").with("Cache-Control", "private").with("Vary", "Cookie"))},
		{"optional, nobody", get("/optional"), within(passed("nobody and outer").with("Vary", "Authorization, Cookie"))},
		{"refused", get("/private"), within(refusal(core.CodeTokenMissing))},
		{"refused by cookie", get("/private", stale), within(refusal(core.CodeTokenExpired).cleared())},
		{"endpoint", get("/endpoint"), within(passed("outer"))},
	})
}
