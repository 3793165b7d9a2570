package jwtgate_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestEndSessions checks EndSession and EndSessions, with which an operator ends sessions.
func TestEndSessions(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	first, second, third, bob := s.login("alice"), s.login("alice"), s.login("alice"), s.login("bob")
	loose := jwtgatetest.Token(t, s.Auth, "alice")
	in := func() string {
		var who []string
		for name, access := range map[string]string{"1": first.Access, "2": second.Access, "3": third.Access, "bob": bob.Access, "loose": loose} {
			if s.authenticate(access) != revoked {
				who = append(who, name)
			}
		}
		return sortedWords(who)
	}
	s.events()
	for _, row := range []struct {
		name string
		end  func() error
		want string
		told string
	}{
		{"one", func() error { return s.EndSession(t.Context(), sidOf(t, third.Access)) }, "1 2 bob loose", "ended " + sidOf(t, third.Access)},
		{"one again", func() error { return s.EndSession(t.Context(), sidOf(t, third.Access)) }, "1 2 bob loose", ""},
		{"one that never was", func() error { return s.EndSession(t.Context(), session.NewID(ownerOf("alice")).String()) }, "1 2 bob loose", ""},
		{"no id", func() error { return s.EndSession(t.Context(), "alice") }, "1 2 bob loose", ""},
		{"all but one", func() error { return s.EndSessions(t.Context(), "alice", sidOf(t, first.Access)) }, "1 bob loose", "ended_all alice"},
		{"nobody's", func() error { return s.EndSessions(t.Context(), "nobody") }, "1 bob loose", "ended_all nobody"},
		{"all", func() error { return s.EndSessions(t.Context(), "alice") }, "bob", "ended_all alice"},
	} {
		if err := row.end(); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if got := in(); got != row.want {
			t.Errorf("%s: still valid: %s; want %s", row.name, got, row.want)
		}
		if got := s.events(); got != row.told {
			t.Errorf("%s: got events %q; want %q", row.name, got, row.told)
		}
	}
	for call, end := range map[string]func() error{
		"Find":   func() error { return s.EndSession(t.Context(), sidOf(t, bob.Access)) },
		"End":    func() error { return s.EndSession(t.Context(), sidOf(t, bob.Access)) },
		"EndAll": func() error { return s.EndSessions(t.Context(), "bob") },
	} {
		s.store.breaks(call, false)
		if err := end(); !errors.Is(err, errBroken) {
			t.Errorf("%s fails: %v", call, err)
		}
		s.store.mend()
	}
	if got := in(); got != "bob" {
		t.Errorf("after the errors: still valid: %s", got)
	}
	s.store.taken()
	_ = s.EndSession(t.Context(), "alice")
	if got := s.store.taken(); got != "" {
		t.Errorf("no id: got store calls %s; want none", got)
	}
}

// TestEndSessionsWithoutSession checks that the process that ends all sessions of a subject
// refuses access tokens without a session at once, unless there are exceptions.
func TestEndSessionsWithoutSession(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		except func(sid string) []string
		want   string
		held   int // revocations
	}{
		{"no exception", func(string) []string { return nil }, revoked, 2},
		{"an exception", func(sid string) []string { return []string{sid} }, "alice", 0},
		{"an exception that is no id", func(string) []string { return []string{"alice"} }, revoked, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			feed := &switchedFeed{}
			s := newTestServer(t, onFeed(feed))
			synctest.Wait()
			tokens, loose := s.login("alice"), jwtgatetest.Token(t, s.Auth, "alice")
			feed.set(feedMute)
			synctest.Wait()
			if err := s.EndSessions(t.Context(), "alice", row.except(sidOf(t, tokens.Access))...); err != nil {
				t.Fatal(err)
			}
			if got := s.authenticate(loose); got != row.want || s.HeldRevocations() != row.held {
				t.Errorf("%s: got %s, and %d revocations; want %s, and %d", row.name, got, s.HeldRevocations(), row.want, row.held)
			}
		})
	}
}

