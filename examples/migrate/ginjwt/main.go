// Command ginjwt is an application on github.com/appleboy/gin-jwt, and the same
// application on jwtgate. See the README.
package main

import (
	"crypto/rand"
	"flag"
	"log"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/jwtgate/jwtgate/core/keys"
)

func main() {
	old := flag.Bool("old", false, "run the application on gin-jwt")
	address := flag.String("address", "127.0.0.1:8080", "listen on this `address`")
	flag.Parse()
	r, err := application(*old)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(r.Run(*address))
}

func application(old bool) (*gin.Engine, error) {
	// A server reads its secrets from a file or from the environment, and knows the
	// day on which the last old token expires.
	oldSecret, newSecret := []byte("secret key"), make([]byte, 32)
	_, _ = rand.Read(newSecret)
	until := time.Now().Add(timeout)

	if old {
		return Old(oldSecret)
	}
	auth, err := NewAuth(keys.Set{keys.HS256(newSecret), keys.InsecureHS256(oldSecret, until)})
	if err != nil {
		return nil, err
	}
	return New(auth), nil
}
