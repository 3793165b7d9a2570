// Package nethttp is the adapter of package jwtgate for net/http, and so for every
// router that uses [http.Handler], such as chi and gorilla/mux.
//
// [Protect] is middleware that authenticates requests:
//
//	mux.Handle("/api/", nethttp.Protect(auth)(api))
//
// It puts the identity of the client into the context of the request. Handlers
// read it with [Claims] and [Identity], and functions that have only the context
// with jwtgate.Claims and jwtgate.IdentityFrom.
//
// Go programs that call a protected server can use package jwtclient, which is in
// a subdirectory of this package.
package nethttp

import (
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that calls the next handler for requests that auth
// and all rules accept. It answers all other requests itself.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d := auth.Decide(r.Context(), jwtgate.HTTPRequest(r), rules...)
			defer d.Done()
			if d.Renewed {
				renewed := d.CommitWriter(w)
				defer renewed.Commit()
				w = renewed
			}
			if !Send(w, d.Response) {
				next.ServeHTTP(w, d.Forward(r))
			}
		})
	}
}

// Handle returns a handler that serves endpoint, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Send(w, endpoint(r.Context(), jwtgate.HTTPRequest(r)))
	})
}

// Claims returns the claims of the access token, decoded into a T. It returns the
// errors of [jwtgate.Claims].
func Claims[T any](r *http.Request) (T, error) { return jwtgate.Claims[T](r.Context()) }

// Identity returns the identity in the context of r. It returns false if the
// request is anonymous.
func Identity(r *http.Request) (*jwtgate.Identity, bool) { return jwtgate.IdentityFrom(r.Context()) }

// Send sets the header fields of res and, unless res.Status is zero, writes the
// status and the body. It reports whether it has written them. Because handlers of
// net/http do not return errors, Send ignores res.Err.
func Send(w http.ResponseWriter, res jwtgate.Response) (answered bool) {
	res.CopyHeader(w.Header())
	if res.Status == 0 {
		return false
	}
	w.WriteHeader(res.Status)
	_, _ = w.Write(res.Body) // a write fails if the client has closed the connection
	return true
}
