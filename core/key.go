package jwtgate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/subtle"
	"log/slog"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A Key signs or verifies tokens by one algorithm. It is made by the function
// named as the algorithm, which reports nothing: [New] reports a key that cannot
// be used, with all other mistakes of the configuration.
//
// A Key of a secret or a private key signs and verifies, one of a public key
// verifies only. Its kid (RFC 7515 §4.1.4) is the RFC 7638 thumbprint of the
// key unless [Key.WithID] says otherwise; that of a secret is a keyed digest
// instead, because a thumbprint would give away a hash of it (RFC 7638 §7).
//
// Printing and logging a Key shows its algorithm and kid, never the key.
// A Key is safe for concurrent use.
type Key struct{ material *material }

// material is what a Key is made of.
type material struct {
	id      string
	method  method
	size    int   // of a signature
	signing boxed // what method signs with; nil if verify-only
	public  boxed // what method verifies with
	problem string
	until   time.Time // when the last token that it signed expires, if it signs no more; zero else
}

// boxed has a key in it. Whatever fmt is told to do with a function, it prints
// an address; a pointer it follows when the verb is wrong.
type boxed func() any

func box(key any) boxed {
	if key == nil {
		return nil
	}
	return func() any { return key }
}

// method is a signature algorithm of RFC 7518 §3.1 or RFC 8037 §3.1.
type method struct {
	jwt.SigningMethod
	alg  string // the name that tokens bear
	also string // another name for the same algorithm that is accepted
}

// RSAKey is what a [Key] of an RS or PS algorithm is made of. Bytes are a PEM
// file: PKCS#8 or PKCS#1 for a private key, PKIX or PKCS#1 for a public one.
type RSAKey interface {
	*rsa.PrivateKey | *rsa.PublicKey | []byte
}

// ECDSAKey is what a [Key] of an ES algorithm is made of. Bytes are a PEM file:
// PKCS#8 or SEC 1 for a private key, PKIX for a public one.
type ECDSAKey interface {
	*ecdsa.PrivateKey | *ecdsa.PublicKey | []byte
}

// EdDSAKey is what a [Key] of [EdDSA] is made of. Bytes are a PEM file: PKCS#8
// for a private key, PKIX for a public one.
type EdDSAKey interface {
	ed25519.PrivateKey | ed25519.PublicKey | []byte
}

// HS256 is HMAC with SHA-256 (RFC 7518 §3.2). The secret has at least 32 bytes.
func HS256(secret []byte) Key { return hmacKey(jwt.SigningMethodHS256, secret) }

// HS384 is HMAC with SHA-384 (RFC 7518 §3.2). The secret has at least 48 bytes.
func HS384(secret []byte) Key { return hmacKey(jwt.SigningMethodHS384, secret) }

// HS512 is HMAC with SHA-512 (RFC 7518 §3.2). The secret has at least 64 bytes.
func HS512(secret []byte) Key { return hmacKey(jwt.SigningMethodHS512, secret) }

// RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3), by a key of 2048 to 8192 bits.
func RS256[K RSAKey](key K) Key { return rsaKey(newPKCS1(jwt.SigningMethodRS256), key) }

// RS384 is RSASSA-PKCS1-v1_5 with SHA-384 (RFC 7518 §3.3), by a key of 2048 to 8192 bits.
func RS384[K RSAKey](key K) Key { return rsaKey(newPKCS1(jwt.SigningMethodRS384), key) }

// RS512 is RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3), by a key of 2048 to 8192 bits.
func RS512[K RSAKey](key K) Key { return rsaKey(newPKCS1(jwt.SigningMethodRS512), key) }

// PS256 is RSASSA-PSS with SHA-256 (RFC 7518 §3.5), by a key of 2048 to 8192 bits.
func PS256[K RSAKey](key K) Key { return rsaKey(newPSS(jwt.SigningMethodPS256), key) }

// PS384 is RSASSA-PSS with SHA-384 (RFC 7518 §3.5), by a key of 2048 to 8192 bits.
func PS384[K RSAKey](key K) Key { return rsaKey(newPSS(jwt.SigningMethodPS384), key) }

// PS512 is RSASSA-PSS with SHA-512 (RFC 7518 §3.5), by a key of 2048 to 8192 bits.
func PS512[K RSAKey](key K) Key { return rsaKey(newPSS(jwt.SigningMethodPS512), key) }

// ES256 is ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
func ES256[K ECDSAKey](key K) Key { return ecdsaKey(jwt.SigningMethodES256, key) }

// ES384 is ECDSA on P-384 with SHA-384 (RFC 7518 §3.4).
func ES384[K ECDSAKey](key K) Key { return ecdsaKey(jwt.SigningMethodES384, key) }

// ES512 is ECDSA on P-521 with SHA-512 (RFC 7518 §3.4).
func ES512[K ECDSAKey](key K) Key { return ecdsaKey(jwt.SigningMethodES512, key) }

// EdDSA is Ed25519 (RFC 8037 §3.1). Tokens that name it Ed25519, as RFC 9864
// would have it, are accepted too.
func EdDSA[K EdDSAKey](key K) Key { return ed25519Key(key) }

// WithID returns k under another kid, of 1 to 256 printable ASCII characters.
func (k Key) WithID(id string) Key {
	if k.material == nil {
		return k
	}
	named := *k.material
	named.id = id
	return Key{&named}
}

// ID returns the kid of k.
func (k Key) ID() string {
	if k.material == nil {
		return ""
	}
	return k.material.id
}

// String returns the algorithm and the kid.
func (k Key) String() string {
	if k.material == nil {
		return "no key"
	}
	return k.material.method.alg + " key " + k.material.id
}

// GoString returns what String does, so that %#v prints no secret either.
func (k Key) GoString() string { return k.String() }

// LogValue returns what String does.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// verify checks a signature. It never panics: every key was checked by New.
func (m *material) verify(signingInput string, signature []byte) error {
	if len(signature) != m.size {
		return errBadKey // without a look at the input, which may be long
	}
	if err := m.method.Verify(signingInput, signature, m.public()); err != nil {
		return errBadKey
	}
	return nil
}

func (m *material) sign(signingInput string) ([]byte, error) {
	return m.method.Sign(signingInput, m.signing())
}

// signs reports whether a token that names alg can be one of m.
func (m *material) signs(alg string) bool {
	return alg == m.method.alg || alg == m.method.also
}

// same reports whether m and other are the same key for the same algorithm, be it
// that one is a public half only.
func (m *material) same(other *material) bool {
	if m.method.alg != other.method.alg {
		return false
	}
	switch public := m.public().(type) {
	case []byte: // a secret
		secret, ok := other.public().([]byte)
		return ok && subtle.ConstantTimeCompare(public, secret) == 1
	case interface{ Equal(crypto.PublicKey) bool }:
		return public.Equal(other.public())
	}
	return false
}

// over reports whether m was retired, and is held no more.
func (m *material) over(at time.Time) bool { return !m.until.IsZero() && !at.Before(m.until) }
