package jwtgate

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// A LoginLimiter bounds how often passwords can be guessed: it is asked before each
// check of a password. [PasswordLimiter] is one that is ready to use. A LoginLimiter
// must be safe for concurrent use.
type LoginLimiter interface {
	// Begin is called before the password of a login is checked. If it returns a wait
	// above zero, the password is not checked, and the login is refused with 429 and
	// Retry-After. Otherwise done, if it is not nil, is called once when the check is
	// over. The argument wrong says that the name or the password was wrong; it is
	// false if they were right, and if the check has failed. An error is an internal
	// error, answered with 503.
	Begin(ctx context.Context, login LoginAttempt) (done func(wrong bool), wait time.Duration, err error)
}

// A LoginAttempt is a login whose password is to be checked.
type LoginAttempt struct {
	Username string     // as the client sent it
	Address  netip.Addr // of the client, as Config.ClientAddress says; the zero Addr if it is not known
	Request  Request    // valid until Begin returns, without its body; the zero Request in logins of the application's own
}

// limit asks the limiter whether the password of username may be checked. The caller
// calls done after the check. It is nil if the login is refused.
func (a *Auth) limit(ctx context.Context, req *Request, username string) (done func(wrong bool), refusal *Refusal) {
	none := func(bool) {}
	if a.sessions.Limiter == nil {
		return none, nil
	}
	login := LoginAttempt{Username: username, Address: a.config.ClientAddress(*req), Request: *req}
	login.Request.Body = nil
	done, wait, err := a.sessions.Limiter.Begin(ctx, login)
	switch {
	case err != nil:
		return nil, a.failed(ctx, Event{}, err)
	case wait > 0:
		a.tell(ctx, a.loginEvent(EventThrottled, req, username, nil))
		refusal = refuse(CodeThrottled, errThrottled)
		refusal.RetryAfter = wait
		return nil, refusal
	case done == nil:
		return none, nil
	}
	return done, nil
}

var errThrottled = errors.New("jwtgate: too many wrong passwords for this name or from this address")

// loginEvent returns an event of a login that has no session.
func (a *Auth) loginEvent(kind EventKind, req *Request, username string, cause error) Event {
	return Event{
		Kind:      kind,
		Username:  storedUserAgent(username), // as short as a User-Agent
		Address:   a.config.ClientAddress(*req),
		UserAgent: storedUserAgent(req.First("User-Agent")),
		Err:       cause,
	}
}
