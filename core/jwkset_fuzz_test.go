package jwtgate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// FuzzJWKSet looks for sets that give away a key that cannot be used, or a kid
// that names two.
func FuzzJWKSet(f *testing.F) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	good, err := newKeyTable([]Key{
		RS256(rsaKey), PS512(rsaKey).WithID("ps"), ES256(ecdsaKey), EdDSA(ed25519.NewKeyFromSeed(make([]byte, 32))),
	}).jwkSet(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good.body))
	f.Add(strings.ReplaceAll(string(good.body), `"kid"`, `"use"`))
	f.Add(strings.ReplaceAll(string(good.body), `"x":"`, `"x":"A`))
	f.Add(`{"keys":[{"kty":"oct","k":"AA"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, _, err := parseJWKSet(text)
		if err != nil {
			if keys != nil {
				t.Errorf("got keys and the error %v", err)
			}
			return
		}
		source, problems := KeySet(keys).open(nil, "")
		if len(problems) > 0 {
			t.Fatalf("got keys with %q, in %s", problems, text)
		}
		for _, k := range keys {
			if k.material.signing != nil {
				t.Errorf("got a private key, in %s", text)
			}
			if m := source.held().find(jose.Header{Algorithm: k.material.method.alg, KeyID: k.ID()}, time.Now()); m != k.material {
				t.Errorf("the kid %q does not lead to its key, in %s", k.ID(), text)
			}
			if k.material.verify("a.b", make([]byte, 64)) == nil {
				t.Errorf("got a key that verifies zeros, in %s", text)
			}
		}
	})
}
