package jwtgatetest

import (
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// runOptional tests optional routes with the cookies of sessions that are over, whose
// visitors are anonymous and lose their cookies, and with cookies that cannot be used.
func runOptional(t *testing.T, serve Adapter) {
	clock := NewClock(siteTime)
	auth := siteAuth(t, withSessions, func(c *jwtgate.Config) { c.Now = clock.Now })
	expired := signIn(t, auth, "alice")
	clock.Advance(8 * 24 * time.Hour)
	stale, ended, live := signIn(t, auth, "alice"), signIn(t, auth, "alice"), signIn(t, auth, "alice")
	refreshed(t, auth, refreshed(t, auth, stale.Refresh)) // uses the successor
	clock.Advance(15 * time.Second)
	early := signIn(t, siteAuth(t, withSessions, func(c *jwtgate.Config) {
		c.Now = func() time.Time { return clock.Now().Add(90 * time.Second) }
	}), "alice")
	old := signIn(t, siteAuth(t, withSessions, withOtherKey), "alice")
	if err := auth.EndSession(t.Context(), ended.SessionID); err != nil {
		t.Fatal(err)
	}
	var s stage
	cached := func(v View) jwtgate.Response {
		res := s.who(v)
		res.Header = append(res.Header, jwtgate.Field{Name: "Cache-Control", Value: "public, max-age=60"}, jwtgate.Field{Name: "ETag", Value: `"1"`})
		if v.Header("If-None-Match") != "" {
			res.Status, res.Body = 304, nil
		}
		return res
	}
	optional := guards(auth, jwtgate.Optional())
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/public", Guards: optional, Handler: s.who},
		{Method: "POST", Path: "/public", Guards: optional, Handler: s.who},
		{Method: "GET", Path: "/cached", Guards: optional, Handler: cached},
		{Method: "GET", Path: "/twice", Guards: append(optional, optional...), Handler: s.who},
		{Method: "GET", Path: "/private", Guards: append(optional, Guard{Auth: auth}), Handler: s.who},
	}})
	access := func(tokens jwtgate.Tokens) string { return "Cookie: __Host-at=" + tokens.Access.Token }
	anonymous := passed("nobody").with("Vary", "Authorization, Cookie")
	over, kept := anonymous.cleared().uncacheable(), anonymous.with("Cache-Control", "private")
	s.run(t, []row{
		{"live", get("/public", cookies(live)), passed("alice").with("Cache-Control", "private").with("Vary", "Authorization, Cookie")},
		{"nobody", get("/public"), anonymous},
		{"ended", get("/public", cookies(ended)), over},
		{"ended, POST", post("/public", cookies(ended)), over},
		{"ended, POST from elsewhere", post("/public", cookies(ended), "Sec-Fetch-Site: cross-site"), refusal(jwtgate.CodeCrossSite)},
		{"ended, Upgrade", get("/public", cookies(ended), "Upgrade: websocket"), kept},
		{"ended, handler has its own Cache-Control", get("/cached", cookies(ended)), over.with("ETag", `"1"`)},
		{"ended, never 304", get("/cached", cookies(ended), `If-None-Match: "1"`), over.with("ETag", `"1"`)},
		{"ended, two guards", get("/twice", cookies(ended)), over.with("Vary", "Authorization, Cookie")},
		{"ended, inner guard refuses", get("/private", cookies(ended)), refusal(jwtgate.CodeTokenRevoked).with("Vary", "Authorization, Cookie").cleared().uncacheable()},
		{"ended, Bearer", get("/public", "Authorization: Bearer "+ended.Access.Token), refusal(jwtgate.CodeTokenRevoked)},
		{"ended, Bearer and cookies", get("/public", "Authorization: Bearer "+ended.Access.Token, cookies(live)), refusal(jwtgate.CodeTokenRevoked)},
		{"expired", get("/public", cookies(expired)), over},
		{"expired, no refresh cookie", get("/public", access(expired)), over},
		{"expired, Bearer", get("/public", "Authorization: Bearer "+expired.Access.Token), refusal(jwtgate.CodeTokenExpired)},
		{"keys are gone", get("/public", cookies(old)), over},
		{"key is gone", get("/public", access(old)), over},
		{"store has lost it", get("/public", "Cookie: __Host-rt="+early.Refresh), over},
		{"stale refresh cookie", get("/public", "Cookie: __Host-rt="+stale.Refresh), kept},
		{"early access cookie", get("/public", access(early)), kept},
		{"forged access cookie", get("/public", "Cookie: __Host-at=a.b.c; __Host-rt="+live.Refresh), refusal(jwtgate.CodeTokenInvalid).cleared()},
		{"two access cookies", get("/public", access(live), access(live)), refusal(jwtgate.CodeMalformedCredentials)},
	})
}

// runClocks tests two processes with one store whose clocks differ. The second one, at
// which the browser signs in, is ahead of the one that serves the site.
func runClocks(t *testing.T, serve Adapter) {
	clock := NewClock(siteTime)
	store := session.NewMemory(0, clock.Now)
	process := func(ahead time.Duration) *jwtgate.Auth {
		return siteAuth(t, withSessions, func(c *jwtgate.Config) {
			c.Sessions.Store = store
			c.Now = func() time.Time { return clock.Now().Add(ahead) }
		})
	}
	auth, near, far := process(0), process(3*time.Second), process(90*time.Second)
	var s stage
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/me", Guards: guards(auth), Handler: s.who},
		{Method: "POST", Path: "/me", Guards: guards(auth), Handler: s.who},
		{Method: "GET", Path: "/judged", Guards: guards(auth, jwtgate.NoRenewal()), Handler: s.who},
		{Method: "POST", Path: "/refresh", Endpoint: auth.Refresh},
	}})
	private := passed("alice").with("Cache-Control", "private").with("Vary", "Cookie")
	renewed := passed("alice").renewed().with("Vary", "Cookie")
	early := refusal(jwtgate.CodeTokenInvalid) // the cookies stay
	first, second := signIn(t, far, "alice"), signIn(t, far, "alice")
	mixed := "Cookie: __Host-at=" + first.Access.Token + "; __Host-rt=" + second.Refresh
	s.run(t, []row{
		{"3 seconds", get("/me", cookies(signIn(t, near, "alice"))), private},
		{"90 seconds", get("/me", cookies(signIn(t, far, "alice"))), renewed},
		{"90 seconds, POST", post("/me", cookies(signIn(t, far, "alice"))), renewed},
		{"90 seconds, no refresh cookie", get("/me", "Cookie: __Host-at="+first.Access.Token), early},
		{"90 seconds, refresh cookie of another session", get("/me", mixed), early},
		{"90 seconds, refresh cookie that is none", get("/me", "Cookie: __Host-at="+first.Access.Token+"; __Host-rt=a"), early},
		{"90 seconds, Upgrade", get("/me", cookies(first), "Upgrade: websocket"), early},
		{"90 seconds, NoRenewal", get("/judged", cookies(first)), early},
		{"90 seconds, Bearer", get("/me", cookies(first), "Authorization: Bearer "+first.Access.Token), early},
		{"90 seconds, /refresh", post("/refresh", cookies(first)), answer{Response: jwtgate.Response{Status: 200}, anyBody: true}.with("Cache-Control", "no-store").renewed()},
	})
}
