package jwtgate

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// maxSetKeys is how many keys a JWK Set may have. Those of the large providers
// have about ten.
const maxSetKeys = 100

var (
	errSetSize   = fmt.Errorf("jwtgate: the JWK Set has more than %d keys", maxSetKeys)
	errNoKeys    = errors.New("jwtgate: the JWK Set has no key that can verify tokens")
	errOtherUse  = errors.New("is for another use than signatures")
	errKind      = errors.New("has a kty, crv or alg that is not supported, or that do not go together")
	errExponent  = errors.New("has an RSA exponent out of range")
	errPoint     = errors.New("has coordinates of another length than its curve's")
	errAmbiguous = errors.New("shares its kid with a key that is not the same")
)

// parseJWKSet returns the keys of a JWK Set (RFC 7517 §5) that can verify
// tokens, and why each of the others is passed over: one that is odd does not
// take the rest with it.
//
// A library would have to be asked key by key too: go-jose and jwkset refuse a
// whole set for one kty that they do not know, and take secrets and private keys.
// What they would save is the reading of numbers, which every [Key] checks again.
func parseJWKSet(text string) (keys []Key, skipped []error, err error) {
	texts, err := jose.SplitJWKSet(text)
	if err != nil {
		return nil, nil, err
	}
	if len(texts) > maxSetKeys {
		return nil, nil, errSetSize
	}
	first := make(map[string]Key, len(texts))
	ambiguous := make(map[string]bool)
	for i, text := range texts {
		key, err := parseJWK(text)
		id := key.ID()
		earlier, known := first[id]
		switch {
		case errors.Is(err, errOtherUse): // nothing is wrong with it
		case err != nil:
			skipped = append(skipped, fmt.Errorf("jwtgate: key %d of the JWK Set %w", i, err))
		case !known:
			first[id] = key
			keys = append(keys, key)
		case !key.material.same(earlier.material) && !ambiguous[id]:
			ambiguous[id] = true
			skipped = append(skipped, fmt.Errorf("jwtgate: key %q of the JWK Set %w", id, errAmbiguous))
		}
	}
	// Which of them a token means cannot be told.
	keys = slices.DeleteFunc(keys, func(k Key) bool { return ambiguous[k.ID()] })
	if len(keys) == 0 {
		return nil, skipped, errNoKeys
	}
	return keys, skipped, nil
}

// parseJWK returns the key that text is, or what is wrong with it, to follow
// the name of the key. A key verifies by one algorithm: its alg, and without
// one, the one of its curve; of RSA, RS256, which OpenID Connect Core §2 has
// everyone use who does not say otherwise.
func parseJWK(text string) (Key, error) {
	k, err := jose.ParseJWK(text)
	if err != nil {
		return Key{}, fmt.Errorf("cannot be used: %w", err)
	}
	if k.Use != "" && k.Use != "sig" || k.Operations != nil && !slices.Contains(k.Operations, "verify") {
		return Key{}, errOtherUse
	}
	i := slices.IndexFunc(jwkKinds, func(kind jwkKind) bool {
		return kind.kty == k.Type && kind.crv == k.Curve && (kind.alg == k.Algorithm || k.Algorithm == "")
	})
	if i < 0 {
		return Key{}, errKind
	}
	key, err := jwkKinds[i].key(k)
	switch {
	case err != nil:
		return Key{}, err
	case key.material.problem != "":
		return Key{}, fmt.Errorf("cannot be used: %s", key.material.problem)
	case k.KeyID != "":
		return key.WithID(k.KeyID), nil
	}
	return key, nil
}

// jwkKind is a kind of key that a JWK can be. It is the first of its kty and crv
// that one without alg is.
type jwkKind struct {
	kty, crv, alg string
	key           func(jose.JWK) (Key, error)
}

var jwkKinds = []jwkKind{
	{"RSA", "", "RS256", rsaJWK(RS256[*rsa.PublicKey])},
	{"RSA", "", "RS384", rsaJWK(RS384[*rsa.PublicKey])},
	{"RSA", "", "RS512", rsaJWK(RS512[*rsa.PublicKey])},
	{"RSA", "", "PS256", rsaJWK(PS256[*rsa.PublicKey])},
	{"RSA", "", "PS384", rsaJWK(PS384[*rsa.PublicKey])},
	{"RSA", "", "PS512", rsaJWK(PS512[*rsa.PublicKey])},
	{"EC", "P-256", "ES256", ecdsaJWK(ES256[*ecdsa.PublicKey], elliptic.P256())},
	{"EC", "P-384", "ES384", ecdsaJWK(ES384[*ecdsa.PublicKey], elliptic.P384())},
	{"EC", "P-521", "ES512", ecdsaJWK(ES512[*ecdsa.PublicKey], elliptic.P521())},
	{"OKP", "Ed25519", "EdDSA", ed25519JWK},
	{"OKP", "Ed25519", "Ed25519", ed25519JWK}, // RFC 9864 §2.2
}

func rsaJWK(newKey func(*rsa.PublicKey) Key) func(jose.JWK) (Key, error) {
	return func(k jose.JWK) (Key, error) {
		e := new(big.Int).SetBytes(k.E)
		if e.BitLen() > 31 {
			return Key{}, errExponent
		}
		return newKey(&rsa.PublicKey{N: new(big.Int).SetBytes(k.N), E: int(e.Int64())}), nil
	}
}

func ecdsaJWK(newKey func(*ecdsa.PublicKey) Key, curve elliptic.Curve) func(jose.JWK) (Key, error) {
	return func(k jose.JWK) (Key, error) {
		size := (curve.Params().BitSize + 7) / 8 // RFC 7518 §6.2.1.2
		if len(k.X) != size || len(k.Y) != size {
			return Key{}, errPoint
		}
		return newKey(&ecdsa.PublicKey{Curve: curve, X: new(big.Int).SetBytes(k.X), Y: new(big.Int).SetBytes(k.Y)}), nil
	}
}

func ed25519JWK(k jose.JWK) (Key, error) { return EdDSA(ed25519.PublicKey(k.X)), nil }
