package jwtgate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/session"
)

// renewable reports whether a request whose access token failed with err is to be
// renewed: it has the cookies of a browser, and the access token has expired, is
// missing, or was signed by a key that is no longer held. A token that is valid only
// later, because the clock of another process is ahead, needs the refresh token of its
// own session. With ReissueRefresh, a token that only [Auth.RenewSubject] has made count
// as expired needs no refresh token. A token that is wrong in any other way is refused, whatever the refresh
// token is. id is the identity of the access token, if it is known.
func (a *Auth) renewable(c *credential, id *Identity, err error) bool {
	switch {
	case !c.cookie:
		return false
	case errors.Is(err, errOutdated) && a.cookies.ReissueRefresh:
		return true
	case c.refresh == "":
		return false
	case errors.Is(err, errEarly):
		token, err := a.sessions.codec.Decode(c.refresh)
		return err == nil && checkPair(id, token) == nil
	}
	return errors.Is(err, errExpired) || errors.Is(err, errAbsent) || errors.Is(err, errOldKey)
}

// renewAfter renews a request that is renewable although its access token failed with err.
func (a *Auth) renewAfter(ctx context.Context, req *Request, found *credential, old *Identity, err error, now time.Time) caller {
	if errors.Is(err, errOutdated) && a.cookies.ReissueRefresh && !a.refreshable(ctx, found.refresh, now) {
		return a.reissue(ctx, old, req.First("User-Agent"))
	}
	return a.renew(ctx, req, found.refresh, old)
}

// renew uses the refresh token of a browser before the handler runs, so that the
// request is served once and need not be sent again. old is the identity of the
// expired access token, nil if it is not known.
func (a *Auth) renew(ctx context.Context, req *Request, refresh string, old *Identity) caller {
	from := caller{cookie: true}
	token, err := a.sessions.codec.Decode(refresh)
	if err != nil {
		from.refusal = refuse(CodeRefreshInvalid, err)
		return from
	}
	if old != nil {
		if from.refusal = checkPair(old, token); from.refusal != nil {
			return from
		}
	}
	return a.rotateShared(ctx, rotation{token: token, userAgent: req.First("User-Agent"), inCookies: true})
}

// rotateShared rotates for a browser, in one step for all concurrent requests with
// the same refresh token, and returns the caller with new cookies.
func (a *Auth) rotateShared(ctx context.Context, r rotation) caller {
	from := caller{cookie: true}
	tokens, refusal := a.sessions.rotations.do(ctx, r.token.Presented(), func() (Tokens, *Refusal) {
		return a.rotate(ctx, r)
	})
	if refusal != nil {
		from.refusal = refusal
		return from
	}
	now := a.config.Now()
	from.renewed = &renewal{
		cookies: a.cookies,
		fields:  a.cookies.set(tokens, now),
		until:   tokens.stepped.Add(a.sessions.answerTime()),
		now:     a.config.Now,
	}
	from.identity, from.judged = tokens.identity, JudgedRenewed
	if a.sessions.revoked.has(from.identity, now) { // ended during the rotation
		from.refusal = refuse(CodeTokenRevoked, nil)
	}
	return from
}

// maintain does what the configuration asks for at a request with a valid access
// cookie: it renews the token early, or issues the refresh token anew. If that
// fails, the request is served with its current token.
func (a *Auth) maintain(ctx context.Context, req *Request, found credential, from caller, now time.Time) caller {
	id := from.identity
	if a.sessions == nil {
		return from
	}
	after := from
	switch {
	case a.cookies.ReissueRefresh && a.mayChangeCookies(req) && !a.refreshable(ctx, found.refresh, now):
		after = a.reissue(ctx, id, req.First("User-Agent"))
	case found.refresh != "" && a.cookies.due(id, now) && a.mayChangeCookies(req):
		after = a.renew(ctx, req, found.refresh, id)
	}
	if after.refusal == nil {
		return after
	}
	from.refusal = a.checkRevoked(ctx, id, now) // the attempt may have ended the session
	return from
}

