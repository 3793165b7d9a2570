package jwtgate_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

func debugLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// always returns a rule with a fixed result.
func always(ok bool, err error) jwtgate.Rule {
	return jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { return ok, err })
}

// teamClaims are the claims of an application. Team is required.
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
	auth := newVerifier(t, keys.HS256(secret))
	yes, no, trouble := always(true, nil), always(false, nil), always(false, errors.New("the database is away"))
	team, noTeam := jwtgate.ClaimsOf[teamClaims](), jwtgate.ClaimsOf[struct{ Team int }]()
	req := withBearer(signed(t, claims("roles", `["admin","user"]`, "scope", `"read write"`, "team", `"red"`)))
	for _, row := range []struct {
		name  string
		rules []jwtgate.Rule
		want  jwtgate.Code
	}{
		{"none", nil, accepted},
		{"role", []jwtgate.Rule{jwtgate.Role("admin")}, accepted},
		{"each of two roles", []jwtgate.Rule{jwtgate.Role("admin"), jwtgate.Role("user")}, accepted},
		{"role that is absent", []jwtgate.Rule{jwtgate.Role("root")}, jwtgate.CodeInsufficientScope},
		{"one role of two", []jwtgate.Rule{jwtgate.Role("admin"), jwtgate.Role("root")}, jwtgate.CodeInsufficientScope},
		{"role in another case", []jwtgate.Rule{jwtgate.Role("Admin")}, jwtgate.CodeInsufficientScope},
		{"part of a role", []jwtgate.Rule{jwtgate.Role("adm")}, jwtgate.CodeInsufficientScope},
		{"no role", []jwtgate.Rule{jwtgate.Role("")}, jwtgate.CodeInsufficientScope},
		{"scope for a role", []jwtgate.Rule{jwtgate.Role("read")}, jwtgate.CodeInsufficientScope},
		{"scope", []jwtgate.Rule{jwtgate.Scope("write")}, accepted},
		{"scope that is absent", []jwtgate.Rule{jwtgate.Scope("delete")}, jwtgate.CodeInsufficientScope},
		{"both scopes in one", []jwtgate.Rule{jwtgate.Scope("read write")}, jwtgate.CodeInsufficientScope},
		{"no scope", []jwtgate.Rule{jwtgate.Scope("")}, jwtgate.CodeInsufficientScope},
		{"the zero Rule", []jwtgate.Rule{{}}, jwtgate.CodeInsufficientScope},

		{"yes", []jwtgate.Rule{yes}, accepted},
		{"no", []jwtgate.Rule{no}, jwtgate.CodeInsufficientScope},
		{"trouble", []jwtgate.Rule{trouble}, jwtgate.CodeUnavailable},
		{"yes, with trouble", []jwtgate.Rule{always(true, errors.New("x"))}, jwtgate.CodeUnavailable},
		{"no Check", []jwtgate.Rule{jwtgate.Check(nil)}, jwtgate.CodeInsufficientScope},
		{"a refusal of its own", []jwtgate.Rule{always(false, &jwtgate.Refusal{Status: 400, Code: jwtgate.CodeMalformedCredentials, Challenge: `Bearer error="invalid_request"`})}, jwtgate.CodeMalformedCredentials},
		{"the first refusal counts", []jwtgate.Rule{no, trouble}, jwtgate.CodeInsufficientScope},

		{"any: yes", []jwtgate.Rule{jwtgate.AnyOf(yes)}, accepted},
		{"any: no", []jwtgate.Rule{jwtgate.AnyOf(no)}, jwtgate.CodeInsufficientScope},
		{"any: no, yes", []jwtgate.Rule{jwtgate.AnyOf(no, yes)}, accepted},
		{"any: yes, no", []jwtgate.Rule{jwtgate.AnyOf(yes, no)}, accepted},
		{"any: no, no, yes", []jwtgate.Rule{jwtgate.AnyOf(no, no, yes)}, accepted},
		{"any: no, no", []jwtgate.Rule{jwtgate.AnyOf(no, no)}, jwtgate.CodeInsufficientScope},
		{"any: yes, trouble", []jwtgate.Rule{jwtgate.AnyOf(yes, trouble)}, accepted},
		{"any: trouble, yes", []jwtgate.Rule{jwtgate.AnyOf(trouble, yes)}, accepted},
		{"any: trouble, no", []jwtgate.Rule{jwtgate.AnyOf(trouble, no)}, jwtgate.CodeUnavailable},
		{"any: no, trouble", []jwtgate.Rule{jwtgate.AnyOf(no, trouble)}, jwtgate.CodeUnavailable},
		{"any: the zero Rule", []jwtgate.Rule{jwtgate.AnyOf(jwtgate.Rule{})}, jwtgate.CodeInsufficientScope},
		{"all: yes, yes", []jwtgate.Rule{jwtgate.AllOf(yes, yes)}, accepted},
		{"all: no", []jwtgate.Rule{jwtgate.AllOf(no)}, jwtgate.CodeInsufficientScope},
		{"all: yes, no", []jwtgate.Rule{jwtgate.AllOf(yes, no)}, jwtgate.CodeInsufficientScope},
		{"all: no, yes", []jwtgate.Rule{jwtgate.AllOf(no, yes)}, jwtgate.CodeInsufficientScope},
		{"all: trouble, yes", []jwtgate.Rule{jwtgate.AllOf(trouble, yes)}, jwtgate.CodeUnavailable},
		{"any of all", []jwtgate.Rule{jwtgate.AnyOf(jwtgate.AllOf(yes, no), jwtgate.AllOf(yes, yes))}, accepted},

		{"claims", []jwtgate.Rule{team}, accepted},
		{"claims of another type", []jwtgate.Rule{noTeam}, jwtgate.CodeTokenInvalid},
		{"any: claims of another type, yes", []jwtgate.Rule{jwtgate.AnyOf(noTeam, yes)}, accepted},

		{"no renewal", []jwtgate.Rule{jwtgate.NoRenewal()}, accepted},
		{"no renewal, role that is absent", []jwtgate.Rule{jwtgate.NoRenewal(), jwtgate.Role("root")}, jwtgate.CodeInsufficientScope},
		{"optional", []jwtgate.Rule{jwtgate.Optional()}, accepted},
		{"optional, role that is absent", []jwtgate.Rule{jwtgate.Optional(), jwtgate.Role("root")}, jwtgate.CodeInsufficientScope},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, req, row.want, row.rules...)
		})
	}
	decide(t, auth, withBearer(signed(t, claims("size", "3"))), jwtgate.CodeTokenInvalid, team)       // Validate
	decide(t, auth, withBearer(signed(t, claims("team", `"red"`))), jwtgate.CodeTokenInvalid, noTeam) // the decoder
}

