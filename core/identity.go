package jwtgate

import (
	"context"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/session"
)

// An Identity is the subject of a verified token and what the token says about
// it. It never changes, so it can be shared, kept and used concurrently.
type Identity struct {
	claims  jose.Claims
	payload string
	key     issuerKey
	own     bool // issued by Config.Keys, not by one of Config.Trusted
	cached  bool // kept in the cache of verified tokens, with its decoded claims
	hasSID  bool // sid is a session ID of ours
	sid     session.ID
	decoded atomic.Pointer[decodedClaims]

	// bearerVisit is the visit for requests with a Bearer token whose context is
	// context.Background(). It saves an allocation.
	bearerVisit visit
}

// finish sets the fields of id that are derived from its claims and its key. It must be
// called before other goroutines can use id.
func (a *Auth) finish(id *Identity) {
	id.own = id.key.issuer == &a.issuers[0]
	if id.own && a.sessions != nil {
		id.sid, id.hasSID = session.ParseID(id.claims.SessionID)
	}
	id.bearerVisit = visit{Context: context.Background(), auth: a, identity: id}
}

// Subject returns the sub claim, or the claim that [Config.SubjectClaim] names. It is
// empty only with [Config.OptionalSubject]. If several issuers are trusted, only the
// pair of [Identity.Issuer] and Subject identifies someone (RFC 7519 §4.1.2).
func (id *Identity) Subject() string { return id.claims.Subject }

// Issuer returns the iss claim.
func (id *Identity) Issuer() string { return id.claims.Issuer }

// TokenID returns the jti claim, empty if the token has none.
func (id *Identity) TokenID() string { return id.claims.ID }

// SessionID returns the sid claim, empty if the token belongs to no session.
func (id *Identity) SessionID() string { return id.claims.SessionID }

// AuthTime returns when the subject last authenticated (auth_time), the zero time
// if the token does not say. Refreshing does not change it.
func (id *Identity) AuthTime() time.Time {
	if id.claims.AuthTime == 0 {
		return time.Time{}
	}
	return time.Unix(id.claims.AuthTime, 0)
}

// Expires returns when the token expires (exp). [Auth.Watch] tells a handler whose
// stream or WebSocket lasts longer, or whose session ends before.
func (id *Identity) Expires() time.Time { return time.Unix(id.claims.Expires, 0) }

// HasRole reports whether role is one of the token's roles. Case matters.
func (id *Identity) HasRole(role string) bool {
	return role != "" && slices.Contains(id.claims.Roles(), role)
}

// Roles returns the token's roles.
func (id *Identity) Roles() iter.Seq[string] { return slices.Values(id.claims.Roles()) }

// HasScope reports whether scope is one of the token's scopes (RFC 6749 §3.3).
// Case matters.
func (id *Identity) HasScope(scope string) bool {
	return scope != "" && slices.Contains(id.claims.Scopes(), scope)
}

// Scopes returns the token's scopes.
func (id *Identity) Scopes() iter.Seq[string] { return slices.Values(id.claims.Scopes()) }

// session returns the session of ours that the token belongs to, and false if
// there is none.
func (id *Identity) session() (session.ID, bool) { return id.sid, id.hasSID }

// over reports whether the token has expired or its key is gone.
func (id *Identity) over(now time.Time) bool {
	return now.Unix() >= id.claims.Expires || !id.key.held(now)
}
