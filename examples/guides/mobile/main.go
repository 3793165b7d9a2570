// Command mobile is the server of an app that holds its tokens itself.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

func main() {
	secret := make([]byte, 32) // an application reads it from its environment
	_, _ = rand.Read(secret)   // never fails
	auth, err := jwtgate.New(config(secret))
	if err != nil {
		log.Fatal(err)
	}
	google, err := jwtgate.New(googleConfig(os.Getenv("GOOGLE_CLIENT_ID")))
	if err != nil {
		log.Println("without Google: ", err) // a nil Auth refuses every request
	}
	log.Println("curl -d username=alice -d password=wonderland http://localhost:8080/token")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", routes(auth, google))) //nolint:gosec // a guide needs no timeouts
}

// config has no cookies: an app sends its tokens in the Authorization header. An app that
// is used once a month stays signed in.
func config(secret []byte) jwtgate.Config {
	return jwtgate.Config{
		Issuer:   "https://api.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(secret),
		Sessions: &jwtgate.SessionConfig{
			Subject:    loadUser,
			RefreshTTL: 60 * 24 * time.Hour,  // without a refresh
			SessionTTL: 365 * 24 * time.Hour, // in any case
			Limiter:    &jwtgate.PasswordLimiter{},
		},
	}
}

// googleConfig is for the ID tokens that Google's library gives to the app.
func googleConfig(clientID string) jwtgate.Config {
	return jwtgate.Config{
		Issuer:         "https://accounts.google.com",
		Audience:       clientID,
		Keys:           keys.Remote{},
		AcceptIDTokens: true,
	}
}

// loadUser knows the demo users, and everyone who has signed in with Google.
func loadUser(ctx context.Context, subject string) (jwtgate.Grant, error) {
	grant, err := users.Find(ctx, subject)
	if err != nil && fromGoogle(subject) {
		return jwtgate.Grant{}, nil
	}
	return grant, err
}

func routes(auth, google *jwtgate.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /token", nethttp.Handle(auth.Token(users.Check)))
	mux.Handle("POST /token/google", nethttp.Handle(exchange(auth, google)))
	mux.Handle("POST /refresh", nethttp.Handle(auth.Refresh))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	mux.Handle("GET /sessions", nethttp.Handle(auth.ListSessions))
	mux.Handle("DELETE /sessions/{id}", nethttp.Handle(auth.DeleteSession))
	mux.Handle("GET /me", nethttp.Protect(auth)(http.HandlerFunc(me)))
	return mux
}

func me(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"sub": id.Subject()}) // fails if the client has disconnected
}