// AnyOf applies no rule after one that holds.
func TestAnyOfStops(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	calls := 0
	counted := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { calls++; return true, nil })
	decide(t, auth, withBearer(signed(t, claims())), accepted, jwtgate.AnyOf(always(true, nil), counted))
	if calls != 0 {
		t.Errorf("got %d calls of the second rule; want none", calls)
	}
}

// A request without credentials is only accepted if Optional is the only rule.
func TestOptional(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withCookies)
	optional := jwtgate.Optional()
	for _, row := range []struct {
		name  string
		rules []jwtgate.Rule
		want  jwtgate.Code
	}{
		{"optional", []jwtgate.Rule{optional}, accepted},
		{"optional twice", []jwtgate.Rule{optional, optional}, accepted},
		{"no rules", nil, jwtgate.CodeTokenMissing},
		{"optional and a role", []jwtgate.Rule{optional, jwtgate.Role("admin")}, jwtgate.CodeTokenMissing},
		{"a role and optional", []jwtgate.Rule{jwtgate.Role("admin"), optional}, jwtgate.CodeTokenMissing},
		{"optional and a rule that says yes", []jwtgate.Rule{optional, always(true, nil)}, jwtgate.CodeTokenMissing},
		{"optional and the zero Rule", []jwtgate.Rule{optional, {}}, jwtgate.CodeTokenMissing},
		{"optional and no renewal", []jwtgate.Rule{optional, jwtgate.NoRenewal()}, accepted},
		{"no renewal", []jwtgate.Rule{jwtgate.NoRenewal()}, jwtgate.CodeTokenMissing},
		{"no renewal and the zero Rule", []jwtgate.Rule{jwtgate.NoRenewal(), optional, {}}, jwtgate.CodeTokenMissing},
		{"optional in another rule", []jwtgate.Rule{jwtgate.AnyOf(optional)}, jwtgate.CodeTokenMissing},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := decide(t, auth, jwtgate.Request{Method: "GET"}, row.want, row.rules...)
			if d.Identity != nil {
				t.Errorf("got the identity of %s for nobody", d.Identity.Subject())
			}
			if row.want == accepted && field(d.Response, "Vary") != "Authorization, Cookie" {
				t.Errorf("got header %v, want one that tells visitors apart", d.Response.Header)
			}
		})
	}
	// Credentials that are sent must be valid.
	token := signed(t, claims())
	d := decide(t, auth, withBearer(token), accepted, optional)
	if d.Identity.Subject() != "alice" || field(d.Response, "Vary") != "Authorization, Cookie" {
		t.Errorf("got %v and header %v, want alice and Vary", d.Identity.Subject(), d.Response.Header)
	}
	decide(t, auth, withBearer("garbage"), jwtgate.CodeTokenInvalid, optional)
	decide(t, auth, withBearer(signed(t, claims("exp", at(-1)))), jwtgate.CodeTokenExpired, optional)
	decide(t, auth, jwtgate.Request{Header: http.Header{"Authorization": {"Bearer"}}}, jwtgate.CodeMalformedCredentials, optional)
	decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=garbage"}}}, jwtgate.CodeTokenInvalid, optional)
	byCookie := decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + token}}}, accepted, optional)
	if field(byCookie.Response, "Vary") != "Authorization, Cookie" || field(byCookie.Response, "Cache-Control") != "private" {
		t.Errorf("got header %v, want Vary and private", byCookie.Response.Header)
	}
}

