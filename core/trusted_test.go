package jwtgate_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestKeySet(t *testing.T) {
	t.Parallel()
	old, current := []byte(strings.Repeat("old secret ", 8)), secret
	auth := newVerifier(t, keys.Set{
		keys.HS256(current).WithID("current"),
		keys.HS256(old).WithID("old"),
		keys.ES256(&p256Key.PublicKey).WithID("es"),
	})
	hs := func(key []byte, header string) string { return jwtgatetest.Sign(t, "HS256", key, header, claims()) }
	for _, row := range []row{
		{"kid of the first key", hs(current, `{"alg":"HS256","kid":"current"}`), accepted},
		{"kid of another key", hs(old, `{"alg":"HS256","kid":"old"}`), accepted},
		{"kid of the key of another algorithm", hs(current, `{"alg":"HS256","kid":"es"}`), jwtgate.CodeTokenInvalid},
		{"kid of a key that did not sign", hs(old, `{"alg":"HS256","kid":"current"}`), jwtgate.CodeTokenInvalid},
		{"kid unknown", hs(current, `{"alg":"HS256","kid":"next"}`), jwtgate.CodeTokenInvalid},
		{"no kid, and two keys of the algorithm", hs(current, `{"alg":"HS256"}`), accepted},
		{"no kid, and two keys of the algorithm, the last of which signed", hs(old, `{"alg":"HS256"}`), accepted},
		{"no kid, and one key of the algorithm", jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256"}`, claims()), accepted},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(row.text), row.want)
		})
	}
}

// The keys of one issuer do not verify the tokens of another, even if their key IDs are
// the same.
func TestTrustedIssuers(t *testing.T) {
	t.Parallel()
	for name, kids := range map[string][3]string{"one kid": {"k", "k", "k"}, "own kids": {"k", "a", "b"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testTrustedIssuers(t, kids[0], kids[1], kids[2])
		})
	}
}

func testTrustedIssuers(t *testing.T, kid, kidA, kidB string) {
	const a, b = "https://a.example", "https://b.example"
	keyA, keyB := []byte(strings.Repeat("tenant a ", 8)), []byte(strings.Repeat("tenant b ", 8))
	auth := newVerifier(t, keys.HS256(secret).WithID(kid), func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{
			{Name: a, Keys: keys.HS256(keyA).WithID(kidA)},
			{Name: b, Keys: keys.HS256(keyB).WithID(kidB), Audience: "https://b.example/api", RoleClaims: []string{"/realm/roles"}},
		}
	})
	quote := strconv.Quote
	roles := []string{"roles", `["user"]`, "realm", `{"roles":["admin"]}`}
	kids := map[string]string{string(secret): kid, string(keyA): kidA, string(keyB): kidB}
	sign := func(key []byte, named bool, changes ...string) string {
		header := `{"alg":"HS256"}`
		if named {
			header = fmt.Sprintf(`{"alg":"HS256","kid":%q}`, kids[string(key)])
		}
		return jwtgatetest.Sign(t, "HS256", key, header, claims(append(changes, roles...)...))
	}
	const named, unnamed = true, false
	for _, row := range []struct {
		name, token string
		want        jwtgate.Code
		role        string
	}{
		{"our own", sign(secret, named), accepted, "user"},
		{"our own, no kid", sign(secret, unnamed), accepted, "user"},
		{"a's", sign(keyA, named, "iss", quote(a)), accepted, "user"},
		{"a's, no kid", sign(keyA, unnamed, "iss", quote(a)), accepted, "user"},
		{"b's", sign(keyB, named, "iss", quote(b), "aud", `"https://b.example/api"`), accepted, "admin"},
		{"b's for our audience, not for that of b's tokens", sign(keyB, named, "iss", quote(b)), jwtgate.CodeTokenInvalid, ""},
		{"a's key for b's token", sign(keyA, named, "iss", quote(b), "aud", `"https://b.example/api"`), jwtgate.CodeTokenInvalid, ""},
		{"b's key for a's token", sign(keyB, named, "iss", quote(a), "aud", `["`+audience+`","https://b.example/api"]`), jwtgate.CodeTokenInvalid, ""},
		{"b's key for a's token, no kid", sign(keyB, unnamed, "iss", quote(a), "aud", `["`+audience+`","https://b.example/api"]`), jwtgate.CodeTokenInvalid, ""},
		{"a's key for a token of ours", sign(keyA, named), jwtgate.CodeTokenInvalid, ""},
		{"a's key for a token without iss", sign(keyA, named, "iss", ""), jwtgate.CodeTokenInvalid, ""},
		{"our key for a's token", sign(secret, named, "iss", quote(a)), jwtgate.CodeTokenInvalid, ""},
		{"an issuer that is not trusted", sign(keyA, named, "iss", `"https://c.example"`), jwtgate.CodeTokenInvalid, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := decide(t, auth, withBearer(row.token), row.want)
			if row.want == accepted && (!d.Identity.HasRole(row.role) || d.Identity.HasRole("admin") != (row.role == "admin")) {
				t.Errorf("got roles %v, want %s", d.Identity.Roles(), row.role)
			}
		})
	}
}

