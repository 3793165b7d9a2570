package keys

import "github.com/jwtgate/jwtgate/core/internal/jose"

// A family is the algorithms that share a kind of key and a signature scheme.
type family struct {
	kty string // the kty of its JWKs (RFC 7518 §6.1, RFC 8037 §2)
	crv string // the crv of its JWKs if all algorithms have the same, else empty

	// build checks key and returns a Key made of it, or an unusable Key.
	build func(alg *algorithm, key any) Key

	// verify reports whether signature, which has the right length, is a signature of
	// digest by the public key.
	verify func(alg *algorithm, public any, digest, signature []byte) bool

	// equal reports whether two public keys are the same.
	equal func(a, b any) bool

	// parse returns the public key in a JWK. The function is nil for HMAC, whose JWKs
	// are secrets.
	parse func(alg *algorithm, k jose.JWK) (any, error)
}
