package jwtclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestSignOut checks that SignOut removes the tokens and ends the session, and that
// an error of the server is returned.
func TestSignOut(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		broken func(served http.Handler) http.HandlerFunc
		fails  bool
	}{
		{"in order", func(served http.Handler) http.HandlerFunc { return served.ServeHTTP }, false},
		{"server down", func(http.Handler) http.HandlerFunc { return http.NotFound }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				store := &memory{}
				transport := newTransport(t, a, store)
				refresh := store.tokens().Refresh
				restore := a.replace(row.broken)
				if err := transport.SignOut(t.Context()); (err != nil) != row.fails {
					t.Errorf("got %v; want an error: %t", err, row.fails)
				}
				wantSignedOut(t, transport)
				if store.tokens() != (jwtclient.Tokens{}) {
					t.Error("got tokens in the store; want none")
				}
				restore()
				if over := !a.refreshes(t, refresh); over == row.fails {
					t.Errorf("got the session ended: %t; want the opposite", over)
				}
				if err := transport.SignOut(t.Context()); err != nil {
					t.Errorf("out already: got %v", err)
				}
				a.wantCalls("/logout", 1)
				if err := transport.SignIn(t.Context(), "alice", "wonderland"); err != nil {
					t.Fatal(err)
				}
				wantMe(t, transport)
			})
		})
	}
}

// TestSignOutGuard calls SignOut while a renewal or a sign-in is in flight. The tokens
// that arrive later belong to a live session, which must be ended.
func TestSignOutGuard(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		signs bool // a sign-in is in flight, not a renewal
		late  time.Duration
		gone  bool // the context of SignOut is canceled
	}{
		{"renewal", false, time.Second, false},
		{"renewal, answered late", false, 10 * time.Second, false},
		{"renewal, and SignOut cancelled", false, time.Second, true},
		{"sign-in", true, time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				store := &memory{}
				transport := newTransport(t, a, store)
				time.Sleep(life)
				var arrived []string // refresh tokens in late responses
				restore := a.replace(func(served http.Handler) http.HandlerFunc {
					return func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/logout" {
							served.ServeHTTP(w, r)
							return
						}
						answer := &copied{ResponseWriter: w}
						served.ServeHTTP(answer, r)
						time.Sleep(row.late)
						arrived = append(arrived, answer.refresh())
					}
				})
				done := make(chan error)
				go func() {
					if row.signs {
						done <- transport.SignIn(t.Context(), "alice", "wonderland")
					} else {
						_, _, err := transport.Token(t.Context())
						done <- err
					}
				}()
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if row.gone {
					cancel()
				}
				if err := transport.SignOut(ctx); (err != nil) != row.gone {
					t.Errorf("SignOut: got %v; want an error: %t", err, row.gone)
				}
				if err := <-done; !errors.Is(err, jwtclient.ErrSignedOut) {
					t.Errorf("the call in flight: got %v; want ErrSignedOut", err)
				}
				wantSignedOut(t, transport)
				time.Sleep(time.Minute)
				synctest.Wait()
				if store.tokens() != (jwtclient.Tokens{}) || slices.ContainsFunc(store.saved, func(saved jwtclient.Tokens) bool { return slices.Contains(arrived, saved.Refresh) }) {
					t.Error("got the late tokens in the store; want them discarded")
				}
				restore()
				if len(arrived) == 0 || arrived[0] == "" {
					t.Fatalf("got late refresh tokens %q; want some", arrived)
				}
				for _, refresh := range arrived {
					if a.refreshes(t, refresh) {
						t.Error("got a live session from the late tokens; want it ended")
					}
				}
				if !slices.ContainsFunc(a.posted, func(form string) bool { return form == url.Values{"refresh_token": {arrived[0]}}.Encode() }) && row.late < 3*time.Second {
					t.Errorf("got posts %q; want the late token among them", a.posted)
				}
			})
		})
	}
}

// A slowStore calls during while Update stores tokens.
type slowStore struct {
	memory
	during func()
}

func (s *slowStore) Update(ctx context.Context, change func(jwtclient.Tokens) (jwtclient.Tokens, error)) error {
	return s.memory.Update(ctx, func(stored jwtclient.Tokens) (jwtclient.Tokens, error) {
		next, err := change(stored)
		if during := s.during; during != nil {
			s.during = nil
			during()
		}
		return next, err
	})
}

