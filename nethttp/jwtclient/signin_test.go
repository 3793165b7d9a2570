package jwtclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	transport := newSignedOut(t, a, nil)
	wantSignedOut(t, transport)

	err := transport.SignIn(t.Context(), "alice", "builder")
	var refusal *jwtgate.Refusal
	if !errors.As(err, &refusal) || refusal.Code != jwtgate.CodeInvalidCredentials || refusal.Status != 401 || strings.Contains(err.Error(), "builder") {
		t.Errorf("got %v; want invalid_credentials", err)
	}
	wantSignedOut(t, transport)
	a.wantCalls("/token", 1, "/me", 0)

	if err := transport.SignIn(t.Context(), "alice", "wonderland"); err != nil {
		t.Fatal(err)
	}
	wantMe(t, transport)
}

// Sign-in goes wrong in ways of its own, and is never repeated by itself.
func TestSignInTrouble(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		status int
		body   string
		fields []string
		want   func(error) bool
	}{
		{"503", 503, "", nil, func(err error) bool { return strings.Contains(err.Error(), "503") }},
		{"429", 429, `{"code":"throttled","detail":"Slowly."}`, []string{"Retry-After", "7"}, func(err error) bool {
			var refusal *jwtgate.Refusal
			return errors.As(err, &refusal) && refusal.Code == jwtgate.CodeThrottled && refusal.RetryAfter == 7*time.Second && refusal.Detail == "Slowly."
		}},
		{"error of OAuth", 400, `{"error":"unauthorized_client"}`, []string{"WWW-Authenticate", "Bearer"}, func(err error) bool {
			var refusal *jwtgate.Refusal
			return errors.As(err, &refusal) && refusal.Code == "unauthorized_client" && refusal.OAuthError == "unauthorized_client" && refusal.Challenge == "Bearer"
		}},
		{"a code that would break a log", 400, `{"code":"a\nb"}`, nil, func(err error) bool { return !strings.Contains(err.Error(), "\n") }},
		{"no tokens", 200, `{}`, nil, func(err error) bool { return err != nil }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			transport := newSignedOut(t, answering(func(*http.Request) *http.Response {
				calls++
				return answer(row.status, row.body, row.fields...)
			}), nil)
			err := transport.SignIn(t.Context(), "alice", "wonderland")
			if err == nil || errors.Is(err, jwtclient.ErrSignedOut) || !row.want(err) || calls != 1 {
				t.Errorf("got %v after %d calls", err, calls)
			}
		})
	}
}

func TestSetTokens(t *testing.T) {
	t.Parallel()
	for _, access := range []string{"", "a b", "a\r\nb", "ä", "a\x7f"} {
		transport := newSignedOut(t, newAPI(t), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: access, Refresh: "x"}); err == nil || access != "" && strings.Contains(err.Error(), access) {
			t.Errorf("%q: got %v; want an error without it", access, err)
		}
		wantSignedOut(t, transport)
	}
}

// A session that the server has ended is over at the first 401, and no request is
// sent with its tokens after that.
func TestEndedElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		transport := newTransport(t, a, store)
		other := newSignedOut(t, a, nil)
		if err := other.SetTokens(t.Context(), store.tokens()); err != nil {
			t.Fatal(err)
		}
		wantMe(t, transport)
		if err := other.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantSignedOut(t, transport)
		wantSignedOut(t, transport)
		a.wantCalls("/me", 2, "/refresh", 1)
		if store.tokens() != (jwtclient.Tokens{}) {
			t.Error("the store has tokens still")
		}
	})
}

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

// A sign-in makes good what went wrong before it.
func TestSignInAfterTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		store := &memory{}
		newTransport(t, a, store)
		good := store.tokens()
		transport := newTransport(t, a, store)
		trouble := func() {
			time.Sleep(life)
			store.fail(errFull)
			if _, _, err := transport.Token(t.Context()); !errors.Is(err, errFull) {
				t.Errorf("got %v; want %v", err, errFull)
			}
			store.fail(nil)
		}
		trouble()
		if err := transport.SetTokens(t.Context(), good); err != nil { // expired, but for the refresh token
			t.Fatal(err)
		}
		if _, _, err := transport.Token(t.Context()); err != nil {
			t.Errorf("got %v; want no pause", err)
		}
		trouble()
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "x", Refresh: "newest"}); err != nil {
			t.Fatal(err)
		}
		if err := transport.SignOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := a.posted[len(a.posted)-1]; got != "refresh_token=newest" {
			t.Errorf("posted %q; want the newest token", got)
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
