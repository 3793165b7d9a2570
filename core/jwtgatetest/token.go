package jwtgatetest

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Token returns an access token by auth for subject with roles.
func Token(tb testing.TB, auth *jwtgate.Auth, subject string, roles ...string) string {
	tb.Helper()
	token, err := auth.Issue(context.Background(), jwtgate.Grant{Subject: subject, Roles: roles})
	if err != nil {
		tb.Fatalf("issue a token: %v", err)
	}
	return token.Token
}

// Sign returns the compact JWS of header and payload, whatever is in them,
// signed by the algorithm called alg with key: the secret of an HS algorithm, or
// an *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey.
func Sign(tb testing.TB, alg string, key any, header, payload string) string {
	tb.Helper()
	method := jwt.GetSigningMethod(alg)
	if method == nil {
		tb.Fatalf("no algorithm is called %q", alg)
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	signature, err := method.Sign(input, key)
	if err != nil {
		tb.Fatalf("sign a token: %v", err)
	}
	return input + "." + encode(signature)
}

// Cookie returns the Cookie header of a browser in which subject has just signed
// in. auth has Config.Sessions and Config.Cookies.
func Cookie(tb testing.TB, auth *jwtgate.Auth, subject string) string {
	tb.Helper()
	tokens, err := auth.SignIn(context.Background(), jwtgate.Request{}, subject)
	if err != nil {
		tb.Fatalf("sign in: %v", err)
	}
	var pairs []string
	for _, field := range tokens.Cookies().Header {
		if field.Name == "Set-Cookie" {
			pair, _, _ := strings.Cut(field.Value, ";")
			pairs = append(pairs, pair)
		}
	}
	return strings.Join(pairs, "; ")
}
