package jwtgate

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// A PasswordCheck returns the subject with this name and password, and false if
// there is none. It should take the same time if the name does not exist, so that
// clients cannot find out which names exist. An error is an internal error, answered
// with 503. A PasswordCheck must be safe for concurrent use.
type PasswordCheck func(ctx context.Context, username, password string) (subject string, ok bool, err error)

// Login returns an [Endpoint] that signs browsers in. It answers with two HttpOnly
// cookies and no token in the body. It takes POST with the parameters username and
// password, as JSON or as a form, from pages of this site or of a trusted origin. A
// session that the browser already had is ended. The lifetime of the session is that of
// [SessionConfig], unless a LifetimeChoice is given, of which there can be at most one.
// [Config.Sessions] and [Config.Cookies] must be set.
func (a *Auth) Login(check PasswordCheck, lifetime ...LifetimeChoice) Endpoint {
	return func(ctx context.Context, req Request) (answer Response) {
		defer a.answered(ctx, "login", &req, a.answering(&req), &answer)
		switch {
		case a == nil || a.cookies == nil:
			return a.refusedOAuth(ctx, &req, false, refuse(CodeUnavailable, errNoCookies))
		case req.Method == http.MethodPost:
			// There is no session to protect yet, but another site must not be able
			// to sign a visitor in to its own account.
			if err := a.checkOrigin(&req); err != nil {
				return a.refusedOAuth(ctx, &req, false, refuse(CodeCrossSite, err))
			}
		}
		return a.login(ctx, &req, check, lifetime, true)
	}
}

// Token returns an [Endpoint] that signs users in by name and password and answers
// with tokens in the body (RFC 6749 §5.1), for programs and apps that keep tokens
// themselves. It takes POST with the parameters username and password, as JSON or
// as a form. The lifetime of the session is as in Login. [Config.Sessions] must be set.
func (a *Auth) Token(check PasswordCheck, lifetime ...LifetimeChoice) Endpoint {
	return func(ctx context.Context, req Request) (answer Response) {
		defer a.answered(ctx, "token", &req, a.answering(&req), &answer)
		return a.login(ctx, &req, check, lifetime, false)
	}
}

var (
	errNoCookies = errors.New("jwtgate: Config.Cookies is not set")
	errPassword  = errors.New("jwtgate: wrong name or password")
)

// login opens a session for the user named in req's body, and answers with its
// tokens in cookies or in the body.
func (a *Auth) login(ctx context.Context, req *Request, check PasswordCheck, lifetime []LifetimeChoice, inCookies bool) Response {
	if a == nil || a.sessions == nil {
		return a.refusedOAuth(ctx, req, false, refuse(CodeUnavailable, errNoSessions))
	}
	if req.Method != http.MethodPost {
		return a.wrongMethod(ctx, req, http.MethodPost)
	}
	subject, params, refusal := a.checkPassword(ctx, req, check)
	if refusal != nil {
		return a.refusedOAuth(ctx, req, false, refusal)
	}
	o := opening{
		userAgent: req.First("User-Agent"),
		address:   a.config.ClientAddress(*req),
		inCookies: inCookies,
		lifetime:  choose(ctx, lifetime, subject, params),
	}
	if inCookies {
		o.replaces = a.replaced(req)
	}
	tokens, refusal := a.open(ctx, subject, o)
	if refusal != nil && refusal.Code == CodeInvalidCredentials { // the subject is disabled
		event := a.loginEvent(EventLoginFailed, req, "", refusal.Err)
		event.Subject = subject
		a.tell(ctx, event)
	}
	if refusal != nil {
		return a.refusedOAuth(ctx, req, false, refusal)
	}
	req.call.knows(tokens.identity)
	res := tokens.answer(inCookies)
	if inCookies {
		a.warnPlainHTTP(ctx, a.plainHost(req))
		// Cookies of the host would hide those of the domain. They are deleted first,
		// because some clients take them for the same.
		res.Header = append(slices.Clip(a.cookies.host), res.Header...)
	}
	return res
}

// checkPassword returns the subject whose name and password are in req's body, and all
// parameters.
func (a *Auth) checkPassword(ctx context.Context, req *Request, check PasswordCheck) (subject string, params map[string]string, refusal *Refusal) {
	params, refusal = parameters(req)
	if refusal == nil {
		refusal = checkGrantType(params, "password")
	}
	if refusal != nil {
		return "", nil, refusal
	}
	username, password := params["username"], params["password"]
	if username == "" || password == "" {
		return "", nil, missingParameters(params, "username", "password")
	}
	done, refusal := a.limit(ctx, req, username)
	if refusal != nil {
		return "", nil, refusal
	}
	wrong := false
	defer func() { done(wrong) }() // also if check panics
	subject, ok, err := check(ctx, username, password)
	if err != nil {
		return "", nil, a.failed(ctx, Event{}, err)
	}
	if wrong = !ok || subject == ""; wrong {
		a.tell(ctx, a.loginEvent(EventLoginFailed, req, username, nil))
		return "", nil, refuse(CodeInvalidCredentials, errPassword)
	}
	return subject, params, nil
}
