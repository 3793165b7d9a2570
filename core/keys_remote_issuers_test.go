package jwtgate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// The keys of one issuer never verify the tokens of another, whatever their kids are and
// whichever issuer's keys were fetched.
func TestRemoteIssuers(t *testing.T) {
	t.Parallel()
	const a, b = "https://a.example", "https://b.example"
	keyB, stranger := newEd25519(), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	quote := strconv.Quote
	signA := func(kid, iss string, changes ...string) jwtgate.Request {
		return theirs(t, kid, append([]string{"iss", quote(iss)}, changes...)...)
	}
	signB := func(kid, iss string, changes ...string) jwtgate.Request {
		return withBearer(jwtgatetest.Sign(t, "EdDSA", keyB, `{"alg":"EdDSA","kid":`+quote(kid)+`}`, claims(append([]string{"iss", quote(iss)}, changes...)...)))
	}
	forB := []string{"aud", `"https://b.example/api"`}
	for _, row := range []struct {
		name    string
		req     jwtgate.Request
		want    jwtgate.Code
		fetches string // of the sets, for this token alone
	}{
		{"a's", signA("k", a), accepted, a + "/keys"},
		{"b's", signB("k", b, forB...), accepted, b + "/keys"},
		{"b's for our audience, not for that of b's tokens", signB("k", b), jwtgate.CodeTokenInvalid, b + "/keys"},
		{"a's for the audience of b's", signA("k", a, forB...), jwtgate.CodeTokenInvalid, a + "/keys"},
		{"b's key for a's token", signB("k", a), jwtgate.CodeTokenInvalid, a + "/keys"},
		{"a's key for b's token", signA("k", b, forB...), jwtgate.CodeTokenInvalid, b + "/keys"},
		{"b's key for a's token, by a kid that only b has", signB("only b", a), jwtgate.CodeTokenInvalid, a + "/keys"},
		{"another key for a's token, by a's kid", withBearer(jwtgatetest.Sign(t, "ES256", stranger, `{"alg":"ES256","kid":"k"}`, claims("iss", quote(a)))), jwtgate.CodeTokenInvalid, a + "/keys"},
		{"another key for a's token, without kid", withBearer(jwtgatetest.Sign(t, "ES256", stranger, `{"alg":"ES256"}`, claims("iss", quote(a)))), jwtgate.CodeTokenInvalid, a + "/keys"},
		{"b's key for a token of ours", signB("k", issuer), jwtgate.CodeTokenInvalid, ""},
		{"our key for a's token, by a's kid", withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"k"}`, claims("iss", quote(a)))), jwtgate.CodeTokenInvalid, a + "/keys"},
		{"a key shared by a and b, for a's token", signA("shared", a), accepted, a + "/keys"},
		{"a key shared by a and b, for b's token", signA("shared", b, forB...), accepted, b + "/keys"},
		{"a key shared by a and b, for another's token", signA("shared", "https://c.example"), jwtgate.CodeTokenInvalid, ""},
		{"a's by the kid of a key of ours", signA("ours", a), accepted, a + "/keys"},
	} {
		for _, warm := range []bool{false, true} {
			t.Run(row.name+", warm "+strconv.FormatBool(warm), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					web := newWeb(map[string]page{
						a + "/keys": setOf(t, es256("k"), es256("shared"), es256("ours")),
						b + "/keys": setOf(t, keys.EdDSA(keyB).WithID("k"), keys.EdDSA(keyB).WithID("only b"), es256("shared")),
					})
					auth := newVerifier(t, keys.Set{keys.HS256(secret), keys.ES256(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))).WithID("ours")}, func(c *jwtgate.Config) {
						c.Trusted = []jwtgate.TrustedIssuer{
							{Name: a, Keys: keys.Remote{URL: a + "/keys", Transport: web}},
							{Name: b, Keys: keys.Remote{URL: b + "/keys", Transport: web}, Audience: "https://b.example/api", RoleClaims: []string{"groups"}},
						}
					})
					defer auth.Close()
					if warm {
						decide(t, auth, signA("k", a), accepted)
						decide(t, auth, signB("k", b, forB...), accepted)
					}
					d := decide(t, auth, row.req, row.want)
					if row.want == accepted && row.name[0] == 'b' && d.Identity.Issuer() != b {
						t.Errorf("got the issuer %s", d.Identity.Issuer())
					}
					if got := web.all(); !warm && got != row.fetches {
						t.Errorf("got %q fetched, want %q", got, row.fetches)
					}
				})
			})
		}
	}
}

// Several issuers that publish keys with the same kid do not affect each other's tokens.
func TestRemoteIssuersWithOneKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{})
		last := newEd25519()
		sign := func(iss string, key ed25519.PrivateKey) jwtgate.Request {
			return withBearer(jwtgatetest.Sign(t, "EdDSA", key, `{"alg":"EdDSA","kid":"k"}`, claims("iss", strconv.Quote(iss))))
		}
		private := map[string]ed25519.PrivateKey{}
		var issuers []jwtgate.TrustedIssuer
		for i := range 6 {
			name := fmt.Sprintf("https://%d.example", i)
			private[name] = newEd25519()
			web.set(name+"/keys", setOf(t, keys.EdDSA(private[name]).WithID("k")))
			issuers = append(issuers, jwtgate.TrustedIssuer{Name: name, Keys: keys.Remote{URL: name + "/keys", Transport: web}})
		}
		issuers = append(issuers, jwtgate.TrustedIssuer{Name: provider, Keys: keys.EdDSA(last.Public().(ed25519.PublicKey)).WithID("k")})
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Trusted = issuers })
		defer auth.Close()
		for range 2 {
			for name, key := range private {
				decide(t, auth, sign(name, key), accepted)
			}
			decide(t, auth, sign(provider, last), accepted)
			decide(t, auth, sign(provider, newEd25519()), jwtgate.CodeTokenInvalid)
		}
	})
}

// The roles are read from the claim that is configured for the issuer.
func TestRemoteRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Trusted[0].RoleClaims = []string{"/realm_access/roles"} })
		d := decide(t, auth, theirs(t, "a", "roles", `["user"]`, "realm_access", `{"roles":["admin"]}`), accepted)
		if !d.Identity.HasRole("admin") || d.Identity.HasRole("user") {
			t.Errorf("got roles %v, want admin alone", d.Identity.Roles())
		}
	})
}

// ID tokens and tokens for other uses are refused, although a known key signed them.
func TestRemotePurpose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, "a"), accepted)
		for _, row := range []struct{ name, header, member, value string }{
			{"nonce", `{"alg":"ES256","kid":"a"}`, "nonce", `"n"`},
			{"at_hash", `{"alg":"ES256","kid":"a"}`, "at_hash", `"h"`},
			{"aud of the client", `{"alg":"ES256","kid":"a"}`, "aud", `"client"`},
			{"logout token", `{"alg":"ES256","kid":"a","typ":"logout+jwt"}`, "events", `{}`},
			{"DPoP", `{"alg":"ES256","kid":"a","typ":"at+jwt"}`, "cnf", `{"jkt":"x"}`},
		} {
			token := jwtgatetest.Sign(t, "ES256", p256Key, row.header, claims("iss", strconv.Quote(provider), row.member, row.value))
			decide(t, auth, withBearer(token), jwtgate.CodeTokenInvalid)
		}
	})
}

// If the keys of the issuer are unavailable, refresh and logout answer 503 to its
// tokens, not 401.
func TestRemoteDownAtEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{})
		auth := trusting(t, web, keys.Remote{}, withCookies, func(c *jwtgate.Config) {
			c.Now = time.Now
			c.Sessions = &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }}
		})
		defer auth.Close()
		cookies := jwtgatetest.Cookie(t, auth, "alice")
		request := func() jwtgate.Request {
			req := theirs(t, "a", "jti", `"1"`, "exp", strconv.FormatInt(time.Now().Unix()+60, 10))
			req.Method = "POST"
			return req
		}
		logout := request()
		if got := auth.Logout(t.Context(), logout); got.Status != 503 || field(got, "Retry-After") != "10" {
			t.Errorf("logout: got %d, want 503 with Retry-After", got.Status)
		}
		refresh := withField(request(), "Cookie", cookies)
		if got := auth.Refresh(t.Context(), refresh); got.Status != 503 || field(got, "Set-Cookie") != "" {
			t.Errorf("refresh: got %d and Set-Cookie %q, want 503 and no more", got.Status, field(got, "Set-Cookie"))
		}
		web.set(providerSet, setOf(t, es256("a")))
		time.Sleep(10 * time.Second)
		if got := auth.Refresh(t.Context(), refresh); got.Status != 401 {
			t.Errorf("refresh with a token of another issuer: got %d, want 401", got.Status)
		}
		decide(t, auth, logout, accepted)
		if got := auth.Logout(t.Context(), logout); got.Status != 204 {
			t.Errorf("logout: got %d, want 204", got.Status)
		}
		if d := auth.Decide(t.Context(), logout); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenRevoked {
			t.Errorf("after the logout: got %v, want %s", d.Refusal, jwtgate.CodeTokenRevoked)
		}
	})
}
