package jwtgate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// A Code names the reason of a refusal. Codes are stable: clients may act on them.
type Code string

// The codes, with the status that goes with each.
const (
	CodeMalformedCredentials Code = "malformed_credentials" // 400: not one well-formed token (RFC 6750 §3.1 invalid_request)
	CodeTokenMissing         Code = "token_missing"         // 401: no credentials
	CodeTokenInvalid         Code = "token_invalid"         // 401: not a token of ours, or not a good one
	CodeTokenExpired         Code = "token_expired"         // 401: good but for its age: refresh and try again
	CodeTokenRevoked         Code = "token_revoked"         // 401: taken back: sign in again
	CodeLoginTooOld          Code = "login_too_old"         // 401: see RecentLogin
	CodeInsufficientScope    Code = "insufficient_scope"    // 403: a rule of the route refused this identity
	CodeCrossSite            Code = "cross_site"            // 403: a cookie was sent along from another site
	CodeUnavailable          Code = "unavailable"           // 503: trouble on this side, try again later

	// Those of the endpoints only.
	CodeMalformedRequest   Code = "malformed_request"   // 400, 413 or 415: the body
	CodeInvalidCredentials Code = "invalid_credentials" // 401: wrong name or password
	CodeRefreshMissing     Code = "refresh_missing"     // 401: no refresh token
	CodeRefreshInvalid     Code = "refresh_invalid"     // 401: not a refresh token of ours
	CodeRefreshExpired     Code = "refresh_expired"     // 401: its session is over by age, or forgotten
	CodeRefreshRevoked     Code = "refresh_revoked"     // 401: its session was ended
	CodeRefreshReused      Code = "refresh_reused"      // 401: replaced a while ago; its session is ended now
	CodeTooManySessions    Code = "too_many_sessions"   // 403: see SessionConfig.RefuseAtMax
	CodeNotFound           Code = "not_found"           // 404: no such session of this subject
	CodeMethodNotAllowed   Code = "method_not_allowed"  // 405: the endpoint does not have the method
	CodeThrottled          Code = "throttled"           // 429: see SessionConfig.Throttle
)

// A Refusal is why a request is not let through. As an error, its text is for
// logs; what the client sees is [Refusal.Response].
type Refusal struct {
	Status    int
	Code      Code
	Detail    string // for the client; never holds anything that the client sent
	Challenge string // the WWW-Authenticate value (RFC 6750 §3), empty for none
	Err       error  // the cause, for logs; nil if Code says all

	// OAuthError is the error member of RFC 6749 §5.2, which answers of the
	// login and refresh endpoints have. Empty for none.
	OAuthError string

	// RetryAfter is when to try again, in whole seconds. Zero for no such hint.
	RetryAfter time.Duration
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
	header := make([]Field, 2, 4)
	header[0] = Field{"Content-Type", "application/problem+json"}
	header[1] = Field{"Cache-Control", "no-store"}
	if r.Challenge != "" {
		header = append(header, Field{"WWW-Authenticate", r.Challenge})
	}
	if r.RetryAfter > 0 {
		seconds := int64(math.Ceil(r.RetryAfter.Seconds()))
		header = append(header, Field{"Retry-After", strconv.FormatInt(seconds, 10)})
	}
	// Whoever gets the body may change it.
	if known := refusals[r.Code]; known != nil && r.Status == known.Status && r.Detail == known.Detail && r.OAuthError == "" {
		return Response{Status: r.Status, Header: header, Body: bytes.Clone(known.body)}
	}
	return Response{Status: r.Status, Header: header, Body: r.body()}
}

// body returns r as JSON.
func (r *Refusal) body() []byte {
	text, err := json.Marshal(problem{
		Type:   problemTypes + string(r.Code),
		Title:  http.StatusText(r.Status),
		Status: r.Status,
		Detail: r.Detail,
		Code:   r.Code,
		Error:  r.OAuthError,
	})
	if err != nil { // a struct of strings always encodes
		text = nil
	}
	return append(text, '\n')
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

// problem is RFC 9457's document with two further members.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   Code   `json:"code"`
	Error  string `json:"error,omitempty"`
}

// The challenges of RFC 6750 §3 and §3.1.
const (
	challengeBare    = "Bearer"
	challengeRequest = `Bearer error="invalid_request"`
	challengeToken   = `Bearer error="invalid_token"`
	challengeScope   = `Bearer error="insufficient_scope"`
)

// standard is the refusal with a code, as it is for every cause.
type standard struct {
	Refusal

	body []byte
}

// refusals has what the client sees of each code. It is the one place where a
// code gets its status, its words and its challenge.
var refusals = func() map[Code]*standard {
	table := make(map[Code]*standard)
	for _, row := range []struct {
		status    int
		code      Code
		detail    string
		challenge string
	}{
		{400, CodeMalformedCredentials, "The credentials are not exactly one well-formed token.", challengeRequest},
		{401, CodeTokenMissing, "This resource needs an access token.", challengeBare},
		{401, CodeTokenInvalid, "The access token is not valid.", challengeToken},
		{401, CodeTokenExpired, "The access token has expired.", challengeToken},
		{401, CodeTokenRevoked, "The access token has been revoked.", challengeToken},
		{401, CodeLoginTooOld, "This resource needs a more recent login.", ""},
		{403, CodeInsufficientScope, "The access token does not allow this.", challengeScope},
		{403, CodeCrossSite, "The request came from another site.", ""},
		{503, CodeUnavailable, "The request cannot be judged at the moment.", ""},
		{400, CodeMalformedRequest, "The request body is not what this endpoint reads.", ""},
		{401, CodeInvalidCredentials, "The name or the password is wrong.", challengeBare},
		{401, CodeRefreshMissing, "This endpoint needs a refresh token.", challengeToken},
		{401, CodeRefreshInvalid, "The refresh token is not valid.", challengeToken},
		{401, CodeRefreshExpired, "The session has expired.", challengeToken},
		{401, CodeRefreshRevoked, "The session has been ended.", challengeToken},
		{401, CodeRefreshReused, "The refresh token was used before, so the session has been ended.", challengeToken},
		{403, CodeTooManySessions, "There are as many sessions as there may be: end another one first.", ""},
		{404, CodeNotFound, "There is no such session.", ""},
		{405, CodeMethodNotAllowed, "This endpoint does not have that method.", ""},
		{429, CodeThrottled, "There were too many attempts.", ""},
	} {
		r := Refusal{Status: row.status, Code: row.code, Detail: row.detail, Challenge: row.challenge}
		table[row.code] = &standard{r, r.body()}
	}
	return table
}()

// refuse returns the refusal with code, because of cause.
func refuse(code Code, cause error) *Refusal {
	r := refusals[code].Refusal
	r.Err = cause
	if r.Status == http.StatusServiceUnavailable {
		r.RetryAfter = time.Second
	}
	return &r
}
