package jwtgate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"net/http"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// newES256 returns a fresh key, whose kid would be its thumbprint without WithID.
func newES256(id string) jwtgate.Key {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return jwtgate.ES256(private).WithID(id)
}

// From a shared secret to a pair of keys, whose public half others can have:
// the pair signs from now on, and tokens by the secret are good until they
// expire. After AccessTTL, leave the secret out of Keys.
func ExampleKeySet() {
	secret := []byte("the shared secret of at least 32 bytes")
	pair := rsaKey() // or the bytes of a PEM file
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     jwtgate.KeySet{jwtgate.RS256(pair), jwtgate.HS256(secret)},
		Sessions: &jwtgate.SessionConfig{
			Subject: loadUser,
			// Without Keys they were derived from the secret. For as long as old
			// sessions live, say so: they must not end with this change.
			Keys: [][]byte{secret},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close()

	before, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     jwtgate.HS256(secret),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, signer := range []*jwtgate.Auth{before, auth} {
		token, err := signer.Issue(context.Background(), jwtgate.Grant{Subject: "alice"})
		if err != nil {
			log.Fatal(err)
		}
		decision := auth.Decide(context.Background(), jwtgate.Request{Header: http.Header{"Authorization": {"Bearer " + token.Token}}})
		fmt.Println(decision.Identity.Subject())
	}
	// Output:
	// alice
	// alice
}

// A key by call: announced, so that others know it, and then in use. The old one
// is held for as long as a token by it can be good.
func ExampleKeyRing() {
	ring := jwtgate.NewKeyRing(newES256("2026"))
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     ring,
		Now:      func() time.Time { return time.Date(2026, time.December, 31, 23, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := auth.Issue(context.Background(), jwtgate.Grant{Subject: "alice"}); err != nil {
		log.Fatal(err)
	}

	if err := ring.Announce(newES256("2027")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(ring)
	if err := ring.Rotate(); err != nil { // some time later, 5 minutes at least
		log.Fatal(err)
	}
	fmt.Println(ring)
	// Output:
	// ES256 key 2026 signs, ES256 key 2027 is next
	// ES256 key 2027 signs, ES256 key 2026 verifies until 2026-12-31T23:15:00Z
}

// Keys from configuration: what is listed holds, and a list that cannot work
// changes nothing.
func ExampleKeyRing_Replace() {
	old, current := newES256("old"), newES256("current")
	ring := jwtgate.NewKeyRing(old)
	for _, keys := range [][]jwtgate.Key{
		{old, current}, // announce
		{current, old}, // sign
		{current},      // retire
		{},
	} {
		if err := ring.Replace(keys...); err != nil {
			fmt.Println(err)
		}
		fmt.Println(ring)
	}
	// Output:
	// ES256 key old signs, ES256 key current verifies
	// ES256 key current signs, ES256 key old verifies
	// ES256 key current signs
	// jwtgate: KeyRing: is empty: give at least one key
	// ES256 key current signs
}

// A fresh key every day, for a process that is alone to sign.
func ExampleKeyRing_RotateEvery() {
	ctx, stop := context.WithCancel(context.Background())
	generate := func(context.Context) (jwtgate.Key, error) {
		defer stop() // so that this example ends
		return newES256("tomorrow's"), nil
	}
	ring := jwtgate.NewKeyRing(newES256("today's"))
	err := ring.RotateEvery(ctx, 24*time.Hour, generate, nil) // in a goroutine and with a logger, in earnest
	fmt.Println(ring, err)
	// Output: ES256 key today's signs, ES256 key tomorrow's is next context canceled
}