// TestEndedAtOnce checks that the process that ends sessions refuses their tokens at once,
// before the feed of the store says so.
func TestEndedAtOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		end  func(s *testServer, first, second reply)
		want string // what the tokens of the second session are
	}{
		{"/logout", func(s *testServer, first, _ reply) { s.logout(first.Refresh) }, "alice"},
		{"EndSession", func(s *testServer, first, _ reply) { _ = s.EndSession(t.Context(), sidOf(t, first.Access)) }, "alice"},
		{"all but one", func(s *testServer, _, second reply) { _ = s.EndSessions(t.Context(), "alice", sidOf(t, second.Access)) }, "alice"},
		{"all but one, and the store fails after it", func(s *testServer, _, second reply) {
			s.store.breaks("EndAll", true)
			_ = s.EndSessions(t.Context(), "alice", sidOf(t, second.Access))
		}, "alice"},
		{"all", func(s *testServer, _, _ reply) { _ = s.EndSessions(t.Context(), "alice") }, revoked},
		{"stolen", func(s *testServer, first, _ reply) {
			s.clock.Advance(time.Minute)
			s.refresh(s.refresh(first.Refresh).Refresh)
			s.clock.Advance(time.Minute)
			s.refresh(first.Refresh)
		}, "alice"},
	} {
		synctest.Test(t, func(t *testing.T) {
			feed := &switchedFeed{}
			s := newTestServer(t, onFeed(feed))
			synctest.Wait()
			first, second := s.login("alice"), s.login("alice")
			feed.set(feedMute)
			synctest.Wait()
			row.end(s, first, second)
			got := [...]string{s.authenticate(first.Access), s.authenticate(second.Access)}
			if want := [...]string{revoked, row.want}; got != want {
				t.Errorf("%s: got %q; want %q", row.name, got, want)
			}
		})
	}
}

// TestEndSessionAgain checks that ending a session that the store does not know revokes it
// once, and again after that revocation has expired.
func TestEndSessionAgain(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	sid := session.NewID(ownerOf("alice")).String()
	for i, row := range []struct {
		after time.Duration
		want  string // the calls of the store
	}{{0, "Find End Revoke"}, {0, "Find End"}, {time.Hour, "Find End Revoke"}, {time.Minute, "Find End"}} {
		s.clock.Advance(row.after)
		s.store.taken()
		if err := s.EndSession(t.Context(), sid); err != nil {
			t.Fatal(err)
		}
		if got := s.store.taken(); got != row.want {
			t.Errorf("call %d: got store calls %s; want %s", i+1, got, row.want)
		}
	}
}

// TestEndSessionsExceptForeignSession checks that the session of another subject as an
// exception of EndSessions has no effect.
func TestEndSessionsExceptForeignSession(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	alice, bob := s.login("alice"), s.login("bob")
	if err := s.EndSessions(t.Context(), "alice", sidOf(t, bob.Access)); err != nil {
		t.Fatal(err)
	}
	if s.authenticate(alice.Access) != revoked || s.authenticate(bob.Access) != "bob" {
		t.Errorf("alice is %s, bob is %s", s.authenticate(alice.Access), s.authenticate(bob.Access))
	}
}

// TestEndSessionsByClocksThatDiffer checks that EndSessions also revokes access tokens without
// a session on every process, when the clocks of the processes differ.
func TestEndSessionsByClocksThatDiffer(t *testing.T) {
	t.Parallel()
	lenient := func(c *jwtgate.Config) { c.Leeway = 5 * time.Second }
	for _, row := range []struct {
		name string
		off  time.Duration // of the clock of the process that ends them
	}{
		{"as the store's", 0},
		{"ahead of the store's", 3 * time.Second},
		{"behind the store's", -3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t, lenient)
			off := s.another(lenient, func(c *jwtgate.Config) {
				c.Now = func() time.Time { return s.clock.Now().Add(row.off) }
			})
			tokens := map[string]string{"that process": jwtgatetest.Token(t, off.Auth, "alice"), "this one": jwtgatetest.Token(t, s.Auth, "alice")}
			if err := off.EndSessions(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			for of, token := range tokens {
				if got := s.authenticate(token); got != revoked {
					t.Errorf("a clock %s: the token of %s is still %s's; want %s", row.name, of, got, revoked)
				}
			}
			s.clock.Advance(4 * time.Second)
			if got := s.authenticate(jwtgatetest.Token(t, s.Auth, "alice")); got != "alice" {
				t.Errorf("a clock %s: got %s for a token made later", row.name, got)
			}
		})
	}
}

// TestEndSessionsTimeout checks that EndSession and EndSessions give up a store call that
// hangs after Timeout.
func TestEndSessionsTimeout(t *testing.T) {
	t.Parallel()
	for call, end := range map[string]func(s *testServer, sid string) error{
		"End":    func(s *testServer, sid string) error { return s.EndSession(s.tb.Context(), sid) },
		"EndAll": func(s *testServer, _ string) error { return s.EndSessions(s.tb.Context(), "alice") },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t)
			tokens := s.login("alice")
			s.store.hangs(call)
			begun := time.Now()
			if err := end(s, sidOf(t, tokens.Access)); err == nil || time.Since(begun) != 5*time.Second {
				t.Errorf("%s hangs: %v after %v; want an error after 5s", call, err, time.Since(begun))
			}
		})
	}
}
