package jwtclient_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestFaults checks that the session survives every fault of the refresh endpoint,
// both after the access token has expired and while it is valid.
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
			go func() { // a server goes on when the client has gone
				time.Sleep(d)
				res = serve() //nolint:bodyclose // the fault returns res
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
	cut := func(at int64) fault {
		return func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
			res := serve()
			res.Body = io.NopCloser(io.MultiReader(io.LimitReader(res.Body, at), brokenBody{lost}))
			return res, nil
		}
	}

	var endless fault = func(_ *http.Request, serve func() *http.Response) (*http.Response, error) {
		res := serve()
		res.Body = io.NopCloser(&spaces{t: t})
		return res, nil
	}

	for _, row := range []struct {
		name   string
		faults []fault
		calls  int  // requests to /refresh, if the access token has expired
		fails  bool // whether the first request that needs new tokens fails
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
		{"300", []fault{answer(300)}, 2, true},
		{"a redirect", []fault{answer(307, "Location", "https://evil.example.com/")}, 2, true},
		{"never sent", []fault{neverSent}, 2, false},
		{"never sent, three times", []fault{neverSent, neverSent, neverSent}, 4, true},
		{"dropped after commit", []fault{dropped}, 2, false},
		{"dropped after commit, twice", []fault{dropped, dropped}, 3, false},
		{"dropped after commit, three times", []fault{dropped, dropped, dropped}, 4, true}, // the next renewal is within the reuse window
		{"cut off", []fault{cut(20)}, 2, false},
		{"cut off twice", []fault{cut(20), cut(20)}, 3, false},
		{"cut off after the tokens", []fault{cut(1 << 20)}, 2, false},
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
			rest = 5 * time.Second // within the reuse window of 10 seconds
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
				if row.fails { // during the pause, no request is sent to the endpoint
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
						t.Errorf("got a request to %s; want none", r.URL)
					}
				}
				time.Sleep(time.Minute) // until the server has finished
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

// brokenBody is a body that cannot be read.
type brokenBody struct{ error }

func (r brokenBody) Read([]byte) (int, error) { return 0, r.error }

// spaces is an endless body. It fails the test if more than 1 MB of it is read.
type spaces struct {
	t    *testing.T
	read int
}

func (s *spaces) Read(p []byte) (int, error) {
	if s.read += len(p); s.read > 1<<20 {
		s.t.Error("got more than 1 MB read; want a limit")
		return 0, io.EOF
	}
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}
