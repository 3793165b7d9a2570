package core

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// A Code names the reason of a refusal. Codes are stable: clients may act on them.
type Code string

// The codes, with the status that goes with each.
const (
	CodeMalformedCredentials Code = "malformed_credentials" // 400: not one well-formed token (RFC 6750 §3.1 invalid_request)
	CodeTokenMissing         Code = "token_missing"         // 401: no credentials
	CodeTokenInvalid         Code = "token_invalid"         // 401: not a token of ours, or not a good one
	CodeTokenExpired         Code = "token_expired"         // 401: good but for its age: refresh and try again
	CodeInsufficientScope    Code = "insufficient_scope"    // 403: a rule of the route refused this identity
	CodeCrossSite            Code = "cross_site"            // 403: a cookie was sent along from another site
	CodeMethodNotAllowed     Code = "method_not_allowed"    // 405: an endpoint was called with another method
	CodeUnavailable          Code = "unavailable"           // 503: trouble on this side, try again later
)

// A Refusal is why a request is not let through. As an error, its text is for
// logs; what the client sees is [Refusal.Response].
type Refusal struct {
	Status    int
	Code      Code
	Detail    string // for the client; never holds anything that the client sent
	Challenge string // the WWW-Authenticate value (RFC 6750 §3), empty for none
	Err       error  // the cause, for logs; nil if Code says all
}

// Error returns the code and the cause.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return string(r.Code)
	}
	return fmt.Sprintf("%s: %v", r.Code, r.Err)
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Response returns the answer that r is by default: problem+json (RFC 9457)
// with the code, never to be stored by a cache.
func (r *Refusal) Response() Response {
	header := []Field{
		{"Content-Type", "application/problem+json"},
		{"Cache-Control", "no-store"},
	}
	if r.Challenge != "" {
		header = append(header, Field{"WWW-Authenticate", r.Challenge})
	}
	if r.Status == http.StatusServiceUnavailable {
		header = append(header, Field{"Retry-After", "1"})
	}
	body, err := json.Marshal(problem{
		Type:   problemTypes + string(r.Code),
		Title:  http.StatusText(r.Status),
		Status: r.Status,
		Detail: r.Detail,
		Code:   r.Code,
	})
	if err != nil { // a struct of strings always encodes
		body = nil
	}
	return Response{Status: r.Status, Header: header, Body: append(body, '\n')}
}

// HandOver is a [Config.Refuse] that leaves every refusal to the framework's own
// error path: Echo's HTTPErrorHandler, Fiber's ErrorHandler, Gin's c.Errors.
// There errors.As finds the [*Refusal]. The header of the refusal is set already.
func HandOver(_ context.Context, _ Request, r *Refusal) Response {
	res := r.Response()
	res.Err = r
	return res
}

// problemTypes precedes a code in the type member. RFC 9457 §3.1.1 wants a
// page about the problem there: a row of the table in the README.
const problemTypes = "https://github.com/jwtgate/jwtgate#"

// problem is RFC 9457's document with one member of our own, code.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   Code   `json:"code"`
}

// The challenges of RFC 6750 §3 and §3.1.
const (
	challengeBare    = "Bearer"
	challengeRequest = `Bearer error="invalid_request"`
	challengeToken   = `Bearer error="invalid_token"`
	challengeScope   = `Bearer error="insufficient_scope"`
)

// refusals has what the client sees of each code. It is the one place where a
// code gets its status, its words and its challenge.
var refusals = map[Code]Refusal{
	CodeMalformedCredentials: {400, CodeMalformedCredentials, "The credentials are not exactly one well-formed token.", challengeRequest, nil},
	CodeTokenMissing:         {401, CodeTokenMissing, "This resource needs an access token.", challengeBare, nil},
	CodeTokenInvalid:         {401, CodeTokenInvalid, "The access token is not valid.", challengeToken, nil},
	CodeTokenExpired:         {401, CodeTokenExpired, "The access token has expired.", challengeToken, nil},
	CodeInsufficientScope:    {403, CodeInsufficientScope, "The access token does not allow this.", challengeScope, nil},
	CodeCrossSite:            {403, CodeCrossSite, "The request came from another site.", "", nil},
	CodeMethodNotAllowed:     {405, CodeMethodNotAllowed, "This endpoint does not have that method.", "", nil},
	CodeUnavailable:          {503, CodeUnavailable, "The request cannot be judged at the moment.", "", nil},
}

// refuse returns the refusal with code, because of cause.
func refuse(code Code, cause error) *Refusal {
	r := refusals[code]
	r.Err = cause
	return &r
}
