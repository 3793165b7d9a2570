package jwtgate

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Conditional names the header fields that a renewed request is served without:
// its answer carries cookies, so it must be neither a 304, which a cache would
// join to what it has, nor a part of something.
var Conditional = []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"}

// renewable reports whether a request whose access token failed with err is to
// be served with a new one: if it is a browser's, and the token is merely old,
// gone, or by a key that is no longer held. What is wrong in any other way, a
// good refresh token does not rescue. An Upgrade is left alone, because what
// opens the connection does not pass cookies on.
func (c *credential) renewable(req *Request, err error) bool {
	return c.cookie && c.refresh != "" && !req.opensChannel() &&
		(errors.Is(err, errExpired) || errors.Is(err, errAbsent) || errors.Is(err, errOldKey))
}

// renew trades the refresh token of a browser for new tokens, before the handler
// runs, so that the request is served once and nothing has to be sent again. old
// is who the expired access token was for, nil if that is not known.
func (a *Auth) renew(ctx context.Context, req *Request, refresh string, old *Identity) caller {
	from := caller{cookie: true}
	token, err := a.sessions.codec.Parse(refresh)
	if err != nil {
		from.refusal = refuse(CodeRefreshInvalid, err)
		return from
	}
	if old != nil {
		if from.refusal = checkPair(old, token); from.refusal != nil {
			return from
		}
	}
	return a.take(ctx, step{token: token, userAgent: req.First("User-Agent"), inCookies: true})
}

// take takes st for a browser, together with whoever asks for the same just
// now, and returns the caller with new cookies.
func (a *Auth) take(ctx context.Context, st step) caller {
	from := caller{cookie: true}
	tokens, refusal := a.sessions.flights.join(ctx, st.token.Presented(), func() (Tokens, *Refusal) {
		return a.advance(ctx, st)
	})
	if refusal != nil {
		from.refusal = refusal
		return from
	}
	now := a.config.Now()
	id, err := a.verify(ctx, tokens.Access.Token, now)
	if err == nil {
		from.renewed, err = a.cookies.set(tokens, now)
	}
	if err != nil {
		from.refusal = a.trouble(ctx, Event{SessionID: tokens.SessionID}, err)
		return from
	}
	from.identity = id
	if a.sessions.revoked.has(id, now) { // ended meanwhile
		from.refusal = refuse(CodeTokenRevoked, nil)
	}
	return from
}

// maintain does for a browser with a good access token what the configuration
// asks for: renew it ahead of time, or reissue its refresh token. If that fails,
// the request goes on with what it has.
func (a *Auth) maintain(ctx context.Context, req *Request, found credential, from caller, now time.Time) caller {
	id := from.identity
	if a.sessions == nil || id == nil || req.opensChannel() {
		return from
	}
	after := from
	switch {
	case a.cookies.ReissueRefresh && !a.refreshable(ctx, found.refresh, now):
		after = a.reissue(ctx, id, req.First("User-Agent"))
	case found.refresh != "" && a.cookies.due(id, now):
		after = a.renew(ctx, req, found.refresh, id)
	}
	if after.refusal == nil {
		return after
	}
	from.refusal = a.checkRevoked(ctx, id, now) // the attempt may have ended the session
	return from
}

// due reports whether id's token is to be renewed ahead of time: near its end,
// and past the middle of its life, because one that a session's end cut short
// is near its end from the beginning.
func (c *cookies) due(id *Identity, now time.Time) bool {
	left := id.Expires().Sub(now)
	return left <= c.RenewBefore && left <= now.Sub(time.Unix(id.claims.IssuedAt, 0))
}

// refreshable reports whether refresh is a refresh token that is not over.
func (a *Auth) refreshable(ctx context.Context, refresh string, now time.Time) bool {
	token, err := a.sessions.codec.Parse(refresh)
	if err != nil {
		return false
	}
	record, found, err := a.find(ctx, token.ID)
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
	record, found, err := a.find(ctx, sid)
	if err != nil || !found {
		from.refusal = refuse(CodeRefreshExpired, err)
		return from
	}
	nonce, known := a.sessions.codec.DeriveNonce(sid, record.NonceHash)
	if !known {
		from.refusal = refuse(CodeRefreshExpired, errNotDerived)
		return from
	}
	token := session.Token{ID: sid, Nonce: nonce, Generation: record.Generation}
	return a.take(ctx, step{token: token, userAgent: userAgent, inCookies: true, reissue: true})
}

var errNotDerived = errors.New("jwtgate: the session began before ReissueRefresh was set")

// flights lets requests that ask for the same step at the same time share one.
// That only saves work: the step itself is safe to repeat.
type flights struct {
	mu   sync.Mutex
	open map[session.Presented]*flight
}

type flight struct {
	done    chan struct{}
	tokens  Tokens
	refusal *Refusal
}

// join returns what step returns, or what it returned to the caller that came
// first. A caller whose ctx is done while it waits for another gives up.
func (f *flights) join(ctx context.Context, p session.Presented, step func() (Tokens, *Refusal)) (Tokens, *Refusal) {
	f.mu.Lock()
	if other := f.open[p]; other != nil {
		f.mu.Unlock()
		select {
		case <-other.done:
			return other.tokens, other.refusal
		case <-ctx.Done():
			return Tokens{}, refuse(CodeUnavailable, ctx.Err())
		}
	}
	own := &flight{done: make(chan struct{})}
	if f.open == nil {
		f.open = make(map[session.Presented]*flight)
	}
	f.open[p] = own
	f.mu.Unlock()
	// Should the application's part of step panic, those who wait must not.
	own.refusal = refuse(CodeUnavailable, errPanicked)
	defer func() {
		f.mu.Lock()
		delete(f.open, p)
		f.mu.Unlock()
		close(own.done)
	}()
	own.tokens, own.refusal = step()
	return own.tokens, own.refusal
}

var errPanicked = errors.New("jwtgate: the step panicked")
