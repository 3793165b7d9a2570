// Command gojose writes tokens made with go-jose as test data of package core.
package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

// A group is the tokens that are checked with one key, as the scripts beside this folder
// write them.
type group struct {
	Alg    string          `json:"alg"`
	JWK    jose.JSONWebKey `json:"jwk"`
	Tokens []row           `json:"tokens"`
}

type row struct {
	Name   string `json:"name"`
	Token  string `json:"token"`
	Accept bool   `json:"accept"`
}

const claims = `{"iss":"https://auth.example.com","aud":["https://api.example.com","https://other.example.com"],"sub":"alice","iat":1800000000,"nbf":1800000000,"exp":1800000900}`

func main() {
	if err := run("../core/testdata/vectors/gojose.json"); err != nil {
		fmt.Fprintln(os.Stderr, "gojose:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	var groups []group
	for _, algorithm := range []jose.SignatureAlgorithm{
		jose.HS256, jose.HS384, jose.HS512, jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	} {
		private, public, err := newKey(algorithm)
		if err != nil {
			return err
		}
		g := group{Alg: string(algorithm), JWK: jose.JSONWebKey{Key: public, Algorithm: string(algorithm), KeyID: "k", Use: "sig"}}
		for _, r := range []struct {
			name   string
			typ    jose.ContentType
			embed  bool
			accept bool
		}{
			{"signed", "at+jwt", false, true},
			{"typ in upper case", "AT+JWT", false, true},
			{"its own key in the header", "JWT", true, true}, // the key in the header is ignored
			{"typ of a proof", "dpop+jwt", false, false},
		} {
			token, err := sign(algorithm, private, r.typ, r.embed)
			if err != nil {
				return err
			}
			g.Tokens = append(g.Tokens, row{r.name, token, r.accept})
		}
		groups = append(groups, g)
	}
	text, err := json.MarshalIndent(groups, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // test data that everybody may read
}

func sign(algorithm jose.SignatureAlgorithm, key any, typ jose.ContentType, embed bool) (string, error) {
	_, symmetric := key.([]byte)
	options := (&jose.SignerOptions{EmbedJWK: embed && !symmetric}).WithType(typ)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, options)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// newKey returns a key for algorithm and its public half. A secret has none.
func newKey(algorithm jose.SignatureAlgorithm) (private, public any, err error) {
	ecdsaKey := func(curve elliptic.Curve) (any, any, error) {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		return key, key.Public(), err
	}
	switch algorithm {
	case jose.HS256, jose.HS384, jose.HS512:
		secret := make([]byte, 64)
		_, _ = rand.Read(secret) // never fails
		return secret, secret, nil
	case jose.ES256:
		return ecdsaKey(elliptic.P256())
	case jose.ES384:
		return ecdsaKey(elliptic.P384())
	case jose.ES512:
		return ecdsaKey(elliptic.P521())
	case jose.EdDSA:
		public, private, err := ed25519.GenerateKey(rand.Reader)
		return private, public, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return key, key.Public(), err
}
