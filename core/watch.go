package jwtgate

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Watch returns a context for work that lasts longer than the guard's decision about its
// request, such as a stream of server-sent events or a WebSocket. The context is derived
// from ctx. It is done when ctx is done, when cancel is called, or as soon as a new
// request with the token of id would be refused:
//
//   - The session of the token is ended, or the token or its subject is revoked, on any
//     process. The other processes learn of it within a second.
//   - The token has expired, or counts as expired because of [Auth.RenewSubject], however
//     long its session lives on. What the token says, such as the roles, may no longer be
//     true.
//   - Revocations have been unknown for longer than [SessionConfig].MaxLag.
//
// [context.Cause] then returns the [*Refusal] of that request. With the code
// [CodeTokenExpired], the client can continue: it makes a request that renews its session
// and connects again. Pages need no code for that with server-sent events, because
// browsers connect again by themselves, and the guard renews the session. With
// [CodeTokenRevoked], the user has to sign in again.
//
// For a nil id, which an anonymous visitor has, the context is done at once. Call cancel
// when the work is over. Watch starts no goroutine, and uses about a kilobyte until then.
func (a *Auth) Watch(ctx context.Context, id *Identity) (watched context.Context, cancel context.CancelFunc) {
	watched, end := context.WithCancelCause(ctx)
	switch {
	case a == nil:
		end(refuse(CodeUnavailable, errNilAuth))
		return watched, func() {}
	case id == nil:
		end(refuse(CodeTokenMissing, nil))
		return watched, func() {}
	}
	w := &watch{auth: a, identity: id, cancel: end}
	if a.sessions != nil {
		a.sessions.feed.confirmed(ctx) // waits if the process has just started
		a.sessions.revoked.watches.add(w)
	}
	w.check() // after add, so that no revocation is missed
	return watched, func() {
		w.stop()
		end(nil)
	}
}

// A watch ends a context when a token is no longer accepted.
type watch struct {
	auth     *Auth
	identity *Identity
	cancel   context.CancelCauseFunc
	links    [watchKeys]watchLink // in the lists of watches

	mu      sync.Mutex
	stopped bool
	timer   *time.Timer // of the next check
}

// check ends w if a request with its token would be refused now.
func (w *watch) check() {
	now := w.auth.config.Now()
	refusal, next := w.auth.outcome(w.identity, now)
	if refusal != nil {
		w.stop()
		w.cancel(refusal)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch wait := next.Sub(now); {
	case w.stopped:
	case w.timer == nil:
		w.timer = time.AfterFunc(wait, w.check)
	default:
		w.timer.Reset(wait)
	}
}

// stop removes w from the lists, and ends its timer.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
	if s := w.auth.sessions; s != nil {
		s.revoked.watches.remove(w)
	}
}

// outcome returns the refusal of a token that was accepted before, or when it is to be
// asked again, unless there is a revocation before that.
func (a *Auth) outcome(id *Identity, now time.Time) (refusal *Refusal, next time.Time) {
	if err := id.key.checkTimes(&id.claims, now.Unix()); errors.Is(err, errExpired) {
		return refuseToken(err), time.Time{}
	}
	next = id.Expires().Add(time.Duration(id.key.leeway) * time.Second)
	s := a.sessions
	switch {
	case s == nil:
	case s.revoked.has(id, now):
		return refuse(CodeTokenRevoked, nil), time.Time{}
	case s.revoked.outdated(id):
		return refuse(CodeTokenExpired, errOutdated), time.Time{}
	case s.feed.unconfirmed.Load() && !s.InsecureAnyLag:
		return refuse(CodeUnavailable, errUnconfirmed), time.Time{}
	default:
		if retired := s.revoked.retires(id, now); !retired.IsZero() && retired.Before(next) {
			next = retired
		}
	}
	return nil, next
}
