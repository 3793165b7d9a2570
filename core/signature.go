package jwtgate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// maxChecks bounds how many signatures are checked to find the key of a token, in
// the keys of all issuers together. A flood of forged tokens costs no more than that.
const maxChecks = 4

// An issuerKey is the key that signed a token, and the issuer and key set that it
// was found in.
type issuerKey struct {
	*issuer

	set keyaccess.Set
	key keyaccess.VerificationKey
}

// held reports whether the issuer still has the key at the given time.
func (k *issuerKey) held(at time.Time) bool {
	return k.keys.Current() == k.set && !k.key.Expired(at)
}

// used is called when the key has verified a token. If the key may have been
// removed in the meantime, used waits for the keys of the issuer, and reports
// whether they have changed.
func (k *issuerKey) used(ctx context.Context) (changed bool, err error) {
	if k.remote == nil {
		return false, nil
	}
	return k.remote.Used(ctx)
}

// findKey returns the key that made signature, the signature of token.
//
// If there is only one issuer, or only one has a key with the kid and the algorithm
// of the token, its keys are checked before the payload is read: the caller compares
// iss with the issuer of the key. Otherwise the keys are those of findKeyByIssuer.
func (a *Auth) findKey(ctx context.Context, token *jose.Token, signature []byte, now time.Time) (issuerKey, error) {
	s := keySearch{token: *token, signature: signature, at: a.keysAt(now)}
	i, set, candidates := a.holder(&s)
	if key := s.check(candidates); key != nil {
		return issuerKey{i, set, key}, nil
	}
	if !a.remote && len(a.issuers) == 1 {
		return issuerKey{}, unverified(a.cause(&s), a.issuers[0].checkAlgorithm(&s))
	}
	key, reason := a.findKeyByIssuer(ctx, &s)
	if key.key != nil || keyaccess.AsUnavailable(reason) != nil {
		return key, reason
	}
	return issuerKey{}, unverified(a.cause(&s), reason)
}

// holder returns the only issuer whose keys can have signed the token as far as its
// header tells, and the keys to check. It returns none if there are several.
func (a *Auth) holder(s *keySearch) (holder *issuer, set keyaccess.Set, candidates []keyaccess.VerificationKey) {
	for i := range a.issuers {
		current := a.issuers[i].keys.Current()
		found, named := current.Find(s.token.Header, s.at)
		switch {
		case !named && len(a.issuers) > 1:
		case holder != nil:
			return nil, nil, nil
		default:
			holder, set, candidates = &a.issuers[i], current, found
		}
	}
	return holder, set, candidates
}

// findKeyByIssuer continues findKey with the keys of the issuer that the token
// claims to be from. They may be fetched, because the issuer may have published a
// new key. The error says what is wrong with the claims, if anything is.
//
// This is the only place where the payload is used before its signature is checked:
// iss decides which of the configured issuers has the keys to check and is asked for
// new keys, and nothing else.
func (a *Auth) findKeyByIssuer(ctx context.Context, s *keySearch) (issuerKey, error) {
	payload, err := s.token.Payload(nil)
	if err != nil {
		return issuerKey{}, err
	}
	var claims jose.Claims
	if err := claims.Parse(string(payload), nil); err != nil {
		return issuerKey{}, err
	}
	if claims.Expires == 0 {
		return issuerKey{}, errNoExpiry
	}
	known := false
	var reason error
	for i := range a.issuers {
		issuer := &a.issuers[i]
		if !issuer.issues(claims.Issuer) {
			continue
		}
		known = true
		if reason = issuer.checkUse(&claims, s.token.Header.Type); reason != nil {
			continue
		}
		key, err := issuer.findKey(ctx, s)
		if key.key != nil || err != nil {
			return key, err
		}
		reason = issuer.checkAlgorithm(s)
	}
	if !known {
		reason = &issuerError{claims.Issuer, a.issuers}
	}
	return issuerKey{}, reason
}

