package keys

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// A Set is several keys. The first that can sign signs, and all verify. A token
// without kid is verified only if exactly one of the keys has its algorithm.
type Set []Key

// Open makes s a [Source]. Later changes of s have no effect.
func (s Set) Open(keyaccess.Options) (keyaccess.Keys, []string) {
	if problems := s.problems(); len(problems) > 0 {
		return nil, problems
	}
	return newTable(slices.Clone(s)), nil
}

// problems returns descriptions of the mistakes in s, which contain no secret.
func (s Set) problems() []string {
	var problems []string
	if len(s) == 0 {
		problems = append(problems, "is empty: give at least one key")
	}
	seen := make(map[string]bool, len(s))
	for i, k := range s {
		switch {
		case k.material == nil:
			problems = append(problems, fmt.Sprintf("key %d is the zero Key: make one with keys.HS256, keys.RS256, keys.ES256, keys.EdDSA …", i))
		case k.material.problem != "" && len(s) > 1:
			problems = append(problems, fmt.Sprintf("key %d: %s", i, k.material.problem))
		case k.material.problem != "":
			problems = append(problems, k.material.problem)
		case !jose.ValidKeyID(k.material.id):
			problems = append(problems, fmt.Sprintf("the kid of key %d is not 1 to 256 printable ASCII characters", i))
		case seen[k.material.id]:
			problems = append(problems, fmt.Sprintf("two keys have the kid %q: give each key its own kid with WithID", k.material.id))
		default:
			seen[k.material.id] = true
		}
	}
	return problems
}

// A table has the keys of one moment and finds the key of a token. It never changes,
// so it is a [keyaccess.Set]. A [Set] never changes either, so a table is also its
// [keyaccess.Keys].
type table struct {
	all    []Key
	signer *material // nil if none of the keys can sign
	byID   map[string]*material
	jwks   atomic.Pointer[encodedSet] // the last result of JWKSet
}

func newTable(keys []Key) *table {
	t := &table{all: keys, byID: make(map[string]*material, len(keys))}
	for _, k := range keys {
		t.byID[k.material.id] = k.material
		if t.signer == nil && k.canSign() {
			t.signer = k.material
		}
	}
	return t
}

// Current returns t.
func (t *table) Current() keyaccess.Set { return t }

// SigningKey returns the first key that can sign.
func (t *table) SigningKey(_, _ time.Time) keyaccess.SigningKey {
	if t.signer == nil {
		return nil
	}
	return t.signer
}

// CanSign reports whether one of the keys can sign.
func (t *table) CanSign() bool { return t.signer != nil }

// Find returns the key with the kid of header if it has the algorithm of header.
// If header has no kid, Find returns the only key with that algorithm.
func (t *table) Find(header jose.Header, at time.Time) keyaccess.VerificationKey {
	if m := t.find(header, at); m != nil {
		return m
	}
	return nil
}

func (t *table) find(header jose.Header, at time.Time) *material {
	if header.KeyID != "" {
		if m := t.byID[header.KeyID]; m != nil && !m.Expired(at) && m.alg.signs(header.Algorithm) {
			return m
		}
		return nil
	}
	var only *material
	for _, k := range t.all {
		if k.material.alg.signs(header.Algorithm) && !k.material.Expired(at) {
			if only != nil {
				return nil
			}
			only = k.material
		}
	}
	return only
}

// HasKeyID reports whether there is a key with the kid id.
func (t *table) HasKeyID(id string, at time.Time) bool {
	m := t.byID[id]
	return m != nil && !m.Expired(at)
}

// Secret returns the secret of a set that is a single HMAC key, else nil.
func (t *table) Secret() []byte {
	if len(t.all) != 1 {
		return nil
	}
	secret, _ := t.all[0].material.public().([]byte)
	return secret
}
