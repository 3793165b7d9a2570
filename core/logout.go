package jwtgate

import (
	"context"
	"errors"
	"net/http"

	"github.com/jwtgate/jwtgate/core/session"
)

// Logout is an [Endpoint] that ends the session of whoever calls it, on every
// process, and takes the cookies from the browser. It takes POST and answers 204
// whether or not there was a session: that of the parameter refresh_token in the
// body, else of the Bearer token, however old, else of the cookies, if the
// request comes from this site. A Bearer token without sid is revoked by its jti.
//
// It needs no live access token, so mount it beside what Protect guards.
func (a *Auth) Logout(ctx context.Context, req Request) Response {
	if a == nil || a.sessions == nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNoSessions)).Response
	}
	if req.Method != http.MethodPost {
		return a.wrongMethod(ctx, &req, http.MethodPost)
	}
	params, refusal := parameters(&req)
	if refusal == nil {
		refusal = a.signOut(ctx, &req, params["refresh_token"])
	}
	res := done()
	if refusal != nil {
		res = a.refused(ctx, &req, false, refusal).Response
	}
	// Even if the store cannot be reached, this browser is signed out. Another
	// site, though, must not be able to do that to it.
	if a.cookies != nil && a.checkOrigin(&req) == nil {
		res.Header = append(res.Header, a.cookies.clear...)
	}
	return res
}

// signOut ends the session that is named by the first carrier that names one.
func (a *Auth) signOut(ctx context.Context, req *Request, refresh string) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	userAgent := req.First("User-Agent")
	if named, refusal := a.signOutRefresh(ctx, userAgent, refresh); named {
		return refusal
	}
	if found, err := a.bearer(req); err == nil && found.access != "" {
		if named, refusal := a.signOutAccess(ctx, userAgent, found.access); named {
			return refusal
		}
	}
	if a.cookies == nil {
		return nil
	}
	found, err := a.fromCookies(req)
	if !found.cookie || err != nil {
		return nil
	}
	if err := a.checkOrigin(req); err != nil {
		return refuse(CodeCrossSite, err)
	}
	return a.signOutCookies(ctx, userAgent, found)
}

// signOutCookies ends the session that a browser's cookies are of.
func (a *Auth) signOutCookies(ctx context.Context, userAgent string, found credential) *Refusal {
	if named, refusal := a.signOutRefresh(ctx, userAgent, found.refresh); named {
		return refusal
	}
	_, refusal := a.signOutAccess(ctx, userAgent, found.access)
	return refusal
}

// signOutRefresh ends the session of a refresh token, and reports whether it
// named one.
func (a *Auth) signOutRefresh(ctx context.Context, userAgent, refresh string) (named bool, refusal *Refusal) {
	token, err := a.sessions.codec.Parse(refresh)
	if err != nil {
		return false, nil
	}
	record, found, err := a.find(ctx, token.ID)
	if err != nil {
		return true, a.trouble(ctx, Event{SessionID: token.ID.String()}, err)
	}
	if !found || record.NonceHash != token.Nonce.Hash() {
		return false, nil
	}
	return true, a.end(ctx, record.ID, Event{Kind: EventEnded, Subject: record.Subject, UserAgent: shorten(userAgent)})
}

// signOutAccess ends the session of an access token, or revokes the token if it
// has none, and reports whether it was a token of ours.
func (a *Auth) signOutAccess(ctx context.Context, userAgent, access string) (named bool, refusal *Refusal) {
	id, err := a.verify(ctx, access, a.config.Now())
	if missingKeys(err) != nil {
		return true, refuseToken(err)
	}
	if err != nil && !errors.Is(err, errExpired) {
		return false, nil
	}
	if sid, ours := id.session(); ours {
		return true, a.end(ctx, sid, Event{Kind: EventEnded, Subject: id.Subject(), UserAgent: shorten(userAgent)})
	}
	return true, a.revokeToken(ctx, id)
}

// revokeToken revokes the token of id until it has expired.
func (a *Auth) revokeToken(ctx context.Context, id *Identity) *Refusal {
	if id.claims.ID == "" {
		return nil // a token without jti has no name to be revoked by
	}
	return a.revoke(ctx, session.Revocation{Token: tokenName(id), Until: id.Expires().Add(a.config.Leeway + maxSkew)})
}

// LogoutAll is an [Endpoint] that ends every session of the subject whose
// access token calls it, on every process. It takes POST and answers 204. A
// login right after it works. It judges the request by itself if Protect has
// not done so.
func (a *Auth) LogoutAll(ctx context.Context, req Request) Response {
	d, refused := a.signedIn(ctx, &req, http.MethodPost)
	if refused != nil {
		return *refused
	}
	if refusal := a.signOutAll(ctx, &req, d.Identity); refusal != nil {
		return d.joined(a.refused(ctx, &req, false, refusal).Response)
	}
	res := d.joined(done())
	if a.cookies != nil && a.checkOrigin(&req) == nil {
		res.Header = append(res.Header, a.cookies.clear...)
	}
	return res
}

// signOutAll ends every session of id's subject, and id's own token, which may
// be of no session that the store knows.
func (a *Auth) signOutAll(ctx context.Context, req *Request, id *Identity) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	event := Event{Kind: EventEndedAll, Subject: id.Subject(), UserAgent: shorten(req.First("User-Agent"))}
	if refusal := a.endAll(ctx, event); refusal != nil {
		return refusal
	}
	if sid, ours := id.session(); ours {
		return a.revoke(ctx, session.Revocation{Session: sid, Until: a.config.Now().Add(a.sessions.policy.Remember)})
	}
	return a.revokeToken(ctx, id)
}

func done() Response {
	return Response{Status: http.StatusNoContent, Header: []Field{{"Cache-Control", "no-store"}}}
}
