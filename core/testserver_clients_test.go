package jwtgate_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// The clients of a testServer: what a program sends, and what a browser sends.

// checkTestPassword accepts every user name with the password "wonderland". For
// the user name "broken", it fails with errBroken.
func checkTestPassword(_ context.Context, username, password string) (string, bool, error) {
	if username == "broken" {
		return "", false, errBroken
	}
	return username, password == "wonderland", nil
}

// tokenEndpoint is where programs sign in.
func (s *testServer) tokenEndpoint() jwtgate.Endpoint {
	return s.Auth.Token(checkTestPassword)
}

// loginEndpoint is where browsers sign in.
func (s *testServer) loginEndpoint() jwtgate.Endpoint {
	return s.Auth.Login(checkTestPassword)
}

// signIn opens a session without an endpoint.
func (s *testServer) signIn(subject string) jwtgate.Tokens {
	s.tb.Helper()
	tokens, err := s.SignIn(s.tb.Context(), jwtgate.Request{}, subject)
	if err != nil {
		s.tb.Fatalf("sign in: %v", err)
	}
	s.recorder.addSecrets(tokens.Access.Token, tokens.Refresh)
	return tokens
}

// login signs a program in as subject. It must succeed.
func (s *testServer) login(subject string) reply {
	s.tb.Helper()
	r := s.send(s.tokenEndpoint(), formRequest("username", subject, "password", "wonderland"))
	if r.text != "200" {
		s.tb.Fatalf("login: got %s; want 200", r.text)
	}
	return r
}

// refresh sends a program's refresh token to the refresh endpoint.
func (s *testServer) refresh(token string) reply {
	s.tb.Helper()
	return s.send(s.Refresh, formRequest("grant_type", "refresh_token", "refresh_token", token))
}

// mustRefresh is refresh with a token that must be accepted.
func (s *testServer) mustRefresh(token string) reply {
	s.tb.Helper()
	r := s.refresh(token)
	if r.text != "200" {
		s.tb.Fatalf("refresh: got %s; want 200", r.text)
	}
	return r
}

// logout sends a program's refresh token to the logout endpoint.
func (s *testServer) logout(token string) reply {
	s.tb.Helper()
	return s.send(s.Logout, formRequest("refresh_token", token))
}

// listSessions sends a program's access token to the endpoint that lists sessions.
func (s *testServer) listSessions(access string) reply {
	s.tb.Helper()
	return s.send(s.ListSessions, withToken(jwtgate.Request{Method: http.MethodGet, Path: "/sessions"}, access))
}

// deleteSession asks for the session that the last segment of path names to be ended.
func (s *testServer) deleteSession(access, path string) reply {
	s.tb.Helper()
	return s.send(s.DeleteSession, withToken(jwtgate.Request{Method: http.MethodDelete, Path: path}, access))
}

// authenticate sends an access token in the Authorization header. It returns the
// subject that the token identifies, or the text of the refusal.
func (s *testServer) authenticate(access string) string {
	s.tb.Helper()
	d := s.Decide(s.tb.Context(), withToken(jwtgate.Request{Method: http.MethodGet}, access))
	if d.Refusal != nil {
		return s.read(d.Response).text
	}
	return d.Identity.Subject()
}

// Decide returns the decision of the Auth as an adapter sends it: the header of the
// answer has what Commit puts into it. The request is over when the test that asked for
// it calls Done.
func (s *testServer) Decide(ctx context.Context, req jwtgate.Request, rules ...jwtgate.Rule) jwtgate.Decision {
	d := s.Auth.Decide(ctx, req, rules...)
	header := fieldList(slices.Clip(d.Response.Header))
	d.Commit(&header)
	d.Response.Header = slices.Clip(header)
	return d
}

// A fieldList is the header of an answer, for Commit.
type fieldList []jwtgate.Field

func (l *fieldList) Add(name, value string) { *l = append(*l, jwtgate.Field{Name: name, Value: value}) }
func (l *fieldList) Set(name, value string) { l.Add(name, value) }
func (l *fieldList) DelCookie(name string) {
	*l = slices.DeleteFunc(*l, func(f jwtgate.Field) bool { return f.Name == "Set-Cookie" && strings.HasPrefix(f.Value, name+"=") })
}

