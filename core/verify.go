package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/session"
)

var (
	errExpired  = errors.New("core: token has expired")
	errNoKey    = errors.New("core: no key for the token's kid and algorithm")
	errOldKey   = errors.New("core: no key with the token's kid")
	errBadKey   = errors.New("core: signature does not match")
	errType     = errors.New("core: typ is not that of an access token")
	errIssuer   = errors.New("core: iss is not the issuer of the key")
	errAudience = errors.New("core: aud does not name this audience")
	errSubject  = errors.New("core: sub is missing or empty")
	errLifetime = errors.New("core: exp is too far from iat")
	errEarly    = errors.New("core: nbf or iat is in the future")
	errOrder    = errors.New("core: exp is not after iat and nbf")
)

// verify returns the identity that token vouches for. The order is deliberate:
// what costs little is checked before the signature, what an attacker could
// have written is read only after it, and a token counts as expired only if
// nothing else is wrong with it: with errExpired, the identity is returned too.
func (a *Auth) verify(ctx context.Context, token string, now time.Time) (*Identity, error) {
	parsed, err := a.headers.Parse(token)
	if err != nil {
		return nil, err
	}
	switch parsed.Header.Type {
	case "at+jwt", "jwt", "":
		// RFC 9068 §4 wants at+jwt. Tokens from elsewhere often have none.
	default:
		return nil, errType
	}
	var buffer [1024]byte // a payload that is larger takes a copy more
	text, err := parsed.Payload(buffer[:0])
	if err != nil {
		return nil, err
	}
	by, err := a.authenticate(ctx, &parsed, now)
	if err != nil {
		return nil, err
	}
	a.headers.Remember(&parsed)
	payload := string(text)
	id := &Identity{payload: payload}
	claims := &id.claims
	if err := claims.Parse(payload, by.rolesPath); err != nil {
		return nil, err
	}
	if by.issuer != "" && claims.Issuer != by.issuer {
		// Tenants of one provider can share its keys.
		if by, err = a.alsoSigns(ctx, &parsed, claims.Issuer, now); err != nil {
			return nil, err
		}
		*claims = jose.Claims{} // roles are elsewhere
		if err := claims.Parse(payload, by.rolesPath); err != nil {
			return nil, err
		}
	}
	if changed, err := by.used(ctx); err != nil {
		return nil, err
	} else if changed {
		return a.verify(ctx, token, now) // by the keys of now
	}
	if by.audience != "" && !claims.HasAudience(by.audience) {
		return nil, errAudience
	}
	if claims.Subject == "" {
		return nil, errSubject
	}
	id.signer = by
	id.own = by.trust == &a.trusted[0]
	if id.own {
		id.sid, id.hasSID = session.ParseID(claims.SessionID)
	}
	id.alone = visit{Context: context.Background(), auth: a, identity: id}
	return a.timely(id, now)
}

// timely returns id if its token is good at now, and with errExpired.
func (a *Auth) timely(id *Identity, now time.Time) (*Identity, error) {
	err := a.checkTimes(&id.claims, now)
	if err != nil && !errors.Is(err, errExpired) {
		return nil, err
	}
	return id, err
}

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

// checkTimes judges exp, nbf and iat (RFC 7519 §4.1.4 to §4.1.6).
func (a *Auth) checkTimes(c *jose.Claims, now time.Time) error {
	seconds := now.Unix()
	leeway := int64(a.config.Leeway / time.Second)
	born := c.IssuedAt
	if born == 0 {
		born = seconds
	}
	// nbf and iat are whole seconds: another machine's may have just begun.
	latest := seconds + max(leeway, 1)
	switch {
	case c.IssuedAt > latest || c.NotBefore > latest:
		return errEarly
	case c.IssuedAt >= c.Expires || c.NotBefore >= c.Expires:
		return errOrder
	case c.Expires-born > int64(a.config.MaxLifetime/time.Second):
		return errLifetime
	case seconds >= c.Expires+leeway:
		return errExpired
	}
	return nil
}
