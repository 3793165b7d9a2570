package jwtgate_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// A reply is the answer of an endpoint of a testServer.
type reply struct {
	jwtgate.Response

	// text is the status, followed by the code and the OAuth error of a refusal
	// (RFC 6749 §5.2), by "new" if the answer sets both cookies, and by "clear"
	// if it deletes both: "200", "204 clear", "401 refresh_invalid invalid_grant".
	text string

	Access, Refresh string        // the tokens, from the body or from the cookies
	Expires         time.Duration // expires_in
}

// The texts of refusals that many tests expect.
const (
	revoked        = "401 token_revoked"
	refreshInvalid = "401 refresh_invalid invalid_grant"
	refreshExpired = "401 refresh_expired invalid_grant"
	refreshRevoked = "401 refresh_revoked invalid_grant"
	refreshReused  = "401 refresh_reused invalid_grant"
	refreshStale   = "401 refresh_stale invalid_grant"
	busy           = "503 unavailable"
)

// send sends req to endpoint, checks the answer and returns it.
func (s *testServer) send(endpoint jwtgate.Endpoint, req jwtgate.Request) reply {
	s.tb.Helper()
	return s.read(endpoint(s.tb.Context(), req))
}

// read returns res as a reply. It checks what holds for every answer: it is kept
// out of caches, it has a JSON body or none, tokens are in the body or in cookies,
// and a refusal is the same for every request that is refused with the same code.
func (s *testServer) read(res jwtgate.Response) reply {
	s.tb.Helper()
	r := reply{Response: res, text: fmt.Sprint(res.Status)}
	cookies := s.readCookies(&r)
	for _, f := range res.Header {
		if strings.ContainsAny(f.Name+f.Value, "\r\n\x00") {
			s.tb.Errorf("got header field %q with the value %q", f.Name, f.Value)
		}
	}
	if values := fieldValues(res.Header, "Cache-Control"); len(values) == 0 || values[len(values)-1] != "no-store" {
		s.tb.Errorf("got Cache-Control %q with status %d; want no-store", values, res.Status)
	}
	switch {
	case res.Status == http.StatusOK:
		s.readBody(&r, cookies)
	case res.Status >= http.StatusBadRequest:
		r.text += s.readRefusal(res)
	case len(res.Body) != 0:
		s.tb.Errorf("got body %q with status %d; want none", res.Body, res.Status)
	}
	r.text += cookies
	return r
}

// describe returns d in a line: "pass" and the subject, or "nobody", followed by
// "new" if the session was renewed. For a refusal, it returns the text of the reply.
// It checks that the parts of d agree.
func (s *testServer) describe(d jwtgate.Decision) string {
	s.tb.Helper()
	if d.Response.Status != 0 {
		text := s.read(d.Response).text
		if d.Refusal == nil || d.Identity != nil || d.Renewed != strings.Contains(text, " new") {
			s.tb.Errorf("got %s with Refusal %v, Identity %v, Renewed %v", text, d.Refusal, d.Identity, d.Renewed)
		}
		return text
	}
	text := "pass nobody"
	if d.Identity != nil {
		text = "pass " + d.Identity.Subject()
	}
	if id, _ := jwtgate.IdentityFrom(d.Context); d.Refusal != nil || id != d.Identity {
		s.tb.Errorf("got %s with Refusal %v and %v in the context", text, d.Refusal, id)
	}
	cookies := s.readCookies(&reply{Response: d.Response})
	if d.Renewed != (cookies == " new") {
		s.tb.Errorf("got %s with Renewed %v", text+cookies, d.Renewed)
	}
	return text + cookies
}

var (
	newCookies   = regexp.MustCompile(`^__Host-at=([\w.-]+); Path=/; Max-Age=[1-9]\d*; HttpOnly; Secure; SameSite=Lax\n__Host-rt=(jgr1_[\w-]+); Path=/; Max-Age=[1-9]\d*; HttpOnly; Secure; SameSite=Lax\n`)
	clearCookies = "__Host-at=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax\n__Host-rt=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax\n"
)

// readCookies returns what r does to the two cookies: " new", " clear", both in
// this order, or nothing. It sets the tokens of r.
func (s *testServer) readCookies(r *reply) string {
	s.tb.Helper()
	lines := ""
	for _, line := range fieldValues(r.Header, "Set-Cookie") {
		lines += line + "\n"
	}
	text := ""
	if found := newCookies.FindStringSubmatch(lines); found != nil {
		text, lines = " new", lines[len(found[0]):]
		r.Access, r.Refresh = found[1], found[2]
		s.recorder.addSecrets(r.Access, r.Refresh)
	}
	if lines == clearCookies {
		text, lines = text+" clear", ""
	}
	if lines != "" {
		text += " and unexpectedly " + lines
	}
	return text
}

