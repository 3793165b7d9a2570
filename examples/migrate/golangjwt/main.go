// Command golangjwt is an application on github.com/golang-jwt/jwt, and the same application on
// jwtgate. See the README.
package main

import (
	"crypto/rand"
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/jwtgate/jwtgate/core/keys"
)

func main() {
	old := flag.Bool("old", false, "run the application on golang-jwt")
	address := flag.String("address", "127.0.0.1:8080", "listen on this `address`")
	flag.Parse()
	handler, err := application(*old)
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: *address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Printf("listening on http://%s", *address)
	log.Fatal(server.ListenAndServe())
}

func application(old bool) (http.Handler, error) {
	// A server reads its secrets from a file or from the environment, and knows the
	// day on which the last old token expires.
	oldSecret, newSecret := []byte("secret"), make([]byte, 32)
	_, _ = rand.Read(newSecret)
	until := time.Now().Add(lifetime)

	if old {
		return Old(oldSecret), nil
	}
	auth, err := NewAuth(keys.Set{keys.HS256(newSecret), keys.InsecureHS256(oldSecret, until)})
	if err != nil {
		return nil, err
	}
	return New(auth), nil
}
