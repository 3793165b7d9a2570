package jwtgate

import (
	"context"
	"errors"
	"net/http"
)

// A PasswordCheck returns the subject whose name and password these are, and
// false if they are nobody's: take care that it takes as long for a name that
// does not exist. An error is trouble on this side, and answers 503. It must be
// safe for concurrent use.
type PasswordCheck func(ctx context.Context, username, password string) (subject string, ok bool, err error)

// Login returns an [Endpoint] that signs browsers in: it answers with two
// HttpOnly cookies, and no token that script could read. It takes POST with the
// parameters username and password, as JSON or as a form, from pages of this
// site or of a trusted origin. A session that the browser had is ended.
// Config.Sessions and Config.Cookies must be set.
func Login(a *Auth, check PasswordCheck) Endpoint {
	return func(ctx context.Context, req Request) Response {
		switch {
		case a == nil || a.cookies == nil:
			return a.refusedOAuth(ctx, &req, false, refuse(CodeUnavailable, errNoCookies))
		case req.Method == http.MethodPost:
			// There is no session to protect yet, but a visitor must not be
			// signed in as someone else without noticing.
			if err := a.checkOrigin(&req); err != nil {
				return a.refusedOAuth(ctx, &req, false, refuse(CodeCrossSite, err))
			}
		}
		return a.signIn(ctx, &req, check, true)
	}
}

// Token returns an [Endpoint] that signs users in by name and password and
// answers with tokens in the body (RFC 6749 §5.1), for programs and apps that
// keep tokens themselves. It takes POST with the parameters username and
// password, as JSON or as a form. Config.Sessions must be set.
func Token(a *Auth, check PasswordCheck) Endpoint {
	return func(ctx context.Context, req Request) Response {
		return a.signIn(ctx, &req, check, false)
	}
}

// SignIn opens a session for subject, who has proved to be so in a way of the
// application's own: a callback of OAuth, a link in a mail. Send what Response
// of the Tokens returns, or, for a browser, what Cookies does. A session that
// the cookies of req are of is ended. An error is a [*Refusal], whose Response
// can be sent.
func (a *Auth) SignIn(ctx context.Context, req Request, subject string) (Tokens, error) {
	if a == nil || a.sessions == nil {
		return Tokens{}, refuse(CodeUnavailable, errNoSessions)
	}
	tokens, refusal := a.begin(ctx, subject, opening{userAgent: req.First("User-Agent"), replaces: a.replaced(&req)})
	if refusal != nil {
		return Tokens{}, refusal
	}
	return tokens, nil
}

var errNoCookies = errors.New("jwtgate: Config.Cookies is not set")

// signIn opens a session for who is named in req's body, and hands its tokens
// out in cookies or in the body.
func (a *Auth) signIn(ctx context.Context, req *Request, check PasswordCheck, inCookies bool) Response {
	if a == nil || a.sessions == nil {
		return a.refusedOAuth(ctx, req, false, refuse(CodeUnavailable, errNoSessions))
	}
	if req.Method != http.MethodPost {
		return a.wrongMethod(ctx, req, http.MethodPost)
	}
	subject, refusal := a.checkPassword(ctx, req, check)
	if refusal != nil {
		return a.refusedOAuth(ctx, req, false, refusal)
	}
	o := opening{userAgent: req.First("User-Agent"), inCookies: inCookies}
	if inCookies {
		o.replaces = a.replaced(req)
	}
	tokens, refusal := a.begin(ctx, subject, o)
	if refusal != nil {
		return a.refusedOAuth(ctx, req, false, refusal)
	}
	return a.handOut(ctx, req, tokens, inCookies)
}

// checkPassword returns the subject whose name and password are in req's body.
func (a *Auth) checkPassword(ctx context.Context, req *Request, check PasswordCheck) (subject string, refusal *Refusal) {
	params, refusal := parameters(req)
	if refusal == nil {
		refusal = checkGrantType(params, "password")
	}
	if refusal != nil {
		return "", refusal
	}
	username, named := params["username"]
	password, given := params["password"]
	if !named || !given {
		return "", malformed(http.StatusBadRequest, errBodyMissing)
	}
	if a.sessions.Throttle != nil {
		wait, err := a.sessions.Throttle(ctx, *req, username)
		if err != nil {
			return "", a.trouble(ctx, Event{}, err)
		}
		if wait > 0 {
			refusal := refuse(CodeThrottled, nil)
			refusal.RetryAfter = wait
			return "", refusal
		}
	}
	subject, ok, err := check(ctx, username, password)
	if err != nil {
		return "", a.trouble(ctx, Event{}, err)
	}
	if !ok || subject == "" {
		return "", refuse(CodeInvalidCredentials, errPassword)
	}
	return subject, nil
}

// replaced returns the cookies in req, if they may be of a session.
func (a *Auth) replaced(req *Request) credential {
	if a.cookies == nil {
		return credential{}
	}
	found, err := a.fromCookies(req)
	if err != nil {
		return credential{}
	}
	return found
}

// handOut returns the answer of an endpoint that tokens were asked of.
func (a *Auth) handOut(ctx context.Context, req *Request, tokens Tokens, inCookies bool) Response {
	if !inCookies {
		return tokens.Response()
	}
	res, refusal := tokens.answerCookies()
	if refusal != nil {
		return a.refusedOAuth(ctx, req, false, refusal)
	}
	return res
}

var errPassword = errors.New("jwtgate: wrong name or password")

// refusedOAuth returns the answer that r is at a token endpoint (RFC 6749 §5.2).
func (a *Auth) refusedOAuth(ctx context.Context, req *Request, byCookie bool, r *Refusal) Response {
	switch {
	case r.Status == http.StatusUnauthorized:
		r.OAuthError = "invalid_grant"
	case r.Status < http.StatusInternalServerError && r.Status != http.StatusTooManyRequests:
		r.OAuthError = "invalid_request"
	}
	return a.refused(ctx, req, byCookie, r).Response
}
