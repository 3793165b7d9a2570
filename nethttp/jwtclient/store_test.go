package jwtclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// A memory is a store that several Transports can share, as processes share a file.
type memory struct {
	busy chan struct{}
	once sync.Once

	mu     sync.Mutex
	stored jwtclient.Tokens
	saved  []jwtclient.Tokens
	err    error // of what is to be saved
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
	stored.Expires = stored.Expires.Round(0) // as from a file
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

// Several processes with one session renew once for all, and see each other's
// sign-in and logout.
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
			_, _ = do(t.Context(), transport, "GET", home+"/me", "") // finds out
		})
		each(wantSignedOut)
	})
}

// SignOut ends the session by the newest token, whoever got it.
func TestSignOutOfSharedStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		first := newTransport(t, a, store)
		second := newSignedOut(t, a, store)
		for _, transport := range []*jwtclient.Transport{first, second} {
			time.Sleep(life)
			wantMe(t, transport)
		}
		newest := url.Values{"refresh_token": {store.tokens().Refresh}}.Encode()
		if err := first.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := a.posted[len(a.posted)-1]; got != newest {
			t.Errorf("posted %q; want the newest token", got)
		}
	})
}

// TestSavedFirst wants the new tokens in the store before one of them is used, and
// kept if the store does not take them.
func TestSavedFirst(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		down time.Duration // the store, from the first renewal
	}{
		{"at once", 0},
		{"later", 5 * time.Second},
		{"after the new access token has expired", 5 * life},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				store := &memory{}
				transport := newTransport(t, a, store)
				time.Sleep(life)
				a.replace(func(served http.Handler) http.HandlerFunc {
					return func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/me" && r.Header.Get("Authorization") != "Bearer "+store.tokens().Access {
							t.Error("the new access token was used before it was stored")
						}
						served.ServeHTTP(w, r)
					}
				})
				if row.down > 0 {
					store.fail(errFull)
				}
				for begun := time.Now(); time.Since(begun) < row.down; time.Sleep(time.Second) {
					_, err := do(t.Context(), transport, "GET", home+"/me", "")
					if !errors.Is(err, errFull) || errors.Is(err, jwtclient.ErrSignedOut) {
						t.Fatalf("got %v; want %v", err, errFull)
					}
				}
				store.fail(nil)
				time.Sleep(time.Minute) // no pause is longer
				wantMe(t, transport)
				if row.down < life {
					time.Sleep(time.Hour)
				}
				wantMe(t, transport)
			})
		})
	}
}

// A good token stays in use while the store fails, and SignOut ends what it could
// not store.
func TestUnsaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newTransport(t, a, store)
		time.Sleep(life - 5*time.Second)
		store.fail(errFull)
		wantMe(t, transport)
		a.wantCalls("/refresh", 1)
		wantMe(t, transport)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "x"}); !errors.Is(err, errFull) {
			t.Errorf("got %v; want %v", err, errFull)
		}
		if err := transport.SignOut(t.Context()); !errors.Is(err, errFull) {
			t.Errorf("got %v; want %v", err, errFull)
		}
		a.wantCalls("/logout", 1)
		if strings.Contains(a.posted[len(a.posted)-1], store.tokens().Refresh) {
			t.Error("SignOut ended the session by the token that had been replaced")
		}
		wantSignedOut(t, transport) // though the store has tokens
		if a.refreshes(t, store.tokens().Refresh) {
			t.Error("the session lives")
		}
	})
}

// What could not be stored is not worth more than what someone else stores since.
func TestUnsavedAndOvertaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newTransport(t, a, store)
		time.Sleep(life)
		store.fail(errFull)
		if _, _, err := transport.Token(t.Context()); !errors.Is(err, errFull) {
			t.Errorf("got %v; want %v", err, errFull)
		}
		store.fail(nil)
		newTransport(t, a, store)
		want := store.tokens().Access
		time.Sleep(2 * time.Second)
		if got := token(t, transport); got != want || store.tokens().Access != want {
			t.Error("the session of another process was overwritten")
		}
	})
}

// An Update that waits for others takes part in the deadline of who waits for it.
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

// copied is a ResponseWriter that keeps what was written.
type copied struct {
	http.ResponseWriter
	text []byte
}

func (c *copied) Write(p []byte) (int, error) {
	c.text = append(c.text, p...)
	return c.ResponseWriter.Write(p)
}

// refresh returns the refresh token that was written.
func (c *copied) refresh() string {
	var answer struct {
		Refresh string `json:"refresh_token"`
	}
	_ = json.Unmarshal(c.text, &answer)
	return answer.Refresh
}
