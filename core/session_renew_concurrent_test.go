package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRenewalConcurrent checks that all concurrent requests of a browser are renewed with
// the same refresh token.
func TestRenewalConcurrent(t *testing.T) {
	t.Parallel()
	const n = 64
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	s.store.taken()
	arrived := make(chan struct{})
	s.store.hook(func(_ context.Context, call string) error {
		if call == "Advance" {
			<-arrived // until all requests have started
		}
		return nil
	}, nil)
	var (
		wait  sync.WaitGroup
		ready sync.WaitGroup
		jars  [n]browser
		said  [n]string
	)
	ready.Add(n)
	for i := range n {
		wait.Go(func() {
			ready.Done()
			d := s.Decide(t.Context(), b.request(http.MethodPost))
			said[i] = s.describe(d)
			jars[i].receive(d.Response.Header)
		})
	}
	ready.Wait()
	close(arrived)
	wait.Wait()
	for i := range n {
		if said[i] != "pass alice new" || jars[i].refresh != jars[0].refresh || jars[i].refresh == b.refresh {
			t.Errorf("request %d: got %s, refresh token as the first: %v", i, said[i], jars[i].refresh == jars[0].refresh)
		}
		if got := s.decide(jars[i].request(http.MethodGet)); got != "pass alice" {
			t.Errorf("request %d: with its new cookies: got %s", i, got)
		}
	}
	// Requests during the rotation share it, and later ones repeat it without a change.
	if record := s.sessionOf(jars[0].refresh); record.Generation != 1 {
		t.Errorf("got generation %d; want 1", record.Generation)
	}
}

// A waitSignal is a context that signals when something begins to wait for its end. A
// request does so when it waits for the renewal of another request.
type waitSignal struct {
	context.Context

	waiting chan struct{}
}

func (c waitSignal) Done() <-chan struct{} {
	select {
	case c.waiting <- struct{}{}:
	default:
	}
	return c.Context.Done()
}

// renewConcurrently starts one request that stops inside call, and n requests that wait
// for its renewal. It returns when all of them wait. The first request goes on when release
// is called. The results are those of describe, or "panic".
func (s *testServer) renewConcurrently(b browser, call string, n int, waiter context.Context) (results chan string, release func()) {
	s.tb.Helper()
	inside, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stop := func() { once.Do(func() { close(inside) }); <-gate }
	if call == "Subject" {
		load := s.users.current()
		s.setSubject(func(ctx context.Context, subject string) (jwtgate.Grant, error) {
			stop()
			return load(ctx, subject)
		})
	} else {
		s.store.hook(func(_ context.Context, called string) error {
			if called == call {
				stop()
			}
			return nil
		}, nil)
	}
	results = make(chan string, n+1)
	send := func(ctx context.Context) {
		result := "panic"
		defer func() {
			_ = recover()
			results <- result
		}()
		result = s.describe(s.Decide(ctx, b.request(http.MethodGet)))
	}
	go send(s.tb.Context())
	<-inside
	for range n {
		ctx := waitSignal{waiter, make(chan struct{}, 1)}
		go send(ctx)
		<-ctx.waiting
	}
	return results, func() { close(gate) }
}

// TestRenewalSingleFlight checks that requests that arrive while a renewal is in progress
// share its result.
func TestRenewalSingleFlight(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"Find", "Subject", "Advance"} {
		s := newTestServer(t, withCookies)
		b := browserWith(s.signIn("alice"))
		s.clock.Advance(time.Hour)
		s.store.taken()
		results, release := s.renewConcurrently(b, call, 63, t.Context())
		release()
		for range 64 {
			if got := <-results; got != "pass alice new" {
				t.Errorf("%s: got %s", call, got)
			}
		}
		if got, want := s.store.taken(), "Find Advance"; got != want {
			t.Errorf("%s: got store calls %s; want %s", call, got, want)
		}
	}
}

// TestRenewalWaiterGivesUp checks that a request whose client hangs up stops waiting, and
// that this does not affect the request it waited for.
func TestRenewalWaiterGivesUp(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	results, release := s.renewConcurrently(b, "Advance", 3, ctx)
	cancel()
	for range 3 {
		if got := <-results; got != "503 unavailable" {
			t.Errorf("waiter: got %s", got)
		}
	}
	release()
	if got := <-results; got != "pass alice new" {
		t.Errorf("the one it waited for: got %s", got)
	}
}

