package jwtgate

import (
	"context"
	"net/http"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/session"
)

// Logout is an [Endpoint] that ends the caller's session on every process and
// deletes the browser's cookies. It takes POST and answers 204, whether or not there
// was a session. The session is named by the parameter refresh_token in the body, or
// else by the Bearer token, which may have expired, or else by the cookies, if the
// request comes from this site. A Bearer token without sid is revoked by its jti. The
// access tokens of the session are revoked also if the store has lost it.
//
// It needs no valid access token, so mount it outside the routes that Protect
// guards.
func (a *Auth) Logout(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "logout", &req, a.answering(&req), &answer)
	if a == nil || a.sessions == nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNoSessions)).Response
	}
	if req.Method != http.MethodPost {
		return a.wrongMethod(ctx, &req, http.MethodPost)
	}
	var crossSite error
	if a.origins != nil {
		crossSite = a.checkOrigin(&req)
	}
	params, refusal := parameters(&req)
	if refusal == nil {
		refusal = a.logout(ctx, &req, params["refresh_token"], crossSite)
	}
	res := noContent()
	if refusal != nil {
		res = a.refused(ctx, &req, false, refusal).Response
	}
	// The browser is signed out even if the store is unavailable. Another site must
	// not be able to sign it out.
	if a.cookies != nil && crossSite == nil {
		res.Header = append(res.Header, a.cookies.clear...)
		a.supersedeRenewal(ctx)
	}
	return res
}

// logout ends the session that the first credential in req with a session names.
// crossSite is why cookies, and tokens that a proxy adds, must not be used, nil if they
// may be.
func (a *Auth) logout(ctx context.Context, req *Request, refresh string, crossSite error) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	userAgent := req.First("User-Agent")
	if named, refusal := a.endByRefreshToken(ctx, userAgent, refresh); named {
		return refusal
	}
	if found, err := a.bearer(req); err == nil && found.access != "" {
		if found.ambient() && crossSite != nil {
			return refuse(CodeCrossSite, crossSite)
		}
		if named, refusal := a.endByAccessToken(ctx, userAgent, found.access); named {
			return refusal
		}
	}
	if a.cookies == nil {
		return nil
	}
	found, err := a.fromCookies(req)
	switch {
	case !found.cookie || err != nil:
		return nil
	case crossSite != nil:
		return refuse(CodeCrossSite, crossSite)
	}
	return a.endByCookies(ctx, userAgent, found)
}

// endByCookies ends the session of a browser's cookies.
func (a *Auth) endByCookies(ctx context.Context, userAgent string, found credential) *Refusal {
	if named, refusal := a.endByRefreshToken(ctx, userAgent, found.refresh); named {
		return refusal
	}
	_, refusal := a.endByAccessToken(ctx, userAgent, found.access)
	return refusal
}

// endByRefreshToken ends the session of a refresh token, and reports whether the
// token named a session that the store knows.
func (a *Auth) endByRefreshToken(ctx context.Context, userAgent, refresh string) (named bool, refusal *Refusal) {
	token, err := a.sessions.codec.Decode(refresh)
	if err != nil {
		return false, nil
	}
	record, found, err := a.sessions.Store.Find(ctx, token.ID)
	if err != nil {
		return true, a.failed(ctx, Event{SessionID: token.ID.String()}, err)
	}
	if !found {
		// The store may have lost the session. The refresh token is genuine, so the access
		// tokens of its session are revoked. If the session has expired, another
		// credential may name one that is live.
		refusal := a.end(ctx, token.ID, Event{Kind: EventEnded, UserAgent: storedUserAgent(userAgent)})
		return refusal != nil, refusal
	}
	if record.NonceHash != token.Nonce.Hash() {
		return false, nil
	}
	return true, a.end(ctx, record.ID, Event{Kind: EventEnded, Subject: record.Owner.Subject, UserAgent: storedUserAgent(userAgent)})
}

// endByAccessToken ends the session of an access token, or revokes the token if it
// has no session, and reports whether it was a token of ours.
func (a *Auth) endByAccessToken(ctx context.Context, userAgent, access string) (named bool, refusal *Refusal) {
	id, err := a.verify(ctx, access, false, a.config.Now())
	if keyaccess.AsUnavailable(err) != nil {
		return true, refuseToken(err)
	}
	if err != nil && !untimely(err) {
		return false, nil
	}
	if sid, ours := id.session(); ours {
		return true, a.end(ctx, sid, Event{Kind: EventEnded, Subject: id.Subject(), UserAgent: storedUserAgent(userAgent)})
	}
	return true, a.revokeToken(ctx, id)
}

// LogoutAll is an [Endpoint] that ends every session of the caller's subject on
// every process, and revokes every access token that was issued to the subject before,
// as [Auth.EndSessions] does. It takes POST with an access token and answers 204. A
// login right after it works. If Protect has not judged the request, LogoutAll does.
func (a *Auth) LogoutAll(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "logout_all", &req, a.answering(&req), &answer)
	d, refused := a.signedIn(ctx, &req, http.MethodPost)
	if refused != nil {
		return *refused
	}
	if refusal := a.logoutAll(ctx, &req, d.Identity); refusal != nil {
		return d.withHeader(a.refused(ctx, &req, false, refusal).Response)
	}
	res := noContent()
	if a.cookies != nil && a.checkOrigin(&req) == nil {
		res.Header = append(res.Header, a.cookies.clear...)
		a.supersedeRenewal(d.Context)
	}
	return d.withHeader(res)
}

// logoutAll ends every session of id's subject, and revokes id's own token, which may
// have been made elsewhere, by a clock that is ahead.
func (a *Auth) logoutAll(ctx context.Context, req *Request, id *Identity) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	event := Event{Kind: EventEndedAll, Subject: id.Subject(), UserAgent: storedUserAgent(req.First("User-Agent"))}
	if refusal := a.endAll(ctx, event); refusal != nil {
		return refusal
	}
	if sid, ours := id.session(); ours {
		return a.revoke(ctx, session.Revocation{Session: sid, Until: a.config.Now().Add(a.sessions.policy.Remember)})
	}
	return a.revokeToken(ctx, id)
}
