// Package nethttp is the adapter of package jwtgate for net/http, and so for chi,
// gorilla/mux and every other router that takes an http.Handler.
//
//	mux.Handle("/api/", nethttp.Protect(auth)(api))
//
// Behind Protect, the identity is in r.Context(): read it with [Claims] and
// [Identity] in a handler, with jwtgate.Claims and jwtgate.IdentityFrom below one.
//
// Package jwtclient is for the Go programs that call a protected server.
package nethttp

import (
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that lets through what auth and all rules allow,
// and answers everything else itself.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d := auth.Decide(r.Context(), jwtgate.HTTPRequest(r), rules...)
			if Send(w, d.Response) {
				return
			}
			if d.Renewed {
				renewed := d.CommitWriter(w)
				defer renewed.Commit()
				w = renewed
			}
			next.ServeHTTP(w, d.Forward(r))
		})
	}
}

// Handle mounts an endpoint of core, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Send(w, endpoint(r.Context(), jwtgate.HTTPRequest(r)))
	})
}

// Claims returns the token's claims as a T. See [jwtgate.Claims] for its errors.
func Claims[T any](r *http.Request) (T, error) { return jwtgate.Claims[T](r.Context()) }

// Identity returns who the request comes from, and false for an anonymous one.
func Identity(r *http.Request) (*jwtgate.Identity, bool) { return jwtgate.IdentityFrom(r.Context()) }

// Send does what res says: it sets the header fields and, unless the status is
// zero, answers. It reports whether it answered. net/http has no error path of
// its own to leave res.Err to, so the body is sent in any case.
func Send(w http.ResponseWriter, res jwtgate.Response) (answered bool) {
	res.WriteHeader(w.Header())
	if res.Status == 0 {
		return false
	}
	w.WriteHeader(res.Status)
	_, _ = w.Write(res.Body) // a client that has gone away is not our error
	return true
}
