package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestReissueRefresh checks a browser with a valid access cookie that lacks a valid refresh
// cookie, with ReissueRefresh on and off.
func TestReissueRefresh(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		access  time.Duration // AccessTTL
		after   time.Duration
		refresh func(s *testServer, b browser) string
		on, off string
	}{
		{"good", 0, time.Minute, func(_ *testServer, b browser) string { return b.refresh }, "pass alice", "pass alice"},
		{"absent", 0, time.Minute, func(*testServer, browser) string { return "" }, "pass alice new", "pass alice"},
		{"forged", 0, time.Minute, func(*testServer, browser) string { return "jgr1_x" }, "pass alice new", "pass alice"},
		{"of another key", 0, time.Minute, func(s *testServer, b browser) string {
			codec, _ := refreshtoken.New(serverIssuer, serverAudience, unknownSecret)
			token, _ := s.codec().Decode(b.refresh)
			return codec.Encode(token)
		}, "pass alice new", "pass alice"},
		{"of an unknown session", 0, time.Minute, func(s *testServer, _ browser) string {
			return s.codec().Encode(refreshtoken.Token{ID: session.NewID(ownerOf("alice")), Nonce: refreshtoken.NewNonce()})
		}, "pass alice new", "pass alice"},
		{"of another session, live", 0, time.Minute, func(s *testServer, _ browser) string { return s.signIn("robert").Refresh }, "pass alice", "pass alice"},
		{"idle-expired", 2 * time.Hour, 90 * time.Minute, func(_ *testServer, b browser) string { return b.refresh }, "pass alice new", "pass alice"},
		{"idle-expired and absent", 2 * time.Hour, 90 * time.Minute, func(*testServer, browser) string { return "" }, "pass alice new", "pass alice"},
		{"just replaced", 2 * time.Hour, 5 * time.Minute, func(s *testServer, b browser) string { s.mustRefresh(b.refresh); return b.refresh }, "pass alice", "pass alice"},
		{"idle-expired, access too", 2 * time.Hour, 2 * time.Hour, func(_ *testServer, b browser) string { return b.refresh }, "401 refresh_expired clear", "401 refresh_expired clear"},
		{"absent, access expired", 0, time.Hour, func(*testServer, browser) string { return "" }, "401 token_expired clear", "401 token_expired clear"},
	} {
		for _, on := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, %v", test.name, on), func(t *testing.T) {
				t.Parallel()
				s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
					c.Cookies.ReissueRefresh = on
					c.AccessTTL = test.access
					c.Sessions.RefreshTTL = time.Hour
				})
				tokens := s.signIn("alice")
				b := browserWith(tokens)
				s.clock.Advance(test.after)
				b.refresh = test.refresh(s, b)
				want := test.off
				if on {
					want = test.on
				}
				d := s.Decide(t.Context(), b.request(http.MethodPost))
				if got := s.describe(d); got != want {
					t.Fatalf("got %s; want %s", got, want)
				}
				if !d.Renewed {
					return
				}
				if d.Identity.SessionID() != tokens.SessionID || d.Identity.AuthTime().Unix() != serverStart.Unix() {
					t.Errorf("got session %s of %v; want the same one", d.Identity.SessionID(), d.Identity.AuthTime())
				}
				b.receive(d.Response.Header)
				s.clock.Advance(time.Minute)
				b.access = ""
				if got := s.decide(b.request(http.MethodPost)); got != "pass alice new" {
					t.Errorf("with the reissued refresh token: got %s", got)
				}
			})
		}
	}
}

// TestReissueRefreshLimit checks that a reissue does not make a session longer than
// SessionTTL.
func TestReissueRefreshLimit(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.Sessions.SessionTTL = time.Hour
	})
	b := browserWith(s.signIn("alice"))
	var d jwtgate.Decision
	for range 5 {
		s.clock.Advance(12*time.Minute - time.Second)
		b.refresh = ""
		d = s.Decide(t.Context(), b.request(http.MethodGet))
		if got := s.describe(d); got != "pass alice new" {
			t.Fatalf("after %v: got %s", s.clock.Now().Sub(serverStart), got)
		}
		b.receive(d.Response.Header)
	}
	if end := serverStart.Add(time.Hour); d.Identity.Expires().After(end) {
		t.Errorf("the access token expires %v after the session", d.Identity.Expires().Sub(end))
	}
	for _, line := range fieldValues(d.Response.Header, "Set-Cookie") {
		if !strings.Contains(line, "; Max-Age=5;") {
			t.Errorf("got %s; want Max-Age 5", line)
		}
	}
	s.clock.Advance(5 * time.Second)
	for name, b := range map[string]browser{"both": b, "refresh": {"", b.refresh}} {
		if got, want := s.decide(b.request(http.MethodGet)), "401 refresh_expired clear"; got != want {
			t.Errorf("past the end, %s: got %s; want %s", name, got, want)
		}
	}
	// Nor does an access token that outlives the session.
	sid := s.sessionOf(s.signIn("alice").Refresh).ID.String()
	s.clock.Advance(time.Hour)
	if got := s.decide(browser{s.mint(sid, 0, nil), ""}.request(http.MethodGet)); got != "pass alice" {
		t.Errorf("past SessionTTL: got %s", got)
	}
}

