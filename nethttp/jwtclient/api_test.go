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
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

// An api is a server that is called without a network. It is the base of the
// Transports, and its clock is the one of the synctest bubble.
type api struct {
	t *testing.T

	mu     sync.Mutex
	serve  http.Handler
	delay  time.Duration   // before every response
	faults []fault         // for the next requests to /refresh, one for each
	seen   []*http.Request // all requests
	posted []string        // the bodies of the requests in seen
	open   map[*body]bool  // bodies of responses that have not been closed
}

// A fault responds to a request in place of the server, or spoils the response that
// serve returns.
type fault func(r *http.Request, serve func() *http.Response) (*http.Response, error)

// newAPI returns a server whose user is alice. GET /me and POST /notes require an
// access token. POST /notes responds with the body of the request.
func newAPI(t *testing.T) *api {
	t.Helper()
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:    "https://auth.example.com",
		Audience:  home,
		Keys:      keys.HS256([]byte("a secret of at least 32 bytes, for tests")),
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
	mux.Handle("POST /token", nethttp.Handle(auth.Token(check)))
	mux.Handle("POST /refresh", nethttp.Handle(auth.Refresh))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	mux.Handle("GET /me", nethttp.Protect(auth)(say("alice")))
	mux.Handle("POST /notes", nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})))
	a := &api{t: t, serve: mux, open: make(map[*body]bool)}
	t.Cleanup(func() {
		if len(a.open) > 0 {
			t.Errorf("%d bodies of responses were not closed", len(a.open))
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

// A body is the body of a response. It removes itself from api.open when closed.
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

// replace replaces the handler of the server. The new one can call the one before
// it. restore puts that one back.
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

// refuse makes the server refuse an access token that has not expired.
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

// calls returns the number of requests for path.
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

// wantCalls checks the numbers of requests for paths, such as "/refresh", 1, "/me", 2.
func (a *api) wantCalls(pathsAndNumbers ...any) {
	a.t.Helper()
	for i := 0; i < len(pathsAndNumbers); i += 2 {
		if got := a.calls(pathsAndNumbers[i].(string)); got != pathsAndNumbers[i+1].(int) {
			a.t.Errorf("got %d requests for %s; want %d", got, pathsAndNumbers[i], pathsAndNumbers[i+1])
		}
	}
}
