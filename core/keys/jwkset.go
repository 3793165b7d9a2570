package keys

import (
	"errors"
	"fmt"
	"slices"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// maxSetKeys is the largest number of keys in a fetched JWK Set. The sets of large
// providers have about ten.
const maxSetKeys = 100

var (
	errSetSize   = fmt.Errorf("keys: the JWK Set has more than %d keys", maxSetKeys)
	errNoKeys    = errors.New("keys: the JWK Set has no key that can verify tokens")
	errOtherUse  = errors.New("is for another use than signatures")
	errKind      = errors.New("has a kty, crv or alg that is not supported, or a combination of them that is not valid")
	errAmbiguous = errors.New("shares its kid with a different key")
)

// parseJWKSet returns the keys of a JWK Set (RFC 7517 §5) that can verify tokens,
// and for each other key why it is skipped. One unusual key does not make the
// others unusable.
//
// This function uses no library: go-jose and jwkset refuse a whole set because of one
// unknown kty, and accept secrets and private keys.
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
		case errors.Is(err, errOtherUse): // such a key is not a mistake
		case err != nil:
			skipped = append(skipped, fmt.Errorf("keys: key %d of the JWK Set %w", i, err))
		case !known:
			first[id] = key
			keys = append(keys, key)
		case !key.material.same(earlier.material) && !ambiguous[id]:
			ambiguous[id] = true
			skipped = append(skipped, fmt.Errorf("keys: key %q of the JWK Set %w", id, errAmbiguous))
		}
	}
	// Which of two different keys a kid refers to cannot be known.
	keys = slices.DeleteFunc(keys, func(k Key) bool { return ambiguous[k.ID()] })
	if len(keys) == 0 {
		return nil, skipped, errNoKeys
	}
	return keys, skipped, nil
}

// parseJWK returns the key in text. Its error continues a sentence that begins
// with the name of the key. A key verifies by one algorithm: its alg, or, without
// alg, the first of its kty and crv.
func parseJWK(text string) (Key, error) {
	k, err := jose.ParseJWK(text)
	if err != nil {
		return Key{}, fmt.Errorf("cannot be used: %w", err)
	}
	if k.Use != "" && k.Use != "sig" || k.Operations != nil && !slices.Contains(k.Operations, "verify") {
		return Key{}, errOtherUse
	}
	alg := algorithmOf(&k)
	if alg == nil {
		return Key{}, errKind
	}
	public, err := alg.family.parse(alg, k)
	if err != nil {
		return Key{}, err
	}
	key := alg.family.build(alg, public)
	switch {
	case key.material.problem != "":
		return Key{}, fmt.Errorf("cannot be used: %s", key.material.problem)
	case k.KeyID != "":
		return key.WithID(k.KeyID), nil
	}
	return key, nil
}

// algorithmOf returns the algorithm of k, or nil if it is not supported or k must
// not be public.
func algorithmOf(k *jose.JWK) *algorithm {
	for i := range algorithms {
		alg := &algorithms[i]
		if alg.family.parse != nil && alg.family.kty == k.Type && alg.crv() == k.Curve && (k.Algorithm == "" || alg.signs(k.Algorithm)) {
			return alg
		}
	}
	return nil
}

// crv returns the crv of a's JWKs, empty for RSA.
func (a *algorithm) crv() string {
	if a.curve != nil {
		return a.curve.Params().Name
	}
	return a.family.crv
}