// TestReissueRefreshConcurrent checks that concurrent requests on two servers get the same
// reissued refresh token.
func TestReissueRefreshConcurrent(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
	second := s.another()
	tokens := s.signIn("alice")
	b := browser{tokens.Access.Token, ""}
	var wait sync.WaitGroup
	var jars [32]browser
	for i := range jars {
		wait.Go(func() {
			d := []*testServer{s, second}[i%2].Decide(t.Context(), b.request(http.MethodPost))
			if got := s.describe(d); got != "pass alice new" {
				t.Errorf("got %s", got)
			}
			jars[i].receive(d.Response.Header)
		})
	}
	wait.Wait()
	for i := range jars {
		if jars[i].refresh != jars[0].refresh {
			t.Fatal("the session has several refresh tokens")
		}
	}
	if record := s.sessionOf(jars[0].refresh); record.Generation != 1 {
		t.Errorf("got generation %d; want 1", record.Generation)
	}
	// The refresh token that was lost counts as replayed if it is used later.
	s.use(jars[0].refresh)
	s.clock.Advance(time.Minute)
	if got, want := s.decide(browser{"", tokens.Refresh}.request(http.MethodGet)), "401 refresh_reused clear"; got != want {
		t.Errorf("the lost one: got %s; want %s", got, want)
	}
}

// TestReissueRefreshExceptions checks sessions whose refresh token is not reissued.
func TestReissueRefreshExceptions(t *testing.T) {
	t.Parallel()
	on := func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true }
	for _, test := range []struct {
		name string
		make func(s *testServer) browser
		want string
	}{
		{"begun before it was set", func(s *testServer) browser {
			tokens, err := s.another(func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = false }).SignIn(t.Context(), jwtgate.Request{}, "alice")
			if err != nil {
				t.Fatal(err)
			}
			return browser{tokens.Access.Token, ""}
		}, "pass alice"},
		{"revoked here", func(s *testServer) browser {
			tokens := s.signIn("alice")
			_ = s.EndSession(t.Context(), tokens.SessionID)
			return browser{tokens.Access.Token, ""}
		}, "401 token_revoked clear"},
		{"subject gone", func(s *testServer) browser {
			tokens := s.signIn("alice")
			s.setSubject(func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, jwtgate.ErrNoSubject })
			return browser{tokens.Access.Token, ""}
		}, "401 token_revoked clear"},
		{"token of no session", func(s *testServer) browser { return browser{jwtgatetest.Token(t, s.Auth, "alice"), ""} }, "pass alice"},
		{"session unknown", func(s *testServer) browser {
			return browser{s.mint(session.NewID(ownerOf("alice")).String(), 0, nil), ""}
		}, "pass alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies, on)
			if got := s.decide(test.make(s).request(http.MethodPost)); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
		})
	}
}

// TestReissueRefreshEndedElsewhere checks that the refresh token of a session that was
// ended on another process is not reissued, even before the feed announces the end.
func TestReissueRefreshEndedElsewhere(t *testing.T) {
	t.Parallel()
	memory := session.NewMemory(0, nil)
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.Sessions.Store = storeWithoutNews{memory}
		c.Sessions.Keys = [][]byte{signingSecret}
		c.Now = nil
	})
	tokens := s.signIn("alice")
	id, _ := session.ParseID(tokens.SessionID)
	if live, err := memory.End(t.Context(), id, time.Hour); !live || err != nil {
		t.Fatal(live, err)
	}
	for range 2 {
		if got := s.decide(browser{tokens.Access.Token, ""}.request(http.MethodGet)); got != "pass alice" {
			t.Errorf("got %s; want pass alice, and no new cookies", got)
		}
	}
}

// A storeWithoutNews is a Store whose feed announces nothing.
type storeWithoutNews struct{ session.Store }

func (storeWithoutNews) Feed(ctx context.Context, _ func(session.Revocation), upToDate func()) error {
	upToDate()
	<-ctx.Done()
	return ctx.Err()
}

// TestReissueRefreshNotAtEndpoint checks that the refresh endpoint refuses a refresh token
// that was idle for too long, even if the access token is valid and ReissueRefresh is on.
func TestReissueRefreshNotAtEndpoint(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.AccessTTL = 2 * time.Hour
		c.Sessions.RefreshTTL = time.Hour
	})
	tokens := s.signIn("alice")
	s.clock.Advance(time.Hour)
	s.store.taken()
	if got, want := s.send(s.Refresh, browserWith(tokens).post()).text, "401 refresh_expired invalid_grant clear"; got != want {
		t.Errorf("by cookie: got %s; want %s", got, want)
	}
	if got, want := s.send(s.Refresh, browser{}.postJSON(`{"refresh_token":"`+tokens.Refresh+`"}`)).text, refreshExpired; got != want {
		t.Errorf("by body: got %s; want %s", got, want)
	}
	if calls := s.store.taken(); strings.Contains(calls, "Advance") {
		t.Errorf("got store calls %s; want none", calls)
	}
	if got := s.decide(browserWith(tokens).request(http.MethodGet)); got != "pass alice new" {
		t.Errorf("by the access token: got %s", got)
	}
}

// TestReissueRefreshTimeout checks that the store call of a reissue has a deadline, so that
// a store that hangs does not block requests by cookie.
func TestReissueRefreshTimeout(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.Sessions.Timeout = time.Hour
	})
	b := browserWith(s.signIn("alice"))
	var left time.Duration
	s.store.hook(func(ctx context.Context, _ string) error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return nil
	}, nil)
	if got := s.decide(b.request(http.MethodGet)); got != "pass alice" || left > time.Hour || left < time.Minute {
		t.Errorf("got %s, with %v left", got, left)
	}
}
