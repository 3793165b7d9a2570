package jwtgate

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/session"
)

// revocations has the revocations of tokens that may not have expired yet. Every
// request looks up its token here, in memory.
type revocations struct {
	issuer   string       // of our tokens
	held     atomic.Int64 // the number of entries; zero, the common case, needs no lock
	mu       sync.RWMutex
	sessions map[session.ID]revokedSession
	tokens   map[string]revokedToken
	subjects map[string]revokedSubject
	renewed  map[string]renewedSubject
	added    chan struct{} // closed by the next add; nil if nobody waits
	watches  watches
}

// revokedSession says which access tokens of a session are revoked: all of them, or
// those of generations before retired, and those of earlier generations than each of
// retiring from its time on.
type revokedSession struct {
	all      bool
	retired  uint32
	retiring [2]retirement // more than two cannot be in the future: see with
	until    time.Time
}

// A retirement revokes the access tokens of generations before the given one, from
// a time on.
type retirement struct {
	generation uint32
	from       time.Time
}

type revokedToken struct{ until time.Time }

// revokedSubject says that the access tokens of a subject are revoked that were issued
// before from, by the clock of the store.
type revokedSubject struct{ from, until time.Time }

// add adds r.
func (rv *revocations) add(r session.Revocation, now time.Time) {
	defer rv.watches.wake(r) // after the lock is released
	rv.mu.Lock()
	defer rv.mu.Unlock()
	if rv.sessions == nil {
		rv.sessions = make(map[session.ID]revokedSession)
		rv.tokens = make(map[string]revokedToken)
		rv.subjects = make(map[string]revokedSubject)
		rv.renewed = make(map[string]renewedSubject)
	}
	switch {
	case r.Token != "":
		rv.tokens[r.Token] = revokedToken{later(rv.tokens[r.Token].until, r.Until)}
	case r.Subject != "" && r.Issuer != rv.issuer: // not a revocation of our tokens
	case r.Subject != "" && r.Renew:
		old := rv.renewed[r.Subject]
		rv.renewed[r.Subject] = renewedSubject{old.with(r), old.heard + 1}
	case r.Subject != "":
		rv.subjects[r.Subject] = rv.subjects[r.Subject].with(r)
	default:
		rv.sessions[r.Session] = rv.sessions[r.Session].with(r)
	}
	sweep(rv.sessions, now)
	sweep(rv.tokens, now)
	sweep(rv.subjects, now)
	sweep(rv.renewed, now)
	if rv.added != nil {
		close(rv.added)
		rv.added = nil
	}
	rv.held.Store(int64(rv.size()))
}

// with returns s with r added.
func (s revokedSession) with(r session.Revocation) revokedSession {
	s.until = later(s.until, r.Until)
	if r.Generation == 0 {
		s.all = true
		return s
	}
	// A retirement comes a window after the first use of a generation, and a rotation
	// at least a window after the one before. So the first uses of a generation and of
	// the next but one are a window apart, and the first of three is over.
	next := retirement{r.Generation, r.From}
	for _, known := range s.retiring {
		if known.generation == next.generation {
			return s
		}
	}
	for i, known := range s.retiring {
		if next.generation > known.generation {
			s.retiring[i], next = next, known
		}
	}
	s.retired = max(s.retired, next.generation)
	return s
}

// covers reports whether a token of generation is revoked at now.
func (s revokedSession) covers(generation uint32, now time.Time) bool {
	if s.all || generation < s.retired {
		return true
	}
	for _, r := range s.retiring {
		if generation < r.generation && !now.Before(r.from) {
			return true
		}
	}
	return false
}

// nextFor returns the next time at which a token of generation is revoked, the zero
// time if there is none.
func (s revokedSession) nextFor(generation uint32, now time.Time) (next time.Time) {
	for _, r := range s.retiring {
		if generation < r.generation && now.Before(r.from) && (next.IsZero() || r.from.Before(next)) {
			next = r.from
		}
	}
	return next
}

// retires returns when the token of id, which is not revoked, will be, the zero time if
// that is not known.
func (rv *revocations) retires(id *Identity, now time.Time) time.Time {
	sid, ours := id.session()
	if !ours || rv.held.Load() == 0 {
		return time.Time{}
	}
	rv.mu.RLock()
	defer rv.mu.RUnlock()
	return rv.sessions[sid].nextFor(id.claims.Generation, now)
}

