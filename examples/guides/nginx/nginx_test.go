package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// startSite runs nginx with site.conf in front of the application, and returns its URL.
func startSite(t *testing.T, auth *jwtgate.Auth) string {
	t.Helper()
	app := httptest.NewServer(routes(auth))
	t.Cleanup(app.Close)
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "files", "a.txt"), []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	site, err := os.ReadFile("site.conf")
	if err != nil {
		t.Fatal(err)
	}
	return programs.Nginx(t, "", strings.NewReplacer("http://127.0.0.1:8080", app.URL, "/srv", root).Replace(string(site)))
}

// TestSite follows a browser through the site.
func TestSite(t *testing.T) {
	clock := jwtgatetest.NewClock(time.Now())
	c := config([]byte("a secret of at least 32 bytes, for tests"))
	c.Now = clock.Now
	auth, err := jwtgate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	url, cookie := startSite(t, auth), jwtgatetest.Cookie(t, auth, "alice")
	host, _ := strings.CutPrefix(url, "http://")
	steps := []struct {
		name, method, path, cookie, origin string
		later                              time.Duration
		status                             int
		want                               string
	}{
		{"a file without a session", "GET", "/files/a.txt", "", "", 0, 401, ""},
		{"a file", "GET", "/files/a.txt", cookie, "", 0, 200, "a file"},
		{"a page", "GET", "/page", cookie, "", 0, 200, "alice"},
		{"a form of this site, of an old browser", "POST", "/page", cookie, "https://" + host, 0, 200, "alice"},
		{"a form of another site", "POST", "/page", cookie, "https://evil.example", 0, 403, "cross_site"},
		{"a form of another site for a file", "POST", "/files/a.txt", cookie, "https://evil.example", 0, 403, ""},
		{"the judge from outside", "GET", "/judge", cookie, "", 0, 404, ""},
		{"an hour later, a file", "GET", "/files/a.txt", cookie, "", time.Hour, 401, ""},
		{"a minute later, once more", "GET", "/files/a.txt", cookie, "", time.Minute, 401, ""},
		{"a page, which is renewed", "GET", "/page", cookie, "", 0, 200, "alice"},
	}
	var renewed []*http.Cookie
	for _, step := range steps {
		clock.Advance(step.later)
		req, err := http.NewRequest(step.method, url+step.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", step.cookie)
		if step.origin != "" {
			req.Header.Set("Origin", step.origin)
		}
		got := do(t, req)
		if got.status != step.status || !strings.Contains(got.text, step.want) {
			t.Errorf("%s: got %d\n%s\nwant %d with %q", step.name, got.status, got.text, step.status, step.want)
		}
		if (got.user == "alice") != (step.want == "a file") {
			t.Errorf("%s: got X-Served-To: %q", step.name, got.user)
		}
		renewed = got.cookies
	}
	if len(renewed) != 2 {
		t.Fatalf("got %v; want both new cookies", renewed)
	}
	req, err := http.NewRequest(http.MethodGet, url+"/files/a.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range renewed {
		req.AddCookie(cookie)
	}
	if got := do(t, req); got.text != "a file" {
		t.Errorf("a file with the new cookies: got %d\n%s", got.status, got.text)
	}
}

// TestLargeTokens checks that nginx passes on the largest cookies.
func TestLargeTokens(t *testing.T) {
	c := config([]byte("a secret of at least 32 bytes, for tests"))
	c.Sessions.Subject = func(context.Context, string) (jwtgate.Grant, error) {
		return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", 2500)}}, nil
	}
	auth, err := jwtgate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	if got := do(t, login(t, startSite(t, auth))); got.status != http.StatusOK || len(got.cookies) != 2 {
		t.Errorf("got %d with %d cookies\n%s", got.status, len(got.cookies), got.text)
	}
}

func login(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url+"/login", strings.NewReader("username=alice&password=wonderland"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// TestAddress checks that a client of nginx cannot choose the address that its logins are
// counted by.
func TestAddress(t *testing.T) {
	c := config([]byte("a secret of at least 32 bytes, for tests"))
	seen := make(chan string, 2)
	c.ClientAddress = func(req jwtgate.Request) (addr netip.Addr) {
		addr = clientAddress(req)
		seen <- addr.String()
		return addr
	}
	auth, err := jwtgate.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	req := login(t, startSite(t, auth))
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	if got := do(t, req); got.status != http.StatusOK {
		t.Fatalf("got %d\n%s", got.status, got.text)
	}
	if got := <-seen; got != "127.0.0.1" {
		t.Errorf("got the address %s; want that of the client, 127.0.0.1", got)
	}
}

// TestClientAddress checks whose X-Forwarded-For counts.
func TestClientAddress(t *testing.T) {
	for _, row := range []struct{ peer, field, want string }{
		{"127.0.0.1", "203.0.113.7", "203.0.113.7"},
		{"127.0.0.1", "192.0.2.1, 203.0.113.7", "203.0.113.7"},
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", "unknown", "127.0.0.1"},
		{"198.51.100.9", "203.0.113.7", "198.51.100.9"},
	} {
		req := jwtgate.Request{Peer: &net.TCPAddr{IP: net.ParseIP(row.peer)}, Header: http.Header{"X-Forwarded-For": {row.field}}}
		if got := clientAddress(req).String(); got != row.want {
			t.Errorf("%s for %q: got %s; want %s", row.peer, row.field, got, row.want)
		}
	}
}

// An answer is what nginx has sent.
type answer struct {
	status  int
	user    string // X-Served-To
	cookies []*http.Cookie
	text    string
}

func do(t *testing.T, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get("X-Served-To"), res.Cookies(), string(body)}
}
