package jwtgate

import "context"

// An Endpoint answers requests by itself, such as a login. Handle of each
// adapter mounts one.
type Endpoint func(ctx context.Context, req Request) Response

// wrongMethod returns the answer to a method that an endpoint does not have
// (RFC 9110 §15.5.6).
func (a *Auth) wrongMethod(ctx context.Context, req *Request, allowed string) Response {
	res := a.refused(ctx, req, false, refuse(CodeMethodNotAllowed, nil)).Response
	res.Header = append(res.Header, Field{"Allow", allowed})
	return res
}
