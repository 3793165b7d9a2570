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
					t.Error("the store has tokens still")
				}
				restore()
				if over := !a.refreshes(t, refresh); over == row.fails {
					t.Errorf("the session is over: %t", over)
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

// TestSignOutGuard calls SignOut while a renewal or a sign-in is under way. What
// arrives afterwards is a live session, so it is not enough not to use it.
func TestSignOutGuard(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		signs bool // in again, rather than renews
		late  time.Duration
		gone  bool // the caller of SignOut does not wait
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
				var arrived []string // refresh tokens
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
					t.Errorf("SignOut: %v", err)
				}
				if err := <-done; !errors.Is(err, jwtclient.ErrSignedOut) {
					t.Errorf("what was under way: got %v; want ErrSignedOut", err)
				}
				wantSignedOut(t, transport)
				time.Sleep(time.Minute)
				synctest.Wait()
				if store.tokens() != (jwtclient.Tokens{}) || slices.ContainsFunc(store.saved, func(saved jwtclient.Tokens) bool { return slices.Contains(arrived, saved.Refresh) }) {
					t.Error("the late tokens were stored")
				}
				restore()
				if len(arrived) == 0 || arrived[0] == "" {
					t.Fatalf("nothing arrived late: %q", arrived)
				}
				for _, refresh := range arrived {
					if a.refreshes(t, refresh) {
						t.Error("the late session lives")
					}
				}
				if !slices.ContainsFunc(a.posted, func(form string) bool { return form == url.Values{"refresh_token": {arrived[0]}}.Encode() }) && row.late < 3*time.Second {
					t.Errorf("SignOut did not post the late token: %q", a.posted)
				}
			})
		})
	}
}

// Somebody may sign in again before SignOut has got as far as the store.
func TestSignInAfterLogout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newSignedOut(t, a, store)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for i := range 200 { // who comes first is a matter of chance
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

// A renewal that is not getting anywhere gives up when it is for nothing.
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

// refreshes reports whether refresh is good still.
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
