package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
)

// The keys of the tests.
var (
	secret     = []byte("sixty-four bytes that nobody knows: 0123456789 abcdefghijklmnopq")
	rsaKey     = must(rsa.GenerateKey(rand.Reader, 2048))
	otherRSA   = must(rsa.GenerateKey(rand.Reader, 2048))
	p256Key    = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384Key    = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521Key    = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	ed25519Key = ed25519.NewKeyFromSeed([]byte("thirty-two bytes to make a key.."))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
