package jwtclient_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestAttempts checks that a renewal makes up to three attempts, all within the reuse
// window of the server.
func TestAttempts(t *testing.T) {
	t.Parallel()
	hang := func(r *http.Request) { <-r.Context().Done() }
	for _, row := range []struct {
		name   string
		fields []string
		before func(*http.Request)
		busy   time.Duration   // how long another process holds the store
		want   []time.Duration // the times of the attempts in milliseconds
		end    time.Duration
	}{
		{"503", nil, nil, 0, []time.Duration{0, 200, 1200}, 1200},
		{"Retry-After: 1", []string{"Retry-After", "1"}, nil, 0, []time.Duration{0, 1000, 2000}, 2000},
		{"Retry-After: 2", []string{"Retry-After", "2"}, nil, 0, []time.Duration{0, 2000, 4000}, 4000},
		{"Retry-After: 3", []string{"Retry-After", "3"}, nil, 0, []time.Duration{0}, 0},
		{"503, and the store was busy", nil, nil, 29_500 * time.Millisecond, []time.Duration{29_500, 29_700}, 30_000},
		{"hangs", nil, hang, 0, []time.Duration{0, 3200, 7200}, 30_000},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []time.Duration
				store := &memory{}
				begun := time.Now()
				since := func() time.Duration { return time.Since(begun).Round(time.Millisecond) / time.Millisecond }
				transport := newSignedOut(t, failing(func(r *http.Request) (*http.Response, error) {
					got = append(got, since())
					if row.before != nil {
						row.before(r)
						return nil, r.Context().Err()
					}
					return status(http.StatusServiceUnavailable, row.fields...), nil
				}), store)
				if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "r", Expires: time.Now()}); err != nil {
					t.Fatal(err)
				}
				store.busy <- struct{}{}
				time.AfterFunc(row.busy, func() { <-store.busy })
				_, _, err := transport.Token(t.Context())
				if err == nil || !slices.Equal(got, row.want) || since() != row.end {
					t.Errorf("got %v at %d, until %d; want attempts at %d, until %d", err, got, since(), row.want, row.end)
				}
			})
		})
	}
}

// failing is a base that returns the results of the function.
type failing func(*http.Request) (*http.Response, error)

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestPauses checks that the pauses after failed renewals grow, and that they are at
// least as long as Retry-After says.
func TestPauses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		fields []string
		want   []time.Duration // from one renewal to the next, in seconds
	}{
		{"without Retry-After", nil, []time.Duration{1, 2, 4, 8, 16, 30, 30}},
		{"as it says", []string{"Retry-After", "20"}, []time.Duration{20, 20, 20, 20, 20, 30}},
		{"within bounds", []string{"Retry-After", "86400"}, []time.Duration{60, 60}},
		{"not a number", []string{"Retry-After", "-5"}, []time.Duration{1, 2}},
		{"not a second", []string{"Retry-After", "99999999999999999999"}, []time.Duration{1, 2}},
		{"a date", []string{"Retry-After", "Sat, 01 Jan 2000 00:05:00 GMT"}, []time.Duration{60, 60}}, // the clock of a bubble starts in 2000
		{"a date that has been", []string{"Retry-After", "Sat, 01 Jan 1999 00:05:00 GMT"}, []time.Duration{1, 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				last := time.Now()
				transport := newSignedOut(t, answering(func(*http.Request) *http.Response {
					last = time.Now()
					return status(http.StatusServiceUnavailable, row.fields...)
				}), nil)
				if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "r", Expires: time.Now()}); err != nil {
					t.Fatal(err)
				}
				_, _, err := transport.Token(t.Context())
				var refusal *jwtgate.Refusal
				if err == nil || errors.Is(err, jwtclient.ErrSignedOut) || errors.As(err, &refusal) {
					t.Fatalf("got %v; want a temporary error", err)
				}
				for _, want := range row.want {
					pause := want * time.Second
					time.Sleep(time.Until(last.Add(pause - time.Millisecond)))
					at := last
					if _, _, err := transport.Token(t.Context()); err == nil || last != at {
						t.Fatalf("got a request before the end of the pause of %v; want none", pause)
					}
					time.Sleep(2 * time.Millisecond)
					if _, _, err := transport.Token(t.Context()); err == nil || last == at {
						t.Fatalf("got no request after the pause of %v; want one", pause)
					}
				}
			})
		})
	}
}
