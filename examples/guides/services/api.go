package main

import (
	"encoding/json"
	"net/http"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

const audience = "https://invoices.example.com"

// apiConfig is the configuration of an API that issues no tokens: those of issuer are
// accepted, with the keys that it publishes.
func apiConfig(issuer string, published keys.Remote) jwtgate.Config {
	return jwtgate.Config{
		Issuer:   issuer,
		Audience: audience,
		Keys:     published,
	}
}

// api returns the routes of the API. A service needs the scope that it was given at the
// issuer.
func api(auth *jwtgate.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /invoices", nethttp.Protect(auth, jwtgate.Scope("invoices:read"))(http.HandlerFunc(invoices)))
	return mux
}

func invoices(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"for": id.Subject()}) // fails if the client has disconnected
}
