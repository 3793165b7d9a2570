package jwtgate_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestRenewSubject checks that all access tokens of a subject count as expired on every
// process, that their sessions go on, and that new tokens have the new roles.
func TestRenewSubject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, withCookies)
		other := s.another()
		application := s.another(func(c *jwtgate.Config) { c.Audience = "https://other.example" })
		foreign := s.another(func(c *jwtgate.Config) { c.Issuer = "https://foreign.example" })
		synctest.Wait()
		b, program, bob := browserWith(s.signIn("alice")), s.login("alice"), s.login("bob")
		loose, minted := jwtgatetest.Token(t, s.Auth, "alice"), s.mint(sidOf(t, program.Access), time.Second, nil)
		elsewhere, strange := application.login("alice"), foreign.login("alice")
		ended := s.login("alice")
		s.logout(ended.Refresh)
		s.clock.Advance(time.Minute)
		s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
			return jwtgate.Grant{Roles: []string{"admin"}}, nil
		})
		admin := jwtgate.Role("admin")
		if got, want := s.decide(b.request(http.MethodGet), admin), "403 insufficient_scope"; got != want {
			t.Fatalf("before: got %s; want %s", got, want)
		}
		for range 2 { // the second call is in the same millisecond
			if err := s.RenewSubject(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
		}
		again := s.login("alice")
		synctest.Wait()
		for name, at := range map[string]*testServer{"here": s, "on another process": other} {
			for token, row := range map[string]struct{ access, want string }{
				"of a session":         {program.Access, "401 token_expired"},
				"without a session":    {loose, "401 token_expired"},
				"made elsewhere":       {minted, "401 token_expired"},
				"of an ended session":  {ended.Access, revoked},
				"of another subject":   {bob.Access, "bob"},
				"of a login after it":  {again.Access, "alice"},
				"issued after it":      {jwtgatetest.Token(t, at.Auth, "alice"), "alice"},
				"made elsewhere after": {at.mint("", -time.Second, nil), "alice"},
			} {
				if got := at.authenticate(row.access); got != row.want {
					t.Errorf("%s, a token %s: got %s; want %s", name, token, got, row.want)
				}
			}
			if got, want := at.decide(upgrade(b.request(http.MethodGet))), "401 token_expired"; got != want {
				t.Errorf("%s, a WebSocket: got %s; want %s", name, got, want)
			}
			d := at.Decide(t.Context(), b.request(http.MethodGet), admin)
			if got := at.describe(d); got != "pass alice new" {
				t.Errorf("%s, a browser: got %s; want a renewal", name, got)
			}
			renewed := b
			renewed.receive(d.Response.Header)
			for _, next := range []*testServer{s, other} {
				if got := next.decide(renewed.request(http.MethodGet), admin); got != "pass alice" {
					t.Errorf("%s, the browser's next request: got %s; want no renewal", name, got)
				}
			}
			if got := at.authenticate(at.mustRefresh(program.Refresh).Access); got != "alice" {
				t.Errorf("%s, a program that has refreshed: got %s", name, got)
			}
		}
		if got, want := application.authenticate(elsewhere.Access), "401 token_expired"; got != want {
			t.Errorf("another application of the issuer: got %s; want %s", got, want)
		}
		if got := foreign.authenticate(strange.Access); got != "alice" {
			t.Errorf("another issuer: got %s", got)
		}
		if got := s.liveSessions("alice"); got != 3 {
			t.Errorf("got %d live sessions; want 3", got)
		}
	})
}

// TestRenewSubjectMeanwhile checks that no token gets the roles of before if they change
// while it is being issued.
func TestRenewSubjectMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		synctest.Wait()
		program := s.login("alice")
		for name, issue := range map[string]func() reply{
			"login":   func() reply { return s.login("alice") },
			"refresh": func() reply { return s.mustRefresh(program.Refresh) },
		} {
			calls := 0
			s.setSubject(func(ctx context.Context, subject string) (jwtgate.Grant, error) {
				calls++
				if calls > 1 {
					return jwtgate.Grant{Roles: []string{"new"}}, nil
				}
				s.clock.Advance(time.Second)
				if err := s.RenewSubject(ctx, subject); err != nil {
					t.Error(err)
				}
				s.clock.Advance(time.Second)
				return jwtgate.Grant{Roles: []string{"old"}}, nil
			})
			id := identify(t, s.Auth, issue().Access)
			if id.HasRole("old") || !id.HasRole("new") {
				t.Errorf("%s: got the roles of before", name)
			}
		}
	})
}

