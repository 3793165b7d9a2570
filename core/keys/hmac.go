package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
)

var hmacFamily = &family{
	kty:    "oct",
	build:  buildHMAC,
	verify: func(_ *algorithm, _ any, mac, signature []byte) bool { return hmac.Equal(mac, signature) },
	equal:  func(a, b any) bool { return subtle.ConstantTimeCompare(a.([]byte), b.([]byte)) == 1 },
}

// buildHMAC returns a Key made of a secret. The secret must have at least the size of
// the hash (RFC 7518 §3.2).
func buildHMAC(alg *algorithm, key any) Key {
	secret := key.([]byte)
	if least := alg.hash.Size(); len(secret) < least {
		return alg.unusable("the secret has %d bytes: %s needs at least %d (RFC 7518 §3.2)", len(secret), alg.name, least)
	}
	if bytes.Contains(secret, []byte("-----BEGIN ")) {
		return alg.unusable("the secret is a PEM file, which may be public: use random bytes, or a function for PEM files such as keys.RS256")
	}
	if len(bytes.Trim(secret, "\x00")) == 0 {
		return alg.unusable("the secret is all zeros: use random bytes")
	}
	secret = bytes.Clone(secret)
	k := alg.usable(secret, secret, alg.hash.Size())
	k.material.id = secretID(secret)
	// Making a keyed hash takes as long as using it.
	k.material.inputs = newInputsBy(func() hash.Hash { return hmac.New(alg.hash.New, secret) })
	return k
}

// secretID returns the kid of a secret. It is a keyed digest, so that common tools
// cannot test guesses of the secret against it (RFC 7638 §7).
func secretID(secret []byte) string {
	digest := hmac.New(sha256.New, secret)
	digest.Write([]byte("jwtgate kid"))
	return base64.RawURLEncoding.EncodeToString(digest.Sum(nil)[:16])
}
