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
	"github.com/jwtgate/jwtgate/core/session"
)

// A Grant is what an access token says about its bearer.
type Grant struct {
	// Subject becomes sub. Required.
	Subject string

	// Roles are put where [Config.RolesPath] says.
	Roles []string

	// Scopes become scope, a list with spaces between (RFC 8693 §4.2).
	Scopes []string

	// Claims, if not nil, has further claims: a value that encodes to a JSON
	// object without the names of registered claims.
	Claims any
}

// An AccessToken is a signed token, ready to be sent.
type AccessToken struct {
	Token   string
	Expires time.Time
	TTL     time.Duration // from issue to Expires, in whole seconds: the expires_in of RFC 6749 §5.1
}

var (
	errNoSigner   = errors.New("jwtgate: none of Config.Keys can sign: give a secret or a private key")
	errNoSubject  = errors.New("jwtgate: Grant.Subject is empty")
	errBadClaims  = errors.New("jwtgate: Grant.Claims does not encode to a JSON object")
	errNoIssuer   = errors.New("jwtgate: Config.Issuer and Config.Audience are needed to issue tokens")
	errRefused    = errors.New("jwtgate: the Grant makes a token that would be refused: its subject or claims are not what a token can hold")
	errScopeWords = errors.New("jwtgate: Grant.Scopes has a scope that is empty or has a space in it")
)

// Issue returns a new access token for grant in the form of RFC 9068, signed by
// the first of [Config.Keys] that can, good for [Config.AccessTTL]. It belongs to
// no session: what signs users in is [Token] and [Auth.SignIn].
func (a *Auth) Issue(_ context.Context, grant Grant) (AccessToken, error) {
	if a == nil {
		return AccessToken{}, errNilAuth
	}
	return a.issue(grant, about{})
}

// about is what an access token says of its session; zero if it has none.
type about struct {
	session    session.ID
	hasSession bool
	generation uint32
	authTime   time.Time
	limit      time.Time // the session's absolute end
}

func aboutRecord(r *session.Record) about {
	return about{session: r.ID, hasSession: true, generation: r.Generation, authTime: r.Created, limit: r.Limit}
}

// errSessionOver says that no token of a session can live for a second.
var errSessionOver = errors.New("jwtgate: the session is about to end")

func (a *Auth) issue(grant Grant, about about) (AccessToken, error) {
	claims, err := a.claims(grant)
	if err != nil {
		return AccessToken{}, err
	}
	issued := time.Unix(a.config.Now().Unix(), 0)
	ttl := a.config.AccessTTL
	if about.hasSession {
		ttl -= a.sessions.jitter()
		ttl = min(ttl, about.limit.Sub(issued).Truncate(time.Second))
		if ttl <= 0 {
			return AccessToken{}, errSessionOver
		}
		claims["sid"] = about.session.String()
		claims["auth_time"] = about.authTime.Unix()
		if a.sessions.RetireReplaced {
			claims["gen"] = about.generation
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
	token, err := a.sign(claims, issued, expires)
	if err != nil {
		return AccessToken{}, err
	}
	return AccessToken{Token: token, Expires: expires, TTL: ttl}, nil
}

// registered are the claims that only the issuer sets.
var registered = map[string]bool{
	"iss": true, "sub": true, "aud": true, "exp": true, "nbf": true, "iat": true, "jti": true,
	"sid": true, "auth_time": true, "gen": true, "scope": true, "scp": true, "cnf": true,
	"token_use": true, "nonce": true, "at_hash": true, "c_hash": true,
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
	if len(grant.Roles) > 0 {
		if err := put(claims, a.config.RolesPath, grant.Roles); err != nil {
			return nil, err
		}
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

// furtherClaims returns the members of the JSON object that v encodes to, each
// as it is encoded: a large number would not survive a decoder.
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
		if registered[strings.ToLower(name)] {
			return nil, fmt.Errorf("jwtgate: Grant.Claims has the registered claim %q", name)
		}
		claims[name] = value
	}
	return claims, nil
}

// put sets the member of claims that path leads to.
func put(claims map[string]any, path []string, value any) error {
	if _, taken := claims[path[0]]; taken {
		return fmt.Errorf("jwtgate: Grant.Claims has the claim %q, where roles go", path[0])
	}
	for i := len(path) - 1; i > 0; i-- {
		value = map[string]any{path[i]: value}
	}
	claims[path[0]] = value
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

// sign returns claims, which are of this lifetime, as a token of RFC 9068, signed
// by the first key that can.
func (a *Auth) sign(claims map[string]any, issued, expires time.Time) (string, error) {
	key := a.trusted[0].keys.signerFor(issued, expires)
	if key == nil {
		return "", errNoSigner
	}
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{key.method.alg, key.id, "at+jwt"})
	if err != nil {
		return "", fmt.Errorf("jwtgate: encode header: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("jwtgate: encode claims: %w", err)
	}
	// No token is signed that would be refused, or says something else: JSON
	// replaces what is not UTF-8.
	var read jose.Claims
	if err := read.Parse(string(payload), a.config.RolesPath); err != nil {
		return "", fmt.Errorf("%w: %w", errRefused, err)
	}
	if read.Subject != claims["sub"] {
		return "", errRefused
	}
	input := jose.Encode(header, payload)
	signature, err := key.sign(input)
	if err != nil {
		return "", fmt.Errorf("jwtgate: sign: %w", err)
	}
	token := jose.Compact(input, signature)
	if len(token) > a.config.MaxTokenSize {
		return "", fmt.Errorf("%w: %w", errRefused, errTokenSize)
	}
	return token, nil
}