// findKeyOf returns the key of the issuer called name that made the signature of
// token.
func (a *Auth) findKeyOf(ctx context.Context, name string, token *jose.Token, signature []byte, now time.Time) (issuerKey, error) {
	s := keySearch{token: *token, signature: signature, at: a.keysAt(now)}
	known := false
	for i := range a.issuers {
		issuer := &a.issuers[i]
		if !issuer.issues(name) {
			continue
		}
		if key, err := issuer.findKey(ctx, &s); key.key != nil || err != nil {
			return key, err
		}
		known = true
	}
	if !known {
		return issuerKey{}, &issuerError{name, a.issuers}
	}
	return issuerKey{}, errIssuer
}

// findKey returns the key of i that made the signature, and no key if there is none:
// one of the current keys, or one that the issuer has published since.
func (i *issuer) findKey(ctx context.Context, s *keySearch) (issuerKey, error) {
	seen := i.keys.Current()
	candidates, named := seen.Find(s.token.Header, s.at)
	if key := s.check(candidates); key != nil {
		return issuerKey{i, seen, key}, nil
	}
	if i.remote == nil || named {
		return issuerKey{}, nil // a fetch would bring the same key for a known kid
	}
	err := i.remote.Seek(ctx, seen)
	if set := i.keys.Current(); set != seen {
		candidates, _ = set.Find(s.token.Header, s.at)
		if key := s.check(candidates); key != nil {
			return issuerKey{i, set, key}, nil
		}
	}
	return issuerKey{}, err
}

// A keySearch is the search for the key of a token.
type keySearch struct {
	token     jose.Token // not a pointer, which would move the caller's token to the heap
	signature []byte
	at        time.Time

	tried  [maxChecks]keyaccess.VerificationKey
	checks int // the number of keys in tried
}

// check returns the key of candidates that made the signature, nil if none did. It
// checks no key twice, and none after maxChecks.
func (s *keySearch) check(candidates []keyaccess.VerificationKey) keyaccess.VerificationKey {
	for _, key := range candidates {
		switch {
		case key.Expired(s.at) || slices.Contains(s.tried[:s.checks], key):
			continue
		case s.checks == maxChecks:
			return nil
		}
		s.tried[s.checks] = key
		s.checks++
		if key.Verify(s.token.SigningInput, s.signature) {
			return key
		}
	}
	return nil
}

// checkAlgorithm returns an error if i has no key for the algorithm of the token,
// whatever its kid is.
func (i *issuer) checkAlgorithm(s *keySearch) error {
	alg := s.token.Header.Algorithm
	if candidates, _ := i.keys.Current().Find(jose.Header{Algorithm: alg}, s.at); len(candidates) > 0 {
		return nil
	}
	return algorithmError(alg)
}

// cause returns why the search for the key of a token found none.
func (a *Auth) cause(s *keySearch) error {
	known := s.token.Header.KeyID == "" || a.holdsKeyID(s.token.Header.KeyID, s.at)
	switch {
	case !known && s.checks > 0:
		return errOldKeyChecked
	case !known:
		return errOldKey
	case s.checks > 0:
		return errSignature
	}
	return errNoKey
}

// holdsKeyID reports whether an issuer has a key with the kid id.
func (a *Auth) holdsKeyID(id string, at time.Time) bool {
	for i := range a.issuers {
		if a.issuers[i].keys.Current().HasKeyID(id, at) {
			return true
		}
	}
	return false
}

// errOldKeyChecked is errOldKey where keys without a kid were checked.
var errOldKeyChecked = fmt.Errorf("%w, and its signature is of none of the keys without a kid", errOldKey)

// keysAt returns the time that retired keys are judged by at now. They are held for
// as long as the tokens that they signed are accepted, including the Leeway of their
// issuer: the longest Leeway of all issuers is used.
func (a *Auth) keysAt(now time.Time) time.Time { return now.Add(-a.leeway) }
