// Package app is an application whose routes and handlers are tested.
package app

import (
	"encoding/json"
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

// routes returns the routes of the application. Its tests give it an Auth of their own.
func routes(auth *jwtgate.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /hello", nethttp.Protect(auth)(http.HandlerFunc(hello)))
	mux.Handle("GET /admin", nethttp.Protect(auth, jwtgate.Role("admin"))(http.HandlerFunc(hello)))
	return mux
}

func hello(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	_ = json.NewEncoder(w).Encode("hello " + id.Subject()) // fails if the client has disconnected
}
