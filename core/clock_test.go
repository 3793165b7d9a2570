package jwtgate_test

import (
	"net/http"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// apart returns two processes of a service with one store. The clock of the second one,
// which is also that of the store, is ahead by the given duration.
func apart(t *testing.T, ahead time.Duration) (behind, first *testServer) {
	t.Helper()
	first = newTestServer(t, withCookies)
	clock := jwtgatetest.NewClock(serverStart.Add(-ahead))
	behind = first.another(func(c *jwtgate.Config) { c.Now = clock.Now })
	behind.clock = clock
	return behind, first
}

// TestClocksApart checks that a browser and a program that sign in at one process are
// served by another one whose clock is behind.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		ahead            time.Duration
		browser, program string
		logged           bool
	}{
		{3 * time.Second, "pass alice", "alice", false},
		{time.Minute, "pass alice", "alice", false},
		{61 * time.Second, "pass alice new", "401 token_invalid", true},
		{90 * time.Second, "pass alice new", "401 token_invalid", true},
		{time.Hour, "pass alice new", "401 token_invalid", true},
	} {
		behind, first := apart(t, row.ahead)
		tokens := first.signIn("alice")
		b := browserWith(tokens)
		d := behind.Decide(t.Context(), b.request(http.MethodPost))
		if got := behind.describe(d); got != row.browser {
			t.Errorf("%v ahead: got %s; want %s", row.ahead, got, row.browser)
		}
		b.receive(d.Response.Header)
		if row.ahead < 15*time.Minute { // the lifetime of its new access token
			if got, want := first.decide(b.request(http.MethodPost)), "pass alice"; got != want {
				t.Errorf("%v ahead: back at the first process: got %s; want %s", row.ahead, got, want)
			}
		}
		if got := behind.authenticate(tokens.Access.Token); got != row.program {
			t.Errorf("%v ahead: a program: got %s; want %s", row.ahead, got, row.program)
		}
		if got := behind.mustRefresh(first.login("bob").Refresh); behind.authenticate(got.Access) != "bob" {
			t.Errorf("%v ahead: a program that has refreshed: got %s", row.ahead, behind.authenticate(got.Access))
		}
		if got := behind.warnings("an access token was issued in the future"); (got > 0) != row.logged {
			t.Errorf("%v ahead: logged %d times; want %v", row.ahead, got, row.logged)
		}
	}
}

// TestEarlyCookie checks what is done with a genuine access cookie that was issued in the
// future: the refresh token of its own session renews it, and no other. Where nothing can
// renew it, the cookies stay.
func TestEarlyCookie(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ refresh, want string }{
		{"good", "pass alice new"},
		{"rotated", "pass alice new"},
		{"just replaced", "pass alice new"},
		{"late", "pass alice new"},
		{"stale", "401 refresh_stale"},
		{"replayed", "401 refresh_reused clear"},
		{"expired", "401 refresh_expired clear"},
		{"of an unknown session", "401 refresh_expired clear"},
		{"ended", "401 refresh_revoked clear"},
		{"absent", "401 token_invalid"},
		{"of another session", "401 token_invalid"},
		{"forged", "401 token_invalid"},
		{"cut short", "401 token_invalid"},
		{"an access token", "401 token_invalid"},
		{"malformed", "401 token_invalid"},
		{"two cookies", "400 malformed_credentials"},
	} {
		for name, change := range map[string]map[string]any{"iat": nil, "nbf": {"iat": nil, "nbf": serverStart.Add(31 * 24 * time.Hour).Unix(), "exp": serverStart.Add(31*24*time.Hour + time.Minute).Unix()}} {
			s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.MaxLifetime = 400 * 24 * time.Hour })
			refresh, sid := refreshStates[row.refresh](s)
			b := browser{s.mint(sid, -61*time.Second, change), refresh}
			if got := s.decide(b.request(http.MethodGet)); got != row.want {
				t.Errorf("%s ahead, refresh %s: got %s; want %s", name, row.refresh, got, row.want)
			}
		}
	}

	s := newTestServer(t, withCookies)
	tokens := s.signIn("alice")
	early := s.mint(tokens.SessionID, -61*time.Second, nil)
	get := browser{early, tokens.Refresh}.request(http.MethodGet)
	for _, row := range []struct {
		name  string
		req   jwtgate.Request
		rules []jwtgate.Rule
	}{
		{"Upgrade", upgrade(get), nil},
		{"NoRenewal", get, []jwtgate.Rule{jwtgate.NoRenewal()}},
		{"Bearer", withToken(get, early), nil},
		{"without a session", browser{s.mint("", -61*time.Second, nil), tokens.Refresh}.request(http.MethodGet), nil},
	} {
		if got, want := s.decide(row.req, row.rules...), "401 token_invalid"; got != want {
			t.Errorf("%s: got %s; want %s", row.name, got, want)
		}
	}
	if got := s.send(s.Logout, browser{early, ""}.post()).text; got != "204 clear" || s.isLive(tokens.SessionID) {
		t.Errorf("logout by an early cookie: got %s, the session is live: %v", got, s.isLive(tokens.SessionID))
	}
}

