package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// start serves the application with access tokens of two seconds.
func start(t *testing.T) (auth *jwtgate.Auth, url string) {
	t.Helper()
	c := config([]byte("a secret of at least 32 bytes, for tests"))
	c.AccessTTL = 2 * time.Second
	auth, err := jwtgate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	server := httptest.NewServer(routes(auth))
	t.Cleanup(server.Close)
	return auth, server.URL
}

// TestBrowser keeps a page open over several access tokens, and then signs out, once on
// the page and once elsewhere.
func TestBrowser(t *testing.T) {
	ctx := programs.Chromium(t)
	auth, url := start(t)
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	const signIn = `$("login").requestSubmit()`
	programs.Until(t, ctx, ``, `window.state && !state.signedIn`)
	programs.Until(t, ctx, signIn, `state.signedIn && state.streams > 0 && $("said").textContent === "alice: hello"`)
	programs.Until(t, ctx, ``, `state.signedIn && state.streams > 2 && state.sockets > 2 && $("time").textContent !== "…"`)
	programs.Until(t, ctx, `$("logout").click()`, `!state.signedIn`)
	programs.Until(t, ctx, signIn, `state.signedIn`)
	if err := auth.EndSessions(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	programs.Until(t, ctx, ``, `!state.signedIn`)
}

// TestEvents checks that a stream ends with the access token, and with the session.
func TestEvents(t *testing.T) {
	auth, url := start(t)
	for _, row := range []struct {
		name string
		end  func() error
	}{
		{"the token expires", func() error { return nil }},
		{"the session ends", func() error { return auth.EndSessions(t.Context(), "alice") }},
	} {
		req, err := http.NewRequest(http.MethodGet, url+"/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", jwtgatetest.Cookie(t, auth, "alice"))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		events := 0
		begun := time.Now()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data: ") {
				events++
			}
			if events == 1 {
				if err := row.end(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = res.Body.Close()
		if took := time.Since(begun); res.StatusCode != http.StatusOK || events == 0 || took > 10*time.Second {
			t.Errorf("%s: got %s, %d events in %v", row.name, res.Status, events, took)
		}
	}
}

// TestHandshakes checks who can open a stream.
func TestHandshakes(t *testing.T) {
	auth, url := start(t)
	cookie := jwtgatetest.Cookie(t, auth, "alice")
	for _, row := range []struct {
		path, cookie, origin string
		want                 int
	}{
		{"/events", "", "", 401},
		{"/chat", "", url, 401},
		{"/chat", cookie, url, 101},
		{"/chat", cookie, "https://evil.example", 403},
	} {
		req, err := http.NewRequest(http.MethodGet, url+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Cookie": row.cookie, "Origin": row.origin, "Connection": "Upgrade", "Upgrade": "websocket",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
		} {
			if value != "" && (row.path == "/chat" || name == "Cookie") {
				req.Header.Set(name, value)
			}
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != row.want {
			t.Errorf("%s from %q: got %s; want %d", row.path, row.origin, res.Status, row.want)
		}
	}
}
