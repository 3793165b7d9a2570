package jwtgate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// stops makes all calls of s hang until the returned function is called, or until
// their context is done. Calls that hang are then answered if answered is set, and
// lost otherwise.
func (s *faultyStore) stops(answered bool) (resume func()) {
	var mu sync.Mutex
	hanging := true
	gate := make(chan struct{})
	s.hook(func(ctx context.Context, _ string) error {
		mu.Lock()
		hangs := hanging
		mu.Unlock()
		if !hangs {
			return nil
		}
		open := gate
		if !answered {
			open = nil
		}
		select {
		case <-open:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}, nil)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		hanging = false
		close(gate)
	}
}

// TestStoreHangs checks that only the first requests wait for a store that hangs,
// that few calls reach it in the meantime, and that requests succeed within a second
// after it is back.
func TestStoreHangs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		answered bool          // the calls that hang when the store is back
		quiet    time.Duration // how long there are no requests before the store is back
		within   time.Duration // after that
	}{
		{"stopped and resumed", true, 0, 0},
		{"cut off", false, 0, time.Second},
		{"stopped, without requests", true, time.Hour, 0},
		{"cut off, without requests", false, time.Hour, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t)
				tokens, other := s.login("alice"), s.login("bob")
				resume := s.store.stops(row.answered)
				if took := s.fails(t, tokens.Refresh); took != 5*time.Second {
					t.Errorf("the first request: got 503 after %v; want 5s", took)
				}
				if took := s.fails(t, other.Refresh); took != 250*time.Millisecond {
					t.Errorf("the first request of another subject: got 503 after %v; want 250ms", took)
				}
				s.store.taken()
				waited := 0
				for range 100 {
					took := s.fails(t, tokens.Refresh)
					if took > 0 {
						waited++
					}
					if took > 250*time.Millisecond {
						t.Errorf("got 503 after %v; want at most 250ms", took)
					}
					time.Sleep(100*time.Millisecond - min(took, 100*time.Millisecond))
				}
				if calls := strings.Fields(s.store.taken()); waited > 12 || len(calls) > 12 {
					t.Errorf("got %d requests that waited, and calls %v, in 10 seconds; want one of each a second", waited, calls)
				}
				time.Sleep(row.quiet)
				resume()
				back := time.Now()
				for s.refresh(tokens.Refresh).text != "200" {
					if time.Since(back) > row.within {
						t.Fatalf("got no answer %v after the store is back; want one within %v", time.Since(back), row.within)
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		})
	}
}

// fails refreshes with a store that hangs, and returns how long that took.
func (s *testServer) fails(t *testing.T, refresh string) time.Duration {
	t.Helper()
	start := time.Now()
	if got := s.refresh(refresh).text; got != "503 unavailable" {
		t.Errorf("got %s; want 503", got)
	}
	return time.Since(start)
}

// TestStoreHangsInOnePart checks that sessions on a server that works are not refused
// because another server of the same store hangs.
func TestStoreHangsInOnePart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, func(c *jwtgate.Config) {
			c.Sessions.Store = &hangingFor{c.Sessions.Store, ownerOf("alice").Slot()}
		})
		alice, bob := s.login("alice"), s.login("bob")
		for i := range 3 {
			if took := s.fails(t, alice.Refresh); i > 0 && took > 250*time.Millisecond {
				t.Errorf("got 503 after %v; want at most 250ms", took)
			}
			start := time.Now()
			if got := s.refresh(bob.Refresh).text; got != "200" || time.Since(start) > 0 {
				t.Errorf("the other subject: got %s after %v; want 200 at once", got, time.Since(start))
			}
		}
	})
}

// hangingFor is a store in which the calls for a slot hang.
type hangingFor struct {
	session.Store
	slot uint16
}

func (s *hangingFor) Find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	if id.Slot() == s.slot {
		<-ctx.Done()
		return session.Record{}, false, ctx.Err()
	}
	return s.Store.Find(ctx, id)
}

// TestStoreFailsOtherwise checks that calls reach a store that does not hang, whatever
// it answers.
func TestStoreFailsOtherwise(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		after time.Duration
		err   error
		want  string
	}{
		{"fails at once", time.Second, errBroken, "503 unavailable"},
		{"is slow", 4 * time.Second, nil, "200"},
		{"is full, and slow", 2 * time.Second, session.ErrFull, "503 unavailable"},
		{"refuses, and is slow", 2 * time.Second, session.ErrTooMany, "403 too_many_sessions"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t)
			s.store.hook(func(_ context.Context, call string) error { time.Sleep(row.after); return row.err }, nil)
			for range 3 {
				s.store.taken()
				got := s.send(s.tokenEndpoint(), formRequest("username", "alice", "password", "wonderland")).text
				if calls := s.store.taken(); !strings.HasPrefix(got, row.want) || calls != "Create" {
					t.Errorf("%s: got %s, calls %q; want %s, Create", row.name, got, calls, row.want)
				}
			}
		})
	}
}

