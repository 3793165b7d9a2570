package jwtgate

import (
	"context"
	"fmt"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// RenewSubject makes the access tokens of subject that were issued before count as
// expired, on every process, so that a change of its roles takes effect at once. Nobody is
// signed out: browsers are renewed with their next request, other clients get 401 with
// [CodeTokenExpired] and refresh, and [SessionConfig].Subject says what the new tokens may
// do. Tokens of [Auth.Issue], and of other applications with the same Issuer and Store,
// count as expired, too.
//
// Call it after the change is stored. Other processes learn of it within a second. If one of
// them has called Subject just before the change, and issues the token before it learns of
// the call, that token has the old roles until it expires.
//
// An error means that the store failed, and that the tokens may still be accepted: repeat
// the call.
func (a *Auth) RenewSubject(ctx context.Context, subject string) error {
	if a == nil || a.sessions == nil {
		return errNoSessions
	}
	s := a.sessions
	ctx, cancel := s.detach(ctx)
	defer cancel()
	heard := s.revoked.renewals(subject)
	r := session.Revocation{Issuer: a.config.Issuer, Subject: subject, Renew: true, Until: a.config.Now().Add(s.revoke)}
	if err := s.Store.Revoke(ctx, r); err != nil {
		return a.failed(ctx, Event{Subject: subject}, err)
	}
	// Only the store knows from when on, by its clock. Its feed says so in a moment.
	ctx, cancel = context.WithTimeout(ctx, feedPause)
	defer cancel()
	for {
		next := s.revoked.next()
		if s.revoked.renewals(subject) > heard {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done(): // the feed is late, and this process learns of it as others do
			return nil
		}
	}
}

// errOutdated is the error for a token that RenewSubject has made count as expired.
var errOutdated = fmt.Errorf("%w: the subject's tokens were renewed after it was issued", errExpired)

// A renewedSubject says that the access tokens of a subject count as expired that were
// issued before from.
type renewedSubject struct {
	revokedSubject

	heard int // how often that was announced
}

// outdated reports whether the token of id, which is valid, counts as expired. A token that
// is revoked does not. A process that has just started waits for what it has to know.
func (a *Auth) outdated(ctx context.Context, id *Identity, now time.Time) bool {
	s := a.sessions
	if s == nil {
		return false
	}
	s.feed.confirmed(ctx)
	return s.revoked.outdated(id) && !s.revoked.has(id, now)
}

// outdated is [Auth.outdated], also for a token that is revoked.
func (rv *revocations) outdated(id *Identity) bool {
	if rv.held.Load() == 0 || !id.own {
		return false
	}
	rv.mu.RLock()
	defer rv.mu.RUnlock()
	renewed, known := rv.renewed[id.claims.Subject]
	return known && renewed.covers(&id.claims)
}

// renewedFrom returns from when on tokens of subject need not be renewed, the zero time if
// that is not known. What a token issued as of then says must be read after this call.
func (rv *revocations) renewedFrom(subject string) time.Time {
	rv.mu.RLock()
	defer rv.mu.RUnlock()
	return rv.renewed[subject].from
}

// renewals returns how often it was announced that the tokens of subject are to be renewed.
func (rv *revocations) renewals(subject string) int {
	rv.mu.RLock()
	defer rv.mu.RUnlock()
	return rv.renewed[subject].heard
}

// next returns a channel that the next call of add closes.
func (rv *revocations) next() <-chan struct{} {
	rv.mu.Lock()
	defer rv.mu.Unlock()
	if rv.added == nil {
		rv.added = make(chan struct{})
	}
	return rv.added
}