// TestTrustedSharedKeys checks two tenants of a provider that signs for all of them with
// one key: their tokens are accepted, those of a third tenant are not.
func TestTrustedSharedKeys(t *testing.T) {
	t.Parallel()
	provider := []byte("the provider's secret of 32 bytes or more")
	shared := keys.HS256(provider).WithID("shared")
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example",
		Audience: "https://api.example",
		Keys:     keys.HS256([]byte("our own secret of 32 bytes or more")),
		Trusted: []jwtgate.TrustedIssuer{
			{Name: "https://tenant-a.example", Keys: shared},
			{Name: "https://tenant-b.example", Keys: shared, RoleClaims: []string{"groups"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		issuer string
		want   int
	}{
		{"https://tenant-a.example", 0},
		{"https://tenant-b.example", 0},
		{"https://tenant-c.example", http.StatusUnauthorized},
		{"https://auth.example", http.StatusUnauthorized},
	} {
		payload := fmt.Sprintf(`{"iss":%q,"aud":"https://api.example","sub":"alice","exp":%d,"groups":["staff"]}`, test.issuer, time.Now().Add(time.Minute).Unix())
		token := jwtgatetest.Sign(t, "HS256", provider, `{"alg":"HS256","kid":"shared"}`, payload)
		d := auth.Decide(t.Context(), jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + token}}})
		if d.Response.Status != test.want {
			t.Errorf("%s: got %d (%v); want %d", test.issuer, d.Response.Status, d.Refusal, test.want)
		}
		if d.Identity != nil && d.Identity.HasRole("staff") != (test.issuer == "https://tenant-b.example") {
			t.Errorf("%s: roles were read where those of another issuer are", test.issuer)
		}
	}
}

// TestTrustedSharedKeyElsewhere checks a token whose kid leads to the key of one tenant,
// and whose iss is another with the same key: its claims are where that one has them.
func TestTrustedSharedKeyElsewhere(t *testing.T) {
	t.Parallel()
	shared := keys.HS256([]byte("the provider's secret of 32 bytes or more"))
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{
			{Name: "https://tenant-a.example", Keys: shared.WithID("shared"), SubjectClaim: "id"},
			{Name: "https://tenant-b.example", Keys: shared, RoleClaims: []string{"/org/roles"}},
		}
	})
	for _, row := range []struct {
		name, iss, sub, org string
		want                jwtgate.Code
	}{
		{"the first tenant's", `"https://tenant-a.example"`, "", "", accepted},
		{"the first tenant's, with two spellings of the second's roles", `"https://tenant-a.example"`, "", `{"roles":["a"],"Roles":["b"]}`, accepted},
		{"the second tenant's", `"https://tenant-b.example"`, `"alice"`, "", accepted},
		{"the second tenant's, without its subject", `"https://tenant-b.example"`, "", "", jwtgate.CodeTokenInvalid},
		{"the second tenant's, with two spellings of its roles", `"https://tenant-b.example"`, `"alice"`, `{"roles":["a"],"Roles":["b"]}`, jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			payload := claims("iss", row.iss, "sub", row.sub, "id", `"alice"`, "org", row.org)
			decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", []byte("the provider's secret of 32 bytes or more"), `{"alg":"HS256","kid":"shared"}`, payload)), row.want)
		})
	}
}
