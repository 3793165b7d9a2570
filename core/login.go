package core

import (
	"context"
	"errors"
	"net/http"
)

// Token returns an [Endpoint] that signs users in by name and password and
// answers with tokens in the body (RFC 6749 §5.1), for programs and apps that
// keep tokens themselves. It takes POST with the parameters username and
// password, as JSON or as a form.
//
// check returns the subject whose password it is, and false if it is nobody's:
// take care that it takes as long for a name that does not exist. An error is
// trouble on this side, and answers 503. Config.Sessions must be set.
func Token(a *Auth, check func(ctx context.Context, username, password string) (subject string, ok bool, err error)) Endpoint {
	return func(ctx context.Context, req Request) Response {
		tokens, res := a.signIn(ctx, &req, check)
		if res != nil {
			return *res
		}
		return tokens.Response()
	}
}

// SignIn opens a session for subject, who has proved to be so in a way of the
// application's own: a callback of OAuth, a link in a mail. Send what Response
// of the Tokens returns. An error is a [*Refusal], whose Response can be sent.
func (a *Auth) SignIn(ctx context.Context, req Request, subject string) (Tokens, error) {
	if a == nil {
		return Tokens{}, refuse(CodeUnavailable, errNilAuth)
	}
	tokens, refusal := a.begin(ctx, subject, req.UserAgent)
	if refusal != nil {
		return Tokens{}, refusal
	}
	return tokens, nil
}

// signIn opens a session for who is named in req's body.
func (a *Auth) signIn(ctx context.Context, req *Request, check func(context.Context, string, string) (string, bool, error)) (Tokens, *Response) {
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
	tokens, refusal := a.begin(ctx, subject, req.UserAgent)
	if refusal != nil {
		return refused(refusal)
	}
	return tokens, nil
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