// due reports whether id's token is to be renewed early: it expires soon, and more
// than half of its lifetime is over. The second condition is for a token whose
// lifetime the session's end has cut short.
func (c *cookies) due(id *Identity, now time.Time) bool {
	left := id.Expires().Sub(now)
	return left <= c.RenewBefore && left <= now.Sub(time.Unix(id.claims.IssuedAt, 0))
}

// refreshable reports whether refresh is a refresh token that has not expired. If
// the store fails, it assumes so.
func (a *Auth) refreshable(ctx context.Context, refresh string, now time.Time) bool {
	token, err := a.sessions.codec.Decode(refresh)
	if err != nil {
		return false
	}
	record, found, err := a.sessions.find(ctx, token.ID)
	return err != nil || found && now.Before(a.sessions.refreshEnd(&record))
}

// reissue gives the session of id a new refresh token.
func (a *Auth) reissue(ctx context.Context, id *Identity, userAgent string) caller {
	from := caller{cookie: true}
	sid, ours := id.session()
	if !ours {
		from.refusal = refuse(CodeRefreshInvalid, nil)
		return from
	}
	record, found, err := a.sessions.find(ctx, sid)
	if err != nil {
		from.refusal = a.failed(ctx, Event{Subject: id.Subject(), SessionID: sid.String()}, err)
		return from
	}
	if !found {
		from.refusal = refuse(CodeRefreshExpired, nil)
		return from
	}
	nonce, known := a.sessions.codec.NonceOf(sid, record.NonceHash)
	if !known {
		from.refusal = refuse(CodeRefreshExpired, errNotDerived)
		return from
	}
	// The browser presents what it has: the generation of its access token. If that is
	// not the current one, another answer has overtaken it, or the cookie was stolen.
	token := refreshtoken.Token{ID: sid, Nonce: nonce, Generation: id.claims.Generation}
	return a.rotateShared(ctx, rotation{token: token, userAgent: userAgent, inCookies: true, reissue: true})
}

var errNotDerived = errors.New("jwtgate: the session was opened before ReissueRefresh was set")

// find reads the session id, for as long as one use of the store may take.
func (s *sessions) find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	ctx, cancel := s.detach(ctx)
	defer cancel()
	return s.Store.Find(ctx, id)
}

// rotations merges concurrent requests for the same rotation (single flight). This
// only saves work, because a rotation is safe to repeat.
type rotations struct {
	mu         sync.Mutex
	inProgress map[session.Presented]*sharedRotation
}

type sharedRotation struct {
	done    chan struct{}
	tokens  Tokens
	refusal *Refusal
}

// do returns the result of rotate, or the result of the call in progress for the
// same refresh token. A request that waits for another gives up when its ctx is done.
func (r *rotations) do(ctx context.Context, p session.Presented, rotate func() (Tokens, *Refusal)) (Tokens, *Refusal) {
	r.mu.Lock()
	if other := r.inProgress[p]; other != nil {
		r.mu.Unlock()
		select {
		case <-other.done:
			return other.tokens, other.refusal
		case <-ctx.Done():
			return Tokens{}, refuse(CodeUnavailable, ctx.Err())
		}
	}
	own := &sharedRotation{done: make(chan struct{})}
	if r.inProgress == nil {
		r.inProgress = make(map[session.Presented]*sharedRotation)
	}
	r.inProgress[p] = own
	r.mu.Unlock()
	// If the application's Subject panics, the waiting requests get this refusal.
	own.refusal = refuse(CodeUnavailable, errPanicked)
	defer func() {
		r.mu.Lock()
		delete(r.inProgress, p)
		r.mu.Unlock()
		close(own.done)
	}()
	own.tokens, own.refusal = rotate()
	return own.tokens, own.refusal
}

var errPanicked = errors.New("jwtgate: the rotation panicked")
