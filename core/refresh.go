package jwtgate

import (
	"context"
	"errors"
	"net/http"

	"github.com/jwtgate/jwtgate/core/session"
)

// Refresh is an [Endpoint] that trades a refresh token for new tokens (RFC 6749
// §6), by the rule of [session.Step]. It takes POST. Tokens go back the way the
// refresh token came: from the parameter refresh_token, as a form or as JSON,
// into the body; from the cookie into cookies, and then the request must come
// from this site.
//
// It needs no live access token, so mount it beside what Protect guards. If one
// comes along all the same, it must be of the same session, its age apart: a
// pair that was stitched together is refused.
func (a *Auth) Refresh(ctx context.Context, req Request) Response {
	if a == nil || a.sessions == nil {
		return a.refusedOAuth(ctx, &req, false, refuse(CodeUnavailable, errNoSessions))
	}
	if req.Method != http.MethodPost {
		return a.wrongMethod(ctx, &req, http.MethodPost)
	}
	presented, refusal := a.refreshToken(&req)
	if refusal == nil {
		var tokens Tokens
		if tokens, refusal = a.refresh(ctx, &req, presented); refusal == nil {
			return a.handOut(ctx, &req, tokens, presented.cookie)
		}
	}
	return a.refusedOAuth(ctx, &req, presented.cookie, refusal)
}

// refreshToken finds the refresh token in req, and the access token that came
// with it: both in cookies, or one in the body and one in the header.
func (a *Auth) refreshToken(req *Request) (credential, *Refusal) {
	params, refusal := parameters(req)
	if refusal == nil {
		refusal = checkGrantType(params, "refresh_token")
	}
	if refusal != nil {
		return credential{}, refusal
	}
	inBody, given := params["refresh_token"]
	var found credential
	var err error
	if a.cookies != nil {
		if found, err = a.fromCookies(req); found.cookie && !given {
			if err := a.checkOrigin(req); err != nil {
				return credential{}, refuse(CodeCrossSite, err)
			}
		}
	}
	switch {
	case given && found.refresh != "":
		return credential{}, malformed(http.StatusBadRequest, errTwoCarriers)
	case given:
		found = credential{refresh: inBody}
	case err != nil:
		return found, refuse(CodeMalformedCredentials, err)
	case found.refresh == "":
		return found, refuse(CodeRefreshMissing, nil)
	}
	header, err := a.bearer(req)
	if err != nil {
		return found, refuse(CodeMalformedCredentials, err)
	}
	if header.access != "" {
		found.access = header.access
	}
	return found, nil
}

func (a *Auth) refresh(ctx context.Context, req *Request, found credential) (Tokens, *Refusal) {
	token, err := a.sessions.codec.Parse(found.refresh)
	if err != nil {
		return Tokens{}, refuse(CodeRefreshInvalid, err)
	}
	if refusal := a.checkCompanion(ctx, found.access, token); refusal != nil {
		return Tokens{}, refusal
	}
	return a.advance(ctx, step{token: token, userAgent: req.First("User-Agent"), inCookies: found.cookie})
}

var (
	errTwoCarriers = errors.New("jwtgate: a refresh token in the body and one in a cookie")
	errCompanion   = errors.New("jwtgate: the access token is not of the refresh token's session")
)

// checkCompanion refuses an access token that is not of token's session. One
// that is merely old, or by a key that is no longer held, is what a client has
// that comes to refresh.
func (a *Auth) checkCompanion(ctx context.Context, access string, token session.Token) *Refusal {
	if access == "" {
		return nil
	}
	id, err := a.verify(ctx, access, a.config.Now())
	if errors.Is(err, errOldKey) {
		return nil
	}
	if err != nil && !errors.Is(err, errExpired) {
		return refuseToken(err)
	}
	return checkPair(id, token)
}

// checkPair refuses an access token, that of id, which is not of token's session.
func checkPair(id *Identity, token session.Token) *Refusal {
	if sid, ours := id.session(); !ours || sid != token.ID {
		return refuse(CodeTokenInvalid, errCompanion)
	}
	return nil
}
