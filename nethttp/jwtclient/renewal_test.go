package jwtclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// All goroutines of a bubble must have ended with it, so every test here is one
// for leaks as well.

func TestOneRenewalForAll(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		before time.Duration // since the token was received
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
				if row.revoke { // as if another API server had forgotten its keys
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

// TestAhead wants a renewal before the token expires, and none before it is due.
func TestAhead(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		life, notYet, by time.Duration
	}{
		{2 * time.Second, 1400 * time.Millisecond, 1700 * time.Millisecond},
		{20 * time.Second, 14900 * time.Millisecond, 16300 * time.Millisecond},
		{time.Minute, 49 * time.Second, 53 * time.Second},
		{time.Hour, 53 * time.Minute, 56 * time.Minute},
		{0, 24 * time.Hour, 0}, // unknown: never ahead
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

// TestFaults has everything go wrong at /refresh that may, after the access token
// has expired or while it is good. No session is ever lost.
func TestFaults(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection reset by peer")
	after := func(d time.Duration) fault {
		return func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
			res := serve()
			return res, sleep(r.Context(), d)
		}
	}
	before := func(d time.Duration) fault {
		return func(r *http.Request, serve func() *http.Response) (*http.Response, error) {
			var res *http.Response
			served := make(chan struct{})
			go func() { // the server does not hear of it if the client is gone
				time.Sleep(d)
				res = serve() //nolint:bodyclose // it is what this returns
				close(served)
			}()
			select {
			case <-served:
				return res, nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
	}
	answer := func(code int, fields ...string) fault {
		return func(*http.Request, func() *http.Response) (*http.Response, error) {
			return status(code, fields...), nil
		}
	}
	text := func(text string) fault {
		return func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
			res := serve()
			res.Body = io.NopCloser(strings.NewReader(text))
			return res, nil
		}
	}
	var neverSent fault = func(*http.Request, func() *http.Response) (*http.Response, error) { return nil, lost }
	var dropped fault = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
		_ = serve()
		return nil, lost
	}
	var cut fault = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
		res := serve()
		res.Body = io.NopCloser(io.MultiReader(io.LimitReader(res.Body, 20), brokenBody{lost}))
		return res, nil
	}

	var endless fault = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
		res := serve()
		res.Body = io.NopCloser(&spaces{t: t})
		return res, nil
	}

	for _, row := range []struct {
		name   string
		faults []fault
		calls  int  // of /refresh, if the token has expired
		fails  bool // the first request that needs new tokens
	}{
		{"nothing", nil, 1, false},
		{"503", []fault{answer(503)}, 2, false},
		{"503 with Retry-After", []fault{answer(503, "Retry-After", "1")}, 2, false},
		{"503 three times", []fault{answer(503), answer(503), answer(503)}, 4, true},
		{"503 with Retry-After in half a minute", []fault{answer(503, "Retry-After", "30")}, 2, true},
		{"500 in place of tokens", []fault{answer(500)}, 2, false},
		{"429", []fault{answer(429, "Retry-After", "2")}, 2, false},
		{"408", []fault{answer(408)}, 2, false},
		{"404", []fault{answer(404)}, 2, true},
		{"403", []fault{answer(403)}, 2, true},
		{"400 without a reason", []fault{answer(400)}, 2, true},
		{"401 without a reason", []fault{answer(401, "WWW-Authenticate", "Bearer")}, 2, true},
		{"a redirect", []fault{answer(307, "Location", "https://evil.example.com/")}, 2, true},
		{"never sent", []fault{neverSent}, 2, false},
		{"never sent, three times", []fault{neverSent, neverSent, neverSent}, 4, true},
		{"dropped after commit", []fault{dropped}, 2, false},
		{"dropped after commit, twice", []fault{dropped, dropped}, 3, false},
		{"dropped after commit, three times", []fault{dropped, dropped, dropped}, 4, true}, // and asked again in time
		{"cut off", []fault{cut}, 2, false},
		{"cut off twice", []fault{cut, cut}, 3, false},
		{"slow", []fault{after(2 * time.Second)}, 1, false},
		{"slower", []fault{after(8 * time.Second)}, 2, false},
		{"slower, before commit", []fault{before(8 * time.Second)}, 2, false},
		{"slow for good", []fault{after(15 * time.Second), after(15 * time.Second), after(15 * time.Second)}, 3, false},
		{"slow for good, before commit", []fault{before(5 * time.Second), before(5 * time.Second), before(5 * time.Second)}, 3, false},
		{"empty", []fault{text("")}, 2, false},
		{"a page in place of tokens", []fault{text("<html>")}, 2, false},
		{"no access token", []fault{text(`{"token_type":"Bearer","refresh_token":"x"}`)}, 2, false},
		{"a token of another type", []fault{text(`{"access_token":"x","token_type":"DPoP","refresh_token":"x"}`)}, 2, false},
		{"a token with a line break", []fault{text(`{"access_token":"x\r\ny","token_type":"Bearer","refresh_token":"x"}`)}, 2, false},
		{"huge", []fault{text(`{"access_token":"x","token_type":"Bearer","refresh_token":"` + strings.Repeat("x", 1<<20) + `"}`)}, 2, false},
		{"endless", []fault{endless}, 2, false},
	} {
		rest := 30 * time.Second
		if strings.HasPrefix(row.name, "dropped") {
			rest = 5 * time.Second // what replaced the refresh token is given again for 10
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				a.faults = row.faults
				transport := newTransport(t, a, nil)
				time.Sleep(life)
				got, err := do(t.Context(), transport, "GET", home+"/me", "")
				if failed := err != nil; failed != row.fails || errors.Is(err, jwtclient.ErrSignedOut) || !failed && got != "200 alice" {
					t.Errorf("got %q, %v; want an error: %t", got, err, row.fails)
				}
				if row.fails { // and while there is a pause, the endpoint is left alone
					n := a.calls("/refresh")
					_, again := do(t.Context(), transport, "GET", home+"/me", "")
					if again == nil || errors.Is(again, jwtclient.ErrSignedOut) || a.calls("/refresh") != n {
						t.Errorf("got %v after %d calls; want the same error, and no call", again, a.calls("/refresh")-n)
					}
					time.Sleep(rest)
				}
				wantMe(t, transport)
				a.wantCalls("/refresh", row.calls)
				for _, r := range a.seen {
					if r.URL.Host != "api.example.com" {
						t.Errorf("got a request to %s", r.URL)
					}
				}
				time.Sleep(time.Minute) // for what the server is still at
			})
		})
		t.Run(row.name+", with a good token", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				a.faults = row.faults
				transport := newTransport(t, a, nil)
				time.Sleep(life - 4*time.Second)
				begun := time.Now()
				wantMe(t, transport)
				if waited := time.Since(begun); waited > 2*time.Second {
					t.Errorf("waited %v with a good token", waited)
				}
				time.Sleep(rest)
				wantMe(t, transport)
				time.Sleep(life)
				wantMe(t, transport)
			})
		})
	}
}

