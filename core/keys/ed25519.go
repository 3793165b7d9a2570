package keys

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// ed25519Family is EdDSA on Ed25519 (RFC 8037 §3.1).
var ed25519Family = &family{
	kty:   "OKP",
	crv:   "Ed25519",
	build: buildEd25519,
	verify: func(_ *algorithm, public any, input, signature []byte) bool {
		return ed25519.Verify(public.(ed25519.PublicKey), input, signature)
	},
	equal: func(a, b any) bool { return a.(ed25519.PublicKey).Equal(b.(ed25519.PublicKey)) },
	parse: func(_ *algorithm, k jose.JWK) (any, error) { return ed25519.PublicKey(k.X), nil },
}

func buildEd25519(alg *algorithm, key any) Key {
	var public ed25519.PublicKey
	var signing any
	switch k := key.(type) {
	case ed25519.PrivateKey:
		if len(k) != ed25519.PrivateKeySize {
			return alg.unusable("the private key has %d bytes: Ed25519 has %d", len(k), ed25519.PrivateKeySize)
		}
		if !bytes.Equal(ed25519.NewKeyFromSeed(k.Seed()), k) {
			return alg.unusable("the private key does not belong to its public key")
		}
		k = bytes.Clone(k)
		public, signing = ed25519.PublicKey(k[ed25519.SeedSize:]), k
	case ed25519.PublicKey:
		public = bytes.Clone(k)
	default:
		return alg.wrongType("Ed25519", key)
	}
	switch {
	case len(public) != ed25519.PublicKeySize:
		return alg.unusable("the public key has %d bytes: Ed25519 has %d", len(public), ed25519.PublicKeySize)
	case lowOrder(public):
		return alg.unusable("the public key is a point of low order: signatures for it can be made without a private key")
	}
	return alg.usable(signing, public, ed25519.SignatureSize)
}

// lowOrder reports whether key is one of the points of order 1, 2, 4 or 8, in
// any of their encodings. Signatures for such a key can be made without a private
// key, and crypto/ed25519 would accept them.
func lowOrder(key ed25519.PublicKey) bool {
	y := bytes.Clone(key)
	y[31] &= 0x7f // the sign of x
	for _, low := range lowOrderPoints {
		if hex.EncodeToString(y) == low {
			return true
		}
	}
	return false
}

var lowOrderPoints = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}
