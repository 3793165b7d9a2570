package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// A visitor is a browser without scripts.
type visitor struct {
	t      *testing.T
	url    string
	client *http.Client
}

// start serves the application over TLS, because cookie jars keep Secure cookies.
func start(t *testing.T) (*visitor, *jwtgatetest.Clock) {
	t.Helper()
	clock := jwtgatetest.NewClock(time.Now())
	auth, err := newAuth([]byte("a secret of at least 32 bytes, for tests"), func(c *jwtgate.Config) {
		c.Now = clock.Now
		c.Sessions.Limiter = &jwtgate.PasswordLimiter{Failures: 3, Now: clock.Now}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	server := httptest.NewTLSServer(routes(auth))
	t.Cleanup(server.Close)
	client := server.Client()
	client.Jar, err = cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, server.URL, client}, clock
}

// get loads a page, and returns its path, its status and its text.
func (v *visitor) get(path string) (at string, status int, text string) {
	v.t.Helper()
	res, err := v.client.Get(v.url + path)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.read(res)
}

// submit sends a form of a page at site, and follows the redirect.
func (v *visitor) submit(site, path string, fields url.Values) (at string, status int, text string) {
	v.t.Helper()
	req, err := http.NewRequest(http.MethodPost, v.url+path, strings.NewReader(fields.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", site)
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.read(res)
}

func (v *visitor) read(res *http.Response) (at string, status int, text string) {
	v.t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res.Request.URL.RequestURI(), res.StatusCode, string(body)
}

// want compares what get or submit has returned.
func (v *visitor) want(wantAt string, wantStatus int, wantText string) func(at string, status int, text string) {
	return func(at string, status int, text string) {
		v.t.Helper()
		if at != wantAt || status != wantStatus || !strings.Contains(text, wantText) {
			v.t.Errorf("got %d at %s:\n%s\nwant %d at %s with %q", status, at, text, wantStatus, wantAt, wantText)
		}
	}
}

var (
	right = url.Values{"username": {"alice"}, "password": {"wonderland"}}
	wrong = url.Values{"username": {"alice"}, "password": {"builder"}}
	order = url.Values{"what": {"a <b>hat</b>"}}
)

// TestForms follows a visitor through the application.
func TestForms(t *testing.T) {
	v, clock := start(t)
	v.want("/", 200, "Sign in")(v.get("/"))
	v.want("/login?next=%2Forders", 200, `action="/login?next=%2forders"`)(v.get("/orders"))
	v.want("/login?next=%2Forders%3Fsort%3Dname", 200, `action="/login?next=%2forders%3fsort%3dname"`)(v.get("/orders?sort=name"))
	v.want("/login?next=%2Forders", 401, "The name or the password is wrong.")(v.submit("same-origin", "/login?next=%2Forders", wrong))
	v.want("/orders", 200, "Orders of alice")(v.submit("same-origin", "/login?next=%2Forders", right))
	v.want("/orders", 200, "<li>a &lt;b&gt;hat&lt;/b&gt;</li>")(v.submit("same-origin", "/orders", order))
	v.want("/", 200, "Hello alice")(v.get("/login"))

	clock.Advance(time.Hour) // the access token has expired
	v.want("/", 200, "Hello alice")(v.get("/"))
	clock.Advance(time.Hour)
	v.want("/orders", 200, "Orders of alice")(v.submit("same-origin", "/orders", order))

	v.want("/login?signed-out", 200, "You are signed out.")(v.submit("same-origin", "/logout", nil))
	v.want("/login?next=%2Forders", 200, "Sign in")(v.get("/orders"))
	v.want("/", 200, "Sign in")(v.get("/"))
}

// TestStay checks how long the browser keeps the cookies.
func TestStay(t *testing.T) {
	auth, err := newAuth([]byte("a secret of at least 32 bytes, for tests"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	for box, want := range map[string]bool{"": false, "yes": true} {
		fields := url.Values{"username": {"alice"}, "password": {"wonderland"}}
		if box != "" {
			fields.Set("stay", box)
		}
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(fields.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		routes(auth).ServeHTTP(w, r)
		for _, cookie := range w.Result().Cookies() {
			if got := cookie.MaxAge > 0; got != want {
				t.Errorf("stay=%s: got %v", box, cookie)
			}
		}
		if len(w.Result().Cookies()) != 2 {
			t.Errorf("stay=%s: got %d", box, w.Code)
		}
	}
}

// TestOtherSites checks that a form of another site can neither act for the user nor
// sign the visitor in.
func TestOtherSites(t *testing.T) {
	v, _ := start(t)
	v.want("/login", 403, "Please try again later.")(v.submit("cross-site", "/login", right))
	v.want("/", 200, "Hello alice")(v.submit("same-origin", "/login", right))
	v.want("/orders", 403, "cross_site")(v.submit("cross-site", "/orders", order))
	v.want("/orders", 403, "cross_site")(v.submit("same-site", "/orders", order))
	v.want("/logout", 403, "cross_site")(v.submit("cross-site", "/logout", nil))
	if _, _, text := v.get("/orders"); strings.Contains(text, "&lt;b&gt;hat") {
		t.Error("another site has placed an order")
	}
}

// TestGuessing checks that the login form has a limit.
func TestGuessing(t *testing.T) {
	v, _ := start(t)
	for range 3 {
		v.want("/login", 401, "wrong")(v.submit("same-origin", "/login", wrong))
	}
	v.want("/login", 429, "Please try again later.")(v.submit("same-origin", "/login", right))
}

// TestLocalPath checks that the login form leads to no other server.
func TestLocalPath(t *testing.T) {
	for path, want := range map[string]string{
		"/orders?a=b#c":         "/orders?a=b#c",
		"":                      "/",
		"orders":                "/",
		"https://evil.example/": "/",
		"//evil.example/":       "/",
		"/\\evil.example/":      "/",
		"/\t/evil.example/":     "/",
	} {
		if got := localPath(path); got != want {
			t.Errorf("%q: got %q; want %q", path, got, want)
		}
	}
}
