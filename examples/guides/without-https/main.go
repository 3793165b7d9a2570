// Command without-https is an application for development on plain HTTP.
package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"log/slog"
	"net/http"
	"os"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

func main() {
	secret := make([]byte, 32) // an application reads it from its environment
	_, _ = rand.Read(secret)   // never fails
	auth, err := jwtgate.New(config(secret, os.Getenv("INSECURE_HTTP") == "true"))
	if err != nil {
		log.Fatal(err)
	}
	addr := os.Getenv("ADDR")
	if addr == "" {
		addr = "127.0.0.1:8080"
	}
	log.Printf("http://%s, user alice, password wonderland", addr) //nolint:gosec // the operator has set it
	log.Fatal(http.ListenAndServe(addr, routes(auth)))             //nolint:gosec // a guide needs no timeouts
}

// config returns the same configuration for production and for development, except for
// insecureHTTP. Logger prints the warnings of the library.
func config(secret []byte, insecureHTTP bool) jwtgate.Config {
	return jwtgate.Config{
		Issuer:   "https://shop.example.com",
		Audience: "https://shop.example.com",
		Keys:     keys.HS256(secret),
		Cookies:  &jwtgate.CookieConfig{InsecureHTTP: insecureHTTP},
		Sessions: &jwtgate.SessionConfig{Subject: users.Find},
		Logger:   slog.Default(),
	}
}

func routes(auth *jwtgate.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", page)
	mux.Handle("POST /login", nethttp.Handle(auth.Login(users.Check)))
	mux.Handle("GET /me", nethttp.Protect(auth)(http.HandlerFunc(me)))
	return mux
}

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><title>Development</title>
<form method="post" action="/login"><input name="username"><input name="password" type="password"><button>Sign in</button></form>`))
}

func me(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	_ = json.NewEncoder(w).Encode(id.Subject()) // fails if the client has disconnected
}
