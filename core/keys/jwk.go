package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// jwksMaxAge is how long others may keep a published JWK Set. A key must be announced
// for that long before it signs.
const jwksMaxAge = 5 * time.Minute

// A jwk is a public key in the form of RFC 7517 §4, RFC 7518 §6 and RFC 8037 §2.
// The fields are in the order of RFC 7638 §3.2, so that encoding the required
// ones alone gives the input of a thumbprint.
type jwk struct {
	Crv string `json:"crv,omitempty"`
	E   string `json:"e,omitempty"`
	Kty string `json:"kty"`
	N   string `json:"n,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`

	Alg string `json:"alg,omitempty"`
	Kid string `json:"kid,omitempty"`
	Use string `json:"use,omitempty"`
}

// newJWK returns public as a JWK, and false if public is a secret.
func newJWK(public any) (jwk, bool) {
	encode := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *rsa.PublicKey:
		return jwk{Kty: "RSA", N: encode(k.N.Bytes()), E: encode(big.NewInt(int64(k.E)).Bytes())}, true
	case *ecdsa.PublicKey:
		size := fieldSize(k.Curve)
		x, y := k.X.FillBytes(make([]byte, size)), k.Y.FillBytes(make([]byte, size))
		return jwk{Kty: "EC", Crv: k.Curve.Params().Name, X: encode(x), Y: encode(y)}, true
	case ed25519.PublicKey:
		return jwk{Kty: "OKP", Crv: "Ed25519", X: encode(k)}, true
	}
	return jwk{}, false
}

// thumbprint returns the RFC 7638 thumbprint of public with SHA-256, or "" if
// public is a secret.
func thumbprint(public any) string {
	key, ok := newJWK(public)
	if !ok {
		return ""
	}
	text, err := json.Marshal(key)
	if err != nil { // a struct of strings always encodes
		return ""
	}
	digest := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// An encodedSet is a JWK Set, and the number of keys that had not expired when it was
// encoded.
type encodedSet struct {
	keyaccess.JWKSet

	keys int
}

// JWKSet returns the public keys at the given time. It encodes them once, and again
// when a retired key has expired. Keys of a table expire, but none are added, so the
// number of keys identifies the set.
func (t *table) JWKSet(at time.Time) (*keyaccess.JWKSet, error) {
	keys := 0
	for _, k := range t.all {
		if !k.material.Expired(at) {
			keys++
		}
	}
	if set := t.jwks.Load(); set != nil && set.keys == keys {
		return &set.JWKSet, nil
	}
	document := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range t.all {
		if public, ok := newJWK(k.material.public()); ok && !k.material.Expired(at) {
			public.Alg, public.Kid, public.Use = k.material.alg.name, k.material.id, "sig"
			document.Keys = append(document.Keys, public)
		}
	}
	body, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	set := &encodedSet{keyaccess.JWKSet{Body: body, MaxAge: jwksMaxAge}, keys}
	t.jwks.Store(set)
	return &set.JWKSet, nil
}