// TestRenewalAfterHangUp checks that a renewal is completed for a client that has hung up,
// because the answer may still reach it.
func TestRenewalAfterHangUp(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.describe(s.Decide(ctx, b.request(http.MethodGet))); got != "pass alice new" {
		t.Errorf("got %s", got)
	}
}

// TestRenewalLoaderPanics checks that a panic of Sessions.Subject reaches the request that
// called it, and that the requests that waited for it get an answer.
func TestRenewalLoaderPanics(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	s.setSubject(func(context.Context, string) (jwtgate.Grant, error) { panic("the application's own") })
	results, release := s.renewConcurrently(b, "Subject", 5, t.Context())
	release()
	said := make(map[string]int)
	for range 6 {
		said[<-results]++
	}
	if said["panic"] != 1 || said["503 unavailable"] != 5 {
		t.Errorf("got %v; want one panic, and an answer for the others", said)
	}
	s.setSubject(nil)
	if got := s.decide(b.request(http.MethodGet)); got != "pass alice new" {
		t.Errorf("afterwards: got %s", got)
	}
}

// TestRenewalKeepsUsersApart checks that under concurrent requests of several users, with
// cookies of two users combined, no answer has the cookies of another user.
func TestRenewalKeepsUsersApart(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh, c.Cookies.RenewBefore = true, 5*time.Minute })
	const users = 8
	var wait sync.WaitGroup
	var mixed atomic.Int64
	tokens := make([]jwtgate.Tokens, users)
	for i := range tokens {
		tokens[i] = s.signIn(fmt.Sprint("user", i))
	}
	s.clock.Advance(14 * time.Minute)
	for i := range tokens {
		for k := range 16 {
			wait.Go(func() {
				own, other := tokens[i], tokens[(i+k)%users]
				for _, b := range []browser{
					browserWith(own), {own.Access.Token, ""}, {"", own.Refresh}, {own.Access.Token, other.Refresh}, {own.Access.Token, "jgr1_x"},
				} {
					d := s.Decide(t.Context(), b.request(http.MethodPost))
					if d.Identity == nil || d.Identity.Subject() != fmt.Sprint("user", i) {
						t.Errorf("user%d: got %v, %v", i, d.Identity, d.Refusal)
						continue
					}
					var got browser
					got.receive(d.Response.Header)
					if got.refresh != "" && s.sessionOf(got.refresh).Owner.Subject != fmt.Sprint("user", i) {
						mixed.Add(1)
					}
					if got.access != "" {
						if d := s.Decide(t.Context(), browser{got.access, ""}.request(http.MethodGet)); d.Identity == nil || d.Identity.SessionID() != own.SessionID {
							mixed.Add(1)
						}
					}
				}
			})
		}
	}
	wait.Wait()
	if mixed.Load() > 0 {
		t.Errorf("%d answers had another user's cookies", mixed.Load())
	}
}

// TestRenewalOfUsersAtOnce checks that renewals of several users that are in progress at the
// same time are not merged.
func TestRenewalOfUsersAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, withCookies)
		const users = 8
		var wait sync.WaitGroup
		var said, owners, want [users]string
		gate := make(chan struct{})
		browsers := make([]browser, users)
		for i := range browsers {
			want[i] = fmt.Sprint("user", i)
			browsers[i] = browserWith(s.signIn(want[i]))
		}
		s.clock.Advance(time.Hour)
		s.store.hook(func(context.Context, string) error { <-gate; return nil }, nil)
		for i, b := range browsers {
			wait.Go(func() {
				d := s.Decide(t.Context(), b.request(http.MethodPost))
				said[i] = s.describe(d)
				browsers[i].receive(d.Response.Header)
			})
		}
		synctest.Wait() // until all of them wait for the store
		for _, b := range browsers {
			wait.Go(func() { s.decide(b.request(http.MethodPost)) })
		}
		synctest.Wait() // until these wait for those
		if got, want := s.store.taken(), strings.TrimSpace(strings.Repeat("Find ", users)); got != want {
			t.Errorf("got store calls %q; want one Find for each user", got)
		}
		close(gate)
		wait.Wait()
		for i, b := range browsers {
			owners[i] = s.sessionOf(b.refresh).Owner.Subject
			if pass := "pass " + want[i] + " new"; said[i] != pass {
				t.Errorf("got %s; want %s", said[i], pass)
			}
		}
		if owners != want {
			t.Errorf("got the refresh tokens of %v; want those of %v", owners, want)
		}
	})
}
