package main

import (
	"context"
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

// newClaims are the further claims of new tokens. The role is a string, as old
// instances expect.
type newClaims struct {
	Role string `json:"role"`
}

// NewAuth accepts the tokens of both applications.
func NewAuth(source keys.Source) (*jwtgate.Auth, error) {
	return jwtgate.New(jwtgate.Config{
		Issuer:     issuer,
		Audience:   "https://api.example.com",
		Keys:       source,
		AccessTTL:  lifetime,
		RoleClaims: []string{"role"},

		// Delete this line when the last old token has expired.
		InsecureAnyAudience: true, // old tokens have no aud
	})
}

// New returns the application on jwtgate.
func New(auth *jwtgate.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		user, ok := users.Check(r.PostFormValue("username"), r.PostFormValue("password"))
		if !ok {
			http.Error(w, "wrong name or password", http.StatusUnauthorized)
			return
		}
		access, err := auth.Issue(r.Context(), jwtgate.Grant{Subject: user.Name, Claims: newClaims{Role: user.Role()}})
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		writeJSON(w, map[string]any{"token": access.Token})
	})
	protect := nethttp.Protect(auth)
	mux.Handle("GET /api/hello", protect(http.HandlerFunc(newHello)))
	mux.Handle("GET /api/profile", protect(keepClaims(http.HandlerFunc(profile))))
	mux.Handle("GET /api/admin", nethttp.Protect(auth, jwtgate.Role("admin"))(http.HandlerFunc(newAdmin)))
	return mux
}

func newHello(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	writeText(w, "Welcome "+id.Subject()+"!")
}

func newAdmin(w http.ResponseWriter, _ *http.Request) { writeText(w, "Welcome, admin!") }

// keepClaims puts the claims where claimsFrom finds them, for handlers that have not
// been changed yet.
func keepClaims(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := nethttp.Claims[*oldClaims](r)
		if err != nil {
			http.Error(w, "the claims do not fit", http.StatusInternalServerError)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
	})
}
