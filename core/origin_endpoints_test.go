package jwtgate_test

import (
	"net/http"
	"testing"
)

// TestCrossOriginEndpoints checks requests from another site to endpoints that do not use
// cookies, or that refuse the request for another reason.
func TestCrossOriginEndpoints(t *testing.T) {
	t.Parallel()
	elsewhere := senderRow{site: "cross-site", origin: "https://evil.example"}
	for _, test := range []struct {
		name string
		ask  func(s *testServer, b browser) string
		want string
		live bool
	}{
		{"login without cookies", func(s *testServer, _ browser) string {
			return s.send(s.loginEndpoint(), elsewhere.from(browser{}.postJSON(aliceLogin))).text
		}, "403 cross_site invalid_request", true},
		{"login, malformed cookies", func(s *testServer, _ browser) string {
			return s.send(s.loginEndpoint(), elsewhere.from(postCookies([]string{"__Host-at="}, aliceLogin))).text
		}, "403 cross_site invalid_request", true},
		{"login, wrong password", func(s *testServer, b browser) string {
			return s.send(s.loginEndpoint(), elsewhere.from(b.postJSON(aliceWrongPassword))).text
		}, "403 cross_site invalid_request", true},
		{"token: no cookie in, none out", func(s *testServer, b browser) string {
			return s.send(s.tokenEndpoint(), elsewhere.from(b.postJSON(aliceLogin))).text
		}, "200", true},
		{"refresh without cookies", func(s *testServer, _ browser) string {
			return s.send(s.Refresh, elsewhere.from(browser{}.post())).text
		}, "401 refresh_missing invalid_grant", true},
		{"refresh, access cookie only", func(s *testServer, b browser) string {
			return s.send(s.Refresh, elsewhere.from(browser{b.access, ""}.post())).text
		}, "403 cross_site invalid_request", true},
		{"refresh, malformed cookies", func(s *testServer, _ browser) string {
			return s.send(s.Refresh, elsewhere.from(postCookies([]string{"__Host-rt=("}, ""))).text
		}, "403 cross_site invalid_request", true},
		{"refresh, malformed access cookie", func(s *testServer, b browser) string {
			return s.send(s.Refresh, elsewhere.from(browser{"(", b.refresh}.post())).text
		}, "403 cross_site invalid_request", true},
		{"refresh by body", func(s *testServer, b browser) string {
			return s.send(s.Refresh, elsewhere.from(browser{}.postJSON(`{"refresh_token":"`+b.refresh+`"}`))).text
		}, "200", true},
		{"refresh by body, both", func(s *testServer, b browser) string {
			return s.send(s.Refresh, elsewhere.from(b.postJSON(`{"refresh_token":"`+b.refresh+`"}`))).text
		}, "400 malformed_request invalid_request", true},
		{"logout without cookies", func(s *testServer, _ browser) string {
			return s.send(s.Logout, elsewhere.from(browser{}.post())).text
		}, "204", true},
		{"logout, malformed cookies", func(s *testServer, _ browser) string {
			return s.send(s.Logout, elsewhere.from(postCookies([]string{"__Host-at=; __Host-rt="}, ""))).text
		}, "204", true},
		{"logout, two cookies", func(s *testServer, b browser) string {
			return s.send(s.Logout, elsewhere.from(postCookies(append(b.cookies(), b.cookies()...), ""))).text
		}, "204", true},
		{"logout, forged Bearer beside cookies", func(s *testServer, b browser) string {
			req := withField(elsewhere.from(b.post()), "Authorization", "Bearer a.b.c")
			return s.send(s.Logout, req).text
		}, "403 cross_site", true},
		{"logout, forged body beside cookies", func(s *testServer, b browser) string {
			return s.send(s.Logout, elsewhere.from(b.postJSON(`{"refresh_token":"jgr1_x"}`))).text
		}, "403 cross_site", true},
		{"logout, unreadable body beside cookies", func(s *testServer, b browser) string {
			return s.send(s.Logout, elsewhere.from(b.postJSON(`{`))).text
		}, "400 malformed_request", true},
		{"logout, another's Bearer beside cookies", func(s *testServer, b browser) string {
			req := withField(elsewhere.from(b.post()), "Authorization", "Bearer "+s.signIn("mallory").Access.Token)
			return s.send(s.Logout, req).text
		}, "204", true},
		{"logout of all, another's Bearer beside cookies", func(s *testServer, b browser) string {
			req := withField(elsewhere.from(b.post()), "Authorization", "Bearer "+s.signIn("mallory").Access.Token)
			return s.send(s.LogoutAll, req).text
		}, "204", true},
		{"delete a session", func(s *testServer, b browser) string {
			d := s.Decide(t.Context(), b.request(http.MethodGet))
			req := elsewhere.from(b.request(http.MethodDelete))
			req.Path = "/sessions/" + d.Identity.SessionID()
			return s.send(s.DeleteSession, req).text
		}, "403 cross_site", true},
		{"list sessions", func(s *testServer, b browser) string {
			return s.send(s.ListSessions, elsewhere.from(b.request(http.MethodGet))).text
		}, "200", true},
		{"wrong method", func(s *testServer, b browser) string {
			return s.send(s.Logout, elsewhere.from(b.request(http.MethodGet))).text
		}, "405 method_not_allowed", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			tokens := s.signIn("alice")
			if got := test.ask(s, browserWith(tokens)); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := s.isLive(tokens.SessionID); got != test.live {
				t.Errorf("the session lives: %v; want %v", got, test.live)
			}
		})
	}
}
