package jwtgate_test

import (
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// TestUse tells access tokens from the other tokens of an issuer, by the claims that
// only one of them has.
func TestUse(t *testing.T) {
	t.Parallel()
	const invalid = jwtgate.CodeTokenInvalid
	usual := newVerifier(t, keys.HS256(secret))
	withIDTokens := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.AcceptIDTokens = true })
	const plain, jwt, at = `{"alg":"HS256"}`, `{"alg":"HS256","typ":"JWT"}`, `{"alg":"HS256","typ":"at+jwt"}`
	for _, row := range []struct {
		name, header string
		changes      []string
		want         jwtgate.Code // by default
		wantIDTokens jwtgate.Code // with AcceptIDTokens
	}{
		{"no mark", plain, nil, accepted, accepted},
		{"token_use access (Cognito)", plain, []string{"token_use", `"access"`}, accepted, accepted},
		{"token_use id (Cognito)", plain, []string{"token_use", `"id"`}, invalid, accepted},
		{"token_use of a password reset", plain, []string{"token_use", `"reset"`}, invalid, invalid},
		{"token_use empty", plain, []string{"token_use", `""`}, invalid, invalid},
		{"token_use a list", plain, []string{"token_use", `["access"]`}, invalid, invalid},
		{"token_use null", plain, []string{"token_use", `null`}, accepted, accepted},
		{"typ Bearer (Keycloak)", jwt, []string{"typ", `"Bearer"`}, accepted, accepted},
		{"typ ID", jwt, []string{"typ", `"ID"`}, invalid, accepted},
		{"typ Refresh", jwt, []string{"typ", `"Refresh"`}, invalid, invalid},
		{"typ Offline", jwt, []string{"typ", `"Offline"`}, invalid, invalid},
		{"typ Logout", jwt, []string{"typ", `"Logout"`}, invalid, invalid},
		{"typ of the application", jwt, []string{"typ", `"user"`}, accepted, accepted},
		{"typ a number", jwt, []string{"typ", `1`}, accepted, accepted},
		{"at_hash", jwt, []string{"at_hash", `"h"`}, invalid, accepted},
		{"c_hash", jwt, []string{"c_hash", `"h"`}, invalid, accepted},
		{"at_hash, whatever else marks an access token", at, []string{"at_hash", `"h"`, "scope", `"openid"`, "token_use", `"access"`}, invalid, accepted},
		{"at_hash null", jwt, []string{"at_hash", `null`}, accepted, accepted},
		{"nonce", jwt, []string{"nonce", `"n"`}, invalid, accepted},
		{"nonce without a typ in the header", plain, []string{"nonce", `"n"`}, invalid, accepted},
		{"nonce null", jwt, []string{"nonce", `null`}, accepted, accepted},
		{"nonce and scope", jwt, []string{"nonce", `"n"`, "scope", `"openid"`}, accepted, accepted},
		{"nonce and scope null", jwt, []string{"nonce", `"n"`, "scope", `null`}, invalid, accepted},
		{"nonce and scp", jwt, []string{"nonce", `"n"`, "scp", `["read"]`}, accepted, accepted},
		{"nonce and at+jwt", at, []string{"nonce", `"n"`}, accepted, accepted},
		{"nonce and typ Bearer", jwt, []string{"nonce", `"n"`, "typ", `"Bearer"`}, accepted, accepted},
		{"nonce and typ of the application", jwt, []string{"nonce", `"n"`, "typ", `"user"`}, invalid, accepted},
		{"nonce and token_use access", jwt, []string{"nonce", `"n"`, "token_use", `"access"`}, accepted, accepted},
		{"nonce, scope and typ ID", jwt, []string{"nonce", `"n"`, "scope", `"openid"`, "typ", `"ID"`}, invalid, accepted},
		{"events of a logout token", jwt, []string{"events", `{"http://schemas.openid.net/event/backchannel-logout":{}}`}, invalid, invalid},
		{"events, whatever else marks an access token", at, []string{"events", `{}`, "scope", `"openid"`}, invalid, invalid},
		{"events null", jwt, []string{"events", `null`}, accepted, accepted},
		{"cnf", at, []string{"cnf", `{"jkt":"h"}`}, invalid, invalid},
		{"cnf null", at, []string{"cnf", `null`}, accepted, accepted},
		{"typ of a logout token in the header", `{"alg":"HS256","typ":"logout+jwt"}`, nil, invalid, invalid},
		{"typ of a security event token in the header", `{"alg":"HS256","typ":"secevent+jwt"}`, nil, invalid, invalid},
		{"NONCE, in a spelling that no issuer has", jwt, []string{"NONCE", `"n"`}, invalid, invalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			token := withBearer(jwtgatetest.Sign(t, "HS256", secret, row.header, claims(row.changes...)))
			decide(t, usual, token, row.want)
			decide(t, withIDTokens, token, row.wantIDTokens)
		})
	}
}

// TestAcceptIDTokensIsPerIssuer checks that ID tokens are accepted of the issuer that
// the option is set for, and of no other.
func TestAcceptIDTokensIsPerIssuer(t *testing.T) {
	t.Parallel()
	const google = "https://accounts.google.com"
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: google, Audience: "client", AcceptIDTokens: true, Keys: keys.ES256(p256Key)}}
	})
	idToken := []string{"nonce", `"n"`, "at_hash", `"h"`}
	theirs := append(idToken, "iss", `"`+google+`"`)
	decide(t, auth, withBearer(signedES256(t, claims(append(theirs, "aud", `"client"`)...))), accepted)
	decide(t, auth, withBearer(signedES256(t, claims(append(theirs, "aud", `"another client"`)...))), jwtgate.CodeTokenInvalid)
	decide(t, auth, withBearer(signedES256(t, claims(theirs...))), jwtgate.CodeTokenInvalid) // for our own audience
	decide(t, auth, withBearer(signed(t, claims(idToken...))), jwtgate.CodeTokenInvalid)
}
