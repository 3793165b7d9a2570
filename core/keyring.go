package jwtgate

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A KeyRing is several keys that change while they are in use. One of them, the
// active key, signs; all of them verify, and [Auth.JWKS] publishes their public
// halves. Several Auths can share a ring. It is safe for concurrent use.
//
// Where several processes sign, each is given the same keys by configuration, and
// [KeyRing.Replace] takes a change of it over: private keys do not belong into a
// session store. Roll a new key out in three steps, each on every process before
// the next begins:
//
//  1. Announce: list the new key behind the old one, and wait for 5 minutes. That
//     is how long others keep what [Auth.JWKS] answers.
//  2. Sign: list the new key first, and wait for [Config.AccessTTL].
//  3. Retire: list the new key alone.
//
// Where one process signs, and others verify by its JWK Set, [KeyRing.Announce]
// and [KeyRing.Rotate] do the same by call, and [KeyRing.RotateEvery] on a
// schedule. A key that signs no more is then held until the last token that it
// signed expires, to the second, and no longer.
//
// Printing and logging a KeyRing shows algorithms and kids, never a key.
type KeyRing struct {
	table atomic.Pointer[keyTable] // what verifies; replaced, never changed

	mu       sync.Mutex           // to change the ring, and to choose the key of a token
	active   Key                  // signs; the zero Key if none does
	next     Key                  // announced; the zero Key if none is
	others   []Key                // listed to verify
	retired  []Key                // each with an end
	expires  map[string]time.Time // by kid: when the last token that the key signed expires
	issued   time.Time            // when the last token of all was signed
	problems []string             // of the keys that NewKeyRing was given, until they are replaced
}

var (
	errNoSigningKey = errors.New("jwtgate: KeyRing: none of the keys can sign: give a secret or a private key")
	errSignsAlready = errors.New("jwtgate: KeyRing: the key is the one that signs already")
	errNoNextKey    = errors.New("jwtgate: KeyRing: there is no next key: announce one")
)

// NewKeyRing returns a ring of keys. As in a [KeySet], the first that can sign
// signs, and all verify. [New] reports what is wrong with them.
func NewKeyRing(keys ...Key) *KeyRing {
	r := new(KeyRing)
	if r.problems = KeySet(keys).problems(); len(r.problems) == 0 {
		r.list(keys)
	}
	return r
}

// Replace makes keys the keys of r, with the meaning that they have for
// [NewKeyRing]. What is not among them is gone at once, and its tokens are
// refused, or renewed by a refresh token.
//
// It does all or nothing: with an error, which holds no secret, the keys of r
// are what they were. It is an error if none of keys can sign, but one could
// before, or if a kid that names one key of r is to name another.
func (r *KeyRing) Replace(keys ...Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prune()
	if err := r.check(keys); err != nil {
		return err
	}
	signs := func(k Key) bool { return k.material.signing != nil }
	if r.active.material != nil && !slices.ContainsFunc(keys, signs) {
		return errNoSigningKey
	}
	r.list(keys)
	return nil
}

// Announce adds the key that the next [KeyRing.Rotate] makes the active one. It
// verifies and is published, but does not sign, so that others know it by the
// time that it does: leave them the 5 minutes for which they may keep what
// [Auth.JWKS] answers. It takes the place of a key announced before. A key that
// r has already, such as a retired one that is to come back, can be announced,
// but for the active one. With an error the keys of r are what they were.
func (r *KeyRing) Announce(next Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prune()
	if err := r.check([]Key{next}); err != nil {
		return err
	}
	switch {
	case next.material.signing == nil:
		return errNoSigningKey
	case next.ID() == r.active.ID():
		return errSignsAlready
	}
	former := r.next
	r.remove(next)
	r.next = next
	if former.ID() != next.ID() {
		r.retire(former)
	}
	r.publish()
	return nil
}

// Rotate makes the announced key the active one. The key that was it verifies
// until the last token that it signed expires, by the clock of the Auth that
// judges, and is gone then. If no key is announced, it is an error, and nothing
// changes.
func (r *KeyRing) Rotate() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next.material == nil {
		return errNoNextKey
	}
	former := r.active
	r.active, r.next = r.next, Key{}
	r.retire(former)
	r.publish()
	return nil
}

