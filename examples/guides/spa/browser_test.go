package main

import (
	"bufio"
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
			programs.Until(t, device, "", `document.body.dataset.state === "signed-out"`)
			programs.Until(t, device, login("builder"), `$("problem").textContent !== ""`)
			programs.Until(t, device, login("wonderland"), `document.body.dataset.state === "signed-in" && $("name").textContent === "alice"`)
			programs.Until(t, device, `$("visit").click()`, `$("visits").textContent !== "0"`)
			clock.Advance(time.Hour) // the access token expires
			programs.Until(t, device, `window.seen = $("visits").textContent; $("visit").click()`, `$("visits").textContent !== seen`)
			if err := chromedp.Do(device, chromedp.Navigate(url)); err != nil {
				t.Fatal(err)
			}
			programs.Until(t, device, "", `document.body.dataset.state === "signed-in"`)
			programs.Until(t, device, `$("logout").click()`, `document.body.dataset.state === "signed-out"`)
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
	late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
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
