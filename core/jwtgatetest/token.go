package jwtgatetest

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Token returns an access token for subject with roles, issued by auth. If auth
// cannot issue it, Token fails the test.
func Token(tb testing.TB, auth *jwtgate.Auth, subject string, roles ...string) string {
	tb.Helper()
	return TokenOf(tb, auth, jwtgate.Grant{Subject: subject, Roles: roles})
}

// Sign returns a compact JWS (RFC 7515) with the given header and payload,
// which it does not check. The algorithm alg is that of the signature, such as
// HS256, and may differ from the one in the header. The type of key is []byte
// for an HS algorithm, and *rsa.PrivateKey, *ecdsa.PrivateKey or
// ed25519.PrivateKey for the others. If Sign cannot sign, it fails the test.
func Sign(tb testing.TB, alg string, key any, header, payload string) string {
	tb.Helper()
	method := jwt.GetSigningMethod(alg)
	if method == nil {
		tb.Fatalf("unknown algorithm %q", alg)
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	signature, err := method.Sign(input, key)
	if err != nil {
		tb.Fatalf("sign a token: %v", err)
	}
	return input + "." + encode(signature)
}

// Cookie signs subject in, and returns the value of the Cookie header that the
// browser then sends. The configuration of auth must have Sessions and Cookies.
// If the sign-in fails, Cookie fails the test.
func Cookie(tb testing.TB, auth *jwtgate.Auth, subject string) string {
	tb.Helper()
	cookies, _ := openSession(tb, auth, subject)
	return strings.Join(cookies, "; ")
}
