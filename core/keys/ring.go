package keys

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// A Ring is several keys that change while they are in use. One of them, the
// active key, signs. All of them verify, and the endpoint Auth.JWKS publishes
// their public halves. Several Auths can share a ring. It is safe for concurrent
// use.
//
// If several processes sign, give each the same keys by configuration, and apply
// a change of the configuration with [Ring.Replace]. Introduce a new key in three
// steps, each on every process before the next step begins:
//
//  1. Announce: list the new key after the old one, and wait for 5 minutes, which
//     is how long others may keep the published JWK Set.
//  2. Sign: list the new key first, and wait for Config.AccessTTL.
//  3. Retire: list the new key alone.
//
// If only one process signs, and others verify by its JWK Set, call [Ring.Announce] and
// [Ring.Rotate] instead, or [Ring.RotateEvery], which calls them on a schedule. The
// ring then keeps a key that no longer signs until the last token that it signed
// has expired.
//
// Printing and logging a Ring shows algorithms and kids, never a key.
type Ring struct {
	table atomic.Pointer[table] // the keys that verify; replaced, never changed

	mu       sync.Mutex            // held to change the ring, and to choose the key of a token
	active   Key                   // signs; the zero Key if none does
	next     Key                   // announced; the zero Key if none is
	others   []Key                 // listed to verify
	retired  []Key                 // verify until their last token expires
	expires  map[keyName]time.Time // when the last token that a key signed expires
	issued   time.Time             // when the last token was signed by any key
	problems []string              // of the keys that NewRing was given, until they are replaced
}

var (
	errNoSigningKey  = errors.New("keys: Ring: none of the keys can sign: give a secret or a private key")
	errAlreadyActive = errors.New("keys: Ring: the key is already the active one: announce another key")
	errNoNextKey     = errors.New("keys: Ring: no key is announced: call Announce first")
)

// NewRing returns a ring of keys. As in a [Set], the first key that can sign is
// the active one, and all verify. jwtgate.New reports mistakes in the keys.
func NewRing(keys ...Key) *Ring {
	r := new(Ring)
	if r.problems = Set(keys).problems(); len(r.problems) == 0 {
		r.list(keys)
	}
	return r
}

// Replace makes keys the keys of r. They have the same meaning as for [NewRing].
// Keys that are not among them are removed at once: their tokens are refused, or
// renewed by a refresh token.
//
// If Replace returns an error, the keys of r are unchanged. It is an error if none of
// keys can sign although r could sign before, or if a key has the kid and the algorithm
// of another key of r. Errors contain no secret.
func (r *Ring) Replace(keys ...Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prune()
	if err := r.check(keys); err != nil {
		return err
	}
	if r.active.material != nil && !slices.ContainsFunc(keys, Key.canSign) {
		return errNoSigningKey
	}
	r.list(keys)
	return nil
}

// Announce adds the key that the next [Ring.Rotate] makes the active one. Until
// then it verifies and is published, but does not sign. Wait at least 5 minutes
// before Rotate: others may keep the published JWK Set for that long. The key
// replaces one that was announced before. It can be a key that r already has, such
// as a retired one, but not the active one. If Announce returns an error, the keys
// of r are unchanged.
func (r *Ring) Announce(next Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prune()
	if err := r.check([]Key{next}); err != nil {
		return err
	}
	switch {
	case !next.canSign():
		return errNoSigningKey
	case next.name() == r.active.name():
		return errAlreadyActive
	}
	former := r.next
	r.remove(next)
	r.next = next
	if former.name() != next.name() {
		r.retire(former)
	}
	r.publish()
	return nil
}

