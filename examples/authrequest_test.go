package examples

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/nethttp"
)

// TestAuthRequest runs nginx with the configuration in README.md. Its sub-requests
// judge who may have the files, and requests of pages to the application itself are
// renewed.
func TestAuthRequest(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	auth := newAuthRequestAuth(t, clock)
	app := httptest.NewServer(authRequestApp(auth))
	t.Cleanup(app.Close)
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "files", "a.txt"), []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	front := startNginx(t, "",
		strings.NewReplacer("http://127.0.0.1:8080", app.URL, "/srv", root).Replace(readmeLocations(t)))

	front.want(t, 401, "Bearer", "GET", "/files/a.txt", "")
	access, refresh := browser(t, front, "username=alice&password=wonderland")
	cookies := "Cookie: " + access + "; " + refresh
	front.want(t, 200, "a file", "GET", "/files/a.txt", "", cookies)
	front.want(t, 403, "", "POST", "/files/a.txt", "", cookies, "Sec-Fetch-Site: cross-site")
	front.want(t, 405, "", "POST", "/files/a.txt", "x=y", cookies, "Sec-Fetch-Site: same-origin")
	front.want(t, 404, "", "GET", "/judge", "", cookies)

	for range 3 { // long after a lost renewal would have counted as stolen
		clock.Advance(time.Hour)
		got := front.want(t, 401, "", "GET", "/files/a.txt", "", cookies)
		if len(got.header["Set-Cookie"]) > 0 {
			t.Errorf("got %s, want the cookies left alone", got.text())
		}
	}
	got := front.want(t, 200, "alice", "GET", "/page", "", cookies)
	access, refresh = setCookies(t, front, got)
	cookies = "Cookie: " + access + "; " + refresh
	front.want(t, 200, "a file", "GET", "/files/a.txt", "", cookies)
	front.want(t, 204, "", "POST", "/logout", "", cookies)
	front.want(t, 401, "", "GET", "/files/a.txt", "", cookies)
}

func newAuthRequestAuth(t *testing.T, clock *jwtgatetest.Clock) *jwtgate.Auth {
	t.Helper()
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte(secret)),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }},
		Now:      clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	return auth
}

// authRequestApp is the application behind nginx.
func authRequestApp(auth *jwtgate.Auth) http.Handler {
	check := func(_ context.Context, username, password string) (string, bool, error) {
		return username, password == "wonderland", nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/login", nethttp.Handle(auth.Login(check)))
	mux.Handle("/logout", nethttp.Handle(auth.Logout))
	mux.Handle("/judge", nethttp.Protect(auth, jwtgate.NoRenewal())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	mux.Handle("/page", nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := nethttp.Identity(r)
		_, _ = io.WriteString(w, id.Subject())
	})))
	return mux
}

// readmeLocations returns the nginx configuration in README.md.
func readmeLocations(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n```nginx\n")
	locations, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatal("README.md has no nginx configuration")
	}
	return locations
}
