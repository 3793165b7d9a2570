package keys

import "github.com/jwtgate/jwtgate/core/internal/jose"

// A family is the algorithms that share a kind of key and a signature scheme.
type family struct {
	kty string // of a JWK (RFC 7518 §6.1, RFC 8037 §2)
	crv string // of a JWK, where it is the same for all algorithms of the family

	// build checks key and returns a Key of it, or an unusable one.
	build func(alg *algorithm, key any) Key

	// verify reports whether signature, which has the right length, is one of the
	// digest by the public key.
	verify func(alg *algorithm, public any, digest, signature []byte) bool

	// equal reports whether two public keys are the same.
	equal func(a, b any) bool

	// parse returns the public key in a JWK. It is nil if a JWK would be a secret.
	parse func(alg *algorithm, k jose.JWK) (any, error)
}
