package jwtgate_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// inRealTime is an option: the clock of the Auth and of its store is that of the bubble.
func inRealTime(c *jwtgate.Config) {
	c.Now = time.Now
	c.Sessions.Store = session.NewMemory(0, time.Now)
}

// identify returns the identity that a finds in an access token.
func identify(t *testing.T, a *jwtgate.Auth, access string) *jwtgate.Identity {
	t.Helper()
	d := a.Decide(t.Context(), withBearer(access))
	if d.Refusal != nil {
		t.Fatal(d.Refusal)
	}
	return d.Identity
}

// ending returns how a watched context has ended: "" if it has not, the code of a refusal,
// or the text of another cause.
func ending(watched context.Context) string {
	cause := context.Cause(watched)
	if refusal := (*jwtgate.Refusal)(nil); errors.As(cause, &refusal) {
		return string(refusal.Code)
	}
	if cause != nil {
		return cause.Error()
	}
	return ""
}

// TestWatch checks what ends a watched token on another process, why and within what time.
func TestWatch(t *testing.T) {
	t.Parallel()
	const session, loose = true, false
	const revoked, expired = string(jwtgate.CodeTokenRevoked), string(jwtgate.CodeTokenExpired)
	for _, row := range []struct {
		name   string
		kind   bool // of the watched token
		end    func(s *testServer, token, refresh, sid string)
		within time.Duration
		want   string
	}{
		{"nothing", session, func(*testServer, string, string, string) {}, 15*time.Minute - time.Second, ""},
		{"the token expires", session, func(*testServer, string, string, string) {}, 15 * time.Minute, expired},
		{"the token expires, without a session", loose, func(*testServer, string, string, string) {}, 15 * time.Minute, expired},
		{"the session goes on", session, func(s *testServer, _, refresh, _ string) { s.mustRefresh(refresh) }, 15 * time.Minute, expired},
		{"the session is ended", session, func(s *testServer, _, _, sid string) { _ = s.EndSession(s.tb.Context(), sid) }, time.Second, revoked},
		{"logout", session, func(s *testServer, _, refresh, _ string) { s.logout(refresh) }, time.Second, revoked},
		{"all sessions are ended", session, func(s *testServer, _, _, _ string) { _ = s.EndSessions(s.tb.Context(), "alice") }, time.Second, revoked},
		{"all other sessions are ended", session, func(s *testServer, _, _, sid string) { _ = s.EndSessions(s.tb.Context(), "alice", sid) }, time.Second, ""},
		{"all sessions of another", session, func(s *testServer, _, _, _ string) { _ = s.EndSessions(s.tb.Context(), "bob") }, time.Second, ""},
		{"the refresh token is stolen", session, func(s *testServer, _, refresh, _ string) {
			s.mustRefresh(s.mustRefresh(refresh).Refresh)
			time.Sleep(time.Minute)
			s.refresh(refresh)
		}, 2 * time.Minute, revoked},
		{"the token is revoked", loose, func(s *testServer, token, _, _ string) { s.send(s.Logout, withToken(formRequest(), token)) }, time.Second, revoked},
		{"the subject is revoked", loose, func(s *testServer, _, _, _ string) { _ = s.EndSessions(s.tb.Context(), "alice") }, time.Second, revoked},
		{"another token is revoked", loose, func(s *testServer, _, _, _ string) {
			s.send(s.Logout, withToken(formRequest(), jwtgatetest.Token(s.tb, s.Auth, "alice")))
		}, time.Second, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t, inRealTime)
			other := s.another()
			synctest.Wait()
			tokens := s.login("alice")
			token, sid := tokens.Access, sidOf(t, tokens.Access)
			if row.kind == loose {
				token = jwtgatetest.Token(t, s.Auth, "alice")
			}
			id := identify(t, s.Auth, token)
			watched, cancel := s.Watch(t.Context(), id)
			unaffected, cancelOther := s.Watch(t.Context(), identify(t, s.Auth, s.login("carol").Access))
			defer cancelOther()
			defer cancel()
			begun := time.Now()
			row.end(other, token, tokens.Refresh, sid)
			time.Sleep(row.within - time.Since(begun))
			synctest.Wait()
			if got := ending(watched); got != row.want {
				t.Errorf("%s: got %q after %v; want %q", row.name, got, row.within, row.want)
			}
			if got := ending(unaffected); got != "" && row.want != expired {
				t.Errorf("%s: another subject: got %q", row.name, got)
			}
			// A token that is watched too late is over at once.
			if again, _ := s.Watch(t.Context(), id); ending(again) != row.want {
				t.Errorf("%s: watched afterwards: got %q; want %q", row.name, ending(again), row.want)
			}
			if got, want := s.Watches(), map[string]int{"": 3, revoked: 1, expired: 0}[row.want]; got != want {
				t.Errorf("%s: got %d watches afterwards; want %d", row.name, got, want)
			}
		})
	}
}

// TestWatchRetired checks that a token ends with its generation.
func TestWatchRetired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, inRealTime, func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true })
		synctest.Wait()
		tokens := s.login("alice")
		old, cancelOld := s.Watch(t.Context(), identify(t, s.Auth, tokens.Access))
		defer cancelOld()
		next := s.mustRefresh(tokens.Refresh)
		current, cancel := s.Watch(t.Context(), identify(t, s.Auth, next.Access))
		defer cancel()
		s.mustRefresh(next.Refresh) // its first use
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{10*time.Second - time.Millisecond, ""}, {time.Second, string(jwtgate.CodeTokenRevoked)}} {
			time.Sleep(step.wait)
			synctest.Wait()
			if got := ending(old); got != step.want {
				t.Errorf("after another %v: got %q; want %q", step.wait, got, step.want)
			}
		}
		if got := ending(current); got != "" {
			t.Errorf("the next generation: got %q; want none", got)
		}
	})
}

