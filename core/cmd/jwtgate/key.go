package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// An algorithm is an algorithm that the commands can make keys for.
type algorithm struct {
	name     string
	generate func() (crypto.Signer, error) // nil for HMAC
	size     int                           // of a secret, in bytes
	key      func([]byte) keys.Key         // from a secret or a PEM file
}

var algorithms = []algorithm{
	{"HS256", nil, 32, keys.HS256},
	{"HS384", nil, 48, keys.HS384},
	{"HS512", nil, 64, keys.HS512},
	{"RS256", newRSA, 0, keys.RS256[[]byte]},
	{"RS384", newRSA, 0, keys.RS384[[]byte]},
	{"RS512", newRSA, 0, keys.RS512[[]byte]},
	{"PS256", newRSA, 0, keys.PS256[[]byte]},
	{"PS384", newRSA, 0, keys.PS384[[]byte]},
	{"PS512", newRSA, 0, keys.PS512[[]byte]},
	{"ES256", newECDSA(elliptic.P256()), 0, keys.ES256[[]byte]},
	{"ES384", newECDSA(elliptic.P384()), 0, keys.ES384[[]byte]},
	{"ES512", newECDSA(elliptic.P521()), 0, keys.ES512[[]byte]},
	{"EdDSA", newEd25519, 0, keys.EdDSA[[]byte]},
}

func newRSA() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) }

func newECDSA(curve elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

func newEd25519() (crypto.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

// algorithmNamed returns the algorithm called name.
func algorithmNamed(name string) (*algorithm, error) {
	i := slices.IndexFunc(algorithms, func(a algorithm) bool { return a.name == name })
	if i < 0 {
		var names []string
		for _, a := range algorithms {
			names = append(names, a.name)
		}
		return nil, fmt.Errorf("-alg is %q: use one of %s", name, strings.Join(names, ", "))
	}
	return &algorithms[i], nil
}

// key prints a new secret or private key.
func (p *program) key(_ context.Context, args []string) error {
	set := p.flags("key", "[-alg ES256] > key.pem")
	name := set.String("alg", "ES256", "the algorithm that the key is for")
	if err := parse(set, args, 0); err != nil {
		return err
	}
	alg, err := algorithmNamed(*name)
	if err != nil {
		return err
	}
	if alg.generate == nil {
		secret := make([]byte, alg.size)
		_, _ = rand.Read(secret) // never fails
		// The text itself is the secret: it is longer than the bytes that it encodes.
		_, err := fmt.Fprintln(p.stdout, base64.RawURLEncoding.EncodeToString(secret))
		return err
	}
	key, err := alg.generate()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return pem.Encode(p.stdout, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// jwks prints the public halves of keys as a JWK Set.
func (p *program) jwks(ctx context.Context, args []string) error {
	set := p.flags("jwks", "-alg ES256 -key key.pem [-key other.pem …]")
	name := set.String("alg", "ES256", "the algorithm of the keys")
	var files list
	set.Var(&files, "key", "the path of a PEM file with a private or public key; can be repeated")
	if err := parse(set, args, 0); err != nil {
		return err
	}
	alg, err := algorithmNamed(*name)
	if err != nil {
		return err
	}
	if alg.generate == nil {
		return fmt.Errorf("-alg is %q: secrets must not be published", *name)
	}
	var read keys.Set
	for _, file := range files {
		data, err := readFile(file)
		if err != nil {
			return err
		}
		read = append(read, alg.key(data))
	}
	auth, err := jwtgate.New(jwtgate.Config{InsecureAnyIssuer: true, InsecureAnyAudience: true, Keys: read})
	if err != nil {
		return keyError(err)
	}
	defer auth.Close()
	res := auth.JWKS(ctx, jwtgate.Request{Method: "GET"})
	_, err = fmt.Fprintln(p.stdout, string(res.Body))
	return err
}

// readFile returns the content of the file that the flag -key names, without the line end
// after the last line: a shell also removes it from the secret that it passes to a server.
func readFile(name string) ([]byte, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	return bytes.TrimRight(data, "\r\n"), nil
}

// keyError returns the error of jwtgate.New for a key as an error of the flag -key.
func keyError(err error) error {
	var mistake *jwtgate.ConfigError
	if errors.As(err, &mistake) && mistake.Field == "Keys" {
		return fmt.Errorf("-key: %s", mistake.Reason)
	}
	return err
}
