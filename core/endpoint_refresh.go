package jwtgate

import (
	"context"
	"errors"
	"net/http"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
)

// Refresh is an [Endpoint] that exchanges a refresh token for new tokens (RFC 6749
// §6), by the rule of [session.Step]. It takes POST. The tokens are returned the way
// the refresh token came: for the parameter refresh_token, as a form or as JSON, in
// the body; for a cookie, in cookies, and then the request must come from this site.
//
// It needs no valid access token, so mount it outside the routes that Protect
// guards. If the request has an access token, it may have expired, but it must
// belong to the same session.
func (a *Auth) Refresh(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "refresh", &req, a.answering(&req), &answer)
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
			req.call.knows(tokens.identity)
			return tokens.answer(presented.cookie)
		}
	}
	return a.refusedOAuth(ctx, &req, presented.cookie, refusal)
}

// refreshToken returns the refresh token in req, and the access token that came
// with it: both from cookies, or one from the body and one from the header.
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
		return credential{}, malformed(http.StatusBadRequest, "The refresh token must be in the request body or in a cookie, not in both.", errTwoCarriers)
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
	token, err := a.sessions.codec.Decode(found.refresh)
	if err != nil {
		return Tokens{}, refuse(CodeRefreshInvalid, err)
	}
	if refusal := a.checkCompanion(ctx, found.access, token); refusal != nil {
		return Tokens{}, refusal
	}
	return a.rotate(ctx, rotation{token: token, userAgent: req.First("User-Agent"), inCookies: found.cookie})
}

var (
	errTwoCarriers = errors.New("jwtgate: the request has a refresh token in the body and one in a cookie")
	errCompanion   = errors.New("jwtgate: the access token does not belong to the refresh token's session")
)

// checkCompanion refuses an access token that does not belong to token's session.
// A client that refreshes usually has an access token that has expired or whose key
// is no longer held: those are accepted. So is one that another process issued whose
// clock is ahead.
func (a *Auth) checkCompanion(ctx context.Context, access string, token refreshtoken.Token) *Refusal {
	if access == "" {
		return nil
	}
	id, err := a.verify(ctx, access, false, a.config.Now())
	if errors.Is(err, errOldKey) {
		return nil
	}
	if err != nil && !untimely(err) {
		return refuseToken(err)
	}
	return checkPair(id, token)
}

// checkPair refuses an access token, that of id, of another session than token.
func checkPair(id *Identity, token refreshtoken.Token) *Refusal {
	if sid, ours := id.session(); !ours || sid != token.ID {
		return refuse(CodeTokenInvalid, errCompanion)
	}
	return nil
}
