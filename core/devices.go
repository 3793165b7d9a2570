package jwtgate

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A SessionInfo is what a subject may know of a session: a device that is
// signed in.
type SessionInfo struct {
	ID        string    `json:"id"`
	Created   time.Time `json:"created"`
	LastUsed  time.Time `json:"last_used"` // the last refresh
	Expires   time.Time `json:"expires"`   // unless it is refreshed before
	UserAgent string    `json:"user_agent"`
	Current   bool      `json:"current"` // the one that asks
}

// ListSessions is an [Endpoint] that answers with the live sessions of the
// subject whose access token calls it, as a JSON array of [SessionInfo], oldest
// first. It takes GET and HEAD. It judges the request by itself if Protect has not done so.
func (a *Auth) ListSessions(ctx context.Context, req Request) Response {
	d, refused := a.signedIn(ctx, &req, http.MethodGet)
	if refused != nil {
		return *refused
	}
	infos, err := a.Sessions(ctx, d.Identity.Subject())
	if err != nil {
		return d.joined(a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response)
	}
	for i := range infos {
		infos[i].Current = infos[i].ID == d.Identity.SessionID()
	}
	body, err := json.Marshal(infos)
	if err != nil { // a slice of structs of strings always encodes
		return d.joined(a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response)
	}
	return d.joined(answer(nil, body))
}

// DeleteSession is an [Endpoint] that ends the session named by the last
// segment of the path, if it is one of the subject whose access token calls it:
// 204, else 404. It takes DELETE. It judges the request by itself if Protect has
// not done so.
func (a *Auth) DeleteSession(ctx context.Context, req Request) Response {
	d, refused := a.signedIn(ctx, &req, http.MethodDelete)
	if refused != nil {
		return *refused
	}
	if refusal := a.deleteSession(ctx, &req, d.Identity.Subject(), req.Path[strings.LastIndexByte(req.Path, '/')+1:]); refusal != nil {
		return d.joined(a.refused(ctx, &req, false, refusal).Response)
	}
	return d.joined(done())
}

// deleteSession ends the session of subject that is called name.
func (a *Auth) deleteSession(ctx context.Context, req *Request, subject, name string) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	id, ok := session.ParseID(name)
	if !ok {
		return refuse(CodeNotFound, nil)
	}
	record, found, err := a.find(ctx, id)
	if err != nil {
		return a.trouble(ctx, Event{Subject: subject}, err)
	}
	if !found || record.Subject != subject || !record.LiveAt(a.config.Now()) {
		return refuse(CodeNotFound, nil)
	}
	return a.end(ctx, id, Event{Kind: EventEnded, Subject: subject, UserAgent: shorten(req.First("User-Agent"))})
}

// Sessions returns the live sessions of subject, oldest first, never nil. An
// error is trouble with the store.
func (a *Auth) Sessions(ctx context.Context, subject string) ([]SessionInfo, error) {
	if a == nil || a.sessions == nil {
		return nil, errNoSessions
	}
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	records, err := a.sessions.Store.List(ctx, subject)
	if err != nil {
		return nil, a.trouble(ctx, Event{Subject: subject}, err)
	}
	infos := make([]SessionInfo, 0, len(records))
	for i := range records {
		r := &records[i]
		infos = append(infos, SessionInfo{
			ID:        r.ID.String(),
			Created:   r.Created.UTC(),
			LastUsed:  r.Used().UTC(),
			Expires:   a.sessions.refreshEnd(r).UTC(),
			UserAgent: r.UserAgent,
		})
	}
	return infos, nil
}

// EndSessions ends all sessions of subject but those whose ids are in except,
// on every process: their access tokens are refused at once, here, and within a
// moment elsewhere. If except is empty, tokens of [Auth.Issue] for subject are
// revoked as well. An error is trouble with the store.
func (a *Auth) EndSessions(ctx context.Context, subject string, except ...string) error {
	if a == nil || a.sessions == nil {
		return errNoSessions
	}
	var spared []session.ID
	for _, text := range except {
		if id, ok := session.ParseID(text); ok {
			spared = append(spared, id)
		}
	}
	if refusal := a.endAll(ctx, Event{Kind: EventEndedAll, Subject: subject}, spared...); refusal != nil {
		return refusal
	}
	return nil
}

// endAll ends the sessions of event's subject but those spared, and tells of it.
func (a *Auth) endAll(ctx context.Context, event Event, spared ...session.ID) *Refusal {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	s := a.sessions
	ended, err := s.Store.EndAll(ctx, event.Subject, s.policy.Remember, spared...)
	if err != nil {
		return a.trouble(ctx, event, err)
	}
	for _, id := range ended {
		a.revokeHere(session.Revocation{Session: id})
	}
	if len(spared) == 0 {
		// For as long as a token without a session can live, whoever made it. The
		// store has told of it too, by its own clock: of the two, the later counts.
		now := a.config.Now()
		until := now.Add(a.config.MaxLifetime).Add(a.config.Leeway + maxSkew) // in two: a MaxLifetime may leave no room for more
		r := session.Revocation{Subject: event.Subject, From: now, Until: until}
		if err := s.Store.Revoke(ctx, r); err != nil {
			return a.trouble(ctx, event, err)
		}
		s.revoked.add(r, now)
	}
	a.tell(ctx, event)
	return nil
}

// EndSession ends the session called id, on every process. One that does not
// exist is no error: it is over. An error is trouble with the store.
func (a *Auth) EndSession(ctx context.Context, id string) error {
	if a == nil || a.sessions == nil {
		return errNoSessions
	}
	sid, ok := session.ParseID(id)
	if !ok {
		return nil
	}
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	if refusal := a.end(ctx, sid, Event{Kind: EventEnded}); refusal != nil {
		return refusal
	}
	return nil
}

// signedIn returns the decision on a request to an endpoint for those who are
// signed in with one of our tokens, or the answer that refuses it.
func (a *Auth) signedIn(ctx context.Context, req *Request, method string) (Decision, *Response) {
	if a == nil || a.sessions == nil {
		res := a.refused(ctx, req, false, refuse(CodeUnavailable, errNoSessions)).Response
		return Decision{}, &res
	}
	if req.Method != method && (req.Method != http.MethodHead || method != http.MethodGet) {
		res := a.wrongMethod(ctx, req, method)
		return Decision{}, &res
	}
	d := a.Decide(ctx, *req, ownTokens)
	if d.Refusal != nil {
		return d, &d.Response
	}
	return d, nil
}

// joined returns res with what d says about the exchange: if the endpoint judged
// the request by itself, that may be new cookies.
func (d *Decision) joined(res Response) Response {
	res.Header = append(slices.Clip(d.Response.Header), res.Header...)
	return res
}

// ownTokens refuses the tokens of other issuers: a subject of theirs is not a
// subject of ours, whatever its name.
var ownTokens = Check(func(_ context.Context, id *Identity) (bool, error) { return id.own, nil })
