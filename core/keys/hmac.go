package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"time"
)

// InsecureHS256 is HS256 with a secret that may be shorter than RFC 7518 §3.2
// allows, to accept the tokens of older software for a while. Anyone who has one
// token can find a short secret by trying, and then sign in as any user.
//
// The key only verifies, until the given time by Config.Now, plus Config.Leeway.
// After that its tokens are refused like those of a key that was removed: a browser
// is then renewed by its refresh token. List the key after the one that signs:
//
//	keys.Set{keys.HS256(secret), keys.InsecureHS256(oldSecret, until)}
//
// Nothing is derived from the secret, neither a kid nor the secret of refresh tokens.
// jwtgate.New logs a warning, and refuses an empty secret and a zero time. Set until
// to when the last token of the older software expires.
func InsecureHS256(secret []byte, until time.Time) Key {
	alg := algorithmNamed("HS256")
	k := buildSecret(alg, secret)
	switch {
	case k.material.problem != "":
		return k
	case until.IsZero():
		return alg.unusable("the time of keys.InsecureHS256 is zero: set it to when the last token with the old secret expires")
	}
	k.material.signing = nil
	k.material.insecure = true
	k.material.until = until
	return k
}

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
		return alg.unusable("the secret has %d bytes: %s needs at least %d (RFC 7518 §3.2), such as the output of openssl rand -hex 32", len(secret), alg.name, least)
	}
	k := buildSecret(alg, secret)
	if k.material.problem == "" {
		k.material.id = secretID(secret)
	}
	return k
}

// buildSecret returns a Key of a secret of any length, without a kid.
func buildSecret(alg *algorithm, secret []byte) Key {
	switch {
	case len(secret) == 0:
		return alg.unusable("the secret is empty: anyone could sign with it")
	case bytes.Contains(secret, begin):
		return alg.unusable("the secret is a PEM file, which may be public: use random bytes, or a function for PEM files such as keys.RS256")
	case len(bytes.Trim(secret, "\x00")) == 0:
		return alg.unusable("the secret is all zeros: use random bytes")
	}
	secret = bytes.Clone(secret)
	k := alg.usable(secret, secret, alg.hash.Size())
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
