// Command oidc is an application whose users sign in with an OpenID Connect provider,
// such as Google, or with GitHub.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"os"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

const site = "http://localhost:8080"

func main() {
	secret := make([]byte, 32) // an application reads it from its environment
	_, _ = rand.Read(secret)   // never fails
	auth, err := jwtgate.New(config(secret))
	if err != nil {
		log.Fatal(err)
	}
	providers := map[string]*provider{}
	if id := os.Getenv("GITHUB_ID"); id != "" {
		providers["github"] = gitHub(id, os.Getenv("GITHUB_SECRET"), site+"/callback/github")
	}
	if id := os.Getenv("OIDC_ID"); id != "" {
		providers["oidc"], err = openIDConnect(context.Background(), os.Getenv("OIDC_ISSUER"), id, os.Getenv("OIDC_SECRET"), site+"/callback/oidc")
		if err != nil {
			log.Fatal(err)
		}
	}
	log.Println(site)
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", routes(auth, providers))) //nolint:gosec // a guide needs no timeouts
}

func config(secret []byte) jwtgate.Config {
	return jwtgate.Config{
		Issuer:   "https://shop.example.com",
		Audience: "https://shop.example.com",
		Keys:     keys.HS256(secret),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{Subject: loadUser},
	}
}

// loadUser is called at every login and every refresh. An application looks the subject up
// in its database, creates it at the first login, and returns its roles.
func loadUser(context.Context, string) (jwtgate.Grant, error) {
	return jwtgate.Grant{Roles: []string{"user"}}, nil
}

func routes(auth *jwtgate.Auth, providers map[string]*provider) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", nethttp.Protect(auth, jwtgate.Optional())(http.HandlerFunc(home)))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	for name, p := range providers {
		s := signIn{auth: auth, provider: p}
		mux.Handle("GET /login/"+name, nethttp.Handle(s.begin))
		mux.Handle("GET /callback/"+name, nethttp.Handle(s.finish))
	}
	return mux
}

// home says who is signed in. A page would have a link to /login/NAME here.
func home(w http.ResponseWriter, r *http.Request) {
	var subject any
	if id, ok := nethttp.Identity(r); ok {
		subject = id.Subject()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"sub": subject}) // fails if the browser has disconnected
}
