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

// A Code names the reason for a refusal. Codes are stable: clients may act on them.
type Code string

// The codes, with the status that goes with each.
const (
	CodeMalformedCredentials Code = "malformed_credentials" // 400: not exactly one well-formed token (invalid_request of RFC 6750 §3.1)
	CodeTokenMissing         Code = "token_missing"         // 401: no credentials
	CodeTokenInvalid         Code = "token_invalid"         // 401: not a valid token of an accepted issuer
	CodeTokenExpired         Code = "token_expired"         // 401: valid but expired: refresh and try again
	CodeTokenRevoked         Code = "token_revoked"         // 401: its session was ended: sign in again
	CodeLoginTooOld          Code = "login_too_old"         // 401: see RecentLogin
	CodeInsufficientScope    Code = "insufficient_scope"    // 403: a rule of the route is not met
	CodeCrossSite            Code = "cross_site"            // 403: a page of another site made the browser send its cookies
	CodeUnavailable          Code = "unavailable"           // 503: an internal error: try again later
	CodeInternal             Code = "internal_error"        // 500: the subject's token is too large: trying again does not help

	// Codes of endpoints only.
	CodeMalformedRequest   Code = "malformed_request"   // 400, 413 or 415: the body cannot be used
	CodeInvalidCredentials Code = "invalid_credentials" // 401: wrong name or password
	CodeRefreshMissing     Code = "refresh_missing"     // 401: no refresh token
	CodeRefreshInvalid     Code = "refresh_invalid"     // 401: not a refresh token of this server
	CodeRefreshExpired     Code = "refresh_expired"     // 401: its session has expired or is unknown
	CodeRefreshRevoked     Code = "refresh_revoked"     // 401: its session was ended
	CodeRefreshReused      Code = "refresh_reused"      // 401: replaced before; its session is ended now
	CodeRefreshStale       Code = "refresh_stale"       // 401: replaced a moment ago, and the newer one is in use: use that one
	CodeTooManySessions    Code = "too_many_sessions"   // 403: see SessionConfig.RefuseAtMax
	CodeNotFound           Code = "not_found"           // 404: the subject has no such session
	CodeMethodNotAllowed   Code = "method_not_allowed"  // 405: the endpoint does not support the method
	CodeThrottled          Code = "throttled"           // 429: see SessionConfig.Limiter
)

// A Refusal is the reason why a request is not let through. Its text as an error is
// for logs; clients get [Refusal.Response].
type Refusal struct {
	Status    int
	Code      Code
	Detail    string // for the client; contains nothing that the client sent, unless Config.Debug is set
	Challenge string // the WWW-Authenticate value (RFC 6750 §3), empty for none
	Err       error  // the cause, for logs; nil if Code says everything

	// OAuthError is the error member of RFC 6749 §5.2, which the login and refresh
	// endpoints add. Empty for none.
	OAuthError string

	// RetryAfter is when to try again, rounded up to seconds. Zero for no hint.
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

// Response returns the default answer for r: a problem document (RFC 9457) with the
// code, which no cache may store.
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
	// The body is copied, because the caller may change it.
	if known := refusals[r.Code]; known != nil && r.Status == known.Status && r.Detail == known.Detail && r.OAuthError == "" {
		return Response{Status: r.Status, Header: header, Body: bytes.Clone(known.body)}
	}
	return Response{Status: r.Status, Header: header, Body: r.body()}
}

// body returns r as JSON.
func (r *Refusal) body() []byte {
	text, _ := json.Marshal(problem{ // a struct of strings always encodes
		Type:   problemTypes + string(r.Code),
		Title:  http.StatusText(r.Status),
		Status: r.Status,
		Detail: r.Detail,
		Code:   r.Code,
		Error:  r.OAuthError,
	})
	return append(text, '\n')
}

// HandOver is a function for [Config.Refuse] that leaves every refusal to the
// framework's error handler: Echo's HTTPErrorHandler, Fiber's ErrorHandler, Gin's
// c.Errors. There errors.As finds the [*Refusal]. Its header fields are set already.
func HandOver(_ context.Context, _ Request, r *Refusal) Response {
	res := r.Response()
	res.Err = r
	return res
}

// problemTypes is the prefix of a code in the type member, which should lead to a page
// about the problem (RFC 9457 §3.1.1): a row of the table in the README.
const problemTypes = "https://github.com/jwtgate/jwtgate#"

// A problem is a document of RFC 9457 with two further members.
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

// A standardRefusal is the refusal with a code, the same for every cause.
type standardRefusal struct {
	Refusal

	body []byte
}

// refusals has the status, the text and the challenge of each code.
var refusals = func() map[Code]*standardRefusal {
	table := make(map[Code]*standardRefusal)
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
		{403, CodeCrossSite, "The request came from another site: its origin must be this server's or listed as trusted.", ""},
		{503, CodeUnavailable, "The request cannot be judged at the moment.", ""},
		{500, CodeInternal, "The server cannot issue an access token for this account.", ""},
		{400, CodeMalformedRequest, "The request body is not what this endpoint reads.", ""},
		{401, CodeInvalidCredentials, "The name or the password is wrong.", challengeBare},
		{401, CodeRefreshMissing, "This endpoint needs a refresh token.", challengeToken},
		{401, CodeRefreshInvalid, "The refresh token is not valid.", challengeToken},
		{401, CodeRefreshExpired, "The session has expired.", challengeToken},
		{401, CodeRefreshRevoked, "The session has been ended.", challengeToken},
		{401, CodeRefreshReused, "The refresh token was used before, so the session has been ended.", challengeToken},
		{401, CodeRefreshStale, "The refresh token has been replaced by one that is in use.", challengeToken},
		{403, CodeTooManySessions, "There are as many sessions as there may be: end another one first.", ""},
		{404, CodeNotFound, "There is no such session.", ""},
		{405, CodeMethodNotAllowed, "This endpoint does not have that method.", ""},
		{429, CodeThrottled, "There were too many attempts.", ""},
	} {
		r := Refusal{Status: row.status, Code: row.code, Detail: row.detail, Challenge: row.challenge}
		table[row.code] = &standardRefusal{r, r.body()}
	}
	return table
}()

// refuse returns the refusal with code and cause.
func refuse(code Code, cause error) *Refusal {
	r := refusals[code].Refusal
	r.Err = cause
	if r.Status == http.StatusServiceUnavailable {
		r.RetryAfter = time.Second
	}
	return &r
}
