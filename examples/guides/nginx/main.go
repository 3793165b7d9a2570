// Command nginx is an application behind nginx, with files that nginx serves to
// signed-in users only.
package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"net/netip"
	"strings"

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
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", routes(auth))) //nolint:gosec // nginx has the timeouts
}

func config(secret []byte) jwtgate.Config {
	return jwtgate.Config{
		Issuer:        "https://shop.example.com",
		Audience:      "https://shop.example.com",
		Keys:          keys.HS256(secret),
		Cookies:       &jwtgate.CookieConfig{},
		Sessions:      &jwtgate.SessionConfig{Subject: users.Find, Limiter: &jwtgate.PasswordLimiter{}},
		ClientAddress: clientAddress,
	}
}

// clientAddress returns the address of the client that nginx adds, if the request comes
// from nginx on this machine. Anyone else can send the field, too.
func clientAddress(req jwtgate.Request) netip.Addr {
	peer := req.PeerAddr()
	if !peer.IsLoopback() {
		return peer
	}
	// nginx appends the address that it sees to what the client has sent.
	chain := strings.Split(req.First("X-Forwarded-For"), ",")
	addr, err := netip.ParseAddr(strings.TrimSpace(chain[len(chain)-1]))
	if err != nil {
		return peer
	}
	return addr
}

func routes(auth *jwtgate.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /login", nethttp.Handle(auth.Login(users.Check)))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	mux.Handle("/page", nethttp.Protect(auth)(http.HandlerFunc(page)))
	mux.Handle("/judge", nethttp.Protect(auth, jwtgate.NoRenewal())(http.HandlerFunc(allowed)))
	return mux
}

func page(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	_ = json.NewEncoder(w).Encode(id.Subject()) // fails if the client has disconnected
}

// allowed answers the sub-requests of nginx, and says for whom it serves the file.
func allowed(w http.ResponseWriter, r *http.Request) {
	id, _ := nethttp.Identity(r)
	w.Header().Set("X-User", id.Subject())
}
