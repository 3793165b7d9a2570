package jwtclient_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestOwnAuthorization checks that requests with an Authorization field are sent
// unchanged, and that their 401 responses are returned.
func TestOwnAuthorization(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		own  []string
	}{
		{"another token", []string{"Bearer other"}},
		{"another scheme", []string{"Basic YTpi"}},
		{"empty", []string{""}},
		{"nil", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
				calls++
				if got, there := r.Header["Authorization"]; !slices.Equal(got, row.own) || !there {
					t.Errorf("got %q; want %q", got, row.own)
				}
				return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
			}), nil)
			r := httptest.NewRequest(http.MethodGet, home, nil)
			r.Header["Authorization"] = row.own
			got, _, err := send(transport, r)
			if err != nil || got != http.StatusUnauthorized || calls != 1 {
				t.Errorf("got %d, %v after %d calls; want the 401 after one", got, err, calls)
			}
		})
	}
}

// TestOneConnection uses a base that is limited to one connection. The renewal needs
// it while the 401 response that caused the renewal is open. A short response is read
// to its end, so that the connection is reused.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		text        string
		connections int32
	}{
		{"short", "sorry", 1},
		{"long", strings.Repeat("sorry", 100_000), 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			testOneConnection(t, row.text, row.connections)
		})
	}
}

func testOneConnection(t *testing.T, text string, connections int32) {
	var renewed atomic.Bool
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/refresh":
			renewed.Store(true)
			_, _ = io.WriteString(w, `{"access_token":"new","token_type":"Bearer","refresh_token":"next"}`)
		case r.Header.Get("Authorization") != "Bearer new":
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, text)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	base := &http.Transport{MaxConnsPerHost: 1}
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
		t.Fatal(err)
	}
	if got, err := do(t.Context(), transport, "GET", server.URL, ""); got != "200 " || !renewed.Load() {
		t.Errorf("got %q, %v; want 200 after a renewal", got, err)
	}
	if got := opened.Load(); got != connections {
		t.Errorf("got %d connections; want %d", got, connections)
	}
}

// TestCloseIdleConnections checks that the base is called, if it has the method.
func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	base := &closer{}
	(&http.Client{Transport: newSignedOut(t, base, nil)}).CloseIdleConnections()
	if !base.closed {
		t.Error("got no call of CloseIdleConnections; want one")
	}
	newSignedOut(t, answering(nil), nil).CloseIdleConnections()
}

type closer struct {
	answering
	closed bool
}

func (c *closer) CloseIdleConnections() { c.closed = true }

// TestDefaultBase checks that a Transport without a base uses http.DefaultTransport.
func TestDefaultBase(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "token"}); err != nil {
		t.Fatal(err)
	}
	if got, err := do(t.Context(), transport, "GET", server.URL, ""); got != "200 Bearer token" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestBaseFails checks that the error of the base is returned, also if the base fails when
// the request is sent again.
func TestBaseFails(t *testing.T) {
	t.Parallel()
	errNetwork := errors.New("network down")
	for _, broken := range []string{"Bearer old", "Bearer new"} {
		transport := newSignedOut(t, failing(func(r *http.Request) (*http.Response, error) {
			switch {
			case r.URL.Path == "/refresh":
				return tokens("new", "next", time.Hour), nil
			case r.Header.Get("Authorization") == broken:
				return nil, errNetwork
			}
			return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`), nil
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
			t.Fatal(err)
		}
		if got, err := do(t.Context(), transport, "GET", home+"/me", ""); !errors.Is(err, errNetwork) {
			t.Errorf("%s: got %q, %v; want %v", broken, got, err, errNetwork)
		}
	}
}
