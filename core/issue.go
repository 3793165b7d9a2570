package jwtgate

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/session"
)

// A Grant is what an access token says about its subject.
type Grant struct {
	// Subject becomes sub, and the claim of [Config.SubjectClaim]. Required.
	Subject string

	// Roles are put where the first of [Config.RoleClaims] says.
	Roles []string

	// Scopes become scope, a list separated by spaces (RFC 8693 §4.2).
	Scopes []string

	// Claims, if not nil, has further claims: a value that encodes to a JSON
	// object without the names of registered claims. It can have the claim of
	// [Config.SubjectClaim] itself, such as a number whose digits are the Subject.
	Claims any
}

// An AccessToken is a signed token.
type AccessToken struct {
	Token   string
	Expires time.Time
	TTL     time.Duration // from issue to Expires, in whole seconds: expires_in of RFC 6749 §5.1
}

var (
	errNoSigner   = errors.New("jwtgate: none of Config.Keys can sign: give a secret or a private key")
	errNoSubject  = errors.New("jwtgate: Grant.Subject is empty")
	errBadClaims  = errors.New("jwtgate: Grant.Claims does not encode to a JSON object")
	errNoIssuer   = errors.New("jwtgate: issuing tokens needs Config.Issuer and Config.Audience: set both")
	errBadGrant   = errors.New("jwtgate: a token with this Grant would be refused: its subject or its claims are not valid in a token")
	errTooLarge   = errors.New("jwtgate: the access token is too large")
	errScopeWords = errors.New("jwtgate: Grant.Scopes has a scope that is empty or contains a space")
)

// Issue returns a new access token for grant in the form of RFC 9068, signed by the
// first of [Config.Keys] that can sign, and valid for [Config.AccessTTL]. The token
// belongs to no session. To sign a user in, use [Auth.Token] or [Auth.SignIn].
func (a *Auth) Issue(ctx context.Context, grant Grant) (AccessToken, error) {
	if a == nil {
		return AccessToken{}, errNilAuth
	}
	var of sessionClaims
	if a.sessions != nil {
		a.sessions.feed.confirmed(ctx) // or the token could count as older than revocations of long ago
		of.stored = a.sessions.revoked.renewedFrom(grant.Subject)
	}
	access, _, err := a.issue(grant, of)
	return access, err
}

// sessionClaims are what an access token says about its session. They are zero for
// a token without a session.
type sessionClaims struct {
	id         session.ID
	present    bool
	generation uint32
	authTime   time.Time
	limit      time.Time // the absolute end of the session
	stored     time.Time // the latest time of the store's clock that was known when the grant was read
}

func sessionClaimsOf(r *session.Record, stored time.Time) sessionClaims {
	return sessionClaims{id: r.ID, present: true, generation: r.Generation, authTime: r.Created, limit: r.Limit, stored: stored}
}

// storedAt returns the latest time of the store's clock in r.
func storedAt(r *session.Record) time.Time { return later(r.Created, later(r.Rotated, r.Used)) }

// errSessionOver is the error for a session whose end is less than a second away.
var errSessionOver = errors.New("jwtgate: the session is about to end")

// issue returns a new access token, and the identity of a request that has it.
func (a *Auth) issue(grant Grant, of sessionClaims) (AccessToken, *Identity, error) {
	claims, err := a.claims(grant)
	if err != nil {
		return AccessToken{}, nil, err
	}
	issued := time.Unix(a.config.Now().Unix(), 0)
	ttl := a.config.AccessTTL
	if of.present {
		ttl -= a.sessions.jitter()
		ttl = min(ttl, of.limit.Sub(issued).Truncate(time.Second))
		if ttl <= 0 {
			return AccessToken{}, nil, errSessionOver
		}
		claims["sid"] = of.id.String()
		claims["auth_time"] = of.authTime.Unix()
		claims["gen"] = of.generation
	}
	if a.sessions != nil {
		if asOf, known := a.sessions.asOf(grant.Subject, of.stored); known {
			claims["as_of"] = asOf
		}
	}
	expires := issued.Add(ttl)
	claims["iss"] = a.config.Issuer
	claims["aud"] = a.config.Audience
	claims["sub"] = grant.Subject
	claims["jti"] = rand.Text()
	claims["iat"] = issued.Unix()
	claims["nbf"] = issued.Unix()
	claims["exp"] = expires.Unix()
	token, id, err := a.sign(claims, issued, expires)
	if err != nil {
		return AccessToken{}, nil, err
	}
	return AccessToken{Token: token, Expires: expires, TTL: ttl}, id, nil
}