// decide has the server decide about req, and returns what describe says of it.
func (s *testServer) decide(req jwtgate.Request, rules ...jwtgate.Rule) string {
	s.tb.Helper()
	return s.describe(s.Decide(s.tb.Context(), req, rules...))
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// formRequest returns a POST request with parameters: name, value, name, value.
func formRequest(parameters ...string) jwtgate.Request {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Add(parameters[i], parameters[i+1])
	}
	return bodyRequest(formType, values.Encode())
}

// jsonRequest is formRequest with the parameters as a JSON object.
func jsonRequest(parameters ...string) jwtgate.Request {
	members := map[string]string{}
	for i := 0; i < len(parameters); i += 2 {
		members[parameters[i]] = parameters[i+1]
	}
	text, _ := json.Marshal(members)
	return bodyRequest(jsonType, string(text))
}

// bodyRequest returns a POST request with a body.
func bodyRequest(contentType, body string) jwtgate.Request {
	return jwtgate.Request{Method: http.MethodPost, Path: "/", Header: http.Header{"Content-Type": {contentType}}, Body: strings.NewReader(body)}
}

// withToken returns req with an access token in the Authorization header.
func withToken(req jwtgate.Request, access string) jwtgate.Request {
	return withField(req, "Authorization", "Bearer "+access)
}

// A browser has the two cookies of a testServer. It does not send an empty one.
type browser struct{ access, refresh string }

// browserWith returns a browser that has tokens in its cookies.
func browserWith(tokens jwtgate.Tokens) browser {
	return browser{tokens.Access.Token, tokens.Refresh}
}

// request returns a request from a page of the server's own host.
func (b browser) request(method string) jwtgate.Request {
	return jwtgate.Request{Method: method, Path: "/notes", Host: "site.example", Header: http.Header{"Cookie": b.cookies()}}
}

// post returns a POST request to an endpoint, without a body.
func (b browser) post() jwtgate.Request { return postCookies(b.cookies(), "") }

// postJSON returns a POST request to an endpoint, with a JSON body.
func (b browser) postJSON(body string) jwtgate.Request { return postCookies(b.cookies(), body) }

// cookies returns the lines of the Cookie header.
func (b browser) cookies() []string {
	var pairs []string
	if b.access != "" {
		pairs = append(pairs, "__Host-at="+b.access)
	}
	if b.refresh != "" {
		pairs = append(pairs, "__Host-rt="+b.refresh)
	}
	if pairs == nil {
		return nil
	}
	return []string{strings.Join(pairs, "; ")}
}

// receive stores and deletes cookies, as the Set-Cookie lines of an answer say.
func (b *browser) receive(header []jwtgate.Field) {
	for _, line := range fieldValues(header, "Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		if err != nil {
			panic(err)
		}
		if cookie.MaxAge < 0 {
			cookie.Value = ""
		}
		switch cookie.Name {
		case "__Host-at":
			b.access = cookie.Value
		case "__Host-rt":
			b.refresh = cookie.Value
		}
	}
}

// postCookies returns a browser's POST request with any lines of the Cookie header
// and, unless it is empty, a JSON body.
func postCookies(cookies []string, body string) jwtgate.Request {
	req := jwtgate.Request{Method: http.MethodPost, Path: "/", Host: "site.example", Header: http.Header{"Cookie": cookies}}
	if body != "" {
		req = withField(req, "Content-Type", jsonType)
		req.Body = strings.NewReader(body)
	}
	return req
}

// upgrade returns req as a WebSocket handshake.
func upgrade(req jwtgate.Request) jwtgate.Request {
	return withField(req, "Upgrade", "websocket")
}

// The JSON bodies of a login of alice.
const (
	aliceLogin         = `{"username":"alice","password":"wonderland"}`
	aliceWrongPassword = `{"username":"alice","password":"guess"}`
)
