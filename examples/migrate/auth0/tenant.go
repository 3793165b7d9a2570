package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

// A tenant is in place of a tenant at Auth0, so that the applications and their test
// need no account. It publishes its keys and signs tokens in the same form.
type tenant struct {
	issuer, audience string
	key              *rsa.PrivateKey
	jwks             http.Handler
}

const keyID = "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg"

func newTenant(issuer, audience string) (*tenant, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	auth, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.RS256(key).WithID(keyID)})
	if err != nil {
		return nil, err
	}
	return &tenant{issuer, audience, key, nethttp.Handle(auth.JWKS)}, nil
}

// ServeHTTP serves the metadata and the keys of t.
func (t *tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const keysPath = "/.well-known/jwks.json"
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer":   t.issuer,
			"jwks_uri": strings.TrimSuffix(t.issuer, "/") + keysPath,
		})
	case keysPath:
		t.jwks.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// token returns an access token with the claims that Auth0 documents, changed by
// changes. A nil value removes the claim.
func (t *tenant) token(changes map[string]any) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss":   t.issuer,
		"sub":   "auth0|5f7c8ec7c33c6c004bbafe82",
		"aud":   []string{t.audience, t.issuer + "userinfo"},
		"iat":   now.Unix(),
		"exp":   now.Add(24 * time.Hour).Unix(),
		"azp":   "client-of-the-page",
		"scope": "openid profile read:messages",

		"https://example.com/roles": []string{"admin"},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = keyID
	return token.SignedString(t.key)
}
