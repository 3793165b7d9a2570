package jwtclient_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// A memory is a Store that several Transports can share, as processes share a file.
type memory struct {
	busy chan struct{}
	once sync.Once

	mu     sync.Mutex
	stored jwtclient.Tokens
	saved  []jwtclient.Tokens
	err    error // returned when new tokens are stored
}

var errFull = errors.New("disk full")

func (m *memory) Update(ctx context.Context, change func(jwtclient.Tokens) (jwtclient.Tokens, error)) error {
	m.once.Do(func() { m.busy = make(chan struct{}, 1) })
	select {
	case m.busy <- struct{}{}:
		defer func() { <-m.busy }()
	case <-ctx.Done():
		return ctx.Err()
	}
	stored := m.tokens()
	stored.Expires = stored.Expires.Round(0) // without the monotonic clock, as if read from a file
	next, err := change(stored)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil && next.Access != stored.Access {
		return m.err
	}
	if next.Access != stored.Access {
		m.stored = next
		m.saved = append(m.saved, next)
	}
	return nil
}

func (m *memory) tokens() jwtclient.Tokens {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stored
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// Processes that share a session share its renewals, sign-ins and sign-outs.
func TestSharedStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		var all []*jwtclient.Transport
		for range 5 {
			all = append(all, newSignedOut(t, a, store))
		}
		each := func(check func(*testing.T, http.RoundTripper)) {
			t.Helper()
			var done sync.WaitGroup
			for _, transport := range all {
				done.Go(func() { check(t, transport) })
			}
			done.Wait()
		}
		each(wantSignedOut)
		if err := all[0].SignIn(t.Context(), "alice", "wonderland"); err != nil {
			t.Fatal(err)
		}
		each(wantMe)
		a.wantCalls("/refresh", 0)
		for n := range 3 {
			a.setDelay(50 * time.Millisecond)
			time.Sleep(life)
			each(wantMe)
			a.wantCalls("/refresh", n+1)
		}
		if err := all[1].SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		each(func(t *testing.T, transport http.RoundTripper) {
			_, _ = do(t.Context(), transport, "GET", home+"/me", "") // the 401 response signs it out
		})
		each(wantSignedOut)
	})
}

// The deadlines of a renewal and of SignIn apply to the wait in Update too.
func TestStoreIsBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newTransport(t, a, store)
		time.Sleep(life)
		store.busy <- struct{}{}
		begun := time.Now()
		_, _, err := transport.Token(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 30*time.Second {
			t.Errorf("got %v after %v; want a timeout after half a minute", err, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := transport.SignIn(ctx, "alice", "wonderland"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("SignIn: got %v; want a timeout", err)
		}
		<-store.busy
		time.Sleep(time.Minute)
		wantMe(t, transport)
	})
}

// TestStoreIsBusyWithSignIn checks that SignOut gives up after a minute, and a renewal after
// half a minute, if a sign-in waits for the store that long.
func TestStoreIsBusyWithSignIn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		call   func(*jwtclient.Transport, context.Context) error
		takes  time.Duration
		signIn error // of the sign-in, once the store is free
	}{
		{"SignOut", (*jwtclient.Transport).SignOut, time.Minute, jwtclient.ErrSignedOut},
		{"renewal", func(transport *jwtclient.Transport, ctx context.Context) error {
			_, _, err := transport.Token(ctx)
			return err
		}, time.Minute / 2, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &memory{}
				transport := newTransport(t, newAPI(t), store)
				time.Sleep(life)
				store.busy <- struct{}{}
				signedIn := make(chan error)
				go func() { signedIn <- transport.SignIn(t.Context(), "alice", "wonderland") }()
				synctest.Wait()
				begun := time.Now()
				if err := row.call(transport, t.Context()); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != row.takes {
					t.Errorf("got %v after %v; want a timeout after %v", err, time.Since(begun), row.takes)
				}
				<-store.busy
				if err := <-signedIn; !errors.Is(err, row.signIn) {
					t.Errorf("SignIn: got %v; want %v", err, row.signIn)
				}
			})
		})
	}
}