// brokenBody is one that breaks off.
type brokenBody struct{ error }

func (r brokenBody) Read([]byte) (int, error) { return 0, r.error }

// spaces is a reader without an end, of which nobody should read much.
type spaces struct {
	t    *testing.T
	read int
}

func (s *spaces) Read(p []byte) (int, error) {
	if s.read += len(p); s.read > 1<<20 {
		s.t.Error("the answer is read without end")
		return 0, io.EOF
	}
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

// TestExpiresIn reads what servers send.
func TestExpiresIn(t *testing.T) {
	t.Parallel()
	const years = 10 * 365 * 24 * time.Hour
	for _, row := range []struct {
		text string
		want time.Duration // 0: unknown
	}{
		{`"expires_in":3600`, time.Hour},
		{`"expires_in":"3600"`, time.Hour},
		{`"expires_in":0.5`, time.Second / 2},
		{`"expires_in":1e300`, years},
		{`"expires_in":9223372036854775807`, years},
		{`"expires_in":1e999`, 0},
		{`"expires_in":0`, 0},
		{`"expires_in":-3600`, 0},
		{`"expires_in":null`, 0},
		{`"expires":3600`, 0},
	} {
		t.Run(row.text, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := newSignedOut(t, answering(func(*http.Request) *http.Response {
					return answer(http.StatusOK, `{"access_token":"a","token_type":"Bearer",`+row.text+`}`)
				}), nil)
				if err := transport.SignIn(t.Context(), "alice", "wonderland"); err != nil {
					t.Fatal(err)
				}
				_, got, err := transport.Token(t.Context())
				if want := expires(row.want); !got.Equal(want) || err != nil {
					t.Errorf("got %v, %v; want %v", got, err, want)
				}
			})
		})
	}
}

// TestAttempts wants three, soon enough for the server to give the same tokens again.
func TestAttempts(t *testing.T) {
	t.Parallel()
	hang := func(r *http.Request) { <-r.Context().Done() }
	for _, row := range []struct {
		name   string
		fields []string
		before func(*http.Request)
		want   []time.Duration // when, in milliseconds
		end    time.Duration
	}{
		{"503", nil, nil, []time.Duration{0, 200, 1200}, 1200},
		{"Retry-After: 1", []string{"Retry-After", "1"}, nil, []time.Duration{0, 1000, 2000}, 2000},
		{"Retry-After: 2", []string{"Retry-After", "2"}, nil, []time.Duration{0, 2000, 4000}, 4000},
		{"Retry-After: 3", []string{"Retry-After", "3"}, nil, []time.Duration{0}, 0},
		{"hangs", nil, hang, []time.Duration{0, 3200, 7200}, 30_000},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []time.Duration
				begun := time.Now()
				since := func() time.Duration { return time.Since(begun).Round(time.Millisecond) / time.Millisecond }
				transport := newSignedOut(t, failing(func(r *http.Request) (*http.Response, error) {
					got = append(got, since())
					if row.before != nil {
						row.before(r)
						return nil, r.Context().Err()
					}
					return status(http.StatusServiceUnavailable, row.fields...), nil
				}), nil)
				if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "r", Expires: time.Now()}); err != nil {
					t.Fatal(err)
				}
				_, _, err := transport.Token(t.Context())
				if err == nil || !slices.Equal(got, row.want) || since() != row.end {
					t.Errorf("got %v at %d, until %d; want attempts at %d, until %d", err, got, since(), row.want, row.end)
				}
			})
		})
	}
}

