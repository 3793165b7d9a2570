package jwtclient_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

// An api is a server in this process, without a network but with the rules of a
// [http.RoundTripper]. Its time is that of the bubble that the test is in.
type api struct {
	t *testing.T

	mu     sync.Mutex
	serve  http.Handler
	delay  time.Duration   // of every answer
	faults []fault         // of /refresh, one for each request, as long as there are some
	seen   []*http.Request // with their bodies read
	posted []string        // the bodies of seen
	open   map[*body]bool  // of the answers
}

// A fault is what goes wrong: serve is the server's part.
type fault func(r *http.Request, serve func() *http.Response) (*http.Response, error)

// newAPI returns a server at which alice can sign in. GET /me and POST /notes want
// her to, /notes answering with what was posted.
func newAPI(t *testing.T) *api {
	t.Helper()
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:    "https://auth.example.com",
		Audience:  home,
		Keys:      jwtgate.HS256([]byte("a secret of at least 32 bytes, for tests")),
		AccessTTL: life,
		Sessions:  &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	check := func(_ context.Context, username, password string) (string, bool, error) {
		return username, password == "wonderland", nil
	}
	mux := http.NewServeMux()
	mux.Handle("POST /token", nethttp.Handle(jwtgate.Token(auth, check)))
	mux.Handle("POST /refresh", nethttp.Handle(auth.Refresh))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	mux.Handle("GET /me", nethttp.Protect(auth)(say("alice")))
	mux.Handle("POST /notes", nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})))
	a := &api{t: t, serve: mux, open: make(map[*body]bool)}
	t.Cleanup(func() {
		if len(a.open) > 0 {
			t.Errorf("%d answers were not closed", len(a.open))
		}
	})
	return a
}

// RoundTrip implements [http.RoundTripper].
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	a.mu.Lock()
	a.seen = append(a.seen, r)
	a.posted = append(a.posted, string(sent))
	var broken fault
	if r.URL.Path == "/refresh" && len(a.faults) > 0 {
		broken, a.faults = a.faults[0], a.faults[1:]
	}
	handler, delay := a.serve, a.delay
	a.mu.Unlock()
	if err := sleep(r.Context(), delay); err != nil {
		return nil, err
	}
	serve := func() *http.Response {
		w := httptest.NewRecorder()
		here := r.Clone(context.WithoutCancel(r.Context()))
		here.Body = io.NopCloser(bytes.NewReader(sent))
		handler.ServeHTTP(w, here)
		return w.Result()
	}
	var res *http.Response
	if broken == nil {
		res = serve()
	} else {
		var err error
		if res, err = broken(r, serve); err != nil {
			return nil, err
		}
	}
	b := &body{ReadCloser: res.Body, of: a}
	a.mu.Lock()
	a.open[b] = true
	a.mu.Unlock()
	res.Body, res.Request = b, r
	return res, nil
}

// A body is that of an answer, which somebody must close.
type body struct {
	io.ReadCloser
	of *api
}

func (b *body) Close() error {
	b.of.mu.Lock()
	defer b.of.mu.Unlock()
	delete(b.of.open, b)
	return b.ReadCloser.Close()
}

// replace changes the server, into one that may ask the one before it, and returns
// what changes it back.
func (a *api) replace(handler func(before http.Handler) http.HandlerFunc) (restore func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.serve
	a.serve = handler(before)
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.serve = before
	}
}

// refuse has the server refuse one access token, before its time.
func (a *api) refuse(access string) {
	a.replace(func(before http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+access {
				before.ServeHTTP(w, r)
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "sorry")
		}
	})
}

func (a *api) setDelay(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delay = d
}

// calls returns how many requests for path there were.
func (a *api) calls(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, r := range a.seen {
		if r.URL.Path == path {
			n++
		}
	}
	return n
}

// wantCalls wants as many requests as it says: "/refresh", 1, "/me", 2.
func (a *api) wantCalls(pathsAndNumbers ...any) {
	a.t.Helper()
	for i := 0; i < len(pathsAndNumbers); i += 2 {
		if got := a.calls(pathsAndNumbers[i].(string)); got != pathsAndNumbers[i+1].(int) {
			a.t.Errorf("got %d requests for %s; want %d", got, pathsAndNumbers[i], pathsAndNumbers[i+1])
		}
	}
}
