package main

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// TestBrowser uses the page in a real browser, in each of the three set-ups.
func TestBrowser(t *testing.T) {
	ctx := programs.Chromium(t)
	for _, row := range []struct {
		name  string
		start func(t *testing.T, clock *jwtgatetest.Clock) (pageURL string)
	}{
		{"same origin", sameOrigin},
		{"app and api", twoHosts("")},
		{"app and api, cookies for both", twoHosts("example.test")},
		{"Vite", vite},
	} {
		t.Run(row.name, func(t *testing.T) {
			clock := jwtgatetest.NewClock(time.Now())
			url := row.start(t, clock)
			device, cancel := chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
			defer cancel()
			if err := chromedp.Do(device, chromedp.Navigate(url)); err != nil {
				t.Fatal(err)
			}
			until(t, device, `document.body.dataset.state === "signed-out"`, ``)
			until(t, device, `$("problem").textContent !== ""`, login("builder"))
			until(t, device, `document.body.dataset.state === "signed-in" && $("name").textContent === "alice"`, login("wonderland"))
			until(t, device, `$("visits").textContent !== "0"`, `$("visit").click()`)
			clock.Advance(time.Hour) // the access token expires
			until(t, device, `$("visits").textContent !== seen`, `seen = $("visits").textContent; $("visit").click()`)
			if err := chromedp.Do(device, chromedp.Navigate(url)); err != nil {
				t.Fatal(err)
			}
			until(t, device, `document.body.dataset.state === "signed-in"`, ``)
			until(t, device, `document.body.dataset.state === "signed-out"`, `$("logout").click()`)
		})
	}
}

// sameOrigin serves page and API together.
func sameOrigin(t *testing.T, clock *jwtgatetest.Clock) string {
	return start(t, setup{}, clock, httptest.NewServer).URL
}

// twoHosts serves the page at app.example.test and the API at api.example.test.
func twoHosts(cookieDomain string) func(*testing.T, *jwtgatetest.Clock) string {
	return func(t *testing.T, clock *jwtgatetest.Clock) string {
		t.Helper()
		var api string
		app := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := strings.Contains(r.Header.Get("Cookie"), "__"); got && cookieDomain == "" {
				t.Error("the server of the page got cookies of the API")
			}
			if r.URL.Path != "/" {
				page().ServeHTTP(w, r)
				return
			}
			text, err := files.ReadFile("web/index.html")
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(strings.Replace(string(text), `name="api" content=""`, `name="api" content="`+api+`"`, 1)))
		}))
		t.Cleanup(app.Close)
		appURL := strings.Replace(app.URL, "127.0.0.1", "app.example.test", 1)
		server := start(t, setup{PageOrigin: appURL, CookieDomain: cookieDomain}, clock, httptest.NewTLSServer)
		api = strings.Replace(server.URL, "127.0.0.1", "api.example.test", 1)
		return appURL
	}
}

// vite serves the page by the development server of Vite, in front of the API.
func vite(t *testing.T, clock *jwtgatetest.Clock) string {
	t.Helper()
	web, err := filepath.Abs("web")
	if err != nil {
		t.Fatal(err)
	}
	cmd := programs.Peer(t, filepath.Join("node_modules", "vite", "bin", "vite.js"), web, "--port", "0", "--strictPort")
	cmd.Env = append(cmd.Environ(), "API="+start(t, setup{}, clock, httptest.NewServer).URL, "NO_COLOR=1")
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	var text strings.Builder
	for lines := bufio.NewScanner(output); lines.Scan(); text.WriteString(lines.Text() + "\n") {
		if url := regexp.MustCompile(`http://localhost:\d+`).FindString(lines.Text()); url != "" {
			return url
		}
	}
	t.Fatalf("Vite has not started:\n%s", text.String())
	return ""
}

// start serves s with this clock.
func start(t *testing.T, s setup, clock *jwtgatetest.Clock, serve func(http.Handler) *httptest.Server) *httptest.Server {
	t.Helper()
	config := s.config([]byte("a secret of at least 32 bytes, for tests"))
	config.Now = clock.Now
	auth, err := jwtgate.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	server := serve(s.routes(auth))
	t.Cleanup(server.Close)
	return server
}

// login returns a script that submits the form of the page.
func login(password string) string {
	return `document.forms[0].username.value = "alice"; document.forms[0].password.value = "` + password + `"; document.forms[0].requestSubmit()`
}

const patience = 20 * time.Second

// until runs a script in the page once, and waits until condition is true.
func until(t *testing.T, ctx context.Context, condition, script string) {
	t.Helper()
	const names = `var seen; var $ = id => document.getElementById(id); `
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](names+script+"; undefined")); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		if err == nil && got {
			return
		}
		if time.Now().After(deadline) {
			text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("not true after %v: %s, %v\n%s", patience, condition, err, text)
		}
	}
}
