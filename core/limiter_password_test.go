package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// attempts makes logins one after the other, and returns how many of them the limiter let
// through.
func attempts(tb testing.TB, l *jwtgate.PasswordLimiter, n int, wrong bool, login func(i int) jwtgate.LoginAttempt) int {
	tb.Helper()
	passed := 0
	for i := range n {
		done, wait, err := l.Begin(tb.Context(), login(i))
		switch {
		case err != nil:
			tb.Fatal(err)
		case (wait == 0) != (done != nil):
			tb.Fatalf("got wait %v and done %v", wait, done != nil)
		case wait == 0:
			passed++
			done(wrong)
		}
	}
	return passed
}

func TestPasswordLimiter(t *testing.T) {
	t.Parallel()
	from := func(addr func(i int) string) func(i int) jwtgate.LoginAttempt {
		return func(i int) jwtgate.LoginAttempt {
			return jwtgate.LoginAttempt{Username: fmt.Sprint(i), Address: netip.MustParseAddr(addr(i))}
		}
	}
	numbered := func(i int) jwtgate.LoginAttempt { return jwtgate.LoginAttempt{Username: fmt.Sprint(i)} }
	varies := func(names ...string) func(i int) jwtgate.LoginAttempt {
		return func(i int) jwtgate.LoginAttempt { return jwtgate.LoginAttempt{Username: names[i%len(names)]} }
	}
	for _, row := range []struct {
		name    string
		limiter *jwtgate.PasswordLimiter
		wrong   bool
		login   func(i int) jwtgate.LoginAttempt
		want    int // of 1000 logins
	}{
		{"wrong, default", &jwtgate.PasswordLimiter{}, true, varies("alice"), 30},
		{"wrong, another limit", &jwtgate.PasswordLimiter{Failures: 7}, true, varies("alice"), 7},
		{"right", &jwtgate.PasswordLimiter{}, false, varies("alice"), 1000},
		{"wrong, many names", &jwtgate.PasswordLimiter{}, true, numbered, 1000},
		{"other case", &jwtgate.PasswordLimiter{}, true, varies("alice", "ALICE", " Alice\t"), 30},
		{"long s", &jwtgate.PasswordLimiter{}, true, varies("susi", "ſusi", "SUSI"), 30},
		{"Account", &jwtgate.PasswordLimiter{Account: func(string) string { return "" }}, true, numbered, 30},
		{"one address, default", &jwtgate.PasswordLimiter{}, true, from(func(int) string { return "192.0.2.1" }), 300},
		{"one address, ten times Failures", &jwtgate.PasswordLimiter{Failures: 2}, true, from(func(int) string { return "192.0.2.1" }), 20},
		{"one address, another limit", &jwtgate.PasswordLimiter{AddressFailures: 50}, true, from(func(int) string { return "192.0.2.1" }), 50},
		{"one address, right", &jwtgate.PasswordLimiter{}, false, from(func(int) string { return "192.0.2.1" }), 1000},
		{"one address, mapped", &jwtgate.PasswordLimiter{}, true, from(func(i int) string { return []string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2] }), 300},
		{"many addresses", &jwtgate.PasswordLimiter{}, true, from(func(i int) string { return fmt.Sprintf("192.0.%d.%d", i/100, i%100) }), 1000},
		{"IPv6, one network", &jwtgate.PasswordLimiter{}, true, from(func(i int) string { return fmt.Sprintf("2001:db8::%x", i) }), 300},
		{"IPv6, many networks", &jwtgate.PasswordLimiter{}, true, from(func(i int) string { return fmt.Sprintf("2001:db8:0:%x::1", i) }), 1000},
		{"limits out of range", &jwtgate.PasswordLimiter{Failures: -1, AddressFailures: -1}, true, varies("alice"), 30},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			clock := jwtgatetest.NewClock(serverStart)
			row.limiter.Now = clock.Now
			if got := attempts(t, row.limiter, 1000, row.wrong, row.login); got != row.want {
				t.Errorf("got %d passwords checked; want %d", got, row.want)
			}
		})
	}
}