// String returns the algorithm and the kid of each key of r, and what it does.
func (r *KeyRing) String() string {
	if r == nil {
		return "no keys"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	if r.active.material != nil {
		list = append(list, r.active.String()+" signs")
	}
	if r.next.material != nil {
		list = append(list, r.next.String()+" is next")
	}
	for _, k := range r.others {
		list = append(list, k.String()+" verifies")
	}
	for _, k := range r.retired {
		list = append(list, k.String()+" verifies until "+k.material.until.UTC().Format(time.RFC3339))
	}
	if len(list) == 0 {
		return "no keys"
	}
	return strings.Join(list, ", ")
}

// GoString returns what String does, so that %#v prints no secret either.
func (r *KeyRing) GoString() string { return r.String() }

// LogValue returns what String does.
func (r *KeyRing) LogValue() slog.Value { return slog.StringValue(r.String()) }

func (r *KeyRing) open(*Auth, string) (keySource, []string) {
	if r == nil {
		return nil, []string{"is a nil *KeyRing: make one with NewKeyRing"}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.problems) > 0:
		return nil, r.problems
	case r.table.Load() == nil:
		return nil, []string{"is the zero KeyRing: make one with NewKeyRing"}
	}
	return r, nil
}

func (r *KeyRing) held() *keyTable { return r.table.Load() }

// signerFor chooses the key and notes the token's end in one step: whoever
// retires the key afterwards knows of the token, even before it is signed.
func (r *KeyRing) signerFor(issued, expires time.Time) *material {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active.material == nil {
		return nil
	}
	if r.expires == nil {
		r.expires = make(map[string]time.Time)
	}
	if id := r.active.ID(); expires.After(r.expires[id]) {
		r.expires[id] = expires
	}
	if issued.After(r.issued) {
		r.issued = issued
	}
	return r.active.material
}

// check returns what is wrong with keys, which are to come into r.
func (r *KeyRing) check(keys []Key) error {
	problems := KeySet(keys).problems()
	if len(problems) == 0 {
		held := r.keys()
		for _, k := range keys {
			if slices.ContainsFunc(held, func(h Key) bool { return h.ID() == k.ID() && !h.material.same(k.material) }) {
				problems = append(problems, fmt.Sprintf("the kid %q names another key of the ring: a kid names one key", k.ID()))
			}
		}
	}
	if len(problems) > 0 {
		return errors.New("jwtgate: KeyRing: " + strings.Join(problems, "; "))
	}
	return nil
}

// keys returns all keys of r.
func (r *KeyRing) keys() []Key {
	keys := slices.Concat([]Key{r.active, r.next}, r.others, r.retired)
	return slices.DeleteFunc(keys, func(k Key) bool { return k.material == nil })
}

// list makes keys the keys of r, and no others.
func (r *KeyRing) list(keys []Key) {
	r.active, r.next, r.others, r.retired, r.problems = Key{}, Key{}, nil, nil, nil
	for _, k := range keys {
		if r.active.material == nil && k.material.signing != nil {
			r.active = k
		} else {
			r.others = append(r.others, k)
		}
	}
	r.publish()
}

// retire gives k, which is none of r's keys any more, an end. What has signed
// nothing has none to wait for.
func (r *KeyRing) retire(k Key) {
	if until, signed := r.expires[k.ID()]; signed {
		retired := *k.material
		retired.until = until
		r.retired = append(r.retired, Key{&retired})
	}
}

// remove takes k from the keys that only verify.
func (r *KeyRing) remove(k Key) {
	same := func(other Key) bool { return other.ID() == k.ID() }
	r.others = slices.DeleteFunc(r.others, same)
	r.retired = slices.DeleteFunc(r.retired, same)
}

// prune forgets the keys that no Auth holds any more, whatever its Leeway. A
// ring has no clock, but was last told the time when a token was signed.
func (r *KeyRing) prune() {
	at := r.issued.Add(-maxLeeway)
	r.retired = slices.DeleteFunc(r.retired, func(k Key) bool { return k.material.over(at) })
	for id, expires := range r.expires {
		if !at.Before(expires) {
			delete(r.expires, id)
		}
	}
}

// publish makes the keys of r the ones that are held.
func (r *KeyRing) publish() {
	table := newKeyTable(r.keys())
	table.signer = r.active.material
	r.table.Store(table)
}