// TestRenewSubjectLate checks the answer if the roles of a subject change after they were
// loaded, while the store works: the new token is valid and has the new roles.
func TestRenewSubjectLate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		call   string // of the store, after which the roles change
		change bool
		second error // of the second call of Subject
		want   string
		loads  int
	}{
		{"Create", false, nil, "200", 1},
		{"Create", true, nil, "200", 2},
		{"Advance", false, nil, "200", 1},
		{"Advance", true, nil, "200", 2},
		{"Advance", true, errBroken, "503 unavailable", 2},
		{"Advance", true, jwtgate.ErrNoSubject, refreshRevoked, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t)
			synctest.Wait()
			issue := func() reply {
				return s.send(s.tokenEndpoint(), formRequest("username", "alice", "password", "wonderland"))
			}
			if row.call == "Advance" {
				program := s.login("alice")
				issue = func() reply { return s.refresh(program.Refresh) }
			}
			loads, role := 0, "old"
			s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
				if loads++; loads > 1 && row.second != nil {
					return jwtgate.Grant{}, row.second
				}
				return jwtgate.Grant{Roles: []string{role}}, nil
			})
			s.store.hook(nil, func(ctx context.Context, call string) error {
				if call != row.call || !row.change {
					return nil
				}
				role = "new"
				s.clock.Advance(time.Second)
				return s.RenewSubject(ctx, "alice")
			})
			res := issue()
			if res.text != row.want || loads != row.loads {
				t.Errorf("%s, change %v: got %s after %d loads; want %s after %d", row.call, row.change, res.text, loads, row.want, row.loads)
			}
			if res.text == "200" && !identify(t, s.Auth, res.Access).HasRole(role) {
				t.Errorf("%s, change %v: got the roles of before", row.call, row.change)
			}
		})
	}
}

// TestRenewSubjectLogin checks a login whose subject changes meanwhile, so that it gets no
// tokens: no session is left behind.
func TestRenewSubjectLogin(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		bytes int // of the new claims
		err   error
		want  string
	}{
		{"the new grant fits", 10, nil, "200 new"},
		{"the new grant is too large for a cookie", 5000, nil, "500 internal_error"},
		{"the subject is disabled", 0, jwtgate.ErrNoSubject, "401 invalid_credentials invalid_grant"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t, withCookies)
			synctest.Wait()
			calls := 0
			s.setSubject(func(ctx context.Context, subject string) (jwtgate.Grant, error) {
				if calls++; calls > 1 {
					return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", row.bytes)}}, row.err
				}
				s.clock.Advance(time.Second)
				return jwtgate.Grant{}, s.RenewSubject(ctx, subject)
			})
			if got := s.send(s.loginEndpoint(), browser{}.postJSON(aliceLogin)).text; got != row.want {
				t.Errorf("%s: got %s; want %s", row.name, got, row.want)
			}
			if got, want := s.liveSessions("alice") > 0, row.want == "200 new"; got != want {
				t.Errorf("%s: got a session: %v", row.name, got)
			}
		})
	}
}

// TestRenewSubjectClocks checks that no client refreshes for ever if the clock of the store
// differs from those of the processes.
func TestRenewSubjectClocks(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-time.Hour, -time.Minute, time.Minute, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			store := newTestServer(t, withCookies)
			clock := jwtgatetest.NewClock(serverStart.Add(ahead))
			s := store.another(func(c *jwtgate.Config) { c.Now = clock.Now })
			synctest.Wait()
			b, program := browserWith(s.signIn("alice")), s.login("alice")
			s.mustRefresh(program.Refresh)
			store.clock.Advance(time.Second)
			clock.Advance(time.Second)
			if err := s.RenewSubject(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
			// The replaced token is answered again: no time of its session is after the call.
			if got := s.authenticate(s.mustRefresh(program.Refresh).Access); got != "alice" {
				t.Errorf("%v ahead, a program that refreshes twice: got %s", ahead, got)
			}
			for _, want := range []string{"pass alice new", "pass alice", "pass alice"} {
				d := s.Decide(t.Context(), b.request(http.MethodGet))
				if got := s.describe(d); got != want {
					t.Errorf("%v ahead: got %s; want %s", ahead, got, want)
				}
				b.receive(d.Response.Header)
			}
		})
	}
}