// TestPasswordLimiterRight checks that a right password does not reset a counter: whoever has an
// account could otherwise guess without a limit.
func TestPasswordLimiterRight(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("192.0.2.1")
	for _, row := range []struct {
		name         string
		limit        int // of a name
		wrong, right jwtgate.LoginAttempt
	}{
		{"of the same name", 30, jwtgate.LoginAttempt{Username: "alice"}, jwtgate.LoginAttempt{Username: "alice"}},
		{"from the same address", 60, jwtgate.LoginAttempt{Username: "alice", Address: address}, jwtgate.LoginAttempt{Username: "mallory", Address: address}},
	} {
		l := &jwtgate.PasswordLimiter{Failures: row.limit, AddressFailures: 30, Now: jwtgatetest.NewClock(serverStart).Now}
		got := 0
		for range 100 {
			got += attempts(t, l, 1, true, func(int) jwtgate.LoginAttempt { return row.wrong })
			attempts(t, l, 1, false, func(int) jwtgate.LoginAttempt { return row.right })
		}
		if got != 30 {
			t.Errorf("a right password %s after each wrong one: got %d wrong ones checked; want 30", row.name, got)
		}
	}
}

// TestPasswordLimiterForgets checks that failures are forgotten one by one, that refused
// logins do not count, and how long a client is told to wait.
func TestPasswordLimiterForgets(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(serverStart)
	l := &jwtgate.PasswordLimiter{Failures: 30, Now: clock.Now}
	alice := func(int) jwtgate.LoginAttempt { return jwtgate.LoginAttempt{Username: "alice"} }
	for _, row := range []struct {
		after time.Duration
		want  int           // passwords checked of 100
		wait  time.Duration // then
	}{
		{0, 30, 2 * time.Second},
		{1500 * time.Millisecond, 0, 500 * time.Millisecond},
		{500 * time.Millisecond, 1, 2 * time.Second},
		{20 * time.Second, 10, 2 * time.Second},
		{time.Hour, 30, 2 * time.Second},
		{-30 * time.Second, 0, 32 * time.Second}, // the clock is set back
	} {
		clock.Advance(row.after)
		if got := attempts(t, l, 100, true, alice); got != row.want {
			t.Errorf("after %v: got %d passwords checked; want %d", row.after, got, row.want)
		}
		if _, wait, err := l.Begin(t.Context(), alice(0)); wait != row.wait || err != nil {
			t.Errorf("after %v: got wait %v, %v; want %v", row.after, wait, err, row.wait)
		}
	}
}

// TestPasswordLimiterParallel checks that parallel guesses are not more than others, and
// that parallel logins with the right password are not refused.
func TestPasswordLimiterParallel(t *testing.T) {
	t.Parallel()
	oneName := func(int) jwtgate.LoginAttempt { return jwtgate.LoginAttempt{Username: "alice"} }
	oneAddress := func(i int) jwtgate.LoginAttempt {
		return jwtgate.LoginAttempt{Username: fmt.Sprint(i), Address: netip.MustParseAddr("192.0.2.1")}
	}
	for _, row := range []struct {
		name  string
		login func(i int) jwtgate.LoginAttempt
		wrong bool
		want  int64
	}{ // while the checks go on, one failure is forgotten
		{"one name", oneName, true, 31},
		{"one name", oneName, false, 500},
		{"one address", oneAddress, true, 31},
		{"one address", oneAddress, false, 500},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &jwtgate.PasswordLimiter{Failures: 30, AddressFailures: 30}
			var passed, running, most atomic.Int64
			var wait sync.WaitGroup
			for i := range 500 {
				wait.Go(func() {
					done, refused, err := l.Begin(t.Context(), row.login(i))
					if err != nil || refused > 0 {
						return
					}
					passed.Add(1)
					if now := running.Add(1); now > most.Load() {
						most.Store(now)
					}
					time.Sleep(2 * time.Second) // a slow hash
					running.Add(-1)
					done(row.wrong)
					done(!row.wrong) // a second call has no effect
				})
			}
			wait.Wait()
			if passed.Load() < 30 || passed.Load() > row.want || most.Load() > 30 {
				t.Errorf("%s, wrong %v: got %d passwords checked, %d at a time; want %d, 30 at a time", row.name, row.wrong, passed.Load(), most.Load(), row.want)
			}
			if !row.wrong && passed.Load() != 500 {
				t.Errorf("%s: got %d right passwords checked; want 500", row.name, passed.Load())
			}
		})
	}
}

