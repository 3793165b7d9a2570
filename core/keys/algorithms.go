package keys

import (
	"crypto"
	"crypto/elliptic"

	"github.com/golang-jwt/jwt/v5"
)

// An algorithm is a signature algorithm of RFC 7518 §3.1 or RFC 8037 §3.1.
type algorithm struct {
	name   string         // the alg of tokens and JWKs
	alias  string         // a second alg that is accepted for the same algorithm
	family *family        // the kind of its keys
	curve  elliptic.Curve // of ECDSA keys, nil for others
	hash   crypto.Hash    // zero for Ed25519, which signs the input without hashing it first
	method jwt.SigningMethod
}

// algorithms has a row for every supported algorithm. Its constructor is below, and
// everything else about the algorithm is derived from the row. A JWK without alg
// belongs to all rows with its kty and crv.
var algorithms = []algorithm{
	{"HS256", "", hmacFamily, nil, crypto.SHA256, jwt.SigningMethodHS256},
	{"HS384", "", hmacFamily, nil, crypto.SHA384, jwt.SigningMethodHS384},
	{"HS512", "", hmacFamily, nil, crypto.SHA512, jwt.SigningMethodHS512},
	{"RS256", "", pkcs1Family, nil, crypto.SHA256, jwt.SigningMethodRS256},
	{"RS384", "", pkcs1Family, nil, crypto.SHA384, jwt.SigningMethodRS384},
	{"RS512", "", pkcs1Family, nil, crypto.SHA512, jwt.SigningMethodRS512},
	{"PS256", "", pssFamily, nil, crypto.SHA256, jwt.SigningMethodPS256},
	{"PS384", "", pssFamily, nil, crypto.SHA384, jwt.SigningMethodPS384},
	{"PS512", "", pssFamily, nil, crypto.SHA512, jwt.SigningMethodPS512},
	{"ES256", "", ecdsaFamily, elliptic.P256(), crypto.SHA256, jwt.SigningMethodES256},
	{"ES384", "", ecdsaFamily, elliptic.P384(), crypto.SHA384, jwt.SigningMethodES384},
	{"ES512", "", ecdsaFamily, elliptic.P521(), crypto.SHA512, jwt.SigningMethodES512},
	{"EdDSA", "Ed25519", ed25519Family, nil, 0, jwt.SigningMethodEdDSA}, // the alias is defined in RFC 9864 §2.2
}

// HS256 is HMAC with SHA-256 (RFC 7518 §3.2). The secret has at least 32 bytes.
func HS256(secret []byte) Key { return newKey("HS256", secret) }

// HS384 is HMAC with SHA-384 (RFC 7518 §3.2). The secret has at least 48 bytes.
func HS384(secret []byte) Key { return newKey("HS384", secret) }

// HS512 is HMAC with SHA-512 (RFC 7518 §3.2). The secret has at least 64 bytes.
func HS512(secret []byte) Key { return newKey("HS512", secret) }

// RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3), with a key of 2048 to 8192 bits.
func RS256[K RSAKey](key K) Key { return newKey("RS256", key) }

// RS384 is RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3), with a key of 2048 to 8192 bits.
func RS384[K RSAKey](key K) Key { return newKey("RS384", key) }

// RS512 is RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3), with a key of 2048 to 8192 bits.
func RS512[K RSAKey](key K) Key { return newKey("RS512", key) }

// PS256 is RSASSA-PSS with SHA-256 (RFC 7518 §3.5), with a key of 2048 to 8192 bits.
func PS256[K RSAKey](key K) Key { return newKey("PS256", key) }

// PS384 is RSASSA-PSS with SHA-384 (RFC 7518 §3.5), with a key of 2048 to 8192 bits.
func PS384[K RSAKey](key K) Key { return newKey("PS384", key) }

// PS512 is RSASSA-PSS with SHA-512 (RFC 7518 §3.5), with a key of 2048 to 8192 bits.
func PS512[K RSAKey](key K) Key { return newKey("PS512", key) }

// ES256 is ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
func ES256[K ECDSAKey](key K) Key { return newKey("ES256", key) }

// ES384 is ECDSA on P-384 with SHA-384 (RFC 7518 §3.4).
func ES384[K ECDSAKey](key K) Key { return newKey("ES384", key) }

// ES512 is ECDSA on P-521 with SHA-512 (RFC 7518 §3.4).
func ES512[K ECDSAKey](key K) Key { return newKey("ES512", key) }

// EdDSA is Ed25519 (RFC 8037 §3.1). It also accepts tokens whose alg is Ed25519,
// the name that RFC 9864 gives the algorithm.
func EdDSA[K EdDSAKey](key K) Key { return newKey("EdDSA", key) }

// algorithmNamed returns the algorithm with the given name. The name must be in
// the table.
func algorithmNamed(name string) *algorithm {
	for i := range algorithms {
		if algorithms[i].name == name {
			return &algorithms[i]
		}
	}
	return nil
}

// signs reports whether alg, from the header of a token, names a.
func (a *algorithm) signs(alg string) bool {
	return alg == a.name || alg == a.alias && a.alias != ""
}
