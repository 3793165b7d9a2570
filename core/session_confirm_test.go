package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// A confirmedStore records the batches of confirmations that it gets.
type confirmedStore struct {
	session.Store

	err  error         // of Confirm
	hang chan struct{} // if not nil, Confirm waits until it is closed or the context is done

	mu      sync.Mutex
	batches [][]session.Confirmation
	policy  session.Policy // of the last batch
}

func (s *confirmedStore) Confirm(ctx context.Context, batch []session.Confirmation, policy session.Policy) error {
	if s.hang != nil {
		select {
		case <-s.hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches, s.policy = append(s.batches, slices.Clone(batch)), policy
	if s.err != nil {
		return s.err
	}
	return s.Store.Confirm(ctx, batch, policy)
}

// reports returns how many confirmations and batches s has got until now.
func (s *confirmedStore) reports() (confirmations, batches int) {
	time.Sleep(time.Second) // in a bubble of synctest
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, batch := range s.batches {
		confirmations += len(batch)
	}
	return confirmations, len(s.batches)
}

// confirmedServer returns a server whose store records confirmations.
func confirmedServer(t *testing.T, options ...func(*jwtgate.Config)) (*testServer, *confirmedStore) {
	t.Helper()
	store := &confirmedStore{}
	s := newTestServer(t, append(options, func(c *jwtgate.Config) {
		store.Store = c.Sessions.Store.(*faultyStore).Store
		c.Sessions.Store = store
	})...)
	return s, store
}

// TestConfirm checks which requests report that their session's generation is in use.
func TestConfirm(t *testing.T) {
	t.Parallel()
	get := func(s *testServer, name, value string) {
		s.Decide(s.tb.Context(), jwtgate.Request{Method: http.MethodGet, Header: http.Header{name: {value}}})
	}
	for _, row := range []struct {
		name string
		do   func(s *testServer, first jwtgate.Tokens, next reply)
		want int
	}{
		{"nothing", func(*testServer, jwtgate.Tokens, reply) {}, 0},
		{"a Bearer token", func(s *testServer, _ jwtgate.Tokens, next reply) { get(s, "Authorization", "Bearer "+next.Access) }, 1},
		{"a cookie", func(s *testServer, _ jwtgate.Tokens, next reply) { get(s, "Cookie", "__Host-at="+next.Access) }, 1},
		{"both cookies", func(s *testServer, _ jwtgate.Tokens, next reply) {
			get(s, "Cookie", "__Host-at="+next.Access+"; __Host-rt="+next.Refresh)
		}, 1},
		{"again and again", func(s *testServer, _ jwtgate.Tokens, next reply) {
			for range 20 {
				get(s, "Authorization", "Bearer "+next.Access)
			}
		}, 1},
		{"on an optional route", func(s *testServer, _ jwtgate.Tokens, next reply) {
			s.Decide(s.tb.Context(), withToken(jwtgate.Request{Method: http.MethodGet}, next.Access), jwtgate.Optional())
		}, 1},
		{"the first generation", func(s *testServer, first jwtgate.Tokens, _ reply) {
			get(s, "Authorization", "Bearer "+first.Access.Token)
		}, 0},
		{"a token without a session", func(s *testServer, _ jwtgate.Tokens, _ reply) {
			loose, _ := s.Issue(s.tb.Context(), jwtgate.Grant{Subject: "alice"})
			get(s, "Authorization", "Bearer "+loose.Token)
		}, 0},
		{"beside a refresh token", func(s *testServer, first jwtgate.Tokens, next reply) {
			s.send(s.Refresh, withToken(formRequest("refresh_token", first.Refresh), next.Access))
		}, 0},
		{"logout", func(s *testServer, _ jwtgate.Tokens, next reply) {
			s.send(s.Logout, withToken(formRequest(), next.Access))
		}, 0},
		{"expired", func(s *testServer, _ jwtgate.Tokens, next reply) {
			s.clock.Advance(time.Hour)
			get(s, "Authorization", "Bearer "+next.Access)
		}, 0},
		{"revoked", func(s *testServer, first jwtgate.Tokens, next reply) {
			_ = s.EndSession(s.tb.Context(), first.SessionID)
			get(s, "Authorization", "Bearer "+next.Access)
		}, 0},
		{"the request that is renewed", func(s *testServer, _ jwtgate.Tokens, next reply) {
			s.clock.Advance(time.Hour)
			get(s, "Cookie", "__Host-at="+next.Access+"; __Host-rt="+next.Refresh)
		}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, store := confirmedServer(t, withCookies)
				first := s.signIn("alice")
				row.do(s, first, s.mustRefresh(first.Refresh))
				if got, _ := store.reports(); got != row.want {
					t.Errorf("got %d confirmations; want %d", got, row.want)
				}
			})
		})
	}
}

