package jwtgate

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

var (
	errNoKey     = errors.New("jwtgate: no key for the token's kid and algorithm")
	errOldKey    = errors.New("jwtgate: no key with the token's kid")
	errSignature = errors.New("jwtgate: signature does not match")
	errType      = errors.New("jwtgate: typ is not that of an access token")
)

// recall returns what verify returns for the access token in c, in less time if the
// token is cached. The signature and the claims of a cached token are not checked
// again, only its times and its key.
func (a *Auth) recall(ctx context.Context, c *credential, now time.Time) (*Identity, error) {
	if v := c.cached; v != nil && v.identity.key.held(a.keysAt(now)) {
		changed, err := v.identity.key.used(ctx)
		if err != nil {
			return nil, err
		}
		if !changed {
			v.hit(now)
			return timely(v.identity, now)
		}
	}
	id, err := a.verify(ctx, c.access, a.cache.admits(c.hash), now)
	if id != nil {
		id.bearerVisit.mark = c.hash
	}
	if err == nil {
		a.cache.add(c.access, c.hash, id, now)
	}
	return id, err
}

// verify verifies token and returns its identity. cached says that the identity is
// to be cached.
//
// The order is deliberate: cheap checks come before the signature, claims are read
// only after it, and a token counts as expired or early only if nothing else is wrong
// with it. With errExpired and errEarly the identity is returned too.
func (a *Auth) verify(ctx context.Context, token string, cached bool, now time.Time) (*Identity, error) {
	buffers := a.buffers.Get().(*decodeBuffers)
	defer a.buffers.Put(buffers)
	parsed, payload, signature, err := a.decode(token, buffers)
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
	if err := id.claims.Parse(id.payload, key.layout); err != nil {
		return nil, err
	}
	if !key.issues(id.claims.Issuer) {
		// Tenants of one provider can share its keys.
		if key, err = a.findKeyOf(ctx, id.claims.Issuer, &parsed, signature, now); err != nil {
			return nil, err
		}
		id.claims = jose.Claims{} // the claims are elsewhere
		if err := id.claims.Parse(id.payload, key.layout); err != nil {
			return nil, err
		}
	}
	if changed, err := key.used(ctx); err != nil {
		return nil, err
	} else if changed {
		return a.verify(ctx, token, cached, now) // with the new keys
	}
	if err := key.checkUse(&id.claims, parsed.Header.Type); err != nil {
		return nil, err
	}
	if err := key.checkClaims(&id.claims); err != nil {
		return nil, err
	}
	id.key = key
	a.finish(id)
	return timely(id, now)
}

// The decodeBuffers are for the segments of a token. A larger payload is decoded into
// memory of its own.
type decodeBuffers struct {
	payload   [4 << 10]byte // first for the header
	signature [keyaccess.MaxSignatureSize]byte
}

// decode decodes all of token. The payload and the signature are in buffers.
//
// A token that can be decoded consists of the characters of a b64token, because
// jose is strict. So only a token that cannot be decoded is checked for them here.
func (a *Auth) decode(token string, buffers *decodeBuffers) (parsed jose.Token, payload, signature []byte, err error) {
	if parsed, err = a.headers.Parse(token, buffers.payload[:]); err == nil {
		payload, err = parsed.Payload(buffers.payload[:0])
	}
	if err == nil {
		signature, err = parsed.Signature(buffers.signature[:0])
	}
	if err != nil {
		unread := token
		if jose.HeaderDecoded(err) {
			_, unread, _ = strings.Cut(token, ".")
		}
		if !isToken(unread) {
			err = errNotAToken
		}
	}
	return parsed, payload, signature, err
}
