package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// FuzzJWKSet searches for sets that yield an unusable key, a key twice, or a key that
// is a candidate for the tokens of another algorithm or of another kid than its own.
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
	f.Add(strings.ReplaceAll(string(good.Body), `"alg"`, `"use"`))
	f.Add(strings.ReplaceAll(string(good.Body), `"alg"`, `"note"`))
	f.Add(strings.ReplaceAll(string(good.Body), `"kid"`, `"note"`))
	f.Add(strings.ReplaceAll(string(good.Body), `"}`, `="}`))
	f.Add(`{"keys":[{"kty":"oct","k":"AA"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, _, err := parseJWKSet(text)
		if err != nil {
			if keys != nil {
				t.Errorf("got keys and the error %v", err)
			}
			return
		}
		set := newTable(keys)
		for i, k := range keys {
			if k.material.problem != "" || k.material.signing != nil {
				t.Errorf("got an unusable or a private key, in %s", text)
			}
			if slices.ContainsFunc(keys[:i], k.equal) {
				t.Errorf("got a key twice, in %s", text)
			}
			found, named := set.Find(jose.Header{Algorithm: k.material.alg.name, KeyID: k.ID()}, time.Now())
			if !named || !slices.Contains(found, keyaccess.VerificationKey(k.material)) {
				t.Errorf("the kid %q and %s do not lead to their key, in %s", k.ID(), k.material.alg.name, text)
			}
			for alg := range algorithms {
				header := jose.Header{Algorithm: algorithms[alg].name, KeyID: "unknown"}
				if found, _ := set.Find(header, time.Now()); slices.Contains(found, keyaccess.VerificationKey(k.material)) &&
					(k.material.named || k.material.alg != &algorithms[alg]) {
					t.Errorf("%v is a candidate for %+v, in %s", k, header, text)
				}
			}
			if k.material.Verify("a.b", make([]byte, 64)) {
				t.Errorf("got a key that verifies zeros, in %s", text)
			}
		}
	})
}
