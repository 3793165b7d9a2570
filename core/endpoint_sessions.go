package jwtgate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
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

// sessionsPage is the largest number of sessions in a page.
const sessionsPage = 100

// ListSessions is an [Endpoint] that answers with the live sessions of the caller's
// subject at this application, as a JSON array of [SessionInfo], oldest first. If there
// are more than 100, the answer has the first 100 and a Link field with rel="next"
// (RFC 8288) whose target is the next page. Its query parameter after says where that
// begins.
//
// ListSessions takes GET and HEAD with an access token. If Protect has not judged the
// request, ListSessions does.
func (a *Auth) ListSessions(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "list_sessions", &req, a.answering(&req), &answer)
	d, refused := a.signedIn(ctx, &req, http.MethodGet)
	if refused != nil {
		return *refused
	}
	page, refusal := a.listSessions(ctx, &req, d.Identity)
	if refusal != nil {
		return d.withHeader(a.refused(ctx, &req, false, refusal).Response)
	}
	return d.withHeader(page)
}

const detailCursor = "The query parameter after must be that of the Link field of another page."

// listSessions returns the page of the sessions of id's subject that req asks for.
func (a *Auth) listSessions(ctx context.Context, req *Request, id *Identity) (Response, *Refusal) {
	query, err := url.ParseQuery(req.Query)
	if err != nil {
		return Response{}, malformed(http.StatusBadRequest, detailCursor, fmt.Errorf("jwtgate: the query cannot be read: %w", err))
	}
	infos, next, err := a.Sessions(ctx, id.Subject(), query.Get("after"))
	if errors.Is(err, errCursor) {
		return Response{}, malformed(http.StatusBadRequest, detailCursor, err)
	}
	if err != nil {
		return Response{}, refuse(CodeUnavailable, err)
	}
	for i := range infos {
		infos[i].Current = infos[i].ID == id.SessionID()
	}
	body, err := json.Marshal(infos)
	if err != nil { // a slice of structs of strings always encodes
		return Response{}, refuse(CodeUnavailable, err)
	}
	var header []Field
	if next != "" {
		header = append(header, Field{"Link", `<?after=` + next + `>; rel="next"`})
	}
	return jsonAnswer(header, body), nil
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
	if !found || record.Owner != a.owner(subject) || !record.LiveAt(a.config.Now()) {
		return refuse(CodeNotFound, nil)
	}
	return a.end(ctx, id, Event{Kind: EventEnded, Subject: subject, UserAgent: storedUserAgent(req.First("User-Agent"))})
}

// Sessions returns live sessions of subject at this application, oldest first: the
// first 100, or those that follow on a page before, whose result next is then the
// argument after. If next is empty, there are no more. The result is never nil without
// an error. An error means that the store failed, or that after is not from Sessions.
func (a *Auth) Sessions(ctx context.Context, subject, after string) (infos []SessionInfo, next string, err error) {
	if a == nil || a.sessions == nil {
		return nil, "", errNoSessions
	}
	cursor, ok := parseCursor(after)
	if !ok {
		return nil, "", errCursor
	}
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	records, err := a.sessions.Store.List(ctx, a.owner(subject), cursor, sessionsPage+1)
	if err != nil {
		return nil, "", a.failed(ctx, Event{Subject: subject}, err)
	}
	if len(records) > sessionsPage {
		records = records[:sessionsPage]
		next = cursorAfter(&records[sessionsPage-1])
	}
	infos = make([]SessionInfo, 0, len(records))
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
	return infos, next, nil
}

var errCursor = errors.New("jwtgate: the place in the list of sessions is not one that a page before has named")

// cursorAfter returns the place after r in the list of its owner's sessions, as text
// for the query of a URL: the time in milliseconds and the ID.
func cursorAfter(r *session.Record) string {
	return strconv.FormatInt(r.Created.UnixMilli(), 10) + "." + r.ID.String()
}

// parseCursor parses the text that cursorAfter returns. The empty text is the beginning
// of the list.
func parseCursor(text string) (session.Cursor, bool) {
	if text == "" {
		return session.Cursor{}, true
	}
	created, name, _ := strings.Cut(text, ".")
	milliseconds, err := strconv.ParseUint(created, 10, 53)
	id, ok := session.ParseID(name)
	return session.Cursor{Created: time.UnixMilli(int64(milliseconds)), ID: id}, ok && err == nil
}
