package core

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Logout is an [Endpoint] that ends the session of whoever calls it, on every
// process, and answers 204 whether or not there was one. It takes POST. The
// session is that of the parameter refresh_token in the body, else that of the
// Bearer token, however old; a Bearer token without sid is revoked by its jti.
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
	if refusal != nil {
		return a.refused(ctx, &req, false, refusal).Response
	}
	return done()
}

// signOut ends the session that is named by the first carrier that names one.
func (a *Auth) signOut(ctx context.Context, req *Request, refreshToken string) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	if token, err := a.sessions.codec.Parse(refreshToken); err == nil {
		record, found, err := a.sessions.Store.Find(ctx, token.ID)
		if err != nil {
			return a.trouble(ctx, Event{SessionID: token.ID.String()}, err)
		}
		if found && record.NonceHash == token.Nonce.Hash() {
			return a.end(ctx, record.ID, record.Subject, EventEnded)
		}
	}
	if access, err := bearer(req.Authorization); err == nil && access != "" && len(access) <= a.config.MaxTokenSize {
		return a.signOutAccess(ctx, access)
	}
	return nil
}

// signOutAccess ends the session of an access token, or revokes the token.
func (a *Auth) signOutAccess(ctx context.Context, access string) *Refusal {
	id, err := a.verify(access, a.config.Now())
	if err != nil && !errors.Is(err, errExpired) {
		return nil // no token of ours, so there is nothing to end
	}
	if sid, ours := id.session(); ours {
		return a.end(ctx, sid, id.Subject(), EventEnded)
	}
	return a.revokeToken(ctx, id)
}

// revokeToken revokes the token of id until it has expired.
func (a *Auth) revokeToken(ctx context.Context, id *Identity) *Refusal {
	if id.claims.ID == "" {
		return nil // a token without jti has no name to be revoked by
	}
	now := a.config.Now()
	r := session.Revocation{Token: tokenName(id), From: now, Until: id.Expires().Add(a.config.Leeway + time.Second)}
	if err := a.sessions.Store.Revoke(ctx, r); err != nil {
		return a.trouble(ctx, Event{Subject: id.Subject()}, err)
	}
	a.sessions.revoked.add(r, now)
	return nil
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
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	err := a.EndSessions(ctx, d.Identity.Subject())
	if err == nil {
		if _, ours := d.Identity.session(); !ours {
			if refusal := a.revokeToken(ctx, d.Identity); refusal != nil {
				err = refusal
			}
		}
	}
	if err != nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response
	}
	return done()
}

func done() Response {
	return Response{Status: http.StatusNoContent, Header: []Field{{"Cache-Control", "no-store"}}}
}
