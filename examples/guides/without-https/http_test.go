package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// TestHosts signs in with a real browser at each kind of address. Only a browser shows
// which cookies it stores.
func TestHosts(t *testing.T) {
	ctx := programs.Chromium(t)
	for _, row := range []struct {
		host     string
		insecure bool
		want     string // the answer of GET /me after the login
		warned   bool   // by the server
	}{
		{"localhost", false, "200 alice", false},
		{"127.0.0.1", false, "200 alice", false},
		{"dev.localhost", false, "200 alice", false},
		{"dev.example.test", false, "401", true},
		{"dev.example.test", true, "200 alice", false},
		{"localhost", true, "200 alice", false},
	} {
		var log lockedBuffer
		c := config([]byte("a secret of at least 32 bytes, for tests"), row.insecure)
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		auth, err := jwtgate.New(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(auth.Close)
		server := httptest.NewServer(routes(auth))
		t.Cleanup(server.Close)
		device, cancel := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
		defer cancel()
		if err := chromedp.Do(device, chromedp.Navigate(strings.Replace(server.URL, "127.0.0.1", row.host, 1))); err != nil {
			t.Fatal(err)
		}
		got, err := chromedp.Run(device, chromedp.Evaluate[string](`(async () => {
			await fetch("/login", { method: "POST", body: new URLSearchParams({ username: "alice", password: "wonderland" }) });
			const me = await fetch("/me");
			return me.ok ? me.status + " " + await me.json() : String(me.status);
		})()`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%s, InsecureHTTP %t", row.host, row.insecure)
		if got != row.want {
			t.Errorf("%s: got %s; want %s", name, got, row.want)
		}
		if warned := strings.Contains(log.String(), "signed in over plain HTTP"); warned != row.warned {
			t.Errorf("%s: got a warning: %t; want %t\n%s", name, warned, row.warned, log.String())
		}
	}
}

// TestNames checks the names of the cookies, by which a proxy or a test finds them.
func TestNames(t *testing.T) {
	for insecure, want := range map[bool]string{false: "__Host-at __Host-rt", true: "at rt"} {
		auth, err := jwtgate.New(config([]byte("a secret of at least 32 bytes, for tests"), insecure))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(auth.Close)
		r := httptest.NewRequest(http.MethodPost, "http://localhost/login", strings.NewReader("username=alice&password=wonderland"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		routes(auth).ServeHTTP(w, r)
		var names []string
		for _, cookie := range w.Result().Cookies() {
			names = append(names, cookie.Name)
			if cookie.Secure == insecure {
				t.Errorf("InsecureHTTP %t: got %v", insecure, cookie)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("InsecureHTTP %t: got the cookies %s; want %s", insecure, got, want)
		}
	}
}

// A lockedBuffer is the output of a logger.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