// failing is a base that may fail.
type failing func(*http.Request) (*http.Response, error)

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestPauses wants an endpoint that is down to be asked less and less often, and
// no more often than it says.
func TestPauses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		fields []string
		want   []time.Duration // from one flight to the next
	}{
		{"without Retry-After", nil, []time.Duration{1, 2, 4, 8, 16, 30, 30}},
		{"as it says", []string{"Retry-After", "20"}, []time.Duration{20, 20, 20, 20, 20, 30}},
		{"within bounds", []string{"Retry-After", "86400"}, []time.Duration{60, 60}},
		{"not a number", []string{"Retry-After", "-5"}, []time.Duration{1, 2}},
		{"not a second", []string{"Retry-After", "99999999999999999999"}, []time.Duration{1, 2}},
		{"a date", []string{"Retry-After", "Sat, 01 Jan 2000 00:05:00 GMT"}, []time.Duration{60, 60}}, // bubbles begin in 2000
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
					t.Fatalf("got %v; want plain trouble", err)
				}
				for _, want := range row.want {
					pause := want * time.Second
					time.Sleep(time.Until(last.Add(pause - time.Millisecond)))
					at := last
					if _, _, err := transport.Token(t.Context()); err == nil || last != at {
						t.Fatalf("asked again before %v were over", pause)
					}
					time.Sleep(2 * time.Millisecond)
					if _, _, err := transport.Token(t.Context()); err == nil || last == at {
						t.Fatalf("not asked again after %v", pause)
					}
				}
			})
		})
	}
}

// TestSessionOver wants the answers that mean it to sign out, and only those.
func TestSessionOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		status int
		body   string
		over   bool
	}{
		{401, `{"code":"refresh_expired","error":"invalid_grant"}`, true},
		{401, `{"code":"refresh_reused"}`, true},
		{400, `{"error":"invalid_grant"}`, true},
		{401, `{"error":"invalid_grant"}`, true},
		{400, `{"error":"invalid_request"}`, false},
		{401, `{"error":"invalid_client"}`, false},
		{401, `{"code":"token_invalid"}`, false},
		{403, `{"error":"invalid_grant"}`, false},
		{500, `{"error":"invalid_grant"}`, false},
		{503, `{"code":"refresh_expired"}`, false},
		{401, `refresh_expired`, false},
	} {
		t.Run(fmt.Sprint(row.status, row.body), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				transport := newSignedOut(t, answering(func(*http.Request) *http.Response {
					asked++
					res := status(row.status)
					res.Body = io.NopCloser(strings.NewReader(row.body))
					return res
				}), nil)
				if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "r", Expires: time.Now().Add(time.Minute)}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(55 * time.Second) // renewed ahead
				_, _, err := transport.Token(t.Context())
				if errors.Is(err, jwtclient.ErrSignedOut) != row.over || !row.over && err != nil {
					t.Errorf("got %v; want signed out: %t", err, row.over)
				}
				var refusal *jwtgate.Refusal
				if row.over && (!errors.As(err, &refusal) || refusal.Code == "" || refusal.Status != row.status) {
					t.Errorf("got %v; want the refusal in it", err)
				}
				asked = 0
				time.Sleep(time.Hour)
				if _, _, err := transport.Token(t.Context()); errors.Is(err, jwtclient.ErrSignedOut) != row.over || (asked == 0) != row.over {
					t.Errorf("later got %v, and %d requests", err, asked)
				}
			})
		})
	}
}

// A renewal is nobody's: who waits for it may go, and who began it too.
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

// http.Client.Timeout is one of the ways to cancel.
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

// A server may keep the refresh token as it is (RFC 6749 §6).
func TestNotRotated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []string
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			_ = r.ParseForm()
			got = append(got, r.Form.Get("refresh_token"))
			return tokens("new", "", time.Minute)
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "a", Refresh: "kept", Expires: time.Now()}); err != nil {
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

// Without a refresh token, a session lasts as long as its access token, to the end.
func TestNoRefreshToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			t.Errorf("got a request to %s", r.URL)
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
