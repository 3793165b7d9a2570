package jwtgate

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A SessionInfo is what a subject may know about one of its sessions, that is, a
// device that is signed in.
type SessionInfo struct {
	ID        string    `json:"id"`
	Created   time.Time `json:"created"`
	LastUsed  time.Time `json:"last_used"` // the last refresh
	Expires   time.Time `json:"expires"`   // unless it is refreshed before
	UserAgent string    `json:"user_agent"`
	Current   bool      `json:"current"` // the session of the request
}

// ListSessions is an [Endpoint] that answers with the live sessions of the caller's
// subject, as a JSON array of [SessionInfo], oldest first. It takes GET and HEAD
// with an access token. If Protect has not judged the request, ListSessions does.
func (a *Auth) ListSessions(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "list_sessions", &req, a.answering(&req), &answer)
	d, refused := a.signedIn(ctx, &req, http.MethodGet)
	if refused != nil {
		return *refused
	}
	infos, err := a.Sessions(ctx, d.Identity.Subject())
	if err != nil {
		return d.withHeader(a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response)
	}
	for i := range infos {
		infos[i].Current = infos[i].ID == d.Identity.SessionID()
	}
	body, err := json.Marshal(infos)
	if err != nil { // a slice of structs of strings always encodes
		return d.withHeader(a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response)
	}
	return d.withHeader(jsonAnswer(nil, body))
}

// DeleteSession is an [Endpoint] that ends the session named by the last segment of
// the path, if it is a session of the caller's subject. It answers 204, or 404 for
// any other session. It takes DELETE with an access token. If Protect has not
// judged the request, DeleteSession does.
func (a *Auth) DeleteSession(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "delete_session", &req, a.answering(&req), &answer)
	d, refused := a.signedIn(ctx, &req, http.MethodDelete)
	if refused != nil {
		return *refused
	}
	if refusal := a.deleteSession(ctx, &req, d.Identity.Subject(), req.Path[strings.LastIndexByte(req.Path, '/')+1:]); refusal != nil {
		return d.withHeader(a.refused(ctx, &req, false, refusal).Response)
	}
	return d.withHeader(noContent())
}

// deleteSession ends the session called name, if it is one of subject.
func (a *Auth) deleteSession(ctx context.Context, req *Request, subject, name string) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	id, ok := session.ParseID(name)
	if !ok {
		return refuse(CodeNotFound, nil)
	}
	record, found, err := a.sessions.Store.Find(ctx, id)
	if err != nil {
		return a.failed(ctx, Event{Subject: subject}, err)
	}
	if !found || record.Subject != subject || !record.LiveAt(a.config.Now()) {
		return refuse(CodeNotFound, nil)
	}
	return a.end(ctx, id, Event{Kind: EventEnded, Subject: subject, UserAgent: storedUserAgent(req.First("User-Agent"))})
}

// Sessions returns the live sessions of subject, oldest first. The result is never
// nil without an error. An error means that the store failed.
func (a *Auth) Sessions(ctx context.Context, subject string) ([]SessionInfo, error) {
	if a == nil || a.sessions == nil {
		return nil, errNoSessions
	}
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	records, err := a.sessions.Store.List(ctx, subject)
	if err != nil {
		return nil, a.failed(ctx, Event{Subject: subject}, err)
	}
	infos := make([]SessionInfo, 0, len(records))
	for i := range records {
		r := &records[i]
		infos = append(infos, SessionInfo{
			ID:        r.ID.String(),
			Created:   r.Created.UTC(),
			LastUsed:  r.Refreshed().UTC(),
			Expires:   a.sessions.refreshEnd(r).UTC(),
			UserAgent: r.UserAgent,
		})
	}
	return infos, nil
}
