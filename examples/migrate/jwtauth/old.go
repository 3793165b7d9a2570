package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/jwtauth/v5"

	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
)

// lifetime is how long the tokens of both applications are valid.
const lifetime = 24 * time.Hour

// Old returns the application on jwtauth. Its tokens have a number in user_id, as in the
// documentation of jwtauth, and neither iss nor sub nor aud.
func Old(secret []byte) http.Handler {
	tokens := jwtauth.New("HS256", secret, nil)
	r := chi.NewRouter()
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		user, ok := users.Check(r.PostFormValue("username"), r.PostFormValue("password"))
		if !ok {
			http.Error(w, "wrong name or password", http.StatusUnauthorized)
			return
		}
		claims := map[string]any{"user_id": user.ID, "roles": []string{user.Role()}}
		jwtauth.SetExpiryIn(claims, lifetime) // without it, the token is valid for ever
		_, token, err := tokens.Encode(claims)
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		writeJSON(w, map[string]any{"token": token})
	})
	r.Route("/api", func(r chi.Router) {
		r.Use(jwtauth.Verifier(tokens), jwtauth.Authenticator(tokens))
		r.Get("/hello", oldHello)
		r.Get("/profile", profile)
		r.Get("/admin", oldAdmin)
	})
	return r
}

func oldHello(w http.ResponseWriter, r *http.Request) {
	_, claims, _ := jwtauth.FromContext(r.Context())
	writeText(w, fmt.Sprintf("Welcome %v!", claims["user_id"]))
}

func oldAdmin(w http.ResponseWriter, r *http.Request) {
	_, claims, _ := jwtauth.FromContext(r.Context())
	roles, _ := claims["roles"].([]any)
	if !slices.Contains(roles, any("admin")) {
		http.Error(w, "not an admin", http.StatusForbidden)
		return
	}
	writeText(w, "Welcome, admin!")
}

// profile is in both applications, unchanged.
func profile(w http.ResponseWriter, r *http.Request) {
	_, claims, _ := jwtauth.FromContext(r.Context())
	writeJSON(w, map[string]any{"id": claims["user_id"], "roles": claims["roles"]})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a write fails if the client has closed the connection
}

func writeText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, text) //nolint:gosec // this is not HTML; a write fails if the client has closed the connection
}
