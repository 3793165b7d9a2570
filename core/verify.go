package jwtgate

import (
	"context"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

var (
	errExpired   = errors.New("jwtgate: token has expired")
	errNoKey     = errors.New("jwtgate: no key for the token's kid and algorithm")
	errOldKey    = errors.New("jwtgate: no key with the token's kid")
	errSignature = errors.New("jwtgate: signature does not match")
	errType      = errors.New("jwtgate: typ is not that of an access token")
	errUse       = errors.New("jwtgate: token is for another use than access: an ID token, or one whose token_use says so")
	errBound     = errors.New("jwtgate: token is bound to a key that the client would have to prove (cnf)")
	errIssuer    = errors.New("jwtgate: iss is not the issuer of the key")
	errAudience  = errors.New("jwtgate: aud does not name this audience")
	errSubject   = errors.New("jwtgate: sub is missing or empty")
	errNoExpiry  = errors.New("jwtgate: exp is missing or zero")
	errLifetime  = errors.New("jwtgate: exp is too far from iat")
	errEarly     = errors.New("jwtgate: nbf or iat is in the future")
	errOrder     = errors.New("jwtgate: exp is not after iat and nbf")
)

// recall returns what verify returns for the access token in c, at little cost if
// the token is cached. Its signature and claims are then as good as they were, and
// only what changes with time is checked again.
func (a *Auth) recall(ctx context.Context, c *credential, now time.Time) (*Identity, error) {
	if v := c.cached; v != nil && v.identity.key.held(a.keysAt(now)) {
		changed, err := v.identity.key.used(ctx)
		if err != nil {
			return nil, err
		}
		if !changed {
			v.hit(now)
			return a.timely(v.identity, now)
		}
	}
	cached := a.cache.admits(c.access)
	id, err := a.verify(ctx, c.access, cached, now)
	if err == nil {
		a.cache.add(c.access, id, now)
	}
	return id, err
}

// verify returns the identity that token vouches for. cached says that the
// identity is to be cached.
//
// The order is deliberate: cheap checks come before the signature, claims are read
// only after it, and a token counts as expired only if nothing else is wrong with
// it. With errExpired the identity is returned too.
func (a *Auth) verify(ctx context.Context, token string, cached bool, now time.Time) (*Identity, error) {
	var payloadBuffer [1024]byte // a larger payload is copied to the heap
	signatureBuffer := a.signatures.Get().(*[keyaccess.MaxSignatureSize]byte)
	defer a.signatures.Put(signatureBuffer)
	parsed, payload, signature, err := a.decode(token, payloadBuffer[:0], signatureBuffer[:0])
	if err != nil {
		return nil, err
	}
	switch parsed.Header.Type {
	case "at+jwt", "jwt", "":
		// RFC 9068 §4 requires at+jwt, but many issuers omit it.
	default:
		return nil, errType
	}
	key, err := a.findKey(ctx, &parsed, signature, now)
	if err != nil {
		return nil, err
	}
	a.headers.Remember(&parsed)
	id := &Identity{payload: string(payload), cached: cached}
	if err := id.claims.Parse(id.payload, key.rolesPath); err != nil {
		return nil, err
	}
	if err := checkUse(&id.claims); err != nil {
		return nil, err
	}
	if key.name != "" && id.claims.Issuer != key.name {
		// Tenants of one provider can share its keys.
		if key, err = a.findKeyOf(ctx, id.claims.Issuer, &parsed, signature, now); err != nil {
			return nil, err
		}
		id.claims = jose.Claims{} // the roles are elsewhere
		if err := id.claims.Parse(id.payload, key.rolesPath); err != nil {
			return nil, err
		}
	}
	if changed, err := key.used(ctx); err != nil {
		return nil, err
	} else if changed {
		return a.verify(ctx, token, cached, now) // with the new keys
	}
	if err := key.checkClaims(&id.claims); err != nil {
		return nil, err
	}
	id.key = key
	a.finish(id, token)
	return a.timely(id, now)
}

// decode decodes all of token, and appends the payload and the signature to the
// given buffers.
//
// A token that can be decoded consists of the characters of a b64token, because
// jose is strict. So only a token that cannot be decoded is checked for them here.
func (a *Auth) decode(token string, payloadBuffer, signatureBuffer []byte) (parsed jose.Token, payload, signature []byte, err error) {
	if parsed, err = a.headers.Parse(token); err == nil {
		payload, err = parsed.Payload(payloadBuffer)
	}
	if err == nil {
		signature, err = parsed.Signature(signatureBuffer)
	}
	if err != nil && !isToken(token) {
		err = errNotAToken
	}
	return parsed, payload, signature, err
}

// checkUse refuses the tokens that are not bearer access tokens.
func checkUse(c *jose.Claims) error {
	switch {
	case c.HasKey: // RFC 7800 §3.1, RFC 9449 §7.2: without the proof the token may be stolen
		return errBound
	case c.HasNonce || c.HasHash: // OpenID Connect Core §2: an ID token
		return errUse
	case c.HasTokenUse && c.TokenUse != "access":
		return errUse
	}
	return nil
}

// checkClaims checks what the claims of a token of i must say, except the times.
func (i *issuer) checkClaims(c *jose.Claims) error {
	switch {
	case i.audience != "" && !c.HasAudience(i.audience):
		return errAudience
	case c.Subject == "":
		return errSubject
	case c.Expires == 0:
		return errNoExpiry
	}
	return nil
}

// timely returns id if its token is valid at now, and with errExpired if it has
// expired.
func (a *Auth) timely(id *Identity, now time.Time) (*Identity, error) {
	err := a.checkTimes(&id.claims, now)
	if err != nil && !errors.Is(err, errExpired) {
		return nil, err
	}
	return id, err
}

// checkTimes checks exp, nbf and iat (RFC 7519 §4.1.4 to §4.1.6).
func (a *Auth) checkTimes(c *jose.Claims, now time.Time) error {
	seconds := now.Unix()
	leeway := int64(a.config.Leeway / time.Second)
	issued := c.IssuedAt
	if issued == 0 {
		issued = seconds
	}
	// nbf and iat are whole seconds, and another machine's second may have just begun.
	latest := seconds + max(leeway, 1)
	switch {
	case c.IssuedAt > latest || c.NotBefore > latest:
		return errEarly
	case c.IssuedAt >= c.Expires || c.NotBefore >= c.Expires:
		return errOrder
	case c.Expires-issued > int64(a.config.MaxLifetime/time.Second):
		return errLifetime
	case seconds >= c.Expires+leeway:
		return errExpired
	}
	return nil
}
