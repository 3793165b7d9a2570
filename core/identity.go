package jwtgate

import (
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/session"
)

// An Identity is who a verified token vouches for. It never changes, so it may
// be shared, kept and used concurrently.
type Identity struct {
	claims  jose.Claims
	payload string
	signer  signer
	own     bool // issued by Config.Keys, not by one of Config.Trusted
	kept    bool // in the cache, with what it is decoded into
	hasSID  bool // sid is the session of ours that the token belongs to
	sid     session.ID
	alone   visit // by Bearer token, of a request that has no context of its own
	decoded atomic.Pointer[decoded]
}

// Subject returns the sub claim, which is never empty. With several issuers
// only the pair with [Identity.Issuer] names someone (RFC 7519 §4.1.2).
func (id *Identity) Subject() string { return id.claims.Subject }

// Issuer returns the iss claim.
func (id *Identity) Issuer() string { return id.claims.Issuer }

// TokenID returns the jti claim, empty if the token has none.
func (id *Identity) TokenID() string { return id.claims.ID }

// SessionID returns the sid claim, empty if the token belongs to no session.
func (id *Identity) SessionID() string { return id.claims.SessionID }

// AuthTime returns when the subject last proved who it is (auth_time), the zero
// time if the token does not say. Refreshing does not change it.
func (id *Identity) AuthTime() time.Time {
	if id.claims.AuthTime == 0 {
		return time.Time{}
	}
	return time.Unix(id.claims.AuthTime, 0)
}

// Expires returns when the token expires (exp). A connection that outlives the
// request, such as a WebSocket, should end then.
func (id *Identity) Expires() time.Time { return time.Unix(id.claims.Expires, 0) }

// HasRole reports whether role is one of the token's roles, to the letter.
func (id *Identity) HasRole(role string) bool {
	return role != "" && slices.Contains(id.claims.Roles(), role)
}

// Roles returns the token's roles.
func (id *Identity) Roles() iter.Seq[string] { return slices.Values(id.claims.Roles()) }

// HasScope reports whether scope is one of the token's scopes, to the letter
// (RFC 6749 §3.3).
func (id *Identity) HasScope(scope string) bool {
	return scope != "" && slices.Contains(id.claims.Scopes(), scope)
}

// Scopes returns the token's scopes.
func (id *Identity) Scopes() iter.Seq[string] { return slices.Values(id.claims.Scopes()) }

// session returns the session of ours that the token belongs to, and false if
// there is none.
func (id *Identity) session() (session.ID, bool) { return id.sid, id.hasSID }

// over reports whether id's token has expired or its key is gone.
func (id *Identity) over(now time.Time) bool {
	return now.Unix() >= id.claims.Expires || !id.signer.held(now)
}
