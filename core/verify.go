package jwtgate

import (
	"context"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/session"
)

var (
	errExpired  = errors.New("jwtgate: token has expired")
	errNoKey    = errors.New("jwtgate: no key for the token's kid and algorithm")
	errOldKey   = errors.New("jwtgate: no key with the token's kid")
	errBadKey   = errors.New("jwtgate: signature does not match")
	errType     = errors.New("jwtgate: typ is not that of an access token")
	errIssuer   = errors.New("jwtgate: iss is not the issuer of the key")
	errAudience = errors.New("jwtgate: aud does not name this audience")
	errSubject  = errors.New("jwtgate: sub is missing or empty")
	errLifetime = errors.New("jwtgate: exp is too far from iat")
	errEarly    = errors.New("jwtgate: nbf or iat is in the future")
	errOrder    = errors.New("jwtgate: exp is not after iat and nbf")
)

// recall returns what verify does for the access token in c, at next to no cost
// if that was verified before. The signature and what the token says are then as
// good as they were; what changes with time is judged anew.
func (a *Auth) recall(ctx context.Context, c *credential, now time.Time) (*Identity, error) {
	if v := c.known; v != nil && v.identity.signer.held(a.keysAt(now)) {
		changed, err := v.identity.signer.used(ctx)
		if err != nil {
			return nil, err
		}
		if !changed {
			v.hit(now)
			return a.timely(v.identity, now)
		}
	}
	id, err := a.verify(ctx, c.access, now)
	switch {
	case err == nil:
		a.cache.add(c.access, id, now)
	case errors.Is(err, errBadKey), errors.Is(err, errExpired):
		// It was decoded to the last character, so it has none that no token has.
	case !isToken(c.access):
		return nil, errNotAToken
	}
	return id, err
}

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
	if id.own && a.sessions != nil {
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
