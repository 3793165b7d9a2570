package keys

import (
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// A Set is several keys. The first that can sign signs, and all verify.
//
// Keys are told apart by kid and algorithm, so one kid can name keys of several
// algorithms. A token with a kid is checked by the key with that kid and the
// algorithm of the token. If there is none, it is checked by the keys of the
// algorithm that have no [Key.WithID], and a token without kid by all keys of the
// algorithm: in the order of the Set, at most four for each token.
type Set []Key

// Open makes s a [Source]. Later changes of s have no effect.
func (s Set) Open(options keyaccess.Options) (keyaccess.Keys, []string) {
	if problems := s.problems(); len(problems) > 0 {
		return nil, problems
	}
	s.warn(options.Logger)
	return newTable(slices.Clone(s)), nil
}

// warn logs each key of s that is insecure.
func (s Set) warn(logger *slog.Logger) {
	for _, k := range s {
		if k.material.insecure {
			logger.Warn("tokens signed with an insecure secret are accepted", "key", k, "until", k.material.until)
		}
	}
}

// problems returns descriptions of the mistakes in s, which contain no secret.
func (s Set) problems() []string {
	var problems []string
	if len(s) == 0 {
		problems = append(problems, "is empty: give at least one key")
	}
	seen := make(map[keyName]bool, len(s))
	for i, k := range s {
		switch {
		case k.material == nil:
			problems = append(problems, fmt.Sprintf("key %d is the zero Key: make one with keys.HS256, keys.RS256, keys.ES256, keys.EdDSA …", i))
		case k.material.problem != "" && len(s) > 1:
			problems = append(problems, fmt.Sprintf("key %d: %s", i, k.material.problem))
		case k.material.problem != "":
			problems = append(problems, k.material.problem)
		case k.material.named && !jose.ValidKeyID(k.material.id):
			problems = append(problems, fmt.Sprintf("the kid of key %d is not 1 to 256 printable ASCII characters", i))
		case seen[k.name()]:
			problems = append(problems, fmt.Sprintf("two keys have the kid %q and the algorithm %s: give each key its own kid with WithID", k.ID(), k.material.alg.name))
		case k.name() != keyName{}:
			seen[k.name()] = true
		}
	}
	return problems
}

// A table has the keys of one moment and finds the keys of a token. It never changes,
// so it is a [keyaccess.Set]. A [Set] never changes either, so a table is also its
// [keyaccess.Keys].
type table struct {
	all     []Key
	signer  keyaccess.SigningKey // nil if none of the keys can sign
	byID    map[string]byAlgorithm
	byAlg   byAlgorithm
	unnamed byAlgorithm                // the keys that were given no kid
	parts   []keyaccess.Set            // of a table of several sources: the set of each
	jwks    atomic.Pointer[encodedSet] // the last result of JWKSet
}

// byAlgorithm has lists of keys, each of one algorithm. There are so few that a
// search is faster than a map.
type byAlgorithm []keysOf

type keysOf struct {
	alg  *algorithm
	keys []keyaccess.VerificationKey
}

// of returns the keys for tokens with this alg header.
func (b byAlgorithm) of(alg string) []keyaccess.VerificationKey {
	for i := range b {
		if b[i].alg.signs(alg) {
			return b[i].keys
		}
	}
	return nil
}

// with returns b with m added.
func (b byAlgorithm) with(m *material) byAlgorithm {
	for i := range b {
		if b[i].alg == m.alg {
			b[i].keys = append(b[i].keys, m)
			return b
		}
	}
	return append(b, keysOf{m.alg, []keyaccess.VerificationKey{m}})
}

func newTable(keys []Key) *table {
	t := &table{all: keys, byID: make(map[string]byAlgorithm, len(keys))}
	for _, k := range keys {
		m := k.material
		t.byAlg = t.byAlg.with(m)
		if !m.named {
			t.unnamed = t.unnamed.with(m)
		}
		if m.id != "" {
			t.byID[m.id] = t.byID[m.id].with(m)
		}
		if t.signer == nil && k.canSign() {
			t.signer = m
		}
	}
	return t
}

// Current returns t.
func (t *table) Current() keyaccess.Set { return t }

// SigningKey returns the first key that can sign.
func (t *table) SigningKey(_, _ time.Time) keyaccess.SigningKey { return t.signer }

// CanSign reports whether one of the keys can sign.
func (t *table) CanSign() bool { return t.signer != nil }

// Find is part of [keyaccess.Set].
func (t *table) Find(header jose.Header, at time.Time) (candidates []keyaccess.VerificationKey, named bool) {
	if header.KeyID == "" {
		return t.byAlg.of(header.Algorithm), false
	}
	if candidates = t.byID[header.KeyID].of(header.Algorithm); held(candidates, at) {
		return candidates, true
	}
	return t.unnamed.of(header.Algorithm), false
}

// HasKeyID reports whether there is a key with the kid id.
func (t *table) HasKeyID(id string, at time.Time) bool {
	for _, k := range t.byID[id] {
		if held(k.keys, at) {
			return true
		}
	}
	return false
}

// Names is part of [keyaccess.Set].
func (t *table) Names(at time.Time) []keyaccess.KeyName {
	var names []keyaccess.KeyName
	for _, k := range t.all {
		if m := k.material; !m.Expired(at) {
			names = append(names, keyaccess.KeyName{Algorithm: m.alg.name, ID: m.id, Any: !m.named})
		}
	}
	return names
}

// held reports whether one of keys has not expired.
func held(keys []keyaccess.VerificationKey, at time.Time) bool {
	for _, k := range keys {
		if !k.Expired(at) {
			return true
		}
	}
	return false
}

// Secret returns the secret of a set that is a single HMAC key that can sign, else
// nil.
func (t *table) Secret() []byte {
	if len(t.all) != 1 || !t.all[0].canSign() {
		return nil
	}
	secret, _ := t.all[0].material.public().([]byte)
	return secret
}

// missingIn returns the kids of the keys of t that other does not have.
func (t *table) missingIn(other *table) []string {
	var missing []string
	for _, k := range t.all {
		if other.byID[k.ID()].of(k.material.alg.name) == nil {
			missing = append(missing, k.ID())
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// reuse replaces each of keys that t has too by that of t, so that a key that was
// fetched twice is the same [keyaccess.VerificationKey].
func (t *table) reuse(keys []Key) {
	for i, k := range keys {
		if same := slices.IndexFunc(t.all, k.equal); same >= 0 {
			keys[i] = t.all[same]
		}
	}
}
