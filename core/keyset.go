package jwtgate

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// Keys are what tokens are verified with and, where one of them can, signed by:
// one [Key], a [KeySet], a [KeyRing] of keys that change, or the [RemoteKeys] of
// another. The set of implementations is closed.
type Keys interface {
	// open returns the source of the keys that a verifies tokens of issuer with,
	// or what is wrong with them in words that hold no secret.
	open(a *Auth, issuer string) (keySource, []string)
}

// keySource has the keys of this moment.
type keySource interface {
	// held is called for every token that is verified. It never blocks, and
	// what it returns is not changed later.
	held() *keyTable

	// signerFor returns the key that signs a token of this lifetime, nil if none
	// of them signs.
	signerFor(issued, expires time.Time) *material
}

// A KeySet is several keys. The first that can sign signs, all verify. A token
// without kid is verified only if exactly one of them has its algorithm.
type KeySet []Key

// maxCandidates bounds how many signatures are checked for one token: a token
// without kid, or with one that several issuers use, can have several keys.
const maxCandidates = 4

// keyTable finds the key of a token.
type keyTable struct {
	all       []Key
	signer    *material // nil if none of the keys signs
	byID      map[string]*material
	published atomic.Pointer[publishedSet] // the public halves, as of when they were last asked for
}

// find returns the key for a token with header at a time, nil if there is none:
// by its kid, or, if it has none, the only one for its algorithm.
func (t *keyTable) find(header jose.Header, at time.Time) *material {
	if header.KeyID != "" {
		if m := t.holds(header.KeyID, at); m != nil && m.signs(header.Algorithm) {
			return m
		}
		return nil
	}
	var only *material
	for _, k := range t.all {
		if k.material.signs(header.Algorithm) && !k.material.over(at) {
			if only != nil {
				return nil
			}
			only = k.material
		}
	}
	return only
}

// holds returns the key with the kid id at a time, nil if there is none.
func (t *keyTable) holds(id string, at time.Time) *material {
	if m := t.byID[id]; m != nil && !m.over(at) {
		return m
	}
	return nil
}

func newKeyTable(keys []Key) *keyTable {
	table := &keyTable{all: keys, byID: make(map[string]*material, len(keys))}
	for _, k := range keys {
		table.byID[k.material.id] = k.material
		if table.signer == nil && k.material.signing != nil {
			table.signer = k.material
		}
	}
	return table
}

func (k Key) open(a *Auth, issuer string) (keySource, []string) { return KeySet{k}.open(a, issuer) }

func (set KeySet) open(*Auth, string) (keySource, []string) {
	if problems := set.problems(); len(problems) > 0 {
		return nil, problems
	}
	return newKeyTable(slices.Clone(set)), nil
}

// problems returns what is wrong with set, in words that hold no secret.
func (set KeySet) problems() []string {
	var problems []string
	if len(set) == 0 {
		problems = append(problems, "is empty: give at least one key")
	}
	seen := make(map[string]bool, len(set))
	for i, k := range set {
		switch {
		case k.material == nil:
			problems = append(problems, fmt.Sprintf("key %d is the zero Key: make one with HS256, RS256, ES256, EdDSA …", i))
		case k.material.problem != "" && len(set) > 1:
			problems = append(problems, fmt.Sprintf("key %d: %s", i, k.material.problem))
		case k.material.problem != "":
			problems = append(problems, k.material.problem)
		case !jose.ValidKeyID(k.material.id):
			problems = append(problems, fmt.Sprintf("the kid of key %d is not 1 to 256 printable ASCII characters", i))
		case seen[k.material.id]:
			problems = append(problems, fmt.Sprintf("two keys have the kid %q: a kid names one key", k.material.id))
		default:
			seen[k.material.id] = true
		}
	}
	return problems
}

// held and signerFor make a table the source of keys that do not change.
func (t *keyTable) held() *keyTable { return t }

func (t *keyTable) signerFor(_, _ time.Time) *material { return t.signer }
