package jwtgate

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// An Endpoint answers a request by itself, such as a login. The Handle function of
// each adapter mounts one.
type Endpoint func(ctx context.Context, req Request) Response

// wrongMethod returns the answer to a method that an endpoint does not have
// (RFC 9110 §15.5.6).
func (a *Auth) wrongMethod(ctx context.Context, req *Request, allowed string) Response {
	res := a.refused(ctx, req, false, refuse(CodeMethodNotAllowed, nil)).Response
	res.Header = append(res.Header, Field{"Allow", allowed})
	return res
}

// signedIn returns the decision on a request to an endpoint for callers with a
// token of ours, or the answer that refuses the request.
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
		res := d.withCookies(d.Response)
		return d, &res
	}
	return d, nil
}

// ownTokens refuses the tokens of other issuers, whose subjects are not ours, even if
// the names are equal, and tokens without a subject, which have no sessions.
var ownTokens = Rule{check: func(_ context.Context, id *Identity, _ *Auth) error {
	if !id.own || id.Subject() == "" {
		return errNotOwn
	}
	return nil
}}

var errNotOwn = fmt.Errorf("%w: the token is not one of this server with a subject", errForbidden)

// withHeader returns res, the answer to a request that d lets through, with the
// header fields of d and the new cookies.
func (d *Decision) withHeader(res Response) Response {
	res.Header = append(slices.Clip(d.Response.Header), res.Header...)
	return d.withCookies(res)
}

// withCookies returns res with the new cookies if the endpoint renewed the request
// itself. If an error handler is to answer in place of res, there are none, because it
// could replace the fields for caches.
func (d *Decision) withCookies(res Response) Response {
	if d.Renewed && res.Err == nil {
		res.Header = append(slices.Clip(res.Header), d.renewal.final()...)
	}
	return res
}

// refusedOAuth returns the answer for r at a token endpoint (RFC 6749 §5.2).
func (a *Auth) refusedOAuth(ctx context.Context, req *Request, byCookie bool, r *Refusal) Response {
	switch {
	case r.Status == http.StatusUnauthorized:
		r.OAuthError = "invalid_grant"
	case r.Status < http.StatusInternalServerError && r.Status != http.StatusTooManyRequests:
		r.OAuthError = "invalid_request"
	}
	return a.refused(ctx, req, byCookie, r).Response
}

// jsonAnswer returns a JSON answer that no cache may store.
func jsonAnswer(header []Field, body []byte) Response {
	return Response{
		Status: http.StatusOK,
		Header: append(header, Field{"Content-Type", "application/json"}, Field{"Cache-Control", "no-store"}),
		Body:   append(body, '\n'),
	}
}

// noContent returns the answer of an endpoint that has done what it was asked for.
func noContent() Response {
	return Response{Status: http.StatusNoContent, Header: []Field{{"Cache-Control", "no-store"}}}
}
