package jwtgate_test

import (
	"context"
	"net/http"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// TestStackedAuths passes one request through guards of two Auths: the handler sees the
// identity that the last guard found.
func TestStackedAuths(t *testing.T) {
	t.Parallel()
	newAuth := func(name string) *jwtgate.Auth {
		auth, err := jwtgate.New(jwtgate.Config{
			Issuer:   "https://" + name + ".example",
			Audience: "https://api.example",
			Keys:     keys.HS256([]byte(name + ", a secret of at least 32 bytes")),
			Cookies:  &jwtgate.CookieConfig{},
		})
		if err != nil {
			t.Fatal(err)
		}
		return auth
	}
	a, b := newAuth("a"), newAuth("b")
	both := jwtgate.Request{ // a by header, b by cookie
		Method: http.MethodGet,
		Header: http.Header{"Authorization": {"Bearer " + jwtgatetest.Token(t, a, "alice")}},
	}
	nobody := jwtgate.Request{Method: http.MethodGet}
	byCookie := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": {"__Host-at=" + jwtgatetest.Token(t, b, "bob")}}}

	type guard struct {
		auth  *jwtgate.Auth
		req   jwtgate.Request
		rules []jwtgate.Rule
	}
	optional := []jwtgate.Rule{jwtgate.Optional()}
	for _, test := range []struct {
		name   string
		guards []guard
		want   string // empty: nobody
	}{
		{"a", []guard{{a, both, nil}}, "alice"},
		{"a, b", []guard{{a, both, nil}, {b, byCookie, nil}}, "bob"},
		{"a, b, a", []guard{{a, both, nil}, {b, byCookie, nil}, {a, both, nil}}, "alice"},
		{"a, b finds nobody", []guard{{a, both, nil}, {b, nobody, optional}}, ""},
		{"a, b finds nobody, a", []guard{{a, both, nil}, {b, nobody, optional}, {a, both, nil}}, "alice"},
		{"nobody", []guard{{a, nobody, optional}, {a, nobody, optional}}, ""},
	} {
		ctx := context.Background()
		framework := locals{ctx, map[any]any{}}
		for _, g := range test.guards {
			d := g.auth.Decide(ctx, g.req, g.rules...)
			if d.Refusal != nil {
				t.Fatalf("%s: refused: %v", test.name, d.Refusal)
			}
			ctx = d.Context
			seen, _ := jwtgate.IdentityFrom(ctx)
			if seen != d.Identity {
				t.Errorf("%s: the context has %v; the decision %v", test.name, seen, d.Identity)
			}
			d.StoreIdentity(func(key, value any) { framework.values[key] = value })
			if seen, _ := jwtgate.IdentityFrom(framework); seen != d.Identity {
				t.Errorf("%s: the framework's context has %v; the decision %v", test.name, seen, d.Identity)
			}
		}
		got := ""
		if id, ok := jwtgate.IdentityFrom(ctx); ok {
			got = id.Subject()
		}
		if got != test.want {
			t.Errorf("%s: got %q; want %q", test.name, got, test.want)
		}
	}
	// The guard of a does not accept a request that the guard of b let through without an
	// identity.
	if d := a.Decide(b.Decide(context.Background(), nobody, optional...).Context, nobody); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenMissing {
		t.Errorf("behind an optional guard of another: got %v; want %s", d.Refusal, jwtgate.CodeTokenMissing)
	}
}

// locals is the context of a framework that lets values be set in it.
type locals struct {
	context.Context
	values map[any]any
}

func (l locals) Value(key any) any { return l.values[key] }

// TestStackedAuthsKeepContext checks that no guard loses a value that was put into the context
// before it.
func TestStackedAuthsKeepContext(t *testing.T) {
	t.Parallel()
	a, b := newVerifier(t, keys.HS256(secret)), newVerifier(t, keys.HS256(secret))
	req := withBearer(jwtgatetest.Token(t, a, "alice"))
	type key int
	guards := []*jwtgate.Auth{b, a, b, a, b}
	ctx := t.Context()
	for i, guard := range guards {
		ctx = guard.Decide(context.WithValue(ctx, key(i), true), req).Context
	}
	for i := range guards {
		if ctx.Value(key(i)) == nil {
			t.Errorf("got no value of the context of guard %d", i)
		}
	}
}
