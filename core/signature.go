package jwtgate

import (
	"context"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// maxCandidates bounds how many signatures are checked for one token: several
// issuers can have a key with the kid of the token.
const maxCandidates = 4

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

// findKey returns the key that made signature, the signature of token. The
// payload is not read yet: if several issuers have a key with the kid of the token,
// the key that verifies tells which issuer it is, and the caller compares iss with
// it.
func (a *Auth) findKey(ctx context.Context, token *jose.Token, signature []byte, now time.Time) (issuerKey, error) {
	err := errOldKey
	at := a.keysAt(now)
	var tried [maxCandidates]keyaccess.Set
	candidates := 0
	for i := range a.issuers {
		issuer := &a.issuers[i]
		set := issuer.keys.Current()
		key := set.Find(token.Header, at)
		if key == nil {
			if token.Header.KeyID == "" || set.HasKeyID(token.Header.KeyID, at) {
				err = errNoKey
			}
			continue
		}
		if candidates == maxCandidates {
			break
		}
		if key.Verify(token.SigningInput, signature) {
			return issuerKey{issuer, set, key}, nil
		}
		err = errSignature
		tried[candidates] = set
		candidates++
	}
	if a.remote {
		return a.findRemoteKey(ctx, token, signature, at, tried[:candidates], err)
	}
	return issuerKey{}, err
}

// findRemoteKey continues findKey for a token that no key of the sets in tried has
// signed, because of cause. Its issuer may have published a new key, or its key
// may not have been tried because too many issuers have one with the same kid.
// This is the only place where the payload is used before its signature is
// checked: iss decides which of the configured issuers is asked for keys, and
// nothing else.
func (a *Auth) findRemoteKey(ctx context.Context, token *jose.Token, signature []byte, at time.Time, tried []keyaccess.Set, cause error) (issuerKey, error) {
	payload, err := token.Payload(nil)
	if err != nil {
		return issuerKey{}, cause
	}
	var claims jose.Claims
	if claims.Parse(string(payload), nil) != nil || claims.Expires == 0 {
		return issuerKey{}, cause
	}
	for i := range a.issuers {
		issuer := &a.issuers[i]
		if !issuer.issues(claims.Issuer) || issuer.checkUse(&claims, token.Header.Type) != nil {
			continue
		}
		if key, found, err := issuer.findKey(ctx, token, signature, at, tried); found || err != nil {
			return key, err
		}
	}
	return issuerKey{}, cause
}

// findKeyOf returns the key of the issuer called name that made the signature of
// token.
func (a *Auth) findKeyOf(ctx context.Context, name string, token *jose.Token, signature []byte, now time.Time) (issuerKey, error) {
	for i := range a.issuers {
		issuer := &a.issuers[i]
		if !issuer.issues(name) {
			continue
		}
		if key, found, err := issuer.findKey(ctx, token, signature, a.keysAt(now), nil); found || err != nil {
			return key, err
		}
	}
	return issuerKey{}, errIssuer
}

// findKey returns the key of i that made signature, and false if there is none:
// one of the current keys, unless they were tried already, or one that the issuer
// has published since.
func (i *issuer) findKey(ctx context.Context, token *jose.Token, signature []byte, at time.Time, tried []keyaccess.Set) (_ issuerKey, found bool, err error) {
	seen := i.keys.Current()
	key := seen.Find(token.Header, at)
	if key != nil && !slices.Contains(tried, seen) && key.Verify(token.SigningInput, signature) {
		return issuerKey{i, seen, key}, true, nil
	}
	if i.remote == nil || key != nil && token.Header.KeyID != "" {
		return issuerKey{}, false, nil // a fetch would bring the same key for a known kid
	}
	if err := i.remote.Seek(ctx, seen); err != nil {
		return issuerKey{}, false, err
	}
	set := i.keys.Current()
	if set == seen {
		return issuerKey{}, false, nil
	}
	key = set.Find(token.Header, at)
	return issuerKey{i, set, key}, key != nil && key.Verify(token.SigningInput, signature), nil
}

// keysAt returns the time that retired keys are judged by at now. They are held for
// as long as the tokens that they signed are accepted, including Leeway.
func (a *Auth) keysAt(now time.Time) time.Time { return now.Add(-a.config.Leeway) }
