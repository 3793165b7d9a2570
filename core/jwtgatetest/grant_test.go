package jwtgatetest_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

type teamClaims struct {
	Team string `json:"team"`
}

var grant = jwtgate.Grant{
	Subject: "bob",
	Roles:   []string{"admin"},
	Scopes:  []string{"notes:read"},
	Claims:  teamClaims{"blue"},
}

// TestGrants checks the identity behind each kind of credential for a grant.
func TestGrants(t *testing.T) {
	decide := func(auth *jwtgate.Auth, name, value string) context.Context {
		t.Helper()
		d := auth.Decide(t.Context(), jwtgate.Request{Method: "GET", Header: http.Header{name: {value}}})
		if d.Refusal != nil {
			t.Fatalf("%s: %v", name, d.Refusal)
		}
		return d.Context
	}
	auth, _, _ := jwtgatetest.NewAuth(t)
	shared, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Cookies.Domain = "site.example" })
	for name, ctx := range map[string]context.Context{
		"a token":                   decide(auth, "Authorization", "Bearer "+jwtgatetest.TokenOf(t, auth, grant)),
		"a cookie":                  decide(auth, "Cookie", jwtgatetest.CookieOf(t, auth, grant)),
		"a cookie of a domain":      decide(shared, "Cookie", jwtgatetest.CookieOf(t, shared, grant)),
		"a context":                 jwtgatetest.Context(t, grant),
		"a context derived from it": context.WithValue(jwtgatetest.Context(t, grant), teamClaims{}, true),
	} {
		id, ok := jwtgate.IdentityFrom(ctx)
		if !ok {
			t.Errorf("%s: no identity", name)
			continue
		}
		if id.Subject() != "bob" || !id.HasRole("admin") || id.HasRole("user") || !id.HasScope("notes:read") {
			t.Errorf("%s: got the identity of %q", name, id.Subject())
		}
		if claims, err := jwtgate.Claims[teamClaims](ctx); err != nil || claims.Team != "blue" {
			t.Errorf("%s: got the claims %+v, %v", name, claims, err)
		}
	}
}

// TestContext checks that the identity has a session that has just begun, and that the
// context opens no guard.
func TestContext(t *testing.T) {
	ctx := jwtgatetest.Context(t, grant)
	id, _ := jwtgate.IdentityFrom(ctx)
	if id.SessionID() == "" || time.Since(id.AuthTime()) > time.Minute || time.Until(id.Expires()) <= 0 {
		t.Errorf("got a login at %v, in session %q, until %v", id.AuthTime(), id.SessionID(), id.Expires())
	}
	auth, _, _ := jwtgatetest.NewAuth(t)
	if d := auth.Decide(ctx, jwtgate.Request{Method: "GET"}); d.Refusal == nil {
		t.Error("a guard lets the context through without a token")
	}
}

// TestCookies checks which cookies are renewed an hour later.
func TestCookies(t *testing.T) {
	clock := jwtgatetest.NewClock(time.Now())
	auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Now = clock.Now })
	whole, access := jwtgatetest.Cookie(t, auth, "bob"), jwtgatetest.CookieOf(t, auth, grant)
	clock.Advance(time.Hour)
	for _, row := range []struct{ name, cookie, want string }{
		{"Cookie", whole, "renewed bob, a user"},
		{"CookieOf", access, "token_expired"},
	} {
		d := auth.Decide(t.Context(), jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {row.cookie}}})
		got := "passed"
		if d.Refusal != nil {
			got = string(d.Refusal.Code)
		} else if id, _ := jwtgate.IdentityFrom(d.Context); d.Renewed && id.HasRole("user") {
			got = "renewed " + id.Subject() + ", a user"
		}
		if got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// TestWrongUse checks that a mistake in a test fails it.
func TestWrongUse(t *testing.T) {
	auth, _, _ := jwtgatetest.NewAuth(t)
	withoutCookies := withSessionsOnly(t)
	for name, use := range map[string]func(tb testing.TB){
		"Token without a subject": func(tb testing.TB) { jwtgatetest.Token(tb, auth, "") },
		"TokenOf with a registered claim": func(tb testing.TB) {
			jwtgatetest.TokenOf(tb, auth, jwtgate.Grant{Subject: "bob", Claims: map[string]int{"exp": 1}})
		},
		"Cookie without an Auth":    func(tb testing.TB) { jwtgatetest.Cookie(tb, nil, "bob") },
		"CookieOf without cookies":  func(tb testing.TB) { jwtgatetest.CookieOf(tb, withoutCookies, grant) },
		"Context without a subject": func(tb testing.TB) { jwtgatetest.Context(tb, jwtgate.Grant{}) },
	} {
		failed := make(chan string, 1)
		go func() {
			tb := &failingTB{TB: t}
			defer func() { failed <- tb.text }() // runtime.Goexit runs it, too
			use(tb)
		}()
		if <-failed == "" {
			t.Errorf("%s: the test did not fail", name)
		}
	}
}

func withSessionsOnly(t *testing.T) *jwtgate.Auth {
	t.Helper()
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte("a secret of at least 32 bytes, for this test")),
		Sessions: &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	return auth
}

// A failingTB is a test whose failure is expected.
type failingTB struct {
	testing.TB

	text string // of the failure
}

func (f *failingTB) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (f *failingTB) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }
