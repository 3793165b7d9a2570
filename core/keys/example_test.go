package keys_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// newES256 returns a new key. Without WithID its kid would be its thumbprint.
func newES256(id string) keys.Key {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	return keys.ES256(private).WithID(id)
}

// A server changes from a shared secret to a key pair, so that others can verify its
// tokens with the public key. The pair signs new tokens, and tokens signed with the
// secret are accepted until they expire. Remove the secret from Keys after AccessTTL.
func ExampleSet() {
	secret := []byte("the shared secret of at least 32 bytes")
	pair, err := rsa.GenerateKey(rand.Reader, 2048) // or read a PEM file
	if err != nil {
		log.Fatal(err)
	}
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.Set{keys.RS256(pair), keys.HS256(secret)},
		Sessions: &jwtgate.SessionConfig{
			Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
			// Before, Sessions.Keys was empty, and the key for refresh tokens was
			// derived from the secret. Keep the secret here until those sessions end.
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
		Keys:     keys.HS256(secret),
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

// A server takes the place of older software that signed its tokens with a short secret.
// Their holders stay signed in until these tokens expire, at the latest at the given time.
func ExampleInsecureHS256() {
	oldSecret := []byte("short secret")
	signedBefore, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "https://auth.example.com", "aud": "https://api.example.com", "sub": "alice",
		"exp": time.Date(2026, time.January, 3, 0, 0, 0, 0, time.UTC).Unix(),
	}).SignedString(oldSecret)
	if err != nil {
		log.Fatal(err)
	}

	now := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys: keys.Set{
			keys.HS256([]byte("a new secret of at least 32 bytes")), // signs
			keys.InsecureHS256(oldSecret, time.Date(2026, time.January, 2, 0, 0, 0, 0, time.UTC)),
		},
		MaxLifetime: 72 * time.Hour, // as long as the old tokens live
		Now:         func() time.Time { return now },
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		decision := auth.Decide(context.Background(), jwtgate.Request{Header: http.Header{"Authorization": {"Bearer " + signedBefore}}})
		fmt.Println(now.Format(time.DateOnly), "accepted:", decision.Refusal == nil)
		now = now.AddDate(0, 0, 1)
	}
	// Output:
	// 2026-01-01 accepted: true
	// 2026-01-02 accepted: false
}

// A new key is announced, so that others fetch it, and then signs. The old key is kept
// until the last token that it signed expires.
func ExampleRing() {
	ring := keys.NewRing(newES256("2026"))
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
	if err := ring.Rotate(); err != nil { // at least 5 minutes later
		log.Fatal(err)
	}
	fmt.Println(ring)
	// Output:
	// ES256 key 2026 signs, ES256 key 2027 is next
	// ES256 key 2027 signs, ES256 key 2026 verifies until 2026-12-31T23:15:00Z
}

// Replace applies keys from a configuration. A list with a mistake changes nothing.
func ExampleRing_Replace() {
	old, current := newES256("old"), newES256("current")
	ring := keys.NewRing(old)
	for _, listed := range [][]keys.Key{
		{old, current}, // announce
		{current, old}, // sign
		{current},      // retire
		{},
	} {
		if err := ring.Replace(listed...); err != nil {
			fmt.Println(err)
		}
		fmt.Println(ring)
	}
	// Output:
	// ES256 key old signs, ES256 key current verifies
	// ES256 key current signs, ES256 key old verifies
	// ES256 key current signs
	// keys: Ring: is empty: give at least one key
	// ES256 key current signs
}

// The only process that signs makes a new key every day.
func ExampleRing_RotateEvery() {
	ctx, stop := context.WithCancel(context.Background())
	generate := func(context.Context) (keys.Key, error) {
		defer stop() // so that this example ends
		return newES256("tomorrow's"), nil
	}
	ring := keys.NewRing(newES256("today's"))
	err := ring.RotateEvery(ctx, 24*time.Hour, generate, nil) // an application runs it in a goroutine, with a logger
	fmt.Println(ring, err)
	// Output: ES256 key today's signs, ES256 key tomorrow's is next context canceled
}
