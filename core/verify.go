package core

import (
	"errors"
	"fmt"
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
func (a *Auth) verify(token string, now time.Time) (*Identity, error) {
	parsed, err := jose.Parse(token)
	if err != nil {
		return nil, err
	}
	switch parsed.Header.Type {
	case "at+jwt", "jwt", "":
		// RFC 9068 §4 wants at+jwt. Tokens from elsewhere often have none.
	default:
		return nil, errType
	}
	t, err := a.authenticate(&parsed, now)
	if err != nil {
		return nil, err
	}
	payload, err := parsed.Payload()
	if err != nil {
		return nil, err
	}
	claims, err := jose.ParseClaims(payload, t.rolesPath)
	if err != nil {
		return nil, err
	}
	if t.issuer != "" && claims.Issuer != t.issuer {
		// Tenants of one provider can share its keys.
		if t = a.alsoSigns(&parsed, claims.Issuer, now); t == nil {
			return nil, errIssuer
		}
		if claims, err = jose.ParseClaims(payload, t.rolesPath); err != nil {
			return nil, err
		}
	}
	if t.audience != "" && !claims.HasAudience(t.audience) {
		return nil, errAudience
	}
	if claims.Subject == "" {
		return nil, errSubject
	}
	if err = a.checkTimes(&claims, now); err != nil && !errors.Is(err, errExpired) {
		return nil, err
	}
	return &Identity{claims: claims, payload: payload, own: t == &a.trusted[0]}, err
}

// authenticate checks the signature and returns the issuer whose key made it.
// The payload is still unread, so issuers that share a kid are told apart by
// which key fits, and the caller compares iss with the answer.
func (a *Auth) authenticate(token *jose.Token, now time.Time) (*trust, error) {
	signature, err := token.Signature(nil)
	if err != nil {
		return nil, err
	}
	err = errOldKey
	candidates, at := 0, a.keysAt(now)
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
		if candidates++; candidates > maxCandidates {
			break
		}
		cause := key.verify(token.SigningInput, signature)
		if cause == nil {
			return t, nil
		}
		err = fmt.Errorf("%w: %w", errBadKey, cause)
	}
	return nil, err
}

// alsoSigns returns the issuer called name if one of its own keys made the
// signature of token too, else nil.
func (a *Auth) alsoSigns(token *jose.Token, name string, now time.Time) *trust {
	for i := range a.trusted {
		t := &a.trusted[i]
		if t.issuer != name {
			continue
		}
		signature, err := token.Signature(nil)
		if key := t.keys.held().find(token.Header, a.keysAt(now)); err == nil && key != nil && key.verify(token.SigningInput, signature) == nil {
			return t
		}
	}
	return nil
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
