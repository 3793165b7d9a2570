package jwtgate

import (
	"context"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// A signer is the key that signed a token, and where it was found.
type signer struct {
	*trust

	table *keyTable
	key   *material
}

// held reports whether the key is still found there, at a time.
func (s *signer) held(at time.Time) bool {
	return s.keys.held() == s.table && !s.key.over(at)
}

// used notes that the key was used. If it may be gone by now, it waits for the
// keys of the issuer, and reports whether there are others.
func (s *signer) used(ctx context.Context) (changed bool, err error) {
	if s.remote == nil {
		return false, nil
	}
	return s.remote.used(ctx)
}

// authenticate checks the signature and returns who made it.
// The payload is still unread, so issuers that share a kid are told apart by
// which key fits, and the caller compares iss with the answer.
func (a *Auth) authenticate(ctx context.Context, token *jose.Token, now time.Time) (signer, error) {
	buffer := a.signatures.Get().(*[maxSignature]byte)
	defer a.signatures.Put(buffer)
	signature, err := token.Signature(buffer[:0])
	if err != nil {
		return signer{}, err
	}
	err = errOldKey
	at := a.keysAt(now)
	var tried [maxCandidates]*keyTable
	candidates := 0
	for i := range a.trusted {
		t := &a.trusted[i]
		keys := t.keys.held()
		key := keys.find(token.Header, at)
		if key == nil {
			if token.Header.KeyID == "" || keys.holds(token.Header.KeyID, at) != nil {
				err = errNoKey
			}
			continue
		}
		if candidates == maxCandidates {
			break
		}
		if err = key.verify(token.SigningInput, signature); err == nil {
			return signer{t, keys, key}, nil
		}
		tried[candidates] = keys
		candidates++
	}
	if a.remote {
		return a.authenticateRemote(ctx, token, signature, at, tried[:candidates], err)
	}
	return signer{}, err
}

// authenticateRemote is authenticate for a token that no key in tried has signed,
// because of cause: its issuer may have published another one, or stand behind too
// many that publish one by the same kid. Here alone, what a token says of itself
// has a say before its signature is good: which of the configured issuers to ask,
// and nothing else.
func (a *Auth) authenticateRemote(ctx context.Context, token *jose.Token, signature []byte, at time.Time, tried []*keyTable, cause error) (signer, error) {
	payload, err := token.Payload(nil)
	if err != nil {
		return signer{}, cause
	}
	var claims jose.Claims
	if err := claims.Parse(string(payload), nil); err != nil {
		return signer{}, cause
	}
	for i := range a.trusted {
		t := &a.trusted[i]
		if t.issuer != claims.Issuer && t.issuer != "" {
			continue
		}
		if by, made, err := t.made(ctx, token, signature, at, tried); made || err != nil {
			return by, err
		}
	}
	return signer{}, cause
}

// alsoSigns returns the key of the issuer called name that made the signature of
// token too.
func (a *Auth) alsoSigns(ctx context.Context, token *jose.Token, name string, now time.Time) (signer, error) {
	signature, err := token.Signature(nil)
	if err != nil {
		return signer{}, err
	}
	for i := range a.trusted {
		t := &a.trusted[i]
		if t.issuer != name {
			continue
		}
		if by, made, err := t.made(ctx, token, signature, a.keysAt(now), nil); made || err != nil {
			return by, err
		}
	}
	return signer{}, errIssuer
}

// made returns the key of t that made signature, and false if none did: one that
// is held, unless it was tried, or one that t's issuer has published meanwhile.
func (t *trust) made(ctx context.Context, token *jose.Token, signature []byte, at time.Time, tried []*keyTable) (by signer, made bool, err error) {
	seen := t.keys.held()
	key := seen.find(token.Header, at)
	if key != nil && !slices.Contains(tried, seen) && key.verify(token.SigningInput, signature) == nil {
		return signer{t, seen, key}, true, nil
	}
	if t.remote == nil || key != nil && token.Header.KeyID != "" {
		return signer{}, false, nil // a kid that is held names the same key tomorrow
	}
	if err := t.remote.seek(ctx, seen); err != nil {
		return signer{}, false, err
	}
	keys := t.keys.held()
	if keys == seen {
		return signer{}, false, nil
	}
	key = keys.find(token.Header, at)
	return signer{t, keys, key}, key != nil && key.verify(token.SigningInput, signature) == nil, nil
}

// keysAt returns the time that retired keys are judged by at now: they are held
// for as long as the tokens that they signed are good, Leeway and all.
func (a *Auth) keysAt(now time.Time) time.Time { return now.Add(-a.config.Leeway) }
