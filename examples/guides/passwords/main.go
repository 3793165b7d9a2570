// Command passwords keeps passwords as argon2id hashes, and lets users change them.
package main

import (
	"crypto/rand"
	"log"
	"net/http"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

func main() {
	secret := make([]byte, 32) // an application reads it from its environment
	_, _ = rand.Read(secret)   // never fails
	users, err := newUserStore()
	if err != nil {
		log.Fatal(err)
	}
	if err := users.setPassword("alice", "wonderland"); err != nil {
		log.Fatal(err)
	}
	auth, err := jwtgate.New(config(secret, users))
	if err != nil {
		log.Fatal(err)
	}
	log.Println("curl -d username=alice -d password=wonderland http://localhost:8080/token")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", routes(auth, users))) //nolint:gosec // a guide needs no timeouts
}

func config(secret []byte, users *userStore) jwtgate.Config {
	return jwtgate.Config{
		Issuer:   "https://shop.example.com",
		Audience: "https://shop.example.com",
		Keys:     keys.HS256(secret),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{
			Subject: users.find,
			Limiter: &jwtgate.PasswordLimiter{},
		},
	}
}

func routes(auth *jwtgate.Auth, users *userStore) http.Handler {
	recent := nethttp.Protect(auth, jwtgate.RecentLogin(5*time.Minute))
	mux := http.NewServeMux()
	mux.Handle("POST /login", nethttp.Handle(auth.Login(users.check)))
	mux.Handle("POST /token", nethttp.Handle(auth.Token(users.check)))
	mux.Handle("GET /me", nethttp.Protect(auth)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	mux.Handle("POST /password", recent(changePassword(auth, users)))
	return mux
}

// changePassword sets a new password, and ends all other sessions of the user, because
// someone else may have opened them with the old password.
func changePassword(auth *jwtgate.Auth, users *userStore) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := nethttp.Identity(r)
		password := r.FormValue("new")
		if len(password) < 8 { // NIST SP 800-63B §5.1.1.2: a length, and no rules about characters
			http.Error(w, "the new password must have 8 characters or more", http.StatusBadRequest)
			return
		}
		if err := users.setPassword(id.Subject(), password); err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		if err := auth.EndSessions(r.Context(), id.Subject(), id.SessionID()); err != nil {
			http.Error(w, "the password is changed, but other devices may still be signed in", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