// TestPasswordLimiterHangUp checks that a login that waits for others ends with its request.
func TestPasswordLimiterHangUp(t *testing.T) {
	t.Parallel()
	l := &jwtgate.PasswordLimiter{Failures: 1}
	alice := jwtgate.LoginAttempt{Username: "alice"}
	done, _, err := l.Begin(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, _, err := l.Begin(gone, alice); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v; want that of the context", err)
	}
	done(false)
	if _, wait, err := l.Begin(gone, alice); wait != 0 || err != nil {
		t.Errorf("got wait %v, %v; want none", wait, err)
	}
}

// TestPasswordLimiterMadeUpNames checks that made-up names neither reset a counter nor limit
// other names.
func TestPasswordLimiterMadeUpNames(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(serverStart)
	l := &jwtgate.PasswordLimiter{Now: clock.Now}
	alice := func(int) jwtgate.LoginAttempt { return jwtgate.LoginAttempt{Username: "alice"} }
	numbered := func(name string) func(int) jwtgate.LoginAttempt {
		return func(i int) jwtgate.LoginAttempt { return jwtgate.LoginAttempt{Username: fmt.Sprint(name, i)} }
	}
	attempts(t, l, 30, true, alice)
	attempts(t, l, 20_000, true, numbered("made up "))
	for i := range 100 {
		attempts(t, l, 30, true, func(int) jwtgate.LoginAttempt { return jwtgate.LoginAttempt{Username: fmt.Sprint("attacked ", i)} })
	}
	if got := attempts(t, l, 1, true, alice); got != 0 {
		t.Error("made-up names have reset the counter of alice")
	}
	if got := attempts(t, l, 1_000, false, numbered("honest ")); got != 1_000 {
		t.Errorf("got %d of 1000 honest logins checked", got)
	}
}

// TestLoginFailures checks the limit at the endpoints: it does not tell whether an account
// exists, it covers both endpoints, and every refusal is an event.
func TestLoginFailures(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"alice", "nobody"} {
		s := newTestServer(t, withCookies, func(c *jwtgate.Config) {
			c.Sessions.Limiter = &jwtgate.PasswordLimiter{Failures: 3, Now: c.Now}
		})
		if name == "nobody" {
			s.setSubject(unknownSubject)
		}
		login := func(endpoint jwtgate.Endpoint, password string) reply {
			req := formRequest("username", name, "password", password)
			req.Peer = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
			return s.send(endpoint, withField(req, "User-Agent", "a browser"))
		}
		s.events()
		const refused, failed = "429 throttled", "401 invalid_credentials invalid_grant"
		for i, row := range []struct {
			endpoint       jwtgate.Endpoint
			password, want string
			events         string
		}{
			{s.loginEndpoint(), "guess 1", failed, "login_failed as " + name + " from 192.0.2.1 by a browser"},
			{s.tokenEndpoint(), "guess 2", failed, "login_failed as " + name + " from 192.0.2.1 by a browser"},
			{s.tokenEndpoint(), "guess 3", failed, "login_failed as " + name + " from 192.0.2.1 by a browser"},
			{s.tokenEndpoint(), "guess 4", refused, "throttled as " + name + " from 192.0.2.1 by a browser"},
			{s.loginEndpoint(), "wonderland", refused, "throttled as " + name + " from 192.0.2.1 by a browser"},
		} {
			got := login(row.endpoint, row.password)
			if got.text != row.want {
				t.Errorf("%s, login %d: got %s; want %s", name, i+1, got.text, row.want)
			}
			if after := field(got.Response, "Retry-After"); got.text == refused && after != "20" {
				t.Errorf("%s, login %d: got Retry-After %s; want 20", name, i+1, after)
			}
			if got := s.events(); got != row.events {
				t.Errorf("%s, login %d: got events %q; want %q", name, i+1, got, row.events)
			}
		}
		s.clock.Advance(20 * time.Second)
		answer := map[string]string{"alice": "200", "nobody": failed}[name]
		if got := login(s.tokenEndpoint(), "wonderland").text; got != answer {
			t.Errorf("%s, after Retry-After: got %s; want %s", name, got, answer)
		}
		got, want := s.events(), map[string]string{"alice": "signed_in alice ", "nobody": "login_failed nobody "}[name]
		if !strings.HasPrefix(got, want) || !strings.Contains(got, "from 192.0.2.1 by a browser") {
			t.Errorf("right password of %s: got events %q; want %q and the address", name, got, want)
		}
	}
}