// TestRenewSubjectReissue checks that ReissueRefresh also serves a browser whose access token
// counts as expired, and no other one.
func TestRenewSubjectReissue(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		reissue bool
		refresh func(good string) string
		later   time.Duration // after RenewSubject
		want    string
	}{
		{"no refresh cookie", true, func(string) string { return "" }, 0, "pass alice new"},
		{"a forged one", true, func(string) string { return "x" }, 0, "pass alice new"},
		{"a good one", true, func(good string) string { return good }, 0, "pass alice new"},
		{"no refresh cookie, expired", true, func(string) string { return "" }, time.Hour, "401 token_expired clear"},
		{"no refresh cookie, without ReissueRefresh", false, func(string) string { return "" }, 0, "401 token_expired clear"},
	} {
		s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = row.reissue })
		b := browserWith(s.signIn("alice"))
		b.refresh = row.refresh(b.refresh)
		s.clock.Advance(time.Minute)
		if err := s.RenewSubject(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(row.later)
		if got := s.decide(b.request(http.MethodGet)); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// TestRenewSubjectReissueRefused checks the answer, the events and the log for a browser
// whose access token counts as expired, and whose session gets no new refresh token.
func TestRenewSubjectReissueRefused(t *testing.T) {
	t.Parallel()
	const notDerived = "the session was opened before ReissueRefresh was set"
	lost := func(s *testServer) string { return s.mint(session.NewID(ownerOf("alice")).String(), 0, nil) }
	before := func(s *testServer) string {
		return s.another(func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = false }).signIn("alice").Access.Token
	}
	loose := func(s *testServer) string { return jwtgatetest.Token(t, s.Auth, "alice") }
	live := func(s *testServer) string { return s.signIn("alice").Access.Token }
	large := func(context.Context, string) (jwtgate.Grant, error) {
		return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", 5000)}}, nil
	}
	for _, row := range []struct {
		name    string
		access  func(s *testServer) string
		refresh string
		fails   string // the call of the store that fails
		subject func(context.Context, string) (jwtgate.Grant, error)
		want    string
		events  string
		log     string
	}{
		{"a token of no session", loose, "", "", nil, "401 refresh_invalid clear", "", ""},
		{"a session that the store has lost", lost, "", "", nil, "401 refresh_expired clear", "", ""},
		{"a session of before", before, "", "", nil, "401 refresh_expired clear", "", notDerived},
		{"the store fails", live, "", "Find", nil, "503 unavailable", "store_down alice", ""},
		{"the store fails, and the refresh token is forged", live, "x", "Find", nil, "503 unavailable", "store_down alice", ""},
		{"the new token is too large", live, "", "", large, "500 internal_error", "token_too_large alice", ""},
	} {
		s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
		b := browser{row.access(s), row.refresh}
		s.clock.Advance(time.Minute)
		if err := s.RenewSubject(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		s.events()
		s.setSubject(row.subject)
		s.store.breaks(row.fails, false)
		if got := s.decide(b.request(http.MethodGet)); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
		if got := s.events(); !strings.Contains(got, row.events) || row.events == "" && got != "" {
			t.Errorf("%s: got events %q; want %q", row.name, got, row.events)
		}
		if got, want := s.warnings(notDerived) > 0, row.log == notDerived; got != want {
			t.Errorf("%s: the log says that the session is of before: %v; want %v", row.name, got, want)
		}
	}
}

// TestRenewSubjectWaits checks that RenewSubject returns as soon as the feed has told this
// process of it, even if other calls are still waiting.
func TestRenewSubjectWaits(t *testing.T) {
	t.Parallel()
	const lag = 100 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Store = laggingFeed{c.Sessions.Store, lag} })
		synctest.Wait()
		var calls sync.WaitGroup
		for i, subject := range []string{"alice", "bob", "carol"} {
			calls.Go(func() {
				time.Sleep(time.Duration(i) * lag / 4)
				begun := time.Now()
				if err := s.RenewSubject(t.Context(), subject); err != nil {
					t.Error(err)
				}
				if took := time.Since(begun); took != lag {
					t.Errorf("call %d: got %v; want %v", i, took, lag)
				}
			})
		}
		calls.Wait()
	})
}

// A laggingFeed is a store whose feed announces each revocation with a delay.
type laggingFeed struct {
	session.Store

	lag time.Duration
}

func (s laggingFeed) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	return s.Store.Feed(ctx, func(r session.Revocation) {
		time.AfterFunc(s.lag, func() { announce(r) })
	}, upToDate)
}

// TestRenewSubjectForeign checks that RenewSubject does not concern the tokens of a trusted
// issuer for a subject of the same name.
func TestRenewSubjectForeign(t *testing.T) {
	t.Parallel()
	partner := keys.HS256(unknownSecret)
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Keys: partner}}
	})
	foreign := s.mintWith(unknownSecret, partner.ID(), "", time.Minute, map[string]any{"iss": "https://partner.example"})
	if err := s.RenewSubject(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := s.authenticate(foreign); got != "alice" {
		t.Errorf("got %s; want the token to be accepted", got)
	}
}

// TestRenewSubjectWatch checks that streams end, so that their clients come back with the
// new roles.
func TestRenewSubjectWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, inRealTime)
		other := s.another()
		synctest.Wait()
		id := identify(t, s.Auth, s.login("alice").Access)
		watched, cancel := s.Watch(t.Context(), id)
		defer cancel()
		time.Sleep(time.Second)
		if err := other.RenewSubject(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := ending(watched); got != string(jwtgate.CodeTokenExpired) {
			t.Errorf("got %q; want token_expired", got)
		}
	})
}

// TestRenewSubjectErrors checks what happens without sessions, and when the store or its
// feed fails.
func TestRenewSubjectErrors(t *testing.T) {
	t.Parallel()
	var none *jwtgate.Auth
	if none.RenewSubject(t.Context(), "alice") == nil {
		t.Error("nil Auth: got no error")
	}
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		s := newTestServer(t, onFeed(feed))
		synctest.Wait()
		s.store.breaks("Revoke", false)
		if s.RenewSubject(t.Context(), "alice") == nil {
			t.Error("store down: got no error")
		}
		s.store.mend()
		feed.set(feedHangs)
		synctest.Wait()
		begun := time.Now()
		if err := s.RenewSubject(t.Context(), "alice"); err != nil || time.Since(begun) != time.Second {
			t.Errorf("feed late: got error %v after %v; want none after a second", err, time.Since(begun))
		}
	})
}