// TestClockWarnings checks how often the log says by how much clocks differ.
func TestClockWarnings(t *testing.T) {
	t.Parallel()
	behind, first := apart(t, 90*time.Second)
	const early, store = `level=WARN msg="an access token was issued in the future`, `level=WARN msg="the clock of this server differs from that of the session store`
	tokens := first.signIn("alice")
	pass := func(by time.Duration) {
		behind.clock.Advance(by)
		first.clock.Advance(by)
	}
	for minute := range 3 {
		for range 3 {
			behind.authenticate(first.signIn("alice").Access.Token)
			behind.signIn("bob")
			if got := behind.warnings(early); got != minute+1 {
				t.Errorf("minute %d: got %d warnings of early tokens; want %d", minute, got, minute+1)
			}
			if got := behind.warnings(store); got != minute+1 {
				t.Errorf("minute %d: got %d warnings of the store's clock; want %d", minute, got, minute+1)
			}
			pass(19 * time.Second)
		}
		pass(3 * time.Second)
	}
	pass(-time.Hour) // a clock that is set back does not silence the log
	behind.mustRefresh(tokens.Refresh)
	if got := behind.warnings(store); got != 4 {
		t.Errorf("after a rotation: got %d warnings of the store's clock; want 4", got)
	}
	pass(-time.Minute)
	behind.signIn("bob")
	if got := behind.warnings(store); got != 5 {
		t.Errorf("set back by a minute: got %d warnings of the store's clock; want 5", got)
	}
	for _, amount := range []string{early + `: set the clocks of this server and of the issuer by a time server" issuer=` + serverIssuer + " ahead=1m30s", "ahead=-1m30s"} {
		if behind.warnings(amount) == 0 {
			t.Errorf("the log does not have %s", amount)
		}
	}
}

// TestStoreClock checks by how much the clock of the store must differ from that of a process
// for a warning, and for [jwtgate.Stats].
func TestStoreClock(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		ahead   time.Duration // the clock of the store
		stats   time.Duration
		warning string // empty: none
	}{
		{0, 0, ""},
		{-500 * time.Microsecond, 0, ""},
		{3 * time.Second, 3 * time.Second, ""},
		{-3 * time.Second, -3 * time.Second, ""},
		{time.Minute, time.Minute, ""},
		{61 * time.Second, 61 * time.Second, "ahead=-1m1s"},
		{-2 * time.Minute, -2 * time.Minute, "ahead=2m0s"},
	} {
		s, _ := apart(t, row.ahead)
		s.signIn("alice")
		if got := s.Stats().StoreAhead; got != row.stats {
			t.Errorf("store ahead by %v: got %v; want %v", row.ahead, got, row.stats)
		}
		want, text := 0, "the clock of this server differs from that of the session store"
		if row.warning != "" {
			want, text = 1, text+`: set both by a time server" `+row.warning
		}
		if got := s.warnings(text); got != want {
			t.Errorf("store ahead by %v: got %d warnings with %s; want %d", row.ahead, got, text, want)
		}
	}
}
