package jwtgate

import (
	"errors"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

var (
	errExpired  = errors.New("jwtgate: token has expired")
	errUse      = errors.New("jwtgate: token is for another use than access: a refresh token, a logout token, an event, or one whose token_use says so")
	errIDToken  = errors.New("jwtgate: token is an ID token: ask the issuer for access tokens, or set AcceptIDTokens")
	errBound    = errors.New("jwtgate: token is bound to a key that the client would have to prove (cnf)")
	errIssuer   = errors.New("jwtgate: iss is not the issuer of the key")
	errAudience = errors.New("jwtgate: aud does not name this audience")
	errSubject  = errors.New("jwtgate: sub is missing or empty")
	errNoExpiry = errors.New("jwtgate: exp is missing or zero")
	errLifetime = errors.New("jwtgate: exp is too far from iat")
	errEarly    = errors.New("jwtgate: nbf or iat is in the future")
	errOrder    = errors.New("jwtgate: exp is not after iat and nbf")
)

// checkUse refuses the tokens that no issuer issues for access by the bearer. Tokens
// are told apart by the claims that only the other tokens have.
func checkUse(c *jose.Claims) error {
	switch c.Type {
	case "Refresh", "Offline", "Logout": // Keycloak, which says Bearer in access tokens
		return errUse
	}
	switch {
	case c.HasKey: // RFC 7800 §3.1, RFC 9449 §7.2: without the proof the token may be stolen
		return errBound
	case c.HasEvents: // RFC 8417 §2.2, OpenID Connect Back-Channel Logout §2.4
		return errUse
	case c.HasTokenUse && c.TokenUse != "access" && c.TokenUse != "id":
		return errUse
	}
	return nil
}

// checkUse refuses the tokens that i does not issue for access to this server.
// headerType is the typ of the token's header.
func (i *issuer) checkUse(c *jose.Claims, headerType string) error {
	if err := checkUse(c); err != nil {
		return err
	}
	if !i.acceptIDTokens && isIDToken(c, headerType) {
		return errIDToken
	}
	return nil
}

// isIDToken reports whether a token that passed checkUse is an ID token (OpenID
// Connect Core §2). Some issuers copy the nonce of the login into access tokens too,
// so a nonce counts only if nothing marks the token as an access token.
func isIDToken(c *jose.Claims, headerType string) bool {
	switch {
	case c.HasHash, c.Type == "ID", c.TokenUse == "id": // Keycloak, Cognito
		return true
	case c.HasScope, headerType == "at+jwt", c.Type == "Bearer", c.TokenUse == "access":
		return false
	}
	return c.HasNonce
}

// checkClaims checks what the claims of a token of i must say, except the times.
func (i *issuer) checkClaims(c *jose.Claims) error {
	switch {
	case len(i.audiences) > 0 && !slices.ContainsFunc(i.audiences, c.HasAudience):
		return errAudience
	case c.Subject == "" && !i.optionalSubject:
		return errSubject
	case c.Expires == 0:
		return errNoExpiry
	}
	return nil
}

// timely returns id if its token is valid at now, and also with errExpired and
// errEarly, with which nothing else is wrong with the token.
func timely(id *Identity, now time.Time) (*Identity, error) {
	err := id.key.checkTimes(&id.claims, now.Unix())
	if err != nil && !untimely(err) {
		return nil, err
	}
	return id, err
}

// untimely reports whether err says that a genuine token is not valid now: it has
// expired, or the clock of its issuer is ahead.
func untimely(err error) bool { return errors.Is(err, errExpired) || errors.Is(err, errEarly) }

// checkTimes checks exp, nbf and iat (RFC 7519 §4.1.4 to §4.1.6) at now, in seconds
// since 1970.
func (i *issuer) checkTimes(c *jose.Claims, now int64) error {
	issued := c.IssuedAt
	if issued == 0 {
		issued = now
	}
	latest := now + i.clockSkew
	switch {
	case c.IssuedAt >= c.Expires || c.NotBefore >= c.Expires:
		return errOrder
	case c.Expires-issued > i.maxLifetime:
		return errLifetime
	case c.IssuedAt > latest || c.NotBefore > latest:
		return errEarly
	case now >= c.Expires+i.leeway:
		return errExpired
	}
	return nil
}
