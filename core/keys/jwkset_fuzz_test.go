package keys

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
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// FuzzJWKSet searches for sets that yield an unusable key, or two keys with one kid.
func FuzzJWKSet(f *testing.F) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	good, err := newTable([]Key{
		RS256(rsaKey), PS512(rsaKey).WithID("ps"), ES256(ecdsaKey), EdDSA(ed25519.NewKeyFromSeed(make([]byte, 32))),
	}).JWKSet(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good.Body))
	f.Add(strings.ReplaceAll(string(good.Body), `"kid"`, `"use"`))
	f.Add(strings.ReplaceAll(string(good.Body), `"x":"`, `"x":"A`))
	f.Add(`{"keys":[{"kty":"oct","k":"AA"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, _, err := parseJWKSet(text)
		if err != nil {
			if keys != nil {
				t.Errorf("got keys and the error %v", err)
			}
			return
		}
		source, problems := Set(keys).Open(keyaccess.Options{})
		if len(problems) > 0 {
			t.Fatalf("got keys with %q, in %s", problems, text)
		}
		for _, k := range keys {
			if k.material.signing != nil {
				t.Errorf("got a private key, in %s", text)
			}
			if m := source.Current().Find(jose.Header{Algorithm: k.material.alg.name, KeyID: k.ID()}, time.Now()); m != keyaccess.VerificationKey(k.material) {
				t.Errorf("the kid %q does not lead to its key, in %s", k.ID(), text)
			}
			if k.material.Verify("a.b", make([]byte, 64)) {
				t.Errorf("got a key that verifies zeros, in %s", text)
			}
		}
	})
}
