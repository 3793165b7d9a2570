package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestOptionalMatrix checks what an optional route makes of each pair of cookies: the rows
// are states of the refresh cookie, the columns states of the access cookie.
func TestOptionalMatrix(t *testing.T) {
	t.Parallel()
	const (
		pass    = "pass alice"
		renew   = "pass alice new"
		over    = "pass nobody clear"
		nobody  = "pass nobody"
		invalid = "401 token_invalid clear"
		later   = "503 unavailable"
		bad     = "400 malformed_credentials"
	)
	for _, row := range []struct{ refresh, good, expired, absent, gone, early, forged string }{
		{"good", pass, renew, renew, renew, renew, invalid},
		{"just replaced", pass, renew, renew, renew, renew, invalid},
		{"stale", pass, nobody, nobody, nobody, nobody, invalid},
		{"late again", pass, later, later, later, later, invalid},
		{"replayed", pass, over, over, over, over, invalid},
		{"absent", pass, over, nobody, over, nobody, invalid},
		{"expired", pass, over, over, over, over, invalid},
		{"of an unknown session", pass, over, over, over, over, invalid},
		{"forged", pass, over, over, over, nobody, invalid},
		{"our MAC, not its nonce", pass, over, over, over, over, invalid},
		{"subject gone", pass, over, over, over, over, invalid},
		{"ended", over, over, over, over, over, invalid},
		{"of another session", pass, invalid, "pass robert new", "pass robert new", nobody, invalid},
		{"two cookies", bad, bad, bad, bad, bad, bad},
	} {
		for _, column := range []struct {
			name   string
			access func(s *testServer, sid string) string
			want   string
		}{
			{"good", func(s *testServer, sid string) string { return s.mint(sid, 0, nil) }, row.good},
			{"expired", func(s *testServer, sid string) string { return s.mint(sid, time.Hour, nil) }, row.expired},
			{"absent", func(*testServer, string) string { return "" }, row.absent},
			{"by a key that is gone", func(s *testServer, sid string) string { return s.mintWith(unknownSecret, "gone", sid, 0, nil) }, row.gone},
			{"early", func(s *testServer, sid string) string { return s.mint(sid, -2*time.Minute, nil) }, row.early},
			{"forged", func(s *testServer, sid string) string { return s.mint(sid, 0, nil) + "A" }, row.forged},
		} {
			t.Run(row.refresh+", access "+column.name, func(t *testing.T) {
				t.Parallel()
				s := newTestServer(t, withCookies)
				refresh, sid := refreshStates[row.refresh](s)
				b := browser{column.access(s, sid), refresh}
				if got := s.decide(b.request(http.MethodGet), jwtgate.Optional()); got != column.want {
					t.Errorf("got %s; want %s", got, column.want)
				}
			})
		}
	}
}

// TestOptionalEndedSession checks which requests of a browser whose session is over are
// anonymous on an optional route, and that only answers that reach the browser delete its
// cookies.
func TestOptionalEndedSession(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	tokens := s.signIn("alice")
	b := browserWith(tokens)
	if err := s.EndSession(t.Context(), tokens.SessionID); err != nil {
		t.Fatal(err)
	}
	get := b.request(http.MethodGet)
	expired := browser{s.mint(tokens.SessionID, time.Hour, nil), ""}.request(http.MethodGet)
	for _, row := range []struct {
		name  string
		req   jwtgate.Request
		rules []jwtgate.Rule
		want  string
	}{
		{"GET", get, nil, "pass nobody clear"},
		{"POST", b.request(http.MethodPost), nil, "pass nobody clear"},
		{"POST from another site", withField(b.request(http.MethodPost), "Sec-Fetch-Site", "cross-site"), nil, "403 cross_site"},
		{"Upgrade", upgrade(get), nil, "pass nobody"},
		{"Upgrade, expired", upgrade(expired), nil, "pass nobody"},
		{"NoRenewal", get, []jwtgate.Rule{jwtgate.NoRenewal()}, "pass nobody"},
		{"NoRenewal, expired", expired, []jwtgate.Rule{jwtgate.NoRenewal()}, "pass nobody"},
		{"a role", get, []jwtgate.Rule{jwtgate.Role("user")}, "401 token_revoked clear"},
		{"Bearer", withToken(jwtgate.Request{Method: http.MethodGet}, tokens.Access.Token), nil, "401 token_revoked"},
		{"Bearer, and its cookies", withToken(get, tokens.Access.Token), nil, "401 token_revoked"},
	} {
		if got := s.decide(row.req, append(row.rules, jwtgate.Optional())...); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// TestOptionalSignIn checks that a login within a request whose session is over has the
// last word about the cookies, and that an inner guard does not rely on the outer one.
func TestOptionalSignIn(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	tokens := s.signIn("alice")
	if err := s.EndSession(t.Context(), tokens.SessionID); err != nil {
		t.Fatal(err)
	}
	req := browserWith(tokens).request(http.MethodPost)
	d := s.Auth.Decide(t.Context(), req, jwtgate.Optional())
	if got, want := s.decide(req), "401 token_revoked clear"; got != want {
		t.Errorf("inner guard: got %s; want %s", got, want)
	}
	again, err := s.SignIn(d.Context, req, "alice")
	if err != nil {
		t.Fatal(err)
	}
	header := fieldList(again.Cookies().Header)
	d.Commit(&header)
	if got := s.readCookies(&reply{Response: jwtgate.Response{Header: header}}); got != " new" {
		t.Errorf("after a login: got cookies%s; want new", got)
	}
}