// If SignOut is called while the tokens of a sign-in are stored, their session is ended.
func TestSignOutWhileStoring(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &slowStore{}
		transport := newSignedOut(t, a, store)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		refresh := ""
		store.during = func() {
			_ = transport.SignOut(gone) // finishes in the background
		}
		a.replace(func(served http.Handler) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				answer := &copied{ResponseWriter: w}
				served.ServeHTTP(answer, r)
				if r.URL.Path == "/token" {
					refresh = answer.refresh()
				}
			}
		})
		if err := transport.SignIn(t.Context(), "alice", "wonderland"); !errors.Is(err, jwtclient.ErrSignedOut) {
			t.Errorf("got %v; want ErrSignedOut", err)
		}
		wantSignedOut(t, transport)
		synctest.Wait()
		if got := store.tokens(); got != (jwtclient.Tokens{}) {
			t.Errorf("got %v in the store; want nothing", got)
		}
		if refresh == "" || a.refreshes(t, refresh) {
			t.Errorf("got a live session of %q; want it ended", refresh)
		}
	})
}

// If the user signs in again before SignOut reaches the store, the new tokens stay.
func TestSignInAfterLogout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newSignedOut(t, a, store)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range 200 { // the order of the goroutines is random
			want := jwtclient.Tokens{Access: "token" + strconv.Itoa(i)}
			if err := transport.SetTokens(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := store.tokens(); got != want {
				t.Fatalf("after signing out %d times: stored are %v; want %v", i, got, want)
			}
			_ = transport.SignOut(gone)
		}
	})
}

// SignOut ends the attempts of a renewal that is in flight.
func TestSignOutWhileTrying(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.faults = []fault{refused503, refused503, refused503}
		transport := newTransport(t, a, nil)
		time.Sleep(life)
		done := make(chan error)
		go func() {
			_, _, err := transport.Token(t.Context())
			done <- err
		}()
		synctest.Wait()
		if err := transport.SignOut(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, jwtclient.ErrSignedOut) {
			t.Errorf("got %v; want ErrSignedOut", err)
		}
		a.wantCalls("/refresh", 1, "/logout", 1)
	})
}

// refreshes reports whether the refresh token is still valid.
func (a *api) refreshes(t *testing.T, refresh string) bool {
	t.Helper()
	other := newSignedOut(t, a, nil)
	if err := other.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: refresh, Expires: time.Now()}); err != nil {
		t.Fatal(err)
	}
	_, _, err := other.Token(t.Context())
	if err != nil && !errors.Is(err, jwtclient.ErrSignedOut) {
		t.Errorf("refresh: %v", err)
	}
	return err == nil
}

// SignOut posts the newest refresh token, even if another process obtained it.
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

// SignOut ends the session even if another process uses the store all the time.
func TestSignOutOfBusyStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newTransport(t, a, store)
		store.busy <- struct{}{}
		if err := transport.SignOut(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v; want a timeout", err)
		}
		if a.refreshes(t, store.tokens().Refresh) {
			t.Error("got a live session; want it ended")
		}
	})
}

// If the store has lost the refresh token, SignOut posts the one in use, and only once.
func TestSignOutOfEmptyStore(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	store := &memory{}
	transport := newTransport(t, a, store)
	want := url.Values{"refresh_token": {store.tokens().Refresh}}.Encode()
	store.stored = jwtclient.Tokens{}
	for range 2 {
		if err := transport.SignOut(t.Context()); err != nil {
			t.Error(err)
		}
	}
	a.wantCalls("/logout", 1)
	if got := a.posted[len(a.posted)-1]; got != want {
		t.Errorf("posted %q; want %q", got, want)
	}
}

// copied is a ResponseWriter that keeps a copy of the body.
type copied struct {
	http.ResponseWriter
	text []byte
}

func (c *copied) Write(p []byte) (int, error) {
	c.text = append(c.text, p...)
	return c.ResponseWriter.Write(p)
}

// refresh returns the refresh token in the body.
func (c *copied) refresh() string {
	var answer struct {
		Refresh string `json:"refresh_token"`
	}
	_ = json.Unmarshal(c.text, &answer)
	return answer.Refresh
}
