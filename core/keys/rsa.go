package keys

import (
	"crypto/rsa"
	"errors"
	"math/big"

	"github.com/golang-jwt/jwt/v5"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

const (
	minRSABits = 2048 // RFC 7518 §3.3
	maxRSABits = 8192 // a larger modulus makes verification too slow
)

// pkcs1Family is RSASSA-PKCS1-v1_5 (RFC 7518 §3.3).
var pkcs1Family = &family{
	kty:   "RSA",
	build: buildRSA,
	verify: func(alg *algorithm, public any, digest, signature []byte) bool {
		return rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), alg.hash, digest, signature) == nil
	},
	equal: equalRSA,
	parse: parseRSA,
}

// pssFamily is RSASSA-PSS with a salt as long as the hash (RFC 7518 §3.5).
// golang-jwt's own Verify accepts a salt of any length.
var pssFamily = &family{
	kty:   "RSA",
	build: buildRSA,
	verify: func(alg *algorithm, public any, digest, signature []byte) bool {
		options := alg.method.(*jwt.SigningMethodRSAPSS).Options
		return rsa.VerifyPSS(public.(*rsa.PublicKey), alg.hash, digest, signature, options) == nil
	},
	equal: equalRSA,
	parse: parseRSA,
}

func buildRSA(alg *algorithm, key any) Key {
	var public *rsa.PublicKey
	var signing any
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k == nil {
			return alg.unusable("the key is nil")
		}
		if err := k.Validate(); err != nil {
			return alg.unusable("the private key is not valid: %v", err)
		}
		public, signing = &k.PublicKey, k
	case *rsa.PublicKey:
		public = k
	default:
		return alg.wrongType("RSA", key)
	}
	switch {
	case public == nil || public.N == nil:
		return alg.unusable("the key is nil")
	case public.N.BitLen() < minRSABits || public.N.BitLen() > maxRSABits:
		return alg.unusable("the RSA key has %d bits: use %d to %d", public.N.BitLen(), minRSABits, maxRSABits)
	case public.E < 3 || public.E%2 == 0 || int64(public.E) > 1<<31-1 || public.N.Bit(0) == 0 || public.N.Sign() < 0:
		return alg.unusable("the RSA key has an exponent or a modulus that is not valid")
	}
	return alg.usable(signing, public, public.Size())
}

func equalRSA(a, b any) bool { return a.(*rsa.PublicKey).Equal(b.(*rsa.PublicKey)) }

var errExponent = errors.New("has an RSA exponent out of range")

func parseRSA(_ *algorithm, k jose.JWK) (any, error) {
	e := new(big.Int).SetBytes(k.E)
	if e.BitLen() > 31 {
		return nil, errExponent
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(k.N), E: int(e.Int64())}, nil
}