// TestStoreHangsLateFailure checks that a call that was lost while the store hung, and
// fails after the store is back, costs no request.
func TestStoreHangsLateFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		alice, bob := s.login("alice"), s.login("bob")
		resume := s.store.stops(false)
		late := make(chan bool)
		go func() {
			time.Sleep(100 * time.Millisecond)
			s.fails(t, bob.Refresh)
			close(late)
		}()
		s.fails(t, alice.Refresh)
		resume()
		s.mustRefresh(alice.Refresh)
		<-late
		s.mustRefresh(alice.Refresh)
	})
}

// TestStoreHangsAtClose checks that an Auth that was closed while the store hangs uses
// the store as before.
func TestStoreHangsAtClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		tokens := s.login("alice")
		resume := s.store.stops(true)
		s.fails(t, tokens.Refresh)
		s.fails(t, tokens.Refresh)
		time.Sleep(2 * time.Second)
		begin := time.Now()
		s.Close()
		if took := time.Since(begin); took != 0 {
			t.Errorf("Close took %v; want that it ends the trial", took)
		}
		resume()
		s.mustRefresh(tokens.Refresh)
	})
}

// TestStoreHangsCloseWaits checks that Close waits until the trials have ended.
func TestStoreHangsCloseWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		tokens := s.login("alice")
		s.store.hook(func(ctx context.Context, _ string) error {
			<-ctx.Done()
			time.Sleep(100 * time.Millisecond)
			return ctx.Err()
		}, nil)
		s.fails(t, tokens.Refresh)
		s.fails(t, tokens.Refresh)
		begin := time.Now()
		s.Close()
		if took := time.Since(begin); took != 100*time.Millisecond {
			t.Errorf("Close took %v; want 100ms", took)
		}
	})
}

// TestStoreHangsTrials checks when trials are sent, and that the store counts as working
// again after a trial that fails quickly.
func TestStoreHangsTrials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		tokens := s.login("alice")
		s.store.stops(false)
		s.fails(t, tokens.Refresh)
		s.store.taken()
		s.fails(t, tokens.Refresh)
		time.Sleep(750*time.Millisecond - time.Nanosecond)
		s.fails(t, tokens.Refresh)
		if got := s.store.taken(); got != "Find" {
			t.Errorf("within a second: got calls %s; want one trial", got)
		}
		time.Sleep(time.Nanosecond)
		s.fails(t, tokens.Refresh)
		if got := s.store.taken(); got != "Find" {
			t.Errorf("after a second: got calls %q; want one trial", got)
		}
		s.store.hook(func(context.Context, string) error { time.Sleep(time.Second); return errBroken }, nil)
		time.Sleep(10 * time.Second)
		s.fails(t, tokens.Refresh)
		time.Sleep(time.Second)
		if took := s.fails(t, tokens.Refresh); took != time.Second {
			t.Errorf("failing quickly: got 503 after %v; want that of the store after 1s", took)
		}
	})
}

// TestStoreHangsAnswers checks that the store counts as working again after a slow call
// that succeeds.
func TestStoreHangsAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		alice, bob := s.login("alice"), s.login("bob")
		begin := time.Now()
		s.store.hook(func(ctx context.Context, _ string) error {
			if time.Since(begin) == time.Second { // bob's
				time.Sleep(4500 * time.Millisecond)
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}, nil)
		var late sync.WaitGroup
		late.Go(func() {
			time.Sleep(time.Second)
			s.refresh(bob.Refresh)
		})
		s.fails(t, alice.Refresh)
		late.Wait()
		if got := s.warnings("the session store answers again"); got != 1 {
			t.Errorf("got %d lines that the store answers; want 1", got)
		}
	})
}

// TestStoreHangsLog checks that a store that hangs costs two lines in the log, and not
// two for each request, for each part of the store, or for each time within a minute.
func TestStoreHangsLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		users := []string{"alice", "bob", "carol", "dave"}
		var tokens []reply
		for _, user := range users {
			tokens = append(tokens, s.login(user))
		}
		for range 2 {
			resume := s.store.stops(true)
			var all sync.WaitGroup
			for range 3 {
				for _, tokens := range tokens {
					all.Go(func() { s.fails(t, tokens.Refresh) })
				}
				all.Wait()
			}
			resume()
			synctest.Wait()
			for i := range tokens {
				tokens[i] = s.mustRefresh(tokens[i].Refresh)
			}
		}
		for _, line := range []string{"the session store hangs", "the session store answers again"} {
			if got := s.warnings(line); got != 1 {
				t.Errorf("got %d lines %q; want one", got, line)
			}
		}
	})
}
