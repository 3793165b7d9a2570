package jwtgate_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestCookieRefresh checks the refresh endpoint with the requests of browsers.
func TestCookieRefresh(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	a, b := browserWith(s.signIn("alice")), browserWith(s.signIn("alice"))
	sid := s.signIn("alice").SessionID
	body := func(refresh string) string { return fmt.Sprintf(`{"refresh_token":%q}`, refresh) }
	bearer := func(token string) []string { return []string{"Bearer " + token} }
	for _, test := range []struct {
		name  string
		lines []string
		auth  []string
		body  string
		want  string
	}{
		{"nothing", nil, nil, "", "401 refresh_missing invalid_grant"},
		{"access only", browser{a.access, ""}.cookies(), nil, "", "401 refresh_missing invalid_grant clear"},
		{"both carriers", a.cookies(), nil, body(a.refresh), "400 malformed_request invalid_request"},
		{"both carriers, other sessions", a.cookies(), nil, body(b.refresh), "400 malformed_request invalid_request"},
		{"two refresh cookies", append(a.cookies(), b.cookies()...), nil, "", "400 malformed_credentials invalid_request"},
		{"empty refresh cookie", []string{"__Host-rt="}, nil, "", "401 refresh_missing invalid_grant"},
		{"forged", browser{"", "jgr1_x"}.cookies(), nil, "", "401 refresh_invalid invalid_grant clear"},
		{"access token in its place", browser{"", a.access}.cookies(), nil, "", "401 refresh_invalid invalid_grant clear"},
		{"access cookie of another session", browser{b.access, a.refresh}.cookies(), nil, "", "401 token_invalid invalid_grant clear"},
		{"access cookie forged", browser{"a.b.c", a.refresh}.cookies(), nil, "", "401 token_invalid invalid_grant clear"},
		{"Bearer of another session", a.cookies(), bearer(b.access), "", "401 token_invalid invalid_grant clear"},
		{"Bearer forged", a.cookies(), bearer("a.b.c"), "", "401 token_invalid invalid_grant clear"},
		{"Bearer of no session", a.cookies(), bearer(jwtgatetest.Token(t, s.Auth, "alice")), "", "401 token_invalid invalid_grant clear"},
		{"Bearer malformed", a.cookies(), []string{"Bearer"}, "", "400 malformed_credentials invalid_request"},
		{"two Bearer headers", a.cookies(), append(bearer(a.access), bearer(a.access)...), "", "400 malformed_credentials invalid_request"},
		{"access token as Bearer and nothing else", nil, bearer(a.access), "", "401 refresh_missing invalid_grant"},
		{"refresh token as Bearer", nil, bearer(a.refresh), "", "401 refresh_missing invalid_grant"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := withField(postCookies(test.lines, test.body), "Authorization", test.auth...)
			s.store.taken()
			res := s.Refresh(t.Context(), req)
			if got := s.read(res).text; got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if calls := s.store.taken(); calls != "" {
				t.Errorf("got store calls %s; want none", calls)
			}
		})
	}
	for _, test := range []struct {
		name   string
		access string // the access cookie
		auth   []string
	}{
		{"no access token", "", nil},
		{"good access cookie", a.access, nil},
		{"good Bearer", "", bearer(a.access)},
		{"good Bearer beside another's access cookie", b.access, bearer(a.access)},
		{"another scheme", "", []string{"Basic YTpi"}},
		{"Bearer by a key that is gone", "", bearer(s.mintWith(unknownSecret, "gone", sid, 0, nil))},
		{"access cookie by a key that is gone", s.mintWith(unknownSecret, "gone", sid, 0, nil), nil},
	} {
		req := withField(browser{test.access, a.refresh}.post(), "Authorization", test.auth...)
		res := s.Refresh(t.Context(), req)
		if got, want := s.read(res).text, "200 new"; got != want {
			t.Errorf("%s: got %s; want %s", test.name, got, want)
		}
		if bytes.Contains(res.Body, []byte("jgr1_")) || bytes.Contains(res.Body, []byte("eyJ")) {
			t.Errorf("%s: a token in the body: %s", test.name, res.Body)
		}
		a.receive(res.Header)
	}
}
