package jwtgate_test

import (
	"io"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// TestEndpointMethods checks that each endpoint accepts one method, in its exact spelling.
func TestEndpointMethods(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "", "post", "POST ", "PO\x00ST", "get", "M-SEARCH"}
	for _, row := range []struct {
		endpoint string
		serve    jwtgate.Endpoint
		allow    string
		allowed  []string
	}{
		{"/token", s.tokenEndpoint(), "POST", []string{"POST"}},
		{"/refresh", s.Refresh, "POST", []string{"POST"}},
		{"/logout", s.Logout, "POST", []string{"POST"}},
		{"/logout/all", s.LogoutAll, "POST", []string{"POST"}},
		{"/sessions", s.ListSessions, "GET", []string{"GET", "HEAD"}},
		{"/sessions/{id}", s.DeleteSession, "DELETE", []string{"DELETE"}},
	} {
		for _, method := range methods {
			if strings.Contains(strings.Join(row.allowed, " ")+" ", method+" ") && method != "" {
				continue
			}
			req := withToken(formRequest("username", "alice", "password", "wonderland", "refresh_token", tokens.Refresh), tokens.Access)
			req.Method, req.Path = method, "/sessions/"+sidOf(t, tokens.Access)
			s.store.taken()
			res := s.send(row.serve, req)
			if allow := field(res.Response, "Allow"); res.text != "405 method_not_allowed" || !strings.HasPrefix(allow, row.allow) {
				t.Errorf("%q %s: got %s, Allow: %s; want 405 and %s", method, row.endpoint, res.text, allow, row.allow)
			}
			if calls := s.store.taken(); calls != "" {
				t.Errorf("%q %s: got store calls %s; want none", method, row.endpoint, calls)
			}
			if rest, err := io.ReadAll(req.Body); err != nil || len(rest) == 0 {
				t.Errorf("%q %s: the body was read", method, row.endpoint)
			}
		}
	}
	if got := s.authenticate(tokens.Access); got != "alice" {
		t.Errorf("afterwards: got %s", got)
	}
}

// TestEndpointsWithoutSessions checks that the endpoints of a nil Auth, and of one without
// sessions, answer 503 and do not panic.
func TestEndpointsWithoutSessions(t *testing.T) {
	t.Parallel()
	none, err := jwtgate.New(jwtgate.Config{Issuer: serverIssuer, Audience: serverAudience, Keys: keys.HS256(signingSecret)})
	if err != nil {
		t.Fatal(err)
	}
	s := newTestServer(t)
	for name, auth := range map[string]*jwtgate.Auth{"nil": nil, "without sessions": none} {
		for endpoint, serve := range map[string]jwtgate.Endpoint{
			"Token": auth.Token(checkTestPassword), "Login": auth.Login(checkTestPassword), "Refresh": auth.Refresh, "Logout": auth.Logout,
			"LogoutAll": auth.LogoutAll, "ListSessions": auth.ListSessions, "DeleteSession": auth.DeleteSession,
		} {
			for _, method := range []string{"POST", "GET", "DELETE"} {
				req := formRequest("username", "alice", "password", "wonderland", "refresh_token", "x")
				req.Method = method
				if got := s.send(serve, req).text; got != "503 unavailable" {
					t.Errorf("%s of an Auth that is %s: got %s", endpoint, name, got)
				}
			}
		}
		if _, err := auth.SignIn(t.Context(), jwtgate.Request{}, "alice"); err == nil {
			t.Errorf("SignIn of an Auth that is %s: no error", name)
		}
		if _, _, err := auth.Sessions(t.Context(), "alice", ""); err == nil {
			t.Errorf("Sessions of an Auth that is %s: no error", name)
		}
		if auth.EndSessions(t.Context(), "alice") == nil || auth.EndSession(t.Context(), "x") == nil {
			t.Errorf("EndSession of an Auth that is %s: no error", name)
		}
		auth.Close() // must not panic
	}
}
