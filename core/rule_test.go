package core_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core"
)

func debugLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// A rule that says yes, no, or that it is in trouble.
func always(ok bool, err error) core.Rule {
	return core.Check(func(context.Context, *core.Identity) (bool, error) { return ok, err })
}

// teamClaims are claims that an application wants, some more than others.
type teamClaims struct {
	Team string `json:"team"`
	Size int    `json:"size"`
}

func (c *teamClaims) Validate() error {
	if c.Team == "" {
		return errors.New("no team")
	}
	return nil
}

func TestRules(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	yes, no, trouble := always(true, nil), always(false, nil), always(false, errors.New("the database is away"))
	team, noTeam := core.ClaimsOf[teamClaims](), core.ClaimsOf[struct{ Team int }]()
	req := withBearer(signed(t, claims("roles", `["admin","user"]`, "scope", `"read write"`, "team", `"red"`)))
	for _, row := range []struct {
		name  string
		rules []core.Rule
		want  core.Code
	}{
		{"none", nil, accepted},
		{"role", []core.Rule{core.Role("admin")}, accepted},
		{"each of two roles", []core.Rule{core.Role("admin"), core.Role("user")}, accepted},
		{"role that is absent", []core.Rule{core.Role("root")}, core.CodeInsufficientScope},
		{"one role of two", []core.Rule{core.Role("admin"), core.Role("root")}, core.CodeInsufficientScope},
		{"role in another case", []core.Rule{core.Role("Admin")}, core.CodeInsufficientScope},
		{"part of a role", []core.Rule{core.Role("adm")}, core.CodeInsufficientScope},
		{"no role", []core.Rule{core.Role("")}, core.CodeInsufficientScope},
		{"scope for a role", []core.Rule{core.Role("read")}, core.CodeInsufficientScope},
		{"scope", []core.Rule{core.Scope("write")}, accepted},
		{"scope that is absent", []core.Rule{core.Scope("delete")}, core.CodeInsufficientScope},
		{"both scopes in one", []core.Rule{core.Scope("read write")}, core.CodeInsufficientScope},
		{"no scope", []core.Rule{core.Scope("")}, core.CodeInsufficientScope},
		{"the zero Rule", []core.Rule{{}}, core.CodeInsufficientScope},

		{"yes", []core.Rule{yes}, accepted},
		{"no", []core.Rule{no}, core.CodeInsufficientScope},
		{"trouble", []core.Rule{trouble}, core.CodeUnavailable},
		{"yes, with trouble", []core.Rule{always(true, errors.New("x"))}, core.CodeUnavailable},
		{"the first refusal counts", []core.Rule{no, trouble}, core.CodeInsufficientScope},

		{"any: yes", []core.Rule{core.AnyOf(yes)}, accepted},
		{"any: no", []core.Rule{core.AnyOf(no)}, core.CodeInsufficientScope},
		{"any: no, yes", []core.Rule{core.AnyOf(no, yes)}, accepted},
		{"any: yes, no", []core.Rule{core.AnyOf(yes, no)}, accepted},
		{"any: no, no, yes", []core.Rule{core.AnyOf(no, no, yes)}, accepted},
		{"any: no, no", []core.Rule{core.AnyOf(no, no)}, core.CodeInsufficientScope},
		{"any: yes, trouble", []core.Rule{core.AnyOf(yes, trouble)}, accepted},
		{"any: trouble, yes", []core.Rule{core.AnyOf(trouble, yes)}, accepted},
		{"any: trouble, no", []core.Rule{core.AnyOf(trouble, no)}, core.CodeUnavailable},
		{"any: no, trouble", []core.Rule{core.AnyOf(no, trouble)}, core.CodeUnavailable},
		{"any: the zero Rule", []core.Rule{core.AnyOf(core.Rule{})}, core.CodeInsufficientScope},
		{"all: yes, yes", []core.Rule{core.AllOf(yes, yes)}, accepted},
		{"all: no", []core.Rule{core.AllOf(no)}, core.CodeInsufficientScope},
		{"all: yes, no", []core.Rule{core.AllOf(yes, no)}, core.CodeInsufficientScope},
		{"all: no, yes", []core.Rule{core.AllOf(no, yes)}, core.CodeInsufficientScope},
		{"all: trouble, yes", []core.Rule{core.AllOf(trouble, yes)}, core.CodeUnavailable},
		{"any of all", []core.Rule{core.AnyOf(core.AllOf(yes, no), core.AllOf(yes, yes))}, accepted},

		{"claims", []core.Rule{team}, accepted},
		{"claims of another type", []core.Rule{noTeam}, core.CodeTokenInvalid},
		{"any: claims of another type, yes", []core.Rule{core.AnyOf(noTeam, yes)}, accepted},

		{"optional", []core.Rule{core.Optional()}, accepted},
		{"optional, role that is absent", []core.Rule{core.Optional(), core.Role("root")}, core.CodeInsufficientScope},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, req, row.want, row.rules...)
		})
	}
	decide(t, auth, withBearer(signed(t, claims("size", "3"))), core.CodeTokenInvalid, team)       // Validate
	decide(t, auth, withBearer(signed(t, claims("team", `"red"`))), core.CodeTokenInvalid, noTeam) // the decoder
}

