package jwtgate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
)

// jwk is a public key as RFC 7517 §4, RFC 7518 §6 and RFC 8037 §2 write it.
// The fields stand in the order of RFC 7638 §3.2, so that the encoding of the
// required ones alone is what a thumbprint is made of.
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

// newJWK returns public as a JWK, and false if it is no public key: a secret.
func newJWK(public any) (jwk, bool) {
	encode := base64.RawURLEncoding.EncodeToString
	switch k := public.(type) {
	case *rsa.PublicKey:
		return jwk{Kty: "RSA", N: encode(k.N.Bytes()), E: encode(big.NewInt(int64(k.E)).Bytes())}, true
	case *ecdsa.PublicKey:
		// RFC 7518 §6.2.1.2: coordinates are as long as the curve's field.
		size := (k.Curve.Params().BitSize + 7) / 8
		x, y := k.X.FillBytes(make([]byte, size)), k.Y.FillBytes(make([]byte, size))
		return jwk{Kty: "EC", Crv: k.Curve.Params().Name, X: encode(x), Y: encode(y)}, true
	case ed25519.PublicKey:
		return jwk{Kty: "OKP", Crv: "Ed25519", X: encode(k)}, true
	}
	return jwk{}, false
}

// thumbprint returns the RFC 7638 thumbprint of public, by SHA-256.
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
