package jwtgate_test

import (
	"fmt"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestPurpose(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	for _, row := range []row{
		{"aud in an array", claims("aud", `["`+audience+`"]`), accepted},
		{"aud among others", claims("aud", `["https://x.example.com","`+audience+`"]`), accepted},
		{"aud absent", claims("aud", ""), jwtgate.CodeTokenInvalid},
		{"aud null", claims("aud", "null"), jwtgate.CodeTokenInvalid},
		{"aud empty", claims("aud", `""`), jwtgate.CodeTokenInvalid},
		{"aud an empty array", claims("aud", "[]"), jwtgate.CodeTokenInvalid},
		{"aud an array of nothing", claims("aud", `[""]`), jwtgate.CodeTokenInvalid},
		{"aud a number", claims("aud", "1"), jwtgate.CodeTokenInvalid},
		{"aud in an array in an array", claims("aud", `[["`+audience+`"]]`), jwtgate.CodeTokenInvalid},
		{"aud beside a number", claims("aud", `["`+audience+`",1]`), jwtgate.CodeTokenInvalid},
		{"aud cut short", claims("aud", `"https://api.example.co"`), jwtgate.CodeTokenInvalid},
		{"aud and more", claims("aud", `"`+audience+`.evil.example"`), jwtgate.CodeTokenInvalid},
		{"aud with a slash", claims("aud", `"`+audience+`/"`), jwtgate.CodeTokenInvalid},
		{"aud in another case", claims("aud", `"https://API.example.com"`), jwtgate.CodeTokenInvalid},
		{"aud in a list with spaces", claims("aud", `"x `+audience+`"`), jwtgate.CodeTokenInvalid},

		{"iss absent", claims("iss", ""), jwtgate.CodeTokenInvalid},
		{"iss empty", claims("iss", `""`), jwtgate.CodeTokenInvalid},
		{"iss null", claims("iss", "null"), jwtgate.CodeTokenInvalid},
		{"iss in an array", claims("iss", `["`+issuer+`"]`), jwtgate.CodeTokenInvalid},
		{"iss of another tenant", claims("iss", `"https://auth.example.com/b"`), jwtgate.CodeTokenInvalid},
		{"iss with another scheme", claims("iss", `"http://auth.example.com"`), jwtgate.CodeTokenInvalid},
		{"iss with a slash", claims("iss", `"https://auth.example.com/"`), jwtgate.CodeTokenInvalid},
		{"iss with a Cyrillic a", claims("iss", `"https://`+"\u0430"+`uth.example.com"`), jwtgate.CodeTokenInvalid},

		{"sub absent", claims("sub", ""), jwtgate.CodeTokenInvalid},
		{"sub empty", claims("sub", `""`), jwtgate.CodeTokenInvalid},
		{"sub null", claims("sub", "null"), jwtgate.CodeTokenInvalid},
		{"sub a whole number", claims("sub", "1"), accepted},
		{"sub a fraction", claims("sub", "1.0"), jwtgate.CodeTokenInvalid},
		{"sub an exponent", claims("sub", "1e3"), jwtgate.CodeTokenInvalid},
		{"sub negative", claims("sub", "-1"), jwtgate.CodeTokenInvalid},
		{"sub an object", claims("sub", "{}"), jwtgate.CodeTokenInvalid},

		{"jti a number", claims("jti", "1"), accepted},
		{"sid a number", claims("sid", "1"), accepted},
		{"gen a string", claims("gen", `"second"`), accepted},
		{"gen in another case", claims("GEN", `"Z"`), accepted},
		{"cnf without a proof (RFC 9449 §7.2)", claims("cnf", `{"jkt":"h"}`), jwtgate.CodeTokenInvalid},

		// A client refreshes an expired token by itself, so token_expired is only
		// the answer for a token that is valid otherwise.
		{"expired, of another issuer", claims("exp", at(-1), "iss", `"x"`), jwtgate.CodeTokenInvalid},
		{"expired, for another audience", claims("exp", at(-1), "aud", `"x"`), jwtgate.CodeTokenInvalid},
		{"expired, without a subject", claims("exp", at(-1), "sub", ""), jwtgate.CodeTokenInvalid},
		{"expired, not good yet", claims("exp", at(-1), "nbf", at(9)), jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, row.text)), row.want)
		})
	}
}

func TestExpiredAndForged(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret).WithID("k"))
	expired := claims("exp", at(-1))
	other := append([]byte("not "), secret...)
	decide(t, auth, withBearer(signed(t, expired)), jwtgate.CodeTokenExpired)
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", other, hs256, expired)), jwtgate.CodeTokenInvalid)
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"x"}`, expired)), jwtgate.CodeTokenInvalid)
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","typ":"x"}`, expired)), jwtgate.CodeTokenInvalid)
}

// The answer to an invalid token does not tell which check failed.
func TestRefusalsLookAlike(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret).WithID("k"))
	good := signed(t, claims())
	want := decide(t, auth, withBearer(good[:len(good)-4]), jwtgate.CodeTokenInvalid).Response
	for _, token := range []string{
		"garbage",
		jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"x"}`, claims()),
		jwtgatetest.Sign(t, "HS256", append(secret, 'x'), hs256, claims()),
		signed(t, claims("iss", `"x"`)),
		signed(t, claims("aud", `"x"`)),
	} {
		got := decide(t, auth, withBearer(token), jwtgate.CodeTokenInvalid).Response
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestGivingUpChecks(t *testing.T) {
	t.Parallel()
	anyIssuer := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Issuer, c.InsecureAnyIssuer = "", true })
	decide(t, anyIssuer, withBearer(signed(t, claims("iss", `"https://x.example"`))), accepted)
	decide(t, anyIssuer, withBearer(signed(t, claims("iss", ""))), accepted)
	decide(t, anyIssuer, withBearer(signed(t, claims("iss", "1"))), accepted)
	decide(t, anyIssuer, withBearer(signed(t, claims("aud", `"x"`))), jwtgate.CodeTokenInvalid)

	anyAudience := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Audience, c.InsecureAnyAudience = "", true })
	decide(t, anyAudience, withBearer(signed(t, claims("aud", `["x"]`))), accepted)
	decide(t, anyAudience, withBearer(signed(t, claims("aud", ""))), accepted)
	decide(t, anyAudience, withBearer(signed(t, claims("aud", "1"))), accepted)
	decide(t, anyAudience, withBearer(signed(t, claims("iss", `"x"`))), jwtgate.CodeTokenInvalid)

	// InsecureAnyIssuer also disables the check if Issuer is set.
	both := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.InsecureAnyIssuer, c.InsecureAnyAudience = true, true })
	decide(t, both, withBearer(signed(t, claims("iss", `"x"`, "aud", `"x"`))), accepted)
}

func TestNilAuth(t *testing.T) {
	t.Parallel()
	var auth *jwtgate.Auth
	decide(t, auth, withBearer(signed(t, claims())), jwtgate.CodeUnavailable)
	decide(t, auth, jwtgate.Request{}, jwtgate.CodeUnavailable, jwtgate.Optional())
}
