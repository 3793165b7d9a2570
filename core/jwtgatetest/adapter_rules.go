package jwtgatetest

import (
	"context"
	"errors"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// number is a type of claims into which a token with a text as subject cannot
// be decoded.
type number struct {
	Subject int `json:"sub"`
}

var errUnavailable = errors.New("a store that cannot be reached")

// check returns a rule that always returns ok and err. The rule returns an
// error if its context does not have the identity.
func check(ok bool, err error) jwtgate.Rule {
	return jwtgate.Check(func(ctx context.Context, id *jwtgate.Identity) (bool, error) {
		if found, _ := jwtgate.IdentityFrom(ctx); found != id {
			return false, errors.New("the context of a rule does not have the identity")
		}
		return ok, err
	})
}

// runRules tests the rules of a guard, which a valid token must also satisfy.
func runRules(t *testing.T, serve Adapter) {
	auth := siteAuth(t)
	var (
		admin       = "Authorization: Bearer " + Token(t, auth, "alice", "admin", "user")
		user        = "Authorization: Bearer " + Token(t, auth, "robert", "user")
		expired     = "Authorization: Bearer " + Token(t, siteAuth(t, anHourAgo), "alice")
		missing     = refusal(jwtgate.CodeTokenMissing)
		forbids     = refusal(jwtgate.CodeInsufficientScope)
		unavailable = refusal(jwtgate.CodeUnavailable)
	)
	var s stage
	route := func(path string, auth *jwtgate.Auth, rules ...jwtgate.Rule) Route {
		return Route{Method: "GET", Path: path, Guards: guards(auth, rules...), Handler: s.who}
	}
	s.addr = serve(t, Site{Routes: []Route{
		route("/role", auth, jwtgate.Role("admin")),
		route("/both", auth, jwtgate.Role("admin"), jwtgate.Role("user")),
		route("/scope", auth, jwtgate.Scope("write")),
		route("/fits", auth, jwtgate.ClaimsOf[Claims]()),
		route("/misfits", auth, jwtgate.ClaimsOf[number]()),
		route("/yes", auth, check(true, nil)),
		route("/no", auth, check(false, nil)),
		route("/unavailable", auth, check(true, errUnavailable)),
		route("/zero", auth, jwtgate.Rule{}),
		route("/optional", auth, jwtgate.Optional()),
		route("/admins-optional", auth, jwtgate.Optional(), jwtgate.Role("admin")),
		route("/nil", nil),
		route("/nil-optional", nil, jwtgate.Optional()),
	}})
	optional := func(a answer) answer { return a.with("Vary", "Authorization, Cookie") }
	s.run(t, []row{
		{"role", get("/role", admin), passed("alice")},
		{"no such role", get("/role", user), forbids},
		{"role, nobody", get("/role"), missing},
		{"two roles", get("/both", admin), passed("alice")},
		{"one of two roles", get("/both", user), forbids},
		{"no such scope", get("/scope", admin), forbids},
		{"claims that fit", get("/fits", user), passed("robert")},
		{"claims that do not fit", get("/misfits", user), refusal(jwtgate.CodeTokenInvalid)},
		{"check says yes", get("/yes", user), passed("robert")},
		{"check says no", get("/no", user), forbids},
		{"check returns an error", get("/unavailable", user), unavailable},
		{"check, nobody", get("/yes"), missing},
		{"zero rule", get("/zero", admin), forbids},
		{"optional, nobody", get("/optional"), optional(passed("nobody"))},
		{"optional, somebody", get("/optional", user), optional(passed("robert"))},
		{"optional, expired", get("/optional", expired), refusal(jwtgate.CodeTokenExpired)},
		{"optional, malformed", get("/optional", user, user), refusal(jwtgate.CodeMalformedCredentials)},
		{"optional and a role, nobody", get("/admins-optional"), missing},
		{"optional and a role, somebody", get("/admins-optional", user), forbids},
		{"nil Auth", get("/nil", admin), unavailable},
		{"nil Auth, nobody", get("/nil"), unavailable},
		{"nil Auth, optional", get("/nil-optional"), unavailable},
	})
}

// runStacks tests several guards in front of one handler.
func runStacks(t *testing.T, serve Adapter) {
	clock := NewClock(siteTime)
	auth := siteAuth(t, withCookies, func(c *jwtgate.Config) { c.Now = clock.Now })
	other := siteAuth(t, withOtherKey)
	// After this rule, the token has expired.
	wait := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) {
		clock.Advance(time.Hour)
		return true, nil
	})
	back := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) {
		clock.Advance(-time.Hour)
		return true, nil
	})
	token := Token(t, auth, "alice", "user")
	var (
		bearer  = "Authorization: Bearer " + token
		cookie  = "Cookie: __Host-at=" + token
		private = func(a answer) answer { return a.with("Vary", "Cookie") }
	)
	var s stage
	route := func(path string, guards ...Guard) Route {
		return Route{Method: "GET", Path: path, Guards: guards, Handler: s.who}
	}
	s.addr = serve(t, Site{Routes: []Route{
		route("/once", Guard{auth, []jwtgate.Rule{wait}}, Guard{Auth: auth}, Guard{auth, []jwtgate.Rule{jwtgate.Role("user"), back}}),
		route("/role", Guard{Auth: auth}, Guard{auth, []jwtgate.Rule{jwtgate.Role("admin")}}),
		route("/claims", Guard{Auth: auth}, Guard{auth, []jwtgate.Rule{jwtgate.ClaimsOf[number]()}}),
		route("/optional", Guard{auth, []jwtgate.Rule{jwtgate.Optional()}}, Guard{Auth: auth}),
		route("/other", Guard{Auth: auth}, Guard{Auth: other}),
		route("/outer", Guard{Auth: other}, Guard{Auth: auth}),
		route("/nil", Guard{Auth: auth}, Guard{}),
	}})
	s.run(t, []row{
		{"verified once", get("/once", bearer), passed("alice")},
		{"outer lets through, inner refuses", get("/role", bearer), refusal(jwtgate.CodeInsufficientScope)},
		{"by cookie, inner refuses", get("/claims", cookie), private(refusal(jwtgate.CodeTokenInvalid)).cleared()},
		{"by header, inner refuses", get("/claims", bearer, cookie), refusal(jwtgate.CodeTokenInvalid)},
		{"optional, then required", get("/optional"), refusal(jwtgate.CodeTokenMissing).with("Vary", "Authorization, Cookie")},
		{"identity of another Auth", get("/other", bearer), refusal(jwtgate.CodeTokenInvalid)},
		{"refused by another Auth first", get("/outer", bearer), refusal(jwtgate.CodeTokenInvalid)},
		{"nil Auth within", get("/nil", bearer), refusal(jwtgate.CodeUnavailable)},
	})
}
