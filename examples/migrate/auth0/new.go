package main

import (
	"context"
	"errors"
	"net/http"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/validator"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

// newClaims are the further claims of the access tokens.
type newClaims struct {
	Scope string `json:"scope"`
}

// Validate is called by the rule ClaimsOf.
func (c newClaims) Validate() error {
	if c.Scope == "" {
		return errors.New("no scope")
	}
	return nil
}

// NewAuth accepts access tokens of issuer. Transport carries the requests for its keys;
// nil is the default.
func NewAuth(issuer, audience string, transport http.RoundTripper) (*jwtgate.Auth, error) {
	return jwtgate.New(jwtgate.Config{
		Issuer:     issuer, // with the slash at the end
		Audience:   audience,
		Keys:       keys.Remote{Transport: transport},
		RoleClaims: []string{"https://example.com/roles"},
	})
}

// New returns the application on jwtgate.
func New(auth *jwtgate.Auth) http.Handler {
	fit := jwtgate.ClaimsOf[newClaims]()
	protect := nethttp.Protect(auth, fit)

	mux := http.NewServeMux()
	mux.Handle("GET /api/hello", protect(http.HandlerFunc(newHello)))
	mux.Handle("GET /api/profile", protect(keepClaims(http.HandlerFunc(profile))))
	mux.Handle("GET /api/messages", nethttp.Protect(auth, fit, jwtgate.Scope("read:messages"))(http.HandlerFunc(newMessages)))
	mux.Handle("GET /api/admin", nethttp.Protect(auth, fit, jwtgate.Role("admin"))(http.HandlerFunc(newAdmin)))
	return mux
}

func newHello(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	writeText(w, "Welcome "+id.Subject()+"!")
}

func newMessages(w http.ResponseWriter, _ *http.Request) { writeText(w, "no messages") }

func newAdmin(w http.ResponseWriter, _ *http.Request) { writeText(w, "Welcome, admin!") }

// keepClaims puts the claims into the context as auth0's middleware does, for handlers
// that have not been changed yet.
func keepClaims(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		custom, err := nethttp.Claims[*oldClaims](r)
		if err != nil {
			http.Error(w, "the claims do not fit", http.StatusInternalServerError)
			return
		}
		id, _ := nethttp.Identity(r)
		claims := &validator.ValidatedClaims{
			CustomClaims: custom,
			RegisteredClaims: validator.RegisteredClaims{
				Issuer:  id.Issuer(),
				Subject: id.Subject(),
				Expiry:  id.Expires().Unix(),
				ID:      id.TokenID(),
			},
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), jwtmiddleware.ContextKey{}, claims)))
	})
}
