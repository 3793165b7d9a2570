package settings

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/jwtgate/jwtgate/core/keys"
)

// An algorithm is a value of JWT_ALG.
type algorithm struct {
	name     string
	key      func([]byte) keys.Key  // makes a key from a secret or the content of a PEM file
	generate func() ([]byte, error) // returns a random secret or PEM file for key
}

var algorithms = []algorithm{
	{"HS256", keys.HS256, secretOf(32)},
	{"HS384", keys.HS384, secretOf(48)},
	{"HS512", keys.HS512, secretOf(64)},
	{"RS256", keys.RS256[[]byte], newRSA},
	{"RS384", keys.RS384[[]byte], newRSA},
	{"RS512", keys.RS512[[]byte], newRSA},
	{"PS256", keys.PS256[[]byte], newRSA},
	{"PS384", keys.PS384[[]byte], newRSA},
	{"PS512", keys.PS512[[]byte], newRSA},
	{"ES256", keys.ES256[[]byte], newECDSA(elliptic.P256())},
	{"ES384", keys.ES384[[]byte], newECDSA(elliptic.P384())},
	{"ES512", keys.ES512[[]byte], newECDSA(elliptic.P521())},
	{"EdDSA", keys.EdDSA[[]byte], newEd25519},
}

func algorithmOf(name string) (*algorithm, error) {
	var names []string
	for i := range algorithms {
		if algorithms[i].name == name {
			return &algorithms[i], nil
		}
		names = append(names, algorithms[i].name)
	}
	return nil, fmt.Errorf("is %q, which is not a supported algorithm: use one of %s", name, strings.Join(names, ", "))
}

// symmetric reports whether the same secret signs and verifies (HMAC).
func (a *algorithm) symmetric() bool { return strings.HasPrefix(a.name, "HS") }

func secretOf(size int) func() ([]byte, error) {
	return func() ([]byte, error) {
		secret := make([]byte, size)
		_, err := rand.Read(secret)
		return secret, err
	}
}

func newRSA() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return encode(key, err)
}

func newECDSA(curve elliptic.Curve) func() ([]byte, error) {
	return func() ([]byte, error) {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		return encode(key, err)
	}
}

func newEd25519() ([]byte, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return encode(key, err)
}

// encode returns key as a PEM file. If err is not nil, encode returns err.
func encode(key crypto.PrivateKey, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}
