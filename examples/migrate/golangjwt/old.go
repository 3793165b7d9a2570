package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
)

const (
	lifetime = 24 * time.Hour             // how long the tokens of both applications are valid
	issuer   = "https://auth.example.com" // the iss of the tokens of both applications
)

// oldClaims are registered claims and a field of the application's own. Like in many
// programs, there is no aud.
type oldClaims struct {
	Role string `json:"role"`
	jwt.RegisteredClaims
}

// Old returns the application with middleware written by hand on golang-jwt.
func Old(secret []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		user, ok := users.Check(r.PostFormValue("username"), r.PostFormValue("password"))
		if !ok {
			http.Error(w, "wrong name or password", http.StatusUnauthorized)
			return
		}
		now := time.Now()
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, oldClaims{
			Role: user.Role(),
			RegisteredClaims: jwt.RegisteredClaims{
				Issuer:    issuer,
				Subject:   user.Name,
				IssuedAt:  jwt.NewNumericDate(now),
				ExpiresAt: jwt.NewNumericDate(now.Add(lifetime)),
			},
		}).SignedString(secret)
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		writeJSON(w, map[string]any{"token": token})
	})
	protect := authenticate(secret)
	mux.Handle("GET /api/hello", protect(http.HandlerFunc(oldHello)))
	mux.Handle("GET /api/profile", protect(http.HandlerFunc(profile)))
	mux.Handle("GET /api/admin", protect(http.HandlerFunc(oldAdmin)))
	return mux
}

// authenticate returns the middleware that jwtgate replaces.
func authenticate(secret []byte) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !found {
				http.Error(w, "no token", http.StatusUnauthorized)
				return
			}
			claims := new(oldClaims)
			_, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return secret, nil },
				jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(issuer))
			if err != nil {
				http.Error(w, "invalid token", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
		})
	}
}

type claimsKey struct{}

// claimsFrom returns the claims of the request with ctx. Handlers call it in both
// applications.
func claimsFrom(ctx context.Context) *oldClaims {
	claims, _ := ctx.Value(claimsKey{}).(*oldClaims)
	return claims
}

func oldHello(w http.ResponseWriter, r *http.Request) {
	writeText(w, "Welcome "+claimsFrom(r.Context()).Subject+"!")
}

func oldAdmin(w http.ResponseWriter, r *http.Request) {
	if claimsFrom(r.Context()).Role != "admin" {
		http.Error(w, "not an admin", http.StatusForbidden)
		return
	}
	writeText(w, "Welcome, admin!")
}

// profile is in both applications, unchanged.
func profile(w http.ResponseWriter, r *http.Request) {
	claims := claimsFrom(r.Context())
	writeJSON(w, map[string]any{"name": claims.Subject, "role": claims.Role})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a write fails if the client has closed the connection
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) //nolint:gosec // this is not HTML; a write fails if the client has closed the connection
}