// TestConfirmBatch checks that confirmations are sent together, at most every 100 ms,
// and once by each process.
func TestConfirmBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := confirmedServer(t)
		other := s.another()
		const n = 50
		for i := range n {
			next := s.mustRefresh(s.login(fmt.Sprint("user ", i)).Refresh)
			s.authenticate(next.Access)
			other.authenticate(next.Access)
		}
		if confirmations, batches := store.reports(); confirmations != 2*n || batches != 2 {
			t.Errorf("got %d confirmations in %d batches; want %d in 2", confirmations, batches, 2*n)
		}
	})
}

// TestConfirmFails checks that a store that fails or hangs when it gets confirmations
// does not affect requests, and that the number of those that wait is bounded.
func TestConfirmFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := confirmedServer(t, func(c *jwtgate.Config) { c.CacheSize = -1 })
		store.err = errBroken
		use := func(n int) {
			next := s.mustRefresh(s.login("alice").Refresh)
			token, _ := s.codec().Decode(next.Refresh)
			for i := range n {
				access := s.mint(token.ID.String(), 0, map[string]any{"gen": i + 1})
				if got := s.authenticate(access); got != "alice" {
					t.Fatalf("got %s", got)
				}
			}
		}
		use(1)
		if confirmations, _ := store.reports(); confirmations != 1 {
			t.Errorf("got %d confirmations; want 1", confirmations)
		}
		store.hang = make(chan struct{})
		use(1) // hangs
		time.Sleep(time.Second)
		use(5000)
		close(store.hang)
		time.Sleep(10 * time.Second)
		if confirmations, _ := store.reports(); confirmations < 2000 || confirmations > 4200 {
			t.Errorf("got %d confirmations of 5000 while the store hung; want about 4096", confirmations)
		}
	})
}

// TestConfirmClose checks that Close sends the confirmations that wait, and ends.
func TestConfirmClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, store := confirmedServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
		next := s.mustRefresh(s.login("alice").Refresh)
		s.authenticate(next.Access)
		s.Close()
		if got, want := store.policy.Idle, 7*24*time.Hour+15*time.Minute; got != want {
			t.Errorf("got a policy with Idle %v; want %v", got, want)
		}
		if len(store.batches) != 1 {
			t.Errorf("got %d batches after Close; want 1", len(store.batches))
		}
		s.authenticate(s.mustRefresh(s.login("bob").Refresh).Access) // goes nowhere
		unused, none := confirmedServer(t)
		unused.Close()
		if len(none.batches) != 0 {
			t.Errorf("without confirmations: got %d batches after Close; want none", len(none.batches))
		}
	})
}

// TestConfirmEndsReplacedToken checks the whole way: the use of an access token on one
// process closes the window of the replaced refresh token on another one.
func TestConfirmEndsReplacedToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := confirmedServer(t)
		other := s.another()
		tokens := s.login("alice")
		next := s.mustRefresh(tokens.Refresh)
		s.clock.Advance(24 * time.Hour)
		if got := other.mustRefresh(tokens.Refresh); got.Refresh != next.Refresh {
			t.Error("a day later: got another successor")
		} else if got := other.authenticate(got.Access); got != "alice" {
			t.Errorf("its access token: got %s", got)
		}
		time.Sleep(time.Second)
		s.clock.Advance(10 * time.Second)
		if got := s.refresh(tokens.Refresh).text; got != refreshStale {
			t.Errorf("a window after the use: got %s; want %s", got, refreshStale)
		}
		s.clock.Advance(20 * time.Second)
		if got := s.refresh(tokens.Refresh).text; got != refreshReused {
			t.Errorf("three windows after the use: got %s; want %s", got, refreshReused)
		}
	})
}