// Only Optional alone lets in a visitor without credentials.
func TestOptional(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret), withCookies)
	optional := core.Optional()
	for _, row := range []struct {
		name  string
		rules []core.Rule
		want  core.Code
	}{
		{"optional", []core.Rule{optional}, accepted},
		{"optional twice", []core.Rule{optional, optional}, accepted},
		{"no rules", nil, core.CodeTokenMissing},
		{"optional and a role", []core.Rule{optional, core.Role("admin")}, core.CodeTokenMissing},
		{"a role and optional", []core.Rule{core.Role("admin"), optional}, core.CodeTokenMissing},
		{"optional and a rule that says yes", []core.Rule{optional, always(true, nil)}, core.CodeTokenMissing},
		{"optional and the zero Rule", []core.Rule{optional, {}}, core.CodeTokenMissing},
		{"optional in another rule", []core.Rule{core.AnyOf(optional)}, core.CodeTokenMissing},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := decide(t, auth, core.Request{Method: "GET"}, row.want, row.rules...)
			if d.Identity != nil {
				t.Errorf("got the identity of %s for nobody", d.Identity.Subject())
			}
			if row.want == accepted && field(d.Response, "Vary") != "Authorization, Cookie" {
				t.Errorf("got header %v, want one that tells visitors apart", d.Response.Header)
			}
		})
	}
	// Credentials that are there must be good.
	token := signed(t, claims())
	d := decide(t, auth, withBearer(token), accepted, optional)
	if d.Identity.Subject() != "alice" || field(d.Response, "Vary") != "Authorization, Cookie" {
		t.Errorf("got %v and header %v, want alice and Vary", d.Identity.Subject(), d.Response.Header)
	}
	decide(t, auth, withBearer("garbage"), core.CodeTokenInvalid, optional)
	decide(t, auth, withBearer(signed(t, claims("exp", at(-1)))), core.CodeTokenExpired, optional)
	decide(t, auth, core.Request{Header: http.Header{"Authorization": {"Bearer"}}}, core.CodeMalformedCredentials, optional)
	decide(t, auth, core.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=garbage"}}}, core.CodeTokenInvalid, optional)
	byCookie := decide(t, auth, core.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + token}}}, accepted, optional)
	if field(byCookie.Response, "Vary") != "Authorization, Cookie" || field(byCookie.Response, "Cache-Control") != "private" {
		t.Errorf("got header %v, want Vary and private", byCookie.Response.Header)
	}
}

// A guard within a guard looks at the rules only, if it is of the same Auth.
func TestGuardWithinGuard(t *testing.T) {
	t.Parallel()
	auth, other := newVerifier(t, core.HS256(secret)), newVerifier(t, core.ES256(p256Key))
	outer := decide(t, auth, withBearer(signed(t, claims("roles", `["user"]`))), accepted)
	type key struct{}
	ctx := context.WithValue(outer.Context, key{}, 1) // as middleware between does
	anything := withBearer("garbage")                 // which is not looked at again

	inner := auth.Decide(ctx, anything, core.Role("user"))
	if inner.Refusal != nil || inner.Identity != outer.Identity || inner.Context != ctx {
		t.Errorf("got %v and %v, want the identity of the outer guard", inner.Refusal, inner.Identity)
	}
	if d := auth.Decide(ctx, anything, core.Role("admin")); d.Refusal == nil || d.Refusal.Code != core.CodeInsufficientScope || d.Identity != nil {
		t.Errorf("got %v, want %s", d.Refusal, core.CodeInsufficientScope)
	}
	if d := other.Decide(ctx, anything); d.Refusal == nil || d.Refusal.Code != core.CodeTokenInvalid {
		t.Errorf("got %v from another Auth, want %s", d.Refusal, core.CodeTokenInvalid)
	}
	// One within the other: each finds its own.
	both := other.Decide(ctx, withBearer(signedES256(t, claims("sub", `"bob"`))))
	if d := auth.Decide(both.Context, anything); d.Refusal != nil || d.Identity.Subject() != "alice" {
		t.Errorf("got %v and %v, want alice, whom this Auth let in", d.Refusal, d.Identity)
	}
	if id, _ := core.IdentityFrom(both.Context); id.Subject() != "bob" {
		t.Errorf("got %s in the context, want bob, whom the last guard let in", id.Subject())
	}
}

// A rule is asked with a context that has the identity already.
func TestCheckSeesTheIdentity(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	var got string
	rule := core.Check(func(ctx context.Context, id *core.Identity) (bool, error) {
		c, err := core.Claims[struct{ Sub string }](ctx)
		got = c.Sub
		return err == nil && c.Sub == id.Subject(), nil
	})
	decide(t, auth, withBearer(signed(t, claims())), accepted, rule)
	if got != "alice" {
		t.Errorf("got %q, want alice", got)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	d := decide(t, auth, withBearer(signed(t, claims("team", `"red"`, "size", "12345678901234567"))), accepted)
	got, err := core.Claims[teamClaims](d.Context)
	if want := (teamClaims{"red", 12345678901234567}); got != want || err != nil {
		t.Errorf("got %+v and error %v, want %+v", got, err, want)
	}
	if members, err := core.Claims[map[string]any](d.Context); err != nil || members["iss"] != issuer || members["sub"] != "alice" {
		t.Errorf("got %v and error %v, want all claims", members, err)
	}
	if got, err := core.Claims[struct{ Team int }](d.Context); err == nil || got.Team != 0 {
		t.Errorf("got %+v and error %v, want an error", got, err)
	}
	noTeam := decide(t, auth, withBearer(signed(t, claims("size", "3"))), accepted)
	if got, err := core.Claims[teamClaims](noTeam.Context); err == nil || got != (teamClaims{}) || !strings.Contains(err.Error(), "no team") {
		t.Errorf("got %+v and error %v, want that of Validate", got, err)
	}
	if _, err := core.Claims[teamClaims](t.Context()); !errors.Is(err, core.ErrNoIdentity) {
		t.Errorf("got error %v without an identity, want ErrNoIdentity", err)
	}
}
