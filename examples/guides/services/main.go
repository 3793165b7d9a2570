// Command services runs an issuer, an API and a service that calls the API, which are
// three programs otherwise.
package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	own, err := jwtgate.New(issuerConfig(key))
	if err != nil {
		return err
	}
	publisher, err := serve(nethttp.Handle(own.JWKS))
	if err != nil {
		return err
	}
	auth, err := jwtgate.New(apiConfig("https://auth.example.com", keys.Remote{URL: publisher}))
	if err != nil {
		return err
	}
	address, err := serve(api(auth))
	if err != nil {
		return err
	}
	res, err := withOwnKey(ctx, own, "billing").Get(address + "/invoices")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	fmt.Printf("%s %s", res.Status, body)
	return err
}

// issuerConfig is the configuration of the service that issues the tokens. A leaked token
// of a service is good for five minutes.
func issuerConfig(key ed25519.PrivateKey) jwtgate.Config {
	return jwtgate.Config{
		Issuer:    "https://auth.example.com",
		Audience:  audience,
		Keys:      keys.EdDSA(key),
		AccessTTL: 5 * time.Minute,
	}
}

// serve serves h on a free port of this machine, and returns its URL.
func serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(l, h) }() //nolint:gosec // a guide needs no timeouts
	return "http://" + l.Addr().String(), nil
}
