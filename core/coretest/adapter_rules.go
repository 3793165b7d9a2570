package coretest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core"
)

// number is a type that the claims of a token with text in them do not fit.
type number struct {
	Subject int `json:"sub"`
}

var errTrouble = errors.New("a store that cannot be reached")

// check is a rule that always says the same. It also wants what the context
// of a rule is to have: the identity.
func check(ok bool, err error) core.Rule {
	return core.Check(func(ctx context.Context, id *core.Identity) (bool, error) {
		if found, _ := core.IdentityFrom(ctx); found != id {
			return false, errors.New("the context of a rule has not the identity")
		}
		return ok, err
	})
}

// runRules is about what a route asks beyond a good token.
func runRules(t *testing.T, serve Adapter) {
	auth := newAuth(t)
	var (
		admin   = "Authorization: Bearer " + Token(t, auth, "alice", "admin", "user")
		user    = "Authorization: Bearer " + Token(t, auth, "robert", "user")
		expired = "Authorization: Bearer " + Token(t, newAuth(t, anHourAgo), "alice")
		missing = refusal(core.CodeTokenMissing)
		forbids = refusal(core.CodeInsufficientScope)
		trouble = refusal(core.CodeUnavailable)
	)
	var s stage
	route := func(path string, auth *core.Auth, rules ...core.Rule) Route {
		return Route{Method: "GET", Path: path, Guards: guards(auth, rules...), Handler: s.who}
	}
	s.addr = serve(t, Site{Routes: []Route{
		route("/role", auth, core.Role("admin")),
		route("/both", auth, core.Role("admin"), core.Role("user")),
		route("/scope", auth, core.Scope("write")),
		route("/fits", auth, core.ClaimsOf[Claims]()),
		route("/misfits", auth, core.ClaimsOf[number]()),
		route("/yes", auth, check(true, nil)),
		route("/no", auth, check(false, nil)),
		route("/trouble", auth, check(true, errTrouble)),
		route("/zero", auth, core.Rule{}),
		route("/optional", auth, core.Optional()),
		route("/admins-optional", auth, core.Optional(), core.Role("admin")),
		route("/nil", nil),
		route("/nil-optional", nil, core.Optional()),
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
		{"claims that do not fit", get("/misfits", user), refusal(core.CodeTokenInvalid)},
		{"check says yes", get("/yes", user), passed("robert")},
		{"check says no", get("/no", user), forbids},
		{"check cannot tell", get("/trouble", user), trouble},
		{"check, nobody", get("/yes"), missing},
		{"zero rule", get("/zero", admin), forbids},
		{"optional, nobody", get("/optional"), optional(passed("nobody"))},
		{"optional, somebody", get("/optional", user), optional(passed("robert"))},
		{"optional, expired", get("/optional", expired), refusal(core.CodeTokenExpired)},
		{"optional, malformed", get("/optional", user, user), refusal(core.CodeMalformedCredentials)},
		{"optional and a role, nobody", get("/admins-optional"), missing},
		{"optional and a role, somebody", get("/admins-optional", user), forbids},
		{"nil Auth", get("/nil", admin), trouble},
		{"nil Auth, nobody", get("/nil"), trouble},
		{"nil Auth, optional", get("/nil-optional"), trouble},
	})
}

// runStacks is about several guards on the way to one handler.
func runStacks(t *testing.T, serve Adapter) {
	clock := NewClock(siteTime)
	auth := newAuth(t, withCookies, func(c *core.Config) { c.Now = clock.Now })
	other := newAuth(t, withOtherKey)
	// The token is too old for whoever looks at it after this rule.
	wait := core.Check(func(context.Context, *core.Identity) (bool, error) {
		clock.Advance(time.Hour)
		return true, nil
	})
	back := core.Check(func(context.Context, *core.Identity) (bool, error) {
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
		route("/once", Guard{auth, []core.Rule{wait}}, Guard{Auth: auth}, Guard{auth, []core.Rule{core.Role("user"), back}}),
		route("/role", Guard{Auth: auth}, Guard{auth, []core.Rule{core.Role("admin")}}),
		route("/claims", Guard{Auth: auth}, Guard{auth, []core.Rule{core.ClaimsOf[number]()}}),
		route("/optional", Guard{auth, []core.Rule{core.Optional()}}, Guard{Auth: auth}),
		route("/other", Guard{Auth: auth}, Guard{Auth: other}),
		route("/outer", Guard{Auth: other}, Guard{Auth: auth}),
		route("/nil", Guard{Auth: auth}, Guard{}),
	}})
	s.run(t, []row{
		{"verified once", get("/once", bearer), passed("alice")},
		{"outer lets through, inner refuses", get("/role", bearer), refusal(core.CodeInsufficientScope)},
		{"by cookie, inner refuses", get("/claims", cookie), private(refusal(core.CodeTokenInvalid)).cleared()},
		{"by header, inner refuses", get("/claims", bearer, cookie), refusal(core.CodeTokenInvalid)},
		{"optional, then required", get("/optional"), refusal(core.CodeTokenMissing).with("Vary", "Authorization, Cookie")},
		{"identity of another Auth", get("/other", bearer), refusal(core.CodeTokenInvalid)},
		{"refused by another Auth first", get("/outer", bearer), refusal(core.CodeTokenInvalid)},
		{"nil Auth within", get("/nil", bearer), refusal(core.CodeUnavailable)},
	})
}
