package jwtgate_test

import (
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

// onStore is an option: sessions are kept in store.
func onStore(store session.Store) func(*jwtgate.Config) {
	return func(c *jwtgate.Config) { c.Sessions.Store = store }
}

// empty makes the store forget everything, like a Redis server with FLUSHALL.
func (s *switchedFeed) empty(now func() time.Time) {
	s.Store = session.NewMemory(0, now)
	s.set(feedWorks)
}

// TestSessionsThatTheStoreLost checks that a logout revokes the access tokens of sessions that
// the store has lost, on every process, and that a login right after it works, whatever the
// clocks of the processes say.
func TestSessionsThatTheStoreLost(t *testing.T) {
	t.Parallel()
	type logout func(s *testServer, lost, again reply) string
	all := func(s *testServer, _, again reply) string {
		return s.send(s.LogoutAll, withToken(formRequest(), again.Access)).text
	}
	operator := func(s *testServer, _, _ reply) string {
		if err := s.EndSessions(t.Context(), "alice"); err != nil {
			return err.Error()
		}
		return "204"
	}
	for _, row := range []struct {
		name   string
		end    logout
		others string // what other tokens of alice are afterwards
	}{
		{"/logout/all", all, revoked},
		{"EndSessions", operator, revoked},
		{"EndSession", func(s *testServer, lost, _ reply) string {
			if err := s.EndSession(t.Context(), sidOf(t, lost.Access)); err != nil {
				return err.Error()
			}
			return "204"
		}, "alice"},
		{"/logout by refresh token", func(s *testServer, lost, _ reply) string {
			return s.send(s.Logout, formRequest("refresh_token", lost.Refresh)).text
		}, "alice"},
		{"/logout by access token", func(s *testServer, lost, _ reply) string {
			return s.send(s.Logout, withToken(formRequest(), lost.Access)).text
		}, "alice"},
	} {
		for _, off := range []time.Duration{0, time.Minute, -time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				store := &switchedFeed{}
				s := newTestServer(t, onStore(store), func(c *jwtgate.Config) { store.Store = session.NewMemory(0, c.Now) })
				other := s.another(func(c *jwtgate.Config) {
					c.Now = func() time.Time { return s.clock.Now().Add(off) }
				})
				synctest.Wait()
				lost, further := s.login("alice"), other.login("alice")
				loose := jwtgatetest.Token(t, other.Auth, "alice")
				bob := s.login("bob")
				s.clock.Advance(time.Millisecond)
				synctest.Wait()
				store.empty(s.clock.Now)
				synctest.Wait()
				again := other.login("alice")
				s.clock.Advance(time.Millisecond)
				if got := row.end(other.subtest(t), lost, again); got != "204" {
					t.Fatalf("%s, clock off by %v: got %s", row.name, off, got)
				}
				after := other.login("alice") // in the same millisecond
				atOnce := other.authenticate(lost.Access)
				time.Sleep(2 * time.Second) // the feeds read the new store
				synctest.Wait()
				for name, at := range map[string]*testServer{"that process": other, "another": s} {
					got := [...]string{at.authenticate(lost.Access), at.authenticate(further.Access), at.authenticate(loose), at.authenticate(after.Access), at.authenticate(bob.Access)}
					if want := [...]string{revoked, row.others, row.others, "alice", "bob"}; got != want || atOnce != revoked {
						t.Errorf("%s, clock off by %v, at %s: got %q, and %s at once; want %q", row.name, off, name, got, atOnce, want)
					}
				}
			})
		}
	}
}