// A guard behind another guard of the same Auth only applies its rules.
func TestGuardWithinGuard(t *testing.T) {
	t.Parallel()
	auth, other := newVerifier(t, keys.HS256(secret)), newVerifier(t, keys.ES256(p256Key))
	same := withBearer(signed(t, claims("roles", `["user"]`)))
	outer := decide(t, auth, same, accepted)
	type key struct{}
	ctx := context.WithValue(outer.Context, key{}, 1) // like middleware between the guards

	inner := auth.Decide(ctx, same, jwtgate.Role("user"))
	if inner.Refusal != nil || inner.Identity != outer.Identity || inner.Context != ctx {
		t.Errorf("got %v and %v, want the identity of the outer guard", inner.Refusal, inner.Identity)
	}
	if d := auth.Decide(ctx, same, jwtgate.Role("admin")); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeInsufficientScope || d.Identity != nil {
		t.Errorf("got %v, want %s", d.Refusal, jwtgate.CodeInsufficientScope)
	}
	if d := other.Decide(ctx, same); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenInvalid {
		t.Errorf("got %v from another Auth, want %s", d.Refusal, jwtgate.CodeTokenInvalid)
	}
	// Behind guards of both, each Auth finds its own identity.
	both := other.Decide(ctx, withBearer(signedES256(t, claims("sub", `"bob"`))))
	if d := auth.Decide(both.Context, same); d.Refusal != nil || d.Identity.Subject() != "alice" {
		t.Errorf("got %v and %v, want alice, whom this Auth let in", d.Refusal, d.Identity)
	}
	if id, _ := jwtgate.IdentityFrom(both.Context); id.Subject() != "bob" {
		t.Errorf("got %s in the context, want bob, whom the last guard let in", id.Subject())
	}
}

// The context of a rule has the identity.
func TestCheckSeesTheIdentity(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	var got string
	rule := jwtgate.Check(func(ctx context.Context, id *jwtgate.Identity) (bool, error) {
		c, err := jwtgate.Claims[struct{ Sub string }](ctx)
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
	auth := newVerifier(t, keys.HS256(secret))
	d := decide(t, auth, withBearer(signed(t, claims("team", `"red"`, "size", "12345678901234567"))), accepted)
	got, err := jwtgate.Claims[teamClaims](d.Context)
	if want := (teamClaims{"red", 12345678901234567}); got != want || err != nil {
		t.Errorf("got %+v and error %v, want %+v", got, err, want)
	}
	if members, err := jwtgate.Claims[map[string]any](d.Context); err != nil || members["iss"] != issuer || members["sub"] != "alice" {
		t.Errorf("got %v and error %v, want all claims", members, err)
	}
	if got, err := jwtgate.Claims[struct{ Team int }](d.Context); err == nil || got.Team != 0 {
		t.Errorf("got %+v and error %v, want an error", got, err)
	}
	noTeam := decide(t, auth, withBearer(signed(t, claims("size", "3"))), accepted)
	if got, err := jwtgate.Claims[teamClaims](noTeam.Context); err == nil || got != (teamClaims{}) || !strings.Contains(err.Error(), "no team") {
		t.Errorf("got %+v and error %v, want that of Validate", got, err)
	}
	if _, err := jwtgate.Claims[teamClaims](t.Context()); !errors.Is(err, jwtgate.ErrNoIdentity) {
		t.Errorf("got error %v without an identity, want ErrNoIdentity", err)
	}
}