// TestWatchFeed checks that a token ends when this process can no longer know whether it
// was revoked.
func TestWatchFeed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		anyLag bool
		want   string
	}{{false, string(jwtgate.CodeUnavailable)}, {true, ""}} {
		synctest.Test(t, func(t *testing.T) {
			feed := &switchedFeed{Store: session.NewMemory(0, time.Now)}
			s := newTestServer(t, inRealTime, func(c *jwtgate.Config) { c.Sessions.Store, c.Sessions.InsecureAnyLag = feed, row.anyLag })
			synctest.Wait()
			id := identify(t, s.Auth, s.login("alice").Access)
			watched, cancel := s.Watch(t.Context(), id)
			defer cancel()
			feed.set(feedHangs)
			time.Sleep(29 * time.Second)
			synctest.Wait()
			if got := ending(watched); got != "" {
				t.Errorf("within MaxLag: got %q", got)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := ending(watched); got != row.want {
				t.Errorf("after MaxLag, InsecureAnyLag %v: got %q; want %q", row.anyLag, got, row.want)
			}
			// A process that has just started waits for the revocations.
			other := s.another(func(c *jwtgate.Config) { c.Now, c.Sessions.Store = time.Now, feed })
			time.AfterFunc(100*time.Millisecond, func() { feed.set(feedWorks) })
			first, cancelFirst := other.Watch(t.Context(), id)
			defer cancelFirst()
			if got := ending(first); got != "" {
				t.Errorf("by a new process: got %q", got)
			}
			feed.set(feedHangs)
			time.Sleep(31 * time.Second)
			synctest.Wait()
			again, cancelAgain := s.Watch(t.Context(), id)
			defer cancelAgain()
			if got := ending(again); got != row.want {
				t.Errorf("watched after MaxLag, InsecureAnyLag %v: got %q; want %q", row.anyLag, got, row.want)
			}
		})
	}
}

// TestWatchContext checks the context itself: its parent, its cancel function, and the
// arguments for which there is nothing to watch.
func TestWatchContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		s := newTestServer(t, inRealTime)
		id := identify(t, s.Auth, s.login("alice").Access)
		parent, stop := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
		first, cancelFirst := s.Watch(parent, id)
		second, cancelSecond := s.Watch(parent, id)
		third, cancelThird := s.Watch(t.Context(), id)
		if got := s.Watches(); got != 3 || first.Value(key{}) != "value" {
			t.Errorf("got %d watches and the value %v; want 3 and that of the parent", got, first.Value(key{}))
		}
		cancelSecond()
		cancelSecond()
		if got := ending(second); got != context.Canceled.Error() || ending(first) != "" || s.Watches() != 2 {
			t.Errorf("after cancel: got %q and %q, %d watches", got, ending(first), s.Watches())
		}
		stop(errBroken)
		if got := ending(first); got != errBroken.Error() || ending(third) != "" {
			t.Errorf("after the parent: got %q and %q", got, ending(third))
		}
		cancelThird() // the first in the lists
		if got := s.Watches(); got != 1 {
			t.Errorf("after the second cancel: got %d watches; want 1", got)
		}
		cancelFirst()
		if got := s.Watches(); got != 0 {
			t.Errorf("afterwards: got %d watches; want none", got)
		}
		_, cancelFourth := s.Watch(t.Context(), id)
		cancelFirst() // has no effect on the others
		if got := s.Watches(); got != 1 {
			t.Errorf("after the first cancel again: got %d watches; want 1", got)
		}
		cancelFourth()

		var none *jwtgate.Auth
		for name, row := range map[string]struct {
			auth *jwtgate.Auth
			id   *jwtgate.Identity
			want jwtgate.Code
		}{"nil Auth": {none, id, jwtgate.CodeUnavailable}, "nil Identity": {s.Auth, nil, jwtgate.CodeTokenMissing}} {
			watched, cancel := row.auth.Watch(t.Context(), row.id)
			if got := ending(watched); got != string(row.want) {
				t.Errorf("%s: got %q; want %s", name, got, row.want)
			}
			cancel()
		}

		var checks atomic.Int64 // the calls of Config.Now
		plain := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
			c.Now, c.Leeway = func() time.Time { checks.Add(1); return time.Now() }, 30*time.Second
		})
		_, cancelled := plain.Watch(t.Context(), identify(t, plain, jwtgatetest.Token(t, plain, "alice")))
		cancelled()
		checks.Store(0)
		time.Sleep(time.Hour)
		if got := checks.Load(); got != 0 {
			t.Errorf("cancelled: got %d checks; want none", got)
		}
		watched, cancel := plain.Watch(t.Context(), identify(t, plain, jwtgatetest.Token(t, plain, "alice")))
		defer cancel()
		time.Sleep(15*time.Minute + 29*time.Second)
		if got := ending(watched); got != "" {
			t.Errorf("without sessions, within Leeway: got %q", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := ending(watched); got != string(jwtgate.CodeTokenExpired) {
			t.Errorf("without sessions: got %q; want token_expired", got)
		}
	})
}