// has reports whether the token of id is revoked.
func (rv *revocations) has(id *Identity, now time.Time) bool {
	if rv.held.Load() == 0 {
		return false
	}
	rv.mu.RLock()
	defer rv.mu.RUnlock()
	if len(rv.tokens) > 0 && id.claims.ID != "" {
		if token, revoked := rv.tokens[tokenName(id)]; revoked && !token.over(now) {
			return true
		}
	}
	if len(rv.subjects) > 0 && id.own {
		if subject, revoked := rv.subjects[id.claims.Subject]; revoked && subject.covers(&id.claims) {
			return true
		}
	}
	if sid, ours := id.session(); ours {
		s, known := rv.sessions[sid]
		return known && s.covers(id.claims.Generation, now)
	}
	return false
}

// with returns s with r added.
func (s revokedSubject) with(r session.Revocation) revokedSubject {
	return revokedSubject{later(s.from, r.From), later(s.until, r.Until)}
}

// covers reports whether a token with these claims was issued before the revocation.
// The clocks of processes differ, so as_of is compared. A token that was made elsewhere
// has none. Its iat is in whole seconds: the token is revoked if any moment of that
// second is, which errs on the safe side, and also if it has no iat.
func (s revokedSubject) covers(claims *jose.Claims) bool {
	if claims.HasAsOf {
		return claims.AsOf < s.from.UnixMilli()
	}
	return claims.IssuedAt <= s.from.Unix()
}

// from returns from when on tokens of subject are not revoked, the zero time if they
// never were.
func (rv *revocations) from(subject string) time.Time {
	rv.mu.RLock()
	defer rv.mu.RUnlock()
	return rv.subjects[subject].from
}

// asOf returns the claim as_of of a new token of subject: the latest time of the
// store's clock that is known, in milliseconds since 1970. Revocations of the subject
// that come after it revoke the token. stored is the latest time in the record of the
// token's session, zero without one. The result known is false if this process does
// not know the revocations.
func (s *sessions) asOf(subject string, stored time.Time) (milliseconds int64, known bool) {
	latest := later(stored, s.revoked.from(subject))
	if !latest.IsZero() {
		return latest.UnixMilli(), true
	}
	return 0, !s.feed.unconfirmed.Load()
}

// covers reports whether r, which is for a session or a token, is contained already.
func (rv *revocations) covers(r session.Revocation, now time.Time) bool {
	rv.mu.RLock()
	defer rv.mu.RUnlock()
	if r.Token != "" {
		return !rv.tokens[r.Token].until.Before(r.Until)
	}
	s := rv.sessions[r.Session]
	return s.all && !s.over(now)
}

func (rv *revocations) size() int {
	return len(rv.sessions) + len(rv.tokens) + len(rv.subjects) + len(rv.renewed)
}

// sweep looks at a few random entries and removes those that are over. It runs
// whenever an entry is added, so that expired entries remain a fraction of all, and
// no request has to wait while many are removed.
func sweep[K comparable, V interface{ over(now time.Time) bool }](m map[K]V, now time.Time) {
	looks := 4
	for key, entry := range m {
		if entry.over(now) {
			delete(m, key)
		}
		if looks--; looks == 0 {
			return
		}
	}
}

func (s revokedSession) over(now time.Time) bool { return !now.Before(s.until) }
func (s revokedSubject) over(now time.Time) bool { return !now.Before(s.until) }
func (t revokedToken) over(now time.Time) bool   { return !now.Before(t.until) }

// tokenName returns a unique name of id's token: a jti is unique for its issuer only
// (RFC 7519 §4.1.7).
func tokenName(id *Identity) string { return id.claims.Issuer + "\n" + id.claims.ID }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

var errNotListed = errors.New("jwtgate: the token's session is not live in the store, which AllowList requires")

// checkRevoked returns the refusal of id, whose token is valid, or nil. It refuses a
// revoked token, and any token while revocations are not known.
func (a *Auth) checkRevoked(ctx context.Context, id *Identity, now time.Time) *Refusal {
	s := a.sessions
	if s == nil {
		return nil
	}
	confirmed := s.feed.confirmed(ctx) // before has: a process that has just started waits for its revocations
	if s.revoked.has(id, now) {
		return refuse(CodeTokenRevoked, nil)
	}
	if !confirmed && !s.InsecureAnyLag {
		return refuse(CodeUnavailable, errUnconfirmed)
	}
	if !s.AllowList || !id.own {
		return nil
	}
	sid, ours := id.session()
	if !ours {
		return refuse(CodeTokenRevoked, errNotListed)
	}
	record, found, err := s.find(ctx, sid)
	if err != nil {
		return a.failed(ctx, Event{Subject: id.Subject(), SessionID: sid.String()}, err)
	}
	if !found || !record.LiveAt(now) || record.Owner != a.owner(id.Subject()) {
		return refuse(CodeTokenRevoked, errNotListed)
	}
	return nil
}
