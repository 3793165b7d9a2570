package jwtclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestOneRenewalForAll checks that concurrent requests share one renewal. Like every
// test in a synctest bubble, it fails if a goroutine leaks.
func TestOneRenewalForAll(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		before time.Duration // after the token was received
		revoke bool
	}{
		{"expired", life, false},
		{"refused before its time", 0, true},
		{"about to expire", life - 2*time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				a.setDelay(10 * time.Millisecond)
				transport := newTransport(t, a, nil)
				time.Sleep(row.before)
				if row.revoke { // as if the API had removed a key
					a.refuse(token(t, transport))
				}
				var all sync.WaitGroup
				for range 1000 {
					all.Go(func() { wantMe(t, transport) })
				}
				all.Wait()
				a.wantCalls("/refresh", 1)
			})
		})
	}
}

// TestAhead checks when tokens are renewed: not before notYet, and by by at the
// latest.
func TestAhead(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		life, notYet, by time.Duration
	}{
		{2 * time.Second, 1400 * time.Millisecond, 1700 * time.Millisecond},
		{20 * time.Second, 14900 * time.Millisecond, 16300 * time.Millisecond},
		{time.Minute, 49 * time.Second, 53 * time.Second},
		{time.Hour, 53 * time.Minute, 56 * time.Minute},
		{0, 24 * time.Hour, 0}, // unknown expiry: not renewed ahead
	} {
		t.Run(row.life.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
					if r.URL.Path == "/refresh" {
						calls++
						return tokens(fmt.Sprint("token", calls), "next", row.life)
					}
					return status(http.StatusOK)
				}), nil)
				err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "token0", Refresh: "first", Expires: expires(row.life)})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(row.notYet)
				if got, _, err := transport.Token(t.Context()); got != "token0" || err != nil {
					t.Errorf("after %v: got %q, %v; want the first", row.notYet, got, err)
				}
				if row.by == 0 {
					return
				}
				time.Sleep(row.by - row.notYet)
				got, at, err := transport.Token(t.Context())
				if got != "token1" || err != nil || !at.Equal(time.Now().Add(row.life)) {
					t.Errorf("after %v: got %q until %v, %v; want the second", row.by, got, at, err)
				}
			})
		})
	}
}

// A renewal continues when a request that waits for it is canceled, even the one that
// started it.
func TestCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		transport := newTransport(t, a, nil)
		time.Sleep(life)
		a.setDelay(time.Second)

		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancelSecond()
		begun := time.Now()
		took := make([]time.Duration, 3)
		errs := make([]error, 3)
		var all sync.WaitGroup
		for i, ctx := range []context.Context{first, second, t.Context()} {
			all.Go(func() {
				_, errs[i] = do(ctx, transport, "GET", home+"/me", "")
				took[i] = time.Since(begun)
			})
			synctest.Wait()
		}
		time.Sleep(100 * time.Millisecond)
		cancelFirst()
		all.Wait()
		if !errors.Is(errs[0], context.Canceled) || !errors.Is(errs[1], context.DeadlineExceeded) || errs[2] != nil {
			t.Errorf("got %v; want a cancelled, a late and a good one", errs)
		}
		if want := []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second}; !slices.Equal(took, want) {
			t.Errorf("took %v; want %v", took, want)
		}
		a.wantCalls("/refresh", 1, "/me", 1)
	})
}

// http.Client.Timeout ends the wait for a renewal too.
func TestClientTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		transport := newTransport(t, a, nil)
		time.Sleep(life)
		a.setDelay(2 * time.Second)
		begun := time.Now()
		res, err := (&http.Client{Transport: transport, Timeout: time.Second}).Get(home + "/me")
		if err == nil {
			_ = res.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("got %v after %v; want a timeout after a second", err, time.Since(begun))
		}
		time.Sleep(time.Minute)
		a.wantCalls("/refresh", 1)
	})
}

// A request with a valid access token waits for the renewal that it starts, but not for
// a renewal that is already in flight.
func TestEarlyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		transport := newTransport(t, a, nil)
		time.Sleep(life - 5*time.Second)
		a.setDelay(5 * time.Second / 2)
		for i, want := range []time.Duration{2 * time.Second, 0} {
			begun := time.Now()
			if _, _, err := transport.Token(t.Context()); err != nil || time.Since(begun) != want {
				t.Errorf("call %d: got %v after %v; want a token after %v", i+1, err, time.Since(begun), want)
			}
		}
		time.Sleep(time.Minute)
		a.wantCalls("/refresh", 1)
	})
}

// A server need not rotate the refresh token (RFC 6749 §6).
func TestNotRotated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []string
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			_ = r.ParseForm()
			got = append(got, r.Form.Get("refresh_token"))
			return tokens("new", "", time.Minute)
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "kept", Expires: time.Now().Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, _, err := transport.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if want := []string{"kept", "kept", "kept"}; !slices.Equal(got, want) {
			t.Errorf("got %q; want %q", got, want)
		}
	})
}

// Processes that share a session share its renewals, even if the refresh token stays the
// same.
func TestNotRotatedShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, renewals := &memory{}, 0
		server := answering(func(*http.Request) *http.Response {
			renewals++
			return tokens(fmt.Sprint("token", renewals), "", time.Minute)
		})
		first, second := newSignedOut(t, server, store), newSignedOut(t, server, store)
		if err := first.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "kept", Expires: time.Now().Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			for _, transport := range []*jwtclient.Transport{first, second} {
				if got, want := token(t, transport), fmt.Sprint("token", n+1); got != want {
					t.Errorf("got %s; want %s", got, want)
				}
			}
			first, second = second, first // the other one renews next
			time.Sleep(time.Minute)
		}
	})
}

// Without a refresh token, the session lasts exactly until the access token expires.
func TestNoRefreshToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			t.Errorf("got a request to %s; want none", r.URL)
			return status(http.StatusTeapot)
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Expires: time.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if got, _, err := transport.Token(t.Context()); got != "a" || err != nil {
			t.Errorf("got %q, %v; want it to be good still", got, err)
		}
		time.Sleep(time.Nanosecond)
		if _, _, err := transport.Token(t.Context()); !errors.Is(err, jwtclient.ErrSignedOut) {
			t.Errorf("got %v; want ErrSignedOut", err)
		}
	})
}

func expires(life time.Duration) time.Time {
	if life == 0 {
		return time.Time{}
	}
	return time.Now().Add(life)
}