// claims returns the claims of grant that are not registered ones.
func (a *Auth) claims(grant Grant) (map[string]any, error) {
	switch {
	case grant.Subject == "":
		return nil, errNoSubject
	case a.config.Issuer == "" || a.config.Audience == "":
		return nil, errNoIssuer
	}
	claims, err := furtherClaims(grant.Claims)
	if err != nil {
		return nil, err
	}
	if err := a.setClaims(claims, &grant); err != nil {
		return nil, err
	}
	if len(grant.Scopes) > 0 {
		scope, err := joinScopes(grant.Scopes)
		if err != nil {
			return nil, err
		}
		claims["scope"] = scope
	}
	return claims, nil
}

// furtherClaims returns the members of the JSON object that v encodes to. Their
// values stay encoded, because decoding would round large numbers.
func furtherClaims(v any) (map[string]any, error) {
	claims := map[string]any{}
	if v == nil {
		return claims, nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadClaims, err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, errBadClaims
	}
	for name, value := range members {
		if jose.IsRegistered(name) {
			return nil, fmt.Errorf("jwtgate: Grant.Claims has the registered claim %q, which only the library sets", name)
		}
		claims[name] = value
	}
	return claims, nil
}

// setClaims sets the subject, the audience and the roles at the places that the
// configuration has for them beside the registered claims.
func (a *Auth) setClaims(claims map[string]any, grant *Grant) error {
	own := &a.issuers[0]
	if own.subject != nil {
		if _, given := claims[own.subject[0]]; !given || len(own.subject) > 1 {
			if err := setPath(claims, own.subject, grant.Subject, "SubjectClaim"); err != nil {
				return err
			}
		}
	}
	if own.audience != nil {
		if err := setPath(claims, own.audience, a.config.Audience, "AudienceClaim"); err != nil {
			return err
		}
	}
	if len(grant.Roles) > 0 {
		return setPath(claims, own.roles, grant.Roles, "RoleClaims")
	}
	return nil
}

// setPath sets the member of claims at path, which the field of the configuration
// has named.
func setPath(claims map[string]any, path jose.Path, value any, field string) error {
	taken := func() error {
		return fmt.Errorf("jwtgate: Grant.Claims has the claim %q, which Config.%s sets", path[0], field)
	}
	for _, name := range path[:len(path)-1] {
		further, ok := claims[name].(map[string]any)
		if _, given := claims[name]; given && !ok {
			return taken()
		}
		if further == nil {
			further = map[string]any{}
			claims[name] = further
		}
		claims = further
	}
	name := path[len(path)-1]
	if _, given := claims[name]; given {
		return taken()
	}
	claims[name] = value
	return nil
}

func joinScopes(scopes []string) (string, error) {
	for _, scope := range scopes {
		if scope == "" || strings.Contains(scope, " ") {
			return "", errScopeWords
		}
	}
	return strings.Join(scopes, " "), nil
}

// sign returns claims as a token of RFC 9068, signed by the first key that can
// sign, and the identity that verifying it would return.
func (a *Auth) sign(claims map[string]any, issued, expires time.Time) (string, *Identity, error) {
	own := &a.issuers[0]
	set := own.keys.Current()
	key := own.keys.SigningKey(issued, expires)
	if key == nil {
		return "", nil, errNoSigner
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", nil, fmt.Errorf("jwtgate: encode claims: %w", err)
	}
	// No token is signed that would be refused, or whose subject differs from the
	// grant's: encoding/json replaces invalid UTF-8.
	id := &Identity{payload: string(payload), key: issuerKey{own, set, key}}
	if err := id.claims.Parse(id.payload, own.layout); err != nil {
		return "", nil, fmt.Errorf("%w: %w", errBadGrant, err)
	}
	if id.claims.Subject != claims["sub"] {
		return "", nil, errBadGrant
	}
	token, err := encodeToken(key, payload)
	if err != nil {
		return "", nil, err
	}
	if len(token) > a.config.MaxTokenSize {
		return "", nil, fmt.Errorf("%w: it has %d bytes, and Config.MaxTokenSize is %d: give the Grant fewer roles or claims, or raise MaxTokenSize", errTooLarge, len(token), a.config.MaxTokenSize)
	}
	a.finish(id)
	return token, id, nil
}

// encodeToken returns payload as a token signed by key.
func encodeToken(key keyaccess.SigningKey, payload []byte) (string, error) {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{key.Algorithm(), key.ID(), "at+jwt"})
	if err != nil {
		return "", fmt.Errorf("jwtgate: encode header: %w", err)
	}
	input := jose.Encode(header, payload)
	signature, err := key.Sign(input)
	if err != nil {
		return "", fmt.Errorf("jwtgate: sign: %w", err)
	}
	return jose.Compact(input, signature), nil
}
