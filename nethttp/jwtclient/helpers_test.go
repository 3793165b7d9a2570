package jwtclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

const (
	home = "https://api.example.com"
	life = time.Minute // the lifetime of access tokens, long enough for tests that do not wait
)

// newTransport returns a Transport that sends its requests to a and is signed in as
// alice.
func newTransport(t *testing.T, a *api, store jwtclient.Store) *jwtclient.Transport {
	t.Helper()
	transport := newSignedOut(t, a, store)
	if err := transport.SignIn(t.Context(), "alice", "wonderland"); err != nil {
		t.Fatal(err)
	}
	return transport
}

// newSignedOut returns a Transport that has not signed in.
func newSignedOut(t *testing.T, base http.RoundTripper, store jwtclient.Store) *jwtclient.Transport {
	t.Helper()
	transport, err := jwtclient.New(jwtclient.Config{Origin: home, Base: base, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

// do sends a request with an http.Client and returns the status and the body of the
// response.
func do(ctx context.Context, transport http.RoundTripper, method, url, text string) (string, error) {
	var payload io.Reader
	if text != "" {
		payload = strings.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, payload)
	if err != nil {
		return "", err
	}
	res, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	return fmt.Sprint(res.StatusCode, " ", string(got)), err
}

// wantMe checks that GET /me succeeds.
func wantMe(t *testing.T, transport http.RoundTripper) {
	t.Helper()
	if got, err := do(t.Context(), transport, http.MethodGet, home+"/me", ""); got != "200 alice" {
		t.Errorf("GET /me: got %q, %v; want 200", got, err)
	}
}

// wantSignedOut checks that GET /me fails with ErrSignedOut.
func wantSignedOut(t *testing.T, transport http.RoundTripper) {
	t.Helper()
	if got, err := do(t.Context(), transport, http.MethodGet, home+"/me", ""); !errors.Is(err, jwtclient.ErrSignedOut) {
		t.Errorf("GET /me: got %q, %v; want ErrSignedOut", got, err)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send sends r with transport itself, and returns the status and the body of the
// response.
func send(transport http.RoundTripper, r *http.Request) (int, string, error) {
	res, err := transport.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

var refused404 fault = func(*http.Request, func() *http.Response) (*http.Response, error) {
	return status(http.StatusNotFound), nil
}

var refused503 fault = func(*http.Request, func() *http.Response) (*http.Response, error) {
	return status(http.StatusServiceUnavailable), nil
}

func token(t *testing.T, transport *jwtclient.Transport) string {
	t.Helper()
	access, _, err := transport.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return access
}
