package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
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
	t, err := a.authenticate(ctx, &parsed, now)
	if err != nil {
		return nil, err
	}
	a.headers.Remember(&parsed)
	payload, err := parsed.Payload()
	if err != nil {
		return nil, err
	}
	id := &Identity{payload: payload}
	claims := &id.claims
	if err := claims.Parse(payload, t.rolesPath); err != nil {
		return nil, err
	}
	if t.issuer != "" && claims.Issuer != t.issuer {
		// Tenants of one provider can share its keys.
		if t, err = a.alsoSigns(ctx, &parsed, claims.Issuer, now); err != nil {
			return nil, err
		}
		*claims = jose.Claims{} // roles are elsewhere
		if err := claims.Parse(payload, t.rolesPath); err != nil {
			return nil, err
		}
	}
	if t.remote != nil {
		t.remote.used()
	}
	if t.audience != "" && !claims.HasAudience(t.audience) {
		return nil, errAudience
	}
	if claims.Subject == "" {
		return nil, errSubject
	}
	if err = a.checkTimes(claims, now); err != nil && !errors.Is(err, errExpired) {
		return nil, err
	}
	id.own = t == &a.trusted[0]
	return id, err
}

// authenticate checks the signature and returns the issuer whose key made it.
// The payload is still unread, so issuers that share a kid are told apart by
// which key fits, and the caller compares iss with the answer.
func (a *Auth) authenticate(ctx context.Context, token *jose.Token, now time.Time) (*trust, error) {
	buffer := a.signatures.Get().(*[maxSignature]byte)
	defer a.signatures.Put(buffer)
	signature, err := token.Signature(buffer[:0])
	if err != nil {
		return nil, err
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
			return t, nil
		}
		tried[candidates] = keys
		candidates++
	}
	if a.remote {
		return a.authenticateRemote(ctx, token, signature, at, tried[:candidates], err)
	}
	return nil, err
}

// authenticateRemote is authenticate for a token that no key in tried has signed,
// because of cause: its issuer may have published another one. Here alone, what a
// token says of itself has a say before its signature is good: which of the
// configured issuers to ask, and nothing else.
func (a *Auth) authenticateRemote(ctx context.Context, token *jose.Token, signature []byte, at time.Time, tried []*keyTable, cause error) (*trust, error) {
	payload, err := token.Payload()
	if err != nil {
		return nil, cause
	}
	var claims jose.Claims
	if err := claims.Parse(payload, nil); err != nil {
		return nil, cause
	}
	for i := range a.trusted {
		t := &a.trusted[i]
		if t.remote == nil || t.issuer != claims.Issuer && t.issuer != "" {
			continue
		}
		if made, err := t.made(ctx, token, signature, at, tried); made || err != nil {
			return t, err
		}
	}
	return nil, cause
}

// alsoSigns returns the issuer called name if one of its own keys made the
// signature of token too.
func (a *Auth) alsoSigns(ctx context.Context, token *jose.Token, name string, now time.Time) (*trust, error) {
	signature, err := token.Signature(nil)
	if err != nil {
		return nil, err
	}
	for i := range a.trusted {
		t := &a.trusted[i]
		if t.issuer != name {
			continue
		}
		if made, err := t.made(ctx, token, signature, a.keysAt(now), nil); made || err != nil {
			return t, err
		}
	}
	return nil, errIssuer
}

// made reports whether a key of t made signature: one that is held, unless it was
// tried, or one that t's issuer has published meanwhile.
func (t *trust) made(ctx context.Context, token *jose.Token, signature []byte, at time.Time, tried []*keyTable) (bool, error) {
	seen := t.keys.held()
	key := seen.find(token.Header, at)
	if key != nil && !slices.Contains(tried, seen) && key.verify(token.SigningInput, signature) == nil {
		return true, nil
	}
	if t.remote == nil || key != nil && token.Header.KeyID != "" {
		return false, nil // a kid that is held names the same key tomorrow
	}
	if err := t.remote.seek(ctx, seen); err != nil {
		return false, err
	}
	keys := t.keys.held()
	if keys == seen {
		return false, nil
	}
	key = keys.find(token.Header, at)
	return key != nil && key.verify(token.SigningInput, signature) == nil, nil
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
