package core

import (
	"context"
	"net/http"
)

// An Endpoint answers requests by itself, such as a login. Handle of each
// adapter mounts one.
type Endpoint func(ctx context.Context, req Request) Response

// JWKS is an [Endpoint] that publishes the public halves of [Config.Keys] as a
// JWK Set (RFC 7517 §5), for others to verify our tokens with. A secret is
// never part of it: with HMAC keys alone the set is empty.
func (a *Auth) JWKS(ctx context.Context, req Request) Response {
	if a == nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, errNilAuth)).Response
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return a.wrongMethod(ctx, &req, "GET, HEAD")
	}
	body, err := a.trusted[0].keys.held().jwkSet()
	if err != nil {
		return a.refused(ctx, &req, false, refuse(CodeUnavailable, err)).Response
	}
	return Response{
		Status: http.StatusOK,
		Header: []Field{{"Content-Type", "application/jwk-set+json"}, {"Cache-Control", "public, max-age=300"}},
		Body:   body,
	}
}

// wrongMethod returns the answer to a method that an endpoint does not have
// (RFC 9110 §15.5.6).
func (a *Auth) wrongMethod(ctx context.Context, req *Request, allowed string) Response {
	res := a.refused(ctx, req, false, refuse(CodeMethodNotAllowed, nil)).Response
	res.Header = append(res.Header, Field{"Allow", allowed})
	return res
}
