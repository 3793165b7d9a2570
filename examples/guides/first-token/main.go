// Command first-token is an API that accepts tokens, and has no login.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

func main() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte(os.Getenv("JWT_KEY"))),
	})
	if err != nil {
		log.Fatal(err) // such as an empty JWT_KEY
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", routes(auth))) //nolint:gosec // a guide needs no timeouts
}

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