// readBody checks the body of an answer with status 200, and sets the tokens of r
// if they are in the body (RFC 6749 §5.1).
func (s *testServer) readBody(r *reply, cookies string) {
	s.tb.Helper()
	if got := field(r.Response, "Content-Type"); got != "application/json" || field(r.Response, "Vary") == "" && field(r.Response, "Link") == "" && cookies == "" && len(r.Header) != 2 {
		s.tb.Errorf("got header %v; want JSON and no-store", r.Header)
	}
	if !bytes.HasPrefix(r.Body, []byte("{")) {
		return
	}
	var body struct {
		Access  string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
		Refresh string `json:"refresh_token"`
	}
	err := decodeStrict(r.Body, &body)
	if complete := body.Access != "" && body.Refresh != "" && body.Type == "Bearer"; err != nil || body.Expires <= 0 || complete != (cookies == "") {
		s.tb.Errorf("got body %s and error %v; want expires_in, and tokens unless they are in cookies", r.Body, err)
	}
	r.Expires = time.Duration(body.Expires) * time.Second
	if cookies == "" {
		r.Access, r.Refresh = body.Access, body.Refresh
		s.recorder.addSecrets(r.Access, r.Refresh)
	}
}

// readRefusal returns the code and the OAuth error of a refusal.
func (s *testServer) readRefusal(res jwtgate.Response) string {
	s.tb.Helper()
	var problem struct {
		Type, Title, Detail string
		Status              int
		Code                jwtgate.Code
		Error               string
	}
	if err := decodeStrict(res.Body, &problem); err != nil {
		s.tb.Errorf("got body %q in a refusal: %v", res.Body, err)
	}
	text := " " + string(problem.Code)
	if problem.Error != "" {
		text += " " + problem.Error
	}
	want, known := answers[problem.Code]
	if !known { // the application's own
		return text
	}
	if want.status == 0 {
		want.status = res.Status
	}
	if res.Status != want.status || problem.Status != res.Status || problem.Title != http.StatusText(res.Status) ||
		problem.Detail == "" || !strings.HasSuffix(problem.Type, "#"+string(problem.Code)) {
		s.tb.Errorf("got status %d and body %s in a refusal", res.Status, res.Body)
	}
	if got := field(res, "Content-Type"); got != "application/problem+json" {
		s.tb.Errorf("got Content-Type %q in a refusal", got)
	}
	challenge := field(res, "WWW-Authenticate")
	if problem.Code == jwtgate.CodeLoginTooOld {
		challenge, _, _ = strings.Cut(challenge, ", max_age=")
	}
	if challenge != want.challenge {
		s.tb.Errorf("got WWW-Authenticate %q with the code %s; want %q", challenge, problem.Code, want.challenge)
	}
	if got, want := field(res, "Retry-After"), res.Status == http.StatusServiceUnavailable || res.Status == http.StatusTooManyRequests; (got != "") != want {
		s.tb.Errorf("got Retry-After %q with the code %s", got, problem.Code)
	}
	// A body that never differs repeats nothing of the request.
	if first := s.recorder.firstBody(fmt.Sprint(res.Status, text), string(res.Body)); first != string(res.Body) {
		s.tb.Errorf("got two bodies for %d%s: %s and %s", res.Status, text, first, res.Body)
	}
	return text
}

// fieldValues returns the values of the header field called name.
func fieldValues(header []jwtgate.Field, name string) []string {
	var values []string
	for _, f := range header {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	return values
}

// decodeStrict decodes text, which must be one JSON value, into v, which must have
// a field for each member.
func decodeStrict(text []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows the value")
	}
	return nil
}

// claimsOf returns the header and the claims of an access token.
func claimsOf(tb testing.TB, access string) (header, claims map[string]any) {
	tb.Helper()
	parts := strings.Split(access, ".")
	if len(parts) != 3 {
		tb.Fatalf("got an access token of %d parts", len(parts))
	}
	for i, v := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(text, v)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return header, claims
}

// sidOf returns the session ID in an access token.
func sidOf(tb testing.TB, access string) string {
	tb.Helper()
	_, claims := claimsOf(tb, access)
	sid, ok := claims["sid"].(string)
	if !ok {
		tb.Fatalf("got an access token with the sid %v", claims["sid"])
	}
	return sid
}
