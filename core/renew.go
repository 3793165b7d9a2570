package core

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Conditional names the header fields that a renewed request is served without:
// its answer carries cookies, so it must be neither a 304, which a cache would
// join to what it has, nor a part of something.
var Conditional = []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"}

// Commit sets the header fields that the answer of a renewed request must go
// out with, whatever the handler said: an answer with someone's cookies in it
// must not be stored by any cache. For other requests it does nothing.
func (d *Decision) Commit(set func(name, value string)) {
	if d.Renewed {
		set("Cache-Control", "no-store")
		set("CDN-Cache-Control", "no-store") // RFC 9213
		set("Surrogate-Control", "no-store") // its forerunner
	}
}

// renewable reports whether a request whose access token failed with err is to
// be served with a new one: if it is a browser's, and the token is merely old,
// gone, or by a key that is no longer held. What is wrong in any other way, a
// good refresh token does not rescue. An Upgrade is left alone, because what
// opens the connection does not pass cookies on.
func (c *credential) renewable(req *Request, err error) bool {
	return c.cookie && c.refresh != "" && req.Upgrade == "" && req.Method != http.MethodConnect &&
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
		if sid, ours := old.session(); !ours || sid != token.ID {
			from.refusal = refuse(CodeTokenInvalid, errCompanion)
			return from
		}
	}
	tokens, refusal := a.sessions.flights.join(ctx, token.Presented(), func() (Tokens, *Refusal) {
		return a.advance(ctx, token, req.UserAgent, false)
	})
	if refusal != nil {
		from.refusal = refusal
		return from
	}
	return a.renewed(ctx, tokens)
}

// renewed returns the caller that tokens are for.
func (a *Auth) renewed(ctx context.Context, tokens Tokens) caller {
	from := caller{cookie: true}
	now := a.config.Now()
	id, err := a.verify(tokens.Access.Token, now)
	if err == nil {
		from.renewed, err = a.cookies.set(tokens, now)
	}
	if err != nil {
		from.refusal = a.trouble(ctx, Event{SessionID: tokens.SessionID}, err)
		return from
	}
	from.identity = id
	from.refusal = a.checkRevoked(ctx, id, now)
	return from
}

// maintain does for a browser with a good access token what the configuration
// asks for: renew it ahead of time, or reissue its refresh token. If that fails,
// the request goes on with what it has.
func (a *Auth) maintain(ctx context.Context, req *Request, found credential, from caller) caller {
	id := from.identity
	if a.sessions == nil || id == nil || req.Upgrade != "" || req.Method == http.MethodConnect {
		return from
	}
	after := from
	now := a.config.Now()
	switch {
	case a.cookies.ReissueRefresh && !a.refreshable(ctx, found.refresh, now):
		after = a.reissue(ctx, id, req.UserAgent)
	case a.cookies.RenewBefore > 0 && found.refresh != "" && id.Expires().Sub(now) <= a.cookies.RenewBefore:
		after = a.renew(ctx, req, found.refresh, id)
	}
	if after.refusal == nil {
		return after
	}
	from.refusal = a.checkRevoked(ctx, id, now) // the attempt may have ended the session
	return from
}

// refreshable reports whether refresh is a refresh token that is not over.
func (a *Auth) refreshable(ctx context.Context, refresh string, now time.Time) bool {
	token, err := a.sessions.codec.Parse(refresh)
	if err != nil {
		return false
	}
	record, found, err := a.sessions.Store.Find(ctx, token.ID)
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
	record, found, err := a.sessions.Store.Find(ctx, sid)
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
	tokens, refusal := a.sessions.flights.join(ctx, token.Presented(), func() (Tokens, *Refusal) {
		return a.advance(ctx, token, userAgent, true)
	})
	if refusal != nil {
		from.refusal = refusal
		return from
	}
	return a.renewed(ctx, tokens)
}

var errNotDerived = errors.New("core: the session began before ReissueRefresh was set")

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

var errPanicked = errors.New("core: the step panicked")
