package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/jwtauth/v5"
	"github.com/lestrrat-go/jwx/v2/jwt"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

// newClaims are the further claims of new tokens. The user_id is a number, as old
// instances expect.
type newClaims struct {
	UserID int `json:"user_id"`
}

// NewAuth accepts the tokens of both applications.
func NewAuth(source keys.Source) (*jwtgate.Auth, error) {
	return jwtgate.New(jwtgate.Config{
		Issuer:      "https://auth.example.com",
		Audience:    "https://api.example.com",
		Keys:        source,
		AccessTTL:   lifetime,
		MaxLifetime: lifetime + time.Minute, // in case the clocks of two servers differ

		// Delete these lines when the last old token has expired.
		InsecureAnyIssuer:   true,      // old tokens have no iss,
		InsecureAnyAudience: true,      // no aud,
		SubjectClaim:        "user_id", // and no sub
	})
}

// New returns the application on jwtgate.
func New(auth *jwtgate.Auth) http.Handler {
	r := chi.NewRouter()
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		user, ok := users.Check(r.PostFormValue("username"), r.PostFormValue("password"))
		if !ok {
			http.Error(w, "wrong name or password", http.StatusUnauthorized)
			return
		}
		access, err := auth.Issue(r.Context(), jwtgate.Grant{
			Subject: strconv.Itoa(user.ID),
			Roles:   []string{user.Role()},
			Claims:  newClaims{UserID: user.ID},
		})
		if err != nil {
			http.Error(w, "no token", http.StatusInternalServerError)
			return
		}
		writeJSON(w, map[string]any{"token": access.Token})
	})
	r.Route("/api", func(r chi.Router) {
		r.Use(nethttp.Protect(auth))
		r.Get("/hello", newHello)
		r.With(keepToken).Get("/profile", profile)
		r.With(nethttp.Protect(auth, jwtgate.Role("admin"))).Get("/admin", newAdmin)
	})
	return r
}

func newHello(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	writeText(w, "Welcome "+id.Subject()+"!")
}

func newAdmin(w http.ResponseWriter, _ *http.Request) { writeText(w, "Welcome, admin!") }

// keepToken sets the context of jwtauth, for handlers that have not been changed yet.
func keepToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := jwt.New()
		claims, err := nethttp.Claims[json.RawMessage](r)
		if err == nil {
			err = json.Unmarshal(claims, &token)
		}
		next.ServeHTTP(w, r.WithContext(jwtauth.NewContext(r.Context(), token, err)))
	})
}