// TestCheckThatFails checks that a password check that fails or panics counts as no failure,
// and is no check in progress for ever.
func TestCheckThatFails(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Limiter = &jwtgate.PasswordLimiter{Failures: 1} })
	panics := s.Auth.Token(func(context.Context, string, string) (string, bool, error) { panic("tea") })
	for range 3 {
		if got, want := s.send(s.tokenEndpoint(), formRequest("username", "broken", "password", "x")).text, "503 unavailable"; got != want {
			t.Errorf("got %s; want %s", got, want)
		}
		func() {
			defer func() { _ = recover() }()
			panics(t.Context(), formRequest("username", "broken", "password", "x"))
			t.Error("the panic was swallowed")
		}()
	}
}

// TestClientAddress checks that Config.ClientAddress replaces the peer's address.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Sessions.Limiter = &jwtgate.PasswordLimiter{AddressFailures: 1}
		c.ClientAddress = func(req jwtgate.Request) netip.Addr {
			addr, _ := netip.ParseAddr(req.First("X-Real-IP"))
			return addr
		}
	})
	for i, row := range []struct{ client, want string }{
		{"192.0.2.1", "401 invalid_credentials invalid_grant"},
		{"192.0.2.1", "429 throttled"},
		{"192.0.2.2", "401 invalid_credentials invalid_grant"},
		{"", "401 invalid_credentials invalid_grant"}, // not known: not limited by address
		{"", "401 invalid_credentials invalid_grant"},
	} {
		req := withField(formRequest("username", fmt.Sprint(i), "password", "guess"), "X-Real-Ip", row.client)
		req.Peer = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}
		if got := s.send(s.tokenEndpoint(), req).text; got != row.want {
			t.Errorf("login %d from %q: got %s; want %s", i, row.client, got, row.want)
		}
	}
	s.events()
	if _, err := s.SignIn(t.Context(), jwtgate.Request{Header: http.Header{"X-Real-Ip": {"192.0.2.3"}}}, "alice"); err != nil {
		t.Fatal(err)
	}
	if got := s.recorder.events(); len(got) < 14 || got[len(got)-14:] != "from 192.0.2.3" {
		t.Errorf("got events %q; want the address", got)
	}
}

// BenchmarkPasswordLimiter measures what the limiter adds to a login: the password hash
// takes some 50 ms.
func BenchmarkPasswordLimiter(b *testing.B) {
	for _, row := range []struct {
		name  string
		wrong bool
		limit int
	}{{"right", false, 0}, {"wrong", true, 100_000}, {"refused", true, 1}} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			l := &jwtgate.PasswordLimiter{Failures: row.limit}
			login := jwtgate.LoginAttempt{Username: "alice", Address: netip.MustParseAddr("192.0.2.1")}
			for b.Loop() {
				if done, _, _ := l.Begin(b.Context(), login); done != nil {
					done(row.wrong)
				}
			}
		})
	}
}
