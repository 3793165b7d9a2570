package jwtgatetest

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A row is a request and the expected answer.
type row struct {
	name string
	send string // the bytes of the request
	want answer
}

// An answer is an expected response. The field ran is whether a handler or an
// endpoint of the suite runs.
type answer struct {
	jwtgate.Response
	ran bool

	anyBody  bool // the body and the Content-Type are not compared
	orServer bool // the server may refuse the request itself, as malformed
}

// text is the response of the suite's handlers.
func text(body string) jwtgate.Response {
	return jwtgate.Response{Status: http.StatusOK, Header: []jwtgate.Field{{Name: "Content-Type", Value: "text/plain"}}, Body: []byte(body)}
}

// passed is the answer of a handler that sees the subject who.
func passed(who string) answer { return answer{Response: text(who), ran: true} }

const problemJSON = "application/problem+json"

// words repeats the texts of all refusals, because clients rely on them.
var words = map[jwtgate.Code]struct {
	status            int
	detail, challenge string
}{
	jwtgate.CodeMalformedCredentials: {400, "The credentials are not exactly one well-formed token.", `Bearer error="invalid_request"`},
	jwtgate.CodeTokenMissing:         {401, "This resource needs an access token.", `Bearer`},
	jwtgate.CodeTokenInvalid:         {401, "The access token is not valid.", `Bearer error="invalid_token"`},
	jwtgate.CodeTokenExpired:         {401, "The access token has expired.", `Bearer error="invalid_token"`},
	jwtgate.CodeTokenRevoked:         {401, "The access token has been revoked.", `Bearer error="invalid_token"`},
	jwtgate.CodeLoginTooOld:          {401, "This resource needs a more recent login.", `Bearer error="insufficient_user_authentication", max_age="60"`},
	jwtgate.CodeInsufficientScope:    {403, "The access token does not allow this.", `Bearer error="insufficient_scope"`},
	jwtgate.CodeCrossSite:            {403, "The request came from another site.", ""},
	jwtgate.CodeUnavailable:          {503, "The request cannot be judged at the moment.", ""},
	jwtgate.CodeInternal:             {500, "The server cannot issue an access token for this account.", ""},
	jwtgate.CodeMalformedRequest:     {400, "The request body is not what this endpoint reads.", ""},
	jwtgate.CodeInvalidCredentials:   {401, "The name or the password is wrong.", `Bearer`},
	jwtgate.CodeRefreshMissing:       {401, "This endpoint needs a refresh token.", `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshInvalid:       {401, "The refresh token is not valid.", `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshExpired:       {401, "The session has expired.", `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshRevoked:       {401, "The session has been ended.", `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshReused:        {401, "The refresh token was used before, so the session has been ended.", `Bearer error="invalid_token"`},
	jwtgate.CodeRefreshStale:         {401, "The refresh token has been replaced by one that is in use.", `Bearer error="invalid_token"`},
	jwtgate.CodeTooManySessions:      {403, "There are as many sessions as there may be: end another one first.", ""},
	jwtgate.CodeNotFound:             {404, "There is no such session.", ""},
	jwtgate.CodeMethodNotAllowed:     {405, "This endpoint does not have that method.", ""},
	jwtgate.CodeThrottled:            {429, "There were too many attempts.", ""},
}

// refusal is the answer for a refusal with code.
func refusal(code jwtgate.Code) answer { return refusalOf(code, words[code].status, "") }

// refusalOf is the answer for a refusal with code and status. If oauth is not
// empty, it is the value of the member error (RFC 6749 §5.2).
func refusalOf(code jwtgate.Code, status int, oauth string) answer {
	if oauth != "" {
		oauth = fmt.Sprintf(`,"error":%q`, oauth)
	}
	body := fmt.Sprintf(`{"type":"https://github.com/jwtgate/jwtgate#%s","title":%q,"status":%d,"detail":%q,"code":%q%s}`+"\n",
		code, http.StatusText(status), status, words[code].detail, code, oauth)
	a := answer{Response: jwtgate.Response{Status: status, Body: []byte(body)}}
	a = a.with("Content-Type", problemJSON).with("Cache-Control", "no-store")
	if words[code].challenge != "" {
		a = a.with("WWW-Authenticate", words[code].challenge)
	}
	if status == http.StatusServiceUnavailable {
		a = a.with("Retry-After", "1")
	}
	return a
}

// with returns a with an additional header field.
func (a answer) with(name, value string) answer {
	a.Header = append(slices.Clip(a.Header), jwtgate.Field{Name: name, Value: value})
	return a
}

// cleared returns a with the header fields that delete both cookies.
func (a answer) cleared() answer {
	const gone = "=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
	return a.with("Set-Cookie", "__Host-at"+gone).with("Set-Cookie", "__Host-rt"+gone)
}

// renewed returns a with the header fields that set both cookies for a week, to any
// value, and that keep the response out of every cache.
func (a answer) renewed() answer { return a.renewedFor("Max-Age=604800; ") }

// renewedFor is renewed for another Max-Age, or for the session of the browser.
func (a answer) renewedFor(maxAge string) answer {
	line := "=*; Path=/; " + maxAge + "HttpOnly; Secure; SameSite=Lax"
	return a.with("Set-Cookie", "__Host-at"+line).with("Set-Cookie", "__Host-rt"+line).uncacheable()
}

// uncacheable returns a with the header fields that keep it out of every cache.
func (a answer) uncacheable() answer {
	return a.with("Cache-Control", "no-store").with("CDN-Cache-Control", "no-store").with("Surrogate-Control", "no-store")
}

// handedOver returns a for a refusal whose body is written by the error handler.
func (a answer) handedOver() answer {
	a.anyBody = true
	return a
}

// server returns a for a request that the server may refuse itself, as
// malformed.
func (a answer) server() answer {
	a.orServer = true
	return a
}

// A stage is a running site. The field ran counts the calls of its handlers.
type stage struct {
	addr string
	ran  atomic.Int64
}

// who is a Handler that responds with the subject of the request, or with
// "nobody" if there is none.
func (s *stage) who(v View) jwtgate.Response {
	s.ran.Add(1)
	return text(subject(v))
}

// subject returns the subject of v, or "nobody". If Identity and Claims of the
// adapter differ from the context of the request, it returns a text about that.
func subject(v View) string {
	id, found := jwtgate.IdentityFrom(v.Context)
	claims, err := jwtgate.Claims[Claims](v.Context)
	switch {
	case v.Identity != id || v.Found != found:
		return fmt.Sprintf("Identity says %v, the request's context %v", v.Found, found)
	case v.Claims != claims || fmt.Sprint(v.Err) != fmt.Sprint(err):
		return fmt.Sprintf("Claims says %v, %v, the request's context %v, %v", v.Claims, v.Err, claims, err)
	case !found && errors.Is(v.Err, jwtgate.ErrNoIdentity):
		return "nobody"
	case found && err == nil && claims.Subject == id.Subject():
		return claims.Subject
	}
	return fmt.Sprintf("Identity says %v, Claims %v, %v", found, claims, err)
}

// run sends the request of each row, and checks the response. The rows run one
// after the other, so that ran counts the calls for one row.
func (s *stage) run(t *testing.T, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			before := s.ran.Load()
			raw := exchange(t, s.addr, row.send)
			// The server has closed the connection, so its handler has returned.
			row.want.check(t, row.send, raw, s.ran.Load()-before)
		})
	}
}

