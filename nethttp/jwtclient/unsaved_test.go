package jwtclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestSavedFirst checks that new tokens are stored before a request is sent with
// them, and that they are kept while the store fails.
func TestSavedFirst(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		down time.Duration // how long the store fails, from the first renewal
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
							t.Error("got a request with an access token that is not stored; want it stored first")
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
				time.Sleep(time.Minute) // longer than every pause
				wantMe(t, transport)
				if row.down < life {
					time.Sleep(time.Hour)
				}
				wantMe(t, transport)
			})
		})
	}
}

// A valid access token stays in use while the store fails, and SignOut ends the
// session with the refresh token that could not be stored.
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
			t.Error("got a post of the replaced refresh token; want the newest")
		}
		wantSignedOut(t, transport) // although the store has tokens
		if a.refreshes(t, store.tokens().Refresh) {
			t.Error("got a live session; want it ended")
		}
	})
}

// The next renewal or SignOut uses the tokens that could not be stored. The server accepts
// each refresh token once, and never sends the same new tokens again.
func TestUnsavedOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		wait    time.Duration // after the renewal whose tokens were not stored
		signOut bool
		fails   bool     // the store still fails at the first of two calls
		busy    bool     // another process uses the store during the first of two calls
		want    []string // the refresh tokens that are posted
	}{
		{"stored later", 2 * time.Second, false, false, false, []string{"/refresh 0"}},
		{"renewed later", life, false, false, false, []string{"/refresh 0", "/refresh 1"}},
		{"signed out", 0, true, false, false, []string{"/refresh 0", "/logout 1"}},
		{"signed out again, after the store has failed", 0, true, true, false, []string{"/refresh 0", "/logout 1", "/logout 1"}},
		{"signed out again, after the store was busy", 0, true, false, true, []string{"/refresh 0", "/logout 1", "/logout 1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []string
				store := &memory{}
				transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
					_ = r.ParseForm()
					got = append(got, r.URL.Path+" "+r.Form.Get("refresh_token"))
					return tokens(fmt.Sprint("token", len(got)), strconv.Itoa(len(got)), life)
				}), store)
				if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "token0", Refresh: "0", Expires: time.Now()}); err != nil {
					t.Fatal(err)
				}
				store.fail(errFull)
				if _, _, err := transport.Token(t.Context()); !errors.Is(err, errFull) {
					t.Errorf("got %v; want %v", err, errFull)
				}
				time.Sleep(row.wait)
				for call := range 2 {
					store.fail(nil)
					var want error
					switch {
					case call == 0 && row.fails:
						want = errFull
						store.fail(want)
					case call == 0 && row.busy:
						want = context.DeadlineExceeded
						store.busy <- struct{}{}
					case row.busy:
						<-store.busy
					}
					if row.signOut {
						if err := transport.SignOut(t.Context()); !errors.Is(err, want) {
							t.Errorf("got %v; want %v", err, want)
						}
					} else if access, want := token(t, transport), fmt.Sprint("token", len(row.want)); access != want || store.tokens().Access != want {
						t.Errorf("got %s, and %s is stored; want %s", access, store.tokens().Access, want)
					}
				}
				if !slices.Equal(got, row.want) {
					t.Errorf("posted %q; want %q", got, row.want)
				}
			})
		})
	}
}

// Tokens that could not be stored are discarded if another process has stored newer
// ones, by the next renewal and by SignOut.
func TestUnsavedAndOvertaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newTransport(t, a, store)
		overtake := func() jwtclient.Tokens { // returns the tokens that another process stores
			time.Sleep(life)
			store.fail(errFull)
			if _, _, err := transport.Token(t.Context()); !errors.Is(err, errFull) {
				t.Errorf("got %v; want %v", err, errFull)
			}
			store.fail(nil)
			newTransport(t, a, store)
			return store.tokens()
		}
		want := overtake().Access
		time.Sleep(2 * time.Second)
		if got := token(t, transport); got != want || store.tokens().Access != want {
			t.Error("got the session of another process overwritten; want it kept")
		}
		other := overtake().Refresh
		if err := transport.SignOut(t.Context()); err != nil {
			t.Error(err)
		}
		if a.refreshes(t, other) {
			t.Error("got the session in the store alive after SignOut; want it ended")
		}
	})
}
