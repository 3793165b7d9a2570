package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestRenewalStoreDown makes each call that a renewal, a reissue or an endpoint needs
// fail: the answer is 503, the cookies stay, and a later request succeeds.
func TestRenewalStoreDown(t *testing.T) {
	t.Parallel()
	none := func(*jwtgate.Config) {}
	allowList := func(c *jwtgate.Config) { c.Sessions.AllowList = true }
	early := func(c *jwtgate.Config) { c.Cookies.RenewBefore = 7 * time.Minute }
	reissue := func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true }
	renew := func(s *testServer, b browser) string { return s.decide(b.request(http.MethodPost)) }
	goodOnly := func(s *testServer, b browser) string { return s.decide(browser{b.access, ""}.request(http.MethodPost)) }
	refresh := func(s *testServer, b browser) string { return s.send(s.Refresh, b.post()).text }
	login := func(s *testServer, b browser) string {
		return s.send(s.loginEndpoint(), b.postJSON(aliceLogin)).text
	}
	logout := func(s *testServer, b browser) string { return s.send(s.Logout, b.post()).text }
	logoutAll := func(s *testServer, b browser) string { return s.send(s.LogoutAll, b.post()).text }
	list := func(s *testServer, b browser) string {
		return s.send(s.ListSessions, b.request(http.MethodGet)).text
	}
	const (
		down = "503 unavailable"
		hour = time.Hour
		due  = 9 * time.Minute
	)
	for _, test := range []struct {
		name    string
		setting func(*jwtgate.Config)
		after   time.Duration
		call    string
		nth     int
		ask     func(s *testServer, b browser) string
		want    string
		later   string // the answer when everything works again
	}{
		{"renewal", none, hour, "Find", 1, renew, down, "pass alice new"},
		{"renewal", none, hour, "Subject", 1, renew, down, "pass alice new"},
		{"renewal", none, hour, "Advance", 1, renew, down, "pass alice new"},
		{"AllowList, good", allowList, 0, "Find", 1, renew, down, "pass alice"},
		{"AllowList, renewal", allowList, hour, "Find", 1, renew, down, "pass alice new"},
		{"RenewBefore", early, due, "Find", 1, renew, "pass alice", "pass alice new"},
		{"RenewBefore", early, due, "Subject", 1, renew, "pass alice", "pass alice new"},
		{"RenewBefore", early, due, "Advance", 1, renew, "pass alice", "pass alice new"},
		{"ReissueRefresh, refresh good", reissue, 0, "Find", 1, renew, "pass alice", "pass alice"},
		{"ReissueRefresh", reissue, 0, "Find", 1, goodOnly, "pass alice", "pass alice new"},
		{"ReissueRefresh", reissue, 0, "Find", 2, goodOnly, "pass alice", "pass alice new"},
		{"ReissueRefresh", reissue, 0, "Subject", 1, goodOnly, "pass alice", "pass alice new"},
		{"ReissueRefresh", reissue, 0, "Advance", 1, goodOnly, "pass alice", "pass alice new"},
		{"refresh", none, hour, "Find", 1, refresh, down, "200 new"},
		{"refresh", none, hour, "Subject", 1, refresh, down, "200 new"},
		{"refresh", none, hour, "Advance", 1, refresh, down, "200 new"},
		{"login", none, 0, "Find", 1, login, down, "200 new"},
		{"login", none, 0, "End", 1, login, down, "200 new"},
		{"login", none, 0, "Subject", 1, login, down, "200 new"},
		{"login", none, 0, "Create", 1, login, down, "200 new"},
		{"logout", none, 0, "Find", 1, logout, down + " clear", "204 clear"},
		{"logout", none, 0, "End", 1, logout, down + " clear", "204 clear"},
		{"logout of all, good", none, 0, "EndAll", 1, logoutAll, down, "204 clear"},
		{"logout of all, to be renewed", none, hour, "Find", 1, logoutAll, down, "204 clear"},
		{"list, good", none, 0, "List", 1, list, down, "200"},
	} {
		t.Run(fmt.Sprintf("%s, %s %d", test.name, test.call, test.nth), func(t *testing.T) {
			t.Parallel()
			var kinds []jwtgate.EventKind
			s := newTestServer(t, withCookies, test.setting, func(c *jwtgate.Config) {
				c.Observers = observing(func(_ context.Context, e jwtgate.Event) { kinds = append(kinds, e.Kind) })
			})
			tokens := s.signIn("alice")
			s.clock.Advance(test.after)
			kinds = nil
			if s.store.failAt(test.call, test.nth); test.call == "Subject" {
				s.setSubject(failingSubject)
			}
			if got := test.ask(s, browserWith(tokens)); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if told := slices.Contains(kinds, jwtgate.EventStoreDown); !told && test.want != "pass alice" {
				t.Errorf("got events %q; want %s", kinds, jwtgate.EventStoreDown)
			}
			s.store.mend()
			s.setSubject(nil)
			s.clock.Advance(5 * time.Second)
			if got := test.ask(s, browserWith(tokens)); got != test.later {
				t.Errorf("later: got %s; want %s", got, test.later)
			}
		})
	}
}

