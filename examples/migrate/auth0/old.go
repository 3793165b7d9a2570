package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/jwks"
	"github.com/auth0/go-jwt-middleware/v2/validator"
)

// oldClaims are the further claims of the access tokens.
type oldClaims struct {
	Scope string   `json:"scope"`
	Roles []string `json:"https://example.com/roles"`
}

// Validate is called for every token.
func (c *oldClaims) Validate(context.Context) error {
	if c.Scope == "" {
		return errors.New("no scope")
	}
	return nil
}

func (c *oldClaims) hasScope(scope string) bool {
	return slices.Contains(strings.Fields(c.Scope), scope)
}

// Old returns the application on auth0's middleware, for access tokens of issuer.
// Transport carries the requests for its keys; nil is the default.
func Old(issuer, audience string, transport http.RoundTripper) (http.Handler, error) {
	issuerURL, err := url.Parse(issuer)
	if err != nil {
		return nil, err
	}
	provider := jwks.NewCachingProvider(issuerURL, 5*time.Minute, jwks.WithCustomClient(&http.Client{Transport: transport}))
	tokens, err := validator.New(provider.KeyFunc, validator.RS256, issuer, []string{audience},
		validator.WithCustomClaims(func() validator.CustomClaims { return new(oldClaims) }),
		validator.WithAllowedClockSkew(time.Minute),
	)
	if err != nil {
		return nil, err
	}
	protect := jwtmiddleware.New(tokens.ValidateToken).CheckJWT

	mux := http.NewServeMux()
	mux.Handle("GET /api/hello", protect(http.HandlerFunc(oldHello)))
	mux.Handle("GET /api/profile", protect(http.HandlerFunc(profile)))
	mux.Handle("GET /api/messages", protect(http.HandlerFunc(oldMessages)))
	mux.Handle("GET /api/admin", protect(http.HandlerFunc(oldAdmin)))
	return mux, nil
}

func oldHello(w http.ResponseWriter, r *http.Request) {
	claims := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
	writeText(w, "Welcome "+claims.RegisteredClaims.Subject+"!")
}

func oldMessages(w http.ResponseWriter, r *http.Request) {
	claims := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
	if !claims.CustomClaims.(*oldClaims).hasScope("read:messages") {
		http.Error(w, "insufficient scope", http.StatusForbidden)
		return
	}
	writeText(w, "no messages")
}

func oldAdmin(w http.ResponseWriter, r *http.Request) {
	claims := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
	if !slices.Contains(claims.CustomClaims.(*oldClaims).Roles, "admin") {
		http.Error(w, "not an admin", http.StatusForbidden)
		return
	}
	writeText(w, "Welcome, admin!")
}

// profile is in both applications, unchanged.
func profile(w http.ResponseWriter, r *http.Request) {
	claims := r.Context().Value(jwtmiddleware.ContextKey{}).(*validator.ValidatedClaims)
	writeText(w, fmt.Sprintf("%s: %s", claims.RegisteredClaims.Subject, claims.CustomClaims.(*oldClaims).Scope))
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) //nolint:gosec // this is not HTML; a write fails if the client has closed the connection
}