// named are the header fields that package jwtgate sets. For these fields, a
// response must have exactly the expected values.
var named = []string{
	"Allow", "Cache-Control", "CDN-Cache-Control", "Content-Type", "ETag", "Location",
	"Retry-After", "Sec-WebSocket-Protocol", "Set-Cookie", "Surrogate-Control", "Vary", "WWW-Authenticate",
}

// fresh matches a cookie of package jwtgate, whose value the suite cannot know.
var fresh = regexp.MustCompile(`\b(__Host-[ar]t)=[^;]+`)

// check compares a with raw, the response to the request send.
func (a answer) check(t *testing.T, send string, raw []byte, ran int64) {
	t.Helper()
	method, _, _ := strings.Cut(send, " ")
	got, err := parse(raw, method)
	if err != nil {
		t.Fatalf("got %q: %v", raw, err)
	}
	if a.orServer && got.header.Get("Content-Type") != problemJSON && ran == 0 &&
		(got.status == http.StatusBadRequest || got.status == http.StatusRequestHeaderFieldsTooLarge) {
		return
	}
	if !a.ran {
		checkEcho(t, send, raw)
	}
	if want := map[bool]int64{true: 1}[a.ran]; ran != want {
		t.Errorf("handler ran %d times, want %d", ran, want)
	}
	if got.status != a.Status {
		t.Errorf("got status %d, want %d", got.status, a.Status)
	}
	for _, name := range named {
		if a.anyBody && name == "Content-Type" {
			continue
		}
		values, want := got.header.Values(name), a.values(name)
		for i := range values {
			values[i] = fresh.ReplaceAllString(values[i], "$1=*")
		}
		if !slices.Equal(values, want) {
			t.Errorf("got %s %q, want %q", name, values, want)
		}
	}
	want := string(a.Body)
	if method == http.MethodHead {
		want = ""
	}
	if got.body != want && !a.anyBody {
		t.Errorf("got body %q, want %q", got.body, want)
	}
}

// values returns the values of the header field name. For a field that a
// response has only once, it returns the last value, which replaces the others.
func (a answer) values(name string) []string {
	var values []string
	for _, f := range a.Header {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	switch name {
	case "Set-Cookie", "Vary", "WWW-Authenticate":
		return values
	}
	return values[max(0, len(values)-1):]
}

// checkEcho checks that the response does not repeat any part of the request's
// credentials, except in new cookies.
func checkEcho(t *testing.T, send string, raw []byte) {
	t.Helper()
	answer := fresh.ReplaceAllString(string(raw), "$1=*")
	for line := range strings.SplitSeq(send, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		switch http.CanonicalHeaderKey(name) {
		case "Authorization", "Cookie", "Cf-Access-Jwt-Assertion", "X-Token", "Sec-Websocket-Protocol":
		default:
			continue
		}
		for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(" .;,=\"", r) }) {
			if len(word) > 12 && strings.Contains(answer, word) {
				t.Errorf("the response repeats %q, which is a part of the credentials", word)
			}
		}
	}
}