// TestRenewalAtEndpoints checks that endpoints that renew the session of a request send
// the new cookies with every answer. Otherwise the browser would keep a refresh token that
// has been replaced, and its session would end.
func TestRenewalAtEndpoints(t *testing.T) {
	t.Parallel()
	remove := func(s *testServer, b browser, sid string) jwtgate.Response {
		req := b.request(http.MethodDelete)
		req.Path = "/sessions/" + sid
		return s.DeleteSession(t.Context(), req)
	}
	for _, test := range []struct {
		name string
		fail string
		nth  int
		ask  func(s *testServer, b browser) jwtgate.Response
		want string
	}{
		{"list", "", 0, func(s *testServer, b browser) jwtgate.Response {
			return s.ListSessions(t.Context(), b.request(http.MethodGet))
		}, "200 new"},
		{"delete another", "", 0, func(s *testServer, b browser) jwtgate.Response { return remove(s, b, s.signIn("alice").SessionID) }, "204 new"},
		{"delete, no session", "", 0, func(s *testServer, b browser) jwtgate.Response { return remove(s, b, "x") }, "404 not_found new"},
		{"delete, unknown session", "", 0, func(s *testServer, b browser) jwtgate.Response {
			return remove(s, b, session.NewID(ownerOf("alice")).String())
		}, "404 not_found new"},
		{"delete, someone else's", "", 0, func(s *testServer, b browser) jwtgate.Response { return remove(s, b, s.signIn("robert").SessionID) }, "404 not_found new"},
		{"delete, store down", "Find", 2, func(s *testServer, b browser) jwtgate.Response {
			return remove(s, b, session.NewID(ownerOf("alice")).String())
		}, "503 unavailable new"},
		{"delete, store down later", "End", 1, func(s *testServer, b browser) jwtgate.Response {
			sid := s.signIn("alice").SessionID
			return remove(s, b, sid)
		}, "503 unavailable new"},
		{"list, store down", "List", 1, func(s *testServer, b browser) jwtgate.Response {
			return s.ListSessions(t.Context(), b.request(http.MethodGet))
		}, "503 unavailable new"},
		{"logout of all, store down", "EndAll", 1, func(s *testServer, b browser) jwtgate.Response { return s.LogoutAll(t.Context(), b.post()) }, "503 unavailable new"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies)
			b := browserWith(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			if test.fail != "" {
				s.store.failAt(test.fail, test.nth)
			}
			res := test.ask(s, b)
			if got := s.read(res).text; got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			s.store.mend()
			b.receive(res.Header)
			s.clock.Advance(time.Hour)
			if got, want := s.decide(b.request(http.MethodGet)), "pass alice new"; got != want {
				t.Errorf("an hour later: got %s; want %s", got, want)
			}
		})
	}
}

// TestEndedDuringRenewal checks that a request is refused if its session is ended between
// the rotation and the answer.
func TestEndedDuringRenewal(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		end  func(s *testServer, sid string) error
	}{
		{"EndSession", func(s *testServer, sid string) error { return s.EndSession(t.Context(), sid) }},
		{"EndSessions", func(s *testServer, _ string) error { return s.EndSessions(t.Context(), "alice") }},
	} {
		s := newTestServer(t, withCookies)
		tokens := s.signIn("alice")
		b := browserWith(tokens)
		s.clock.Advance(time.Hour)
		s.store.hook(nil, func(_ context.Context, call string) error {
			if call != "Advance" {
				return nil
			}
			return row.end(s, tokens.SessionID)
		})
		if got, want := s.decide(b.request(http.MethodPost)), "401 token_revoked clear"; got != want {
			t.Errorf("%s: got %s; want %s", row.name, got, want)
		}
	}
}
