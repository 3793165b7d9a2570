package core

import (
	"context"
	"errors"
	"net/http"

	"github.com/jwtgate/jwtgate/core/session"
)

// Refresh is an [Endpoint] that trades a refresh token for new tokens (RFC 6749
// §6), by the rule of [session.Step]. It takes POST with the parameter
// refresh_token, as a form or as JSON, and answers with tokens in the body.
//
// It needs no live access token, so mount it beside what Protect guards. If a
// Bearer token comes along all the same, it must be one of the same session,
// its age apart: a pair that was stitched together is refused.
func (a *Auth) Refresh(ctx context.Context, req Request) Response {
	tokens, refusal := a.refresh(ctx, &req)
	switch {
	case refusal == nil:
		return tokens.Response()
	case refusal.Code == CodeMethodNotAllowed:
		return a.wrongMethod(ctx, &req, http.MethodPost)
	}
	return *a.refusedOAuth(ctx, &req, false, refusal)
}

func (a *Auth) refresh(ctx context.Context, req *Request) (Tokens, *Refusal) {
	if a == nil || a.sessions == nil {
		return Tokens{}, refuse(CodeUnavailable, errNoSessions)
	}
	if req.Method != http.MethodPost {
		return Tokens{}, refuse(CodeMethodNotAllowed, nil)
	}
	params, refusal := parameters(req)
	if refusal == nil {
		refusal = checkGrantType(params, "refresh_token")
	}
	if refusal != nil {
		return Tokens{}, refusal
	}
	presented, given := params["refresh_token"]
	if !given {
		return Tokens{}, refuse(CodeRefreshMissing, nil)
	}
	token, err := a.sessions.codec.Parse(presented)
	if err != nil {
		return Tokens{}, refuse(CodeRefreshInvalid, err)
	}
	if refusal := a.checkCompanion(req, token); refusal != nil {
		return Tokens{}, refusal
	}
	return a.advance(ctx, token, req.UserAgent)
}

var errCompanion = errors.New("core: the access token is not of the refresh token's session")

// checkCompanion refuses a refresh whose Bearer token is not of the same
// session. One that is merely old, or by a key that is no longer held, is what
// a client has that comes to refresh.
func (a *Auth) checkCompanion(req *Request, token session.Token) *Refusal {
	access, err := bearer(req.Authorization)
	if err == nil && len(access) > a.config.MaxTokenSize {
		err = errTokenSize
	}
	if err != nil {
		return refuse(CodeMalformedCredentials, err)
	}
	if access == "" {
		return nil
	}
	id, err := a.verify(access, a.config.Now())
	if errors.Is(err, errOldKey) {
		return nil
	}
	if err != nil && !errors.Is(err, errExpired) {
		return refuse(CodeTokenInvalid, err)
	}
	if sid, ours := id.session(); !ours || sid != token.ID {
		return refuse(CodeTokenInvalid, errCompanion)
	}
	return nil
}
