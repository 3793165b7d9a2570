package jwtgate

import (
	"context"
	"net/http"
)

// LogoutOthers is an [Endpoint] that ends every session of the caller's subject on
// every process, except the session of the request: it signs out all other devices.
// It takes POST with an access token and answers 204. If the token belongs to no
// session, all sessions end, and the token stays valid. If Protect has not judged the
// request, LogoutOthers does.
func (a *Auth) LogoutOthers(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "logout_others", &req, a.answering(&req), &answer)
	d, refused := a.signedIn(ctx, &req, http.MethodPost)
	if refused != nil {
		return *refused
	}
	if refusal := a.logoutOthers(ctx, &req, d.Identity); refusal != nil {
		return d.withHeader(a.refused(ctx, &req, false, refusal).Response)
	}
	return d.withHeader(noContent())
}

// logoutOthers ends every session of id's subject except that of id.
func (a *Auth) logoutOthers(ctx context.Context, req *Request, id *Identity) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	own, _ := id.session() // if it is zero, no session is spared, only the tokens without one
	event := Event{Kind: EventEndedAll, Subject: id.Subject(), UserAgent: storedUserAgent(req.First("User-Agent"))}
	return a.endAll(ctx, event, own)
}