// Rotate makes the announced key the active one. The former active key verifies
// until the last token that it signed expires, by the clock of the Auth that
// verifies. If no key is announced, Rotate returns an error and changes nothing.
func (r *Ring) Rotate() error {
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

// String returns the algorithm, the kid and the role of each key of r.
func (r *Ring) String() string {
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
	for _, k := range slices.Concat(r.others, r.retired) {
		text := k.String() + " verifies"
		if until := k.material.until; !until.IsZero() {
			text += " until " + until.UTC().Format(time.RFC3339)
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return "no keys"
	}
	return strings.Join(list, ", ")
}

// GoString returns what String does, so that %#v prints no secret either.
func (r *Ring) GoString() string { return r.String() }

// LogValue returns what String does.
func (r *Ring) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Open makes r a [Source].
func (r *Ring) Open(options keyaccess.Options) (keyaccess.Keys, []string) {
	if r == nil {
		return nil, []string{"is a nil *keys.Ring: make one with keys.NewRing"}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.problems) > 0:
		return nil, r.problems
	case r.table.Load() == nil:
		return nil, []string{"is the zero keys.Ring: make one with keys.NewRing"}
	}
	Set(r.keys()).warn(options.Logger)
	return ringKeys{r}, nil
}

// ringKeys makes a Ring [keyaccess.Keys].
type ringKeys struct{ *Ring }

// Current returns the keys of the ring.
func (r ringKeys) Current() keyaccess.Set { return r.table.Load() }

// SigningKey returns the active key and records when the token expires. It does both
// under one lock, so that the key is kept for this token even if the key is retired
// before the token has been signed.
func (r ringKeys) SigningKey(issued, expires time.Time) keyaccess.SigningKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active.material == nil {
		return nil
	}
	if r.expires == nil {
		r.expires = make(map[keyName]time.Time)
	}
	if n := r.active.name(); expires.After(r.expires[n]) {
		r.expires[n] = expires
	}
	if issued.After(r.issued) {
		r.issued = issued
	}
	return r.active.material
}

// check returns an error if keys cannot be added to r.
func (r *Ring) check(keys []Key) error {
	problems := Set(keys).problems()
	if len(problems) == 0 {
		held := r.keys()
		for _, k := range keys {
			if slices.ContainsFunc(held, func(h Key) bool { return h.named(k.name()) && !h.material.same(k.material) }) {
				problems = append(problems, fmt.Sprintf("the kid %q already names another %s key of the ring: give the new key its own kid with WithID", k.ID(), k.material.alg.name))
			}
		}
	}
	if len(problems) > 0 {
		return errors.New("keys: Ring: " + strings.Join(problems, "; "))
	}
	return nil
}

// keys returns all keys of r.
func (r *Ring) keys() []Key {
	keys := slices.Concat([]Key{r.active, r.next}, r.others, r.retired)
	return slices.DeleteFunc(keys, func(k Key) bool { return k.material == nil })
}

// list makes keys the only keys of r.
func (r *Ring) list(keys []Key) {
	r.active, r.next, r.others, r.retired, r.problems = Key{}, Key{}, nil, nil, nil
	for _, k := range keys {
		if r.active.material == nil && k.canSign() {
			r.active = k
		} else {
			r.others = append(r.others, k)
		}
	}
	r.publish()
}

// retire adds k to the retired keys, until the last token that it signed expires. A key
// that has signed no token is not kept.
func (r *Ring) retire(k Key) {
	if until, signed := r.expires[k.name()]; signed {
		retired := *k.material
		retired.until = until
		r.retired = append(r.retired, Key{&retired})
	}
}

// remove removes k from the keys that only verify.
func (r *Ring) remove(k Key) {
	same := func(other Key) bool { return other.named(k.name()) }
	r.others = slices.DeleteFunc(r.others, same)
	r.retired = slices.DeleteFunc(r.retired, same)
}

// prune removes the retired keys that have expired for every Auth, whatever its
// Leeway. A ring has no clock: it uses the time at which the last token was signed.
func (r *Ring) prune() {
	at := r.issued.Add(-keyaccess.MaxLeeway)
	r.retired = slices.DeleteFunc(r.retired, func(k Key) bool { return k.material.Expired(at) })
	for n, expires := range r.expires {
		if !at.Before(expires) {
			delete(r.expires, n)
		}
	}
}

// publish makes the keys of r the current ones.
func (r *Ring) publish() {
	t := newTable(r.keys())
	t.signer = nil // not an announced key
	if r.active.material != nil {
		t.signer = r.active.material
	}
	r.table.Store(t)
}
