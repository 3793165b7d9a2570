// Command auth0 is an application on github.com/auth0/go-jwt-middleware, and the same
// application on jwtgate. See the README.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	old := flag.Bool("old", false, "run the application on auth0's middleware")
	address := flag.String("address", "127.0.0.1:8080", "listen on this `address`")
	flag.Parse()
	if err := run(*old, *address); err != nil {
		log.Fatal(err)
	}
}

func run(old bool, address string) error {
	issuer, audience := "https://"+os.Getenv("AUTH0_DOMAIN")+"/", os.Getenv("AUTH0_AUDIENCE")
	if os.Getenv("AUTH0_DOMAIN") == "" {
		var err error
		if issuer, audience, err = startTenant(); err != nil {
			return err
		}
	}
	handler, err := application(old, issuer, audience)
	if err != nil {
		return err
	}
	server := http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Printf("listening on http://%s", address)
	return server.ListenAndServe()
}

func application(old bool, issuer, audience string) (http.Handler, error) {
	if old {
		return Old(issuer, audience, nil)
	}
	auth, err := NewAuth(issuer, audience, nil)
	if err != nil {
		return nil, err
	}
	return New(auth), nil
}

// startTenant starts a tenant on this machine and prints a token of it.
func startTenant() (issuer, audience string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	issuer, audience = "http://"+listener.Addr().String()+"/", "https://api.example.com"
	tenant, err := newTenant(issuer, audience)
	if err != nil {
		return "", "", err
	}
	token, err := tenant.token(nil)
	if err != nil {
		return "", "", err
	}
	server := http.Server{Handler: tenant, ReadHeaderTimeout: 10 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	log.Printf("AUTH0_DOMAIN is not set: accepting tokens of %s, such as\n%s", issuer, token)
	return issuer, audience, nil
}
