package core

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
			return *a.refusedOAuth(ctx, &req, false, refuse(CodeUnavailable, errNoCookies))
		case req.Method == http.MethodPost:
			// There is no session to protect yet, but a visitor must not be
			// signed in as someone else without noticing.
			if err := a.checkOrigin(&req); err != nil {
				return *a.refusedOAuth(ctx, &req, false, refuse(CodeCrossSite, err))
			}
		}
		tokens, res := a.signIn(ctx, &req, check)
		if res != nil {
			return *res
		}
		return tokens.answerCookies()
	}
}

// Token returns an [Endpoint] that signs users in by name and password and
// answers with tokens in the body (RFC 6749 §5.1), for programs and apps that
// keep tokens themselves. It takes POST with the parameters username and
// password, as JSON or as a form. Config.Sessions must be set.
func Token(a *Auth, check PasswordCheck) Endpoint {
	return func(ctx context.Context, req Request) Response {
		req.Cookie = nil // a browser's session is none of a program's business
		tokens, res := a.signIn(ctx, &req, check)
		if res != nil {
			return *res
		}
		return tokens.Response()
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
	tokens, refusal := a.replace(ctx, &req, subject)
	if refusal != nil {
		return Tokens{}, refusal
	}
	return tokens, nil
}

var errNoCookies = errors.New("core: Config.Cookies is not set")

// signIn opens a session for who is named in req's body.
func (a *Auth) signIn(ctx context.Context, req *Request, check PasswordCheck) (Tokens, *Response) {
	refused := func(r *Refusal) (Tokens, *Response) {
		return Tokens{}, a.refusedOAuth(ctx, req, false, r)
	}
	if a == nil || a.sessions == nil {
		return refused(refuse(CodeUnavailable, errNoSessions))
	}
	if req.Method != http.MethodPost {
		res := a.wrongMethod(ctx, req, http.MethodPost)
		return Tokens{}, &res
	}
	params, refusal := parameters(req)
	if refusal == nil {
		refusal = checkGrantType(params, "password")
	}
	if refusal != nil {
		return refused(refusal)
	}
	username, named := params["username"]
	password, given := params["password"]
	if !named || !given {
		return refused(malformed(http.StatusBadRequest, errBodyMissing))
	}
	if a.sessions.Throttle != nil {
		wait, err := a.sessions.Throttle(ctx, *req, username)
		if err != nil {
			return refused(a.trouble(ctx, Event{}, err))
		}
		if wait > 0 {
			refusal := refuse(CodeThrottled, nil)
			refusal.RetryAfter = wait
			return refused(refusal)
		}
	}
	subject, ok, err := check(ctx, username, password)
	if err != nil {
		return refused(a.trouble(ctx, Event{}, err))
	}
	if !ok || subject == "" {
		return refused(refuse(CodeInvalidCredentials, errPassword))
	}
	tokens, refusal := a.replace(ctx, req, subject)
	if refusal != nil {
		return refused(refusal)
	}
	return tokens, nil
}

// replace opens a session for subject in place of the one that req's cookies
// are of, so that none is left that no one can sign out of.
func (a *Auth) replace(ctx context.Context, req *Request, subject string) (Tokens, *Refusal) {
	if a.cookies != nil {
		if found, err := a.fromCookies(req); err == nil && found.cookie {
			if refusal := a.signOutCookies(ctx, found); refusal != nil {
				return Tokens{}, refusal
			}
		}
	}
	return a.begin(ctx, subject, req.UserAgent)
}

var errPassword = errors.New("core: wrong name or password")

// refusedOAuth returns the answer that r is at a token endpoint (RFC 6749 §5.2).
func (a *Auth) refusedOAuth(ctx context.Context, req *Request, byCookie bool, r *Refusal) *Response {
	switch {
	case r.Status == http.StatusUnauthorized:
		r.OAuthError = "invalid_grant"
	case r.Status < http.StatusInternalServerError && r.Status != http.StatusTooManyRequests:
		r.OAuthError = "invalid_request"
	}
	res := a.refused(ctx, req, byCookie, r).Response
	return &res
}
