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
	errSetSize  = fmt.Errorf("keys: the JWK Set has more than %d keys", maxSetKeys)
	errNoKeys   = errors.New("keys: the JWK Set has no key that can verify tokens")
	errOtherUse = errors.New("is for another use than signatures")
	errKind     = errors.New("has a kty, crv or alg that is not supported, or a combination of them that is not valid")
)

// parseJWKSet returns the keys of a JWK Set (RFC 7517 §5) that can verify tokens,
// and for each other JWK why it is skipped. One unusual JWK does not make the
// others unusable. Several keys can have the same kid, even for one algorithm: each
// is a candidate for the tokens with that kid. Keys that are listed twice are
// returned once.
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
	for i, text := range texts {
		parsed, err := parseJWK(text)
		switch {
		case errors.Is(err, errOtherUse): // such a key is not a mistake
		case err != nil:
			skipped = append(skipped, fmt.Errorf("keys: key %d of the JWK Set %w", i, err))
		}
		for _, k := range parsed {
			if !slices.ContainsFunc(keys, k.equal) {
				keys = append(keys, k)
			}
		}
	}
	if len(keys) == 0 {
		return nil, skipped, errNoKeys
	}
	return keys, skipped, nil
}

// equal reports whether k and other have the same name and are the same key.
func (k Key) equal(other Key) bool {
	return k.name() == other.name() && k.material.same(other.material)
}

// parseJWK returns the keys in text: one for its alg, or, without alg, one for each
// algorithm of its kty and crv, such as RS256 to PS512 for RSA. Its error continues
// a sentence that begins with the name of the JWK.
func parseJWK(text string) ([]Key, error) {
	k, err := jose.ParseJWK(text)
	if err != nil {
		return nil, fmt.Errorf("cannot be used: %w", err)
	}
	if k.Use != "" && k.Use != "sig" || k.Operations != nil && !slices.Contains(k.Operations, "verify") {
		return nil, errOtherUse
	}
	var keys []Key
	for i := range algorithms {
		alg := &algorithms[i]
		if !alg.serves(&k) {
			continue
		}
		public, err := alg.family.parse(alg, k)
		if err != nil {
			return nil, err
		}
		key := alg.family.build(alg, public)
		if key.material.problem != "" {
			return nil, fmt.Errorf("cannot be used: %s", key.material.problem)
		}
		if k.KeyID != "" {
			key = key.WithID(k.KeyID)
		}
		keys = append(keys, key)
	}
	if keys == nil {
		return nil, errKind
	}
	return keys, nil
}

// serves reports whether k is a public key of a, and not one for another algorithm.
func (a *algorithm) serves(k *jose.JWK) bool {
	return a.family.parse != nil && a.family.kty == k.Type && a.crv() == k.Curve && (k.Algorithm == "" || a.signs(k.Algorithm))
}

// crv returns the crv of a's JWKs, empty for RSA.
func (a *algorithm) crv() string {
	if a.curve != nil {
		return a.curve.Params().Name
	}
	return a.family.crv
}
