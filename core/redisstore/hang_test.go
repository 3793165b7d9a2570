package redisstore_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/redisstore"
)

// While a server hangs, only the first requests wait for it. The next ones are
// refused within a moment, and succeed within a second after the server goes on.
func TestHangs(t *testing.T) {
	const timeout = time.Second
	server := startServer(t)
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256(signingSecret),
		Sessions: &jwtgate.SessionConfig{
			Subject: loadUser,
			Store:   newStore(t, server.client(), redisstore.Config{}),
			Keys:    [][]byte{refreshSecret},
			Timeout: timeout,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	tokens, err := auth.SignIn(t.Context(), jwtgate.Request{}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	refresh := func() (status int, took time.Duration) {
		start := time.Now()
		response := auth.Refresh(context.Background(), jwtgate.Request{
			Method: http.MethodPost,
			Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			Body:   strings.NewReader(url.Values{"refresh_token": {tokens.Refresh}}.Encode()),
		})
		return response.Status, time.Since(start)
	}
	if status, _ := refresh(); status != 200 {
		t.Fatalf("got %d before the server hangs; want 200", status)
	}

	server.signal(syscall.SIGSTOP)
	var all sync.WaitGroup
	for range 40 { // more than the client has connections
		all.Go(func() {
			if status, took := refresh(); status != 503 || took > timeout+slack {
				t.Errorf("one of the first requests: got %d after %v; want 503 after %v", status, took, timeout)
			}
		})
	}
	all.Wait()
	slow := 0
	for range 50 {
		status, took := refresh()
		if status != 503 {
			t.Errorf("got %d; want 503", status)
		}
		if took > timeout/2 {
			slow++
		}
	}
	if slow > 2 { // on a busy machine
		t.Errorf("%d of 50 requests waited for the server; want none", slow)
	}
	server.signal(syscall.SIGCONT)
	back := time.Now()
	for status, _ := refresh(); status != 200; status, _ = refresh() {
		if time.Since(back) > time.Second+slack/2 {
			t.Fatalf("got %d %v after the server goes on; want 200 within a second", status, time.Since(back))
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("recovered after %v", time.Since(back))
}
