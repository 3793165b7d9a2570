package examples

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/examples/internal/content"
)

// TestSharedCache puts a shared cache in front of each server. The cache stores
// every answer that Cache-Control allows, including its cookies.
func TestSharedCache(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret, "ACCESS_TTL=1s") {
		if got, ok := leaked(t, p, p.url); ok {
			t.Errorf("%s: the cache sends alice's answer to others\n%s", p.name, got.text())
		}

		front := cached(t, p.url)
		b := cookie(mint(t, `{"alg":"HS256"}`, map[string]any{"sub": "bob"}))
		a := cookie(mint(t, `{"alg":"HS256"}`, map[string]any{"sub": "alice"}))
		front.want(t, 200, `"sub":"alice"`, "GET", "/me", "", a)
		front.want(t, 200, `"sub":"bob"`, "GET", "/me", "", b)
		front.want(t, 401, `"token_missing"`, "GET", "/me", "")
		front.want(t, 200, `X-Cache: ["MISS"]`, "GET", "/report", "", a)
		front.want(t, 200, `X-Cache: ["HIT"]`, "GET", "/report", "", b) // the handler allows caching
	}

	// The same test fails for a server whose handler can override Cache-Control.
	p := start(t, "nethttp", "JWT_KEY="+secret, "ACCESS_TTL=1s")
	target, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	careless := httputil.NewSingleHostReverseProxy(target)
	careless.ModifyResponse = func(res *http.Response) error {
		if res.StatusCode == http.StatusOK {
			res.Header.Set("Cache-Control", content.Report.Cache)
		}
		return nil
	}
	origin := httptest.NewServer(careless)
	t.Cleanup(origin.Close)
	if got, ok := leaked(t, p, origin.URL); !ok {
		t.Errorf("the test does not detect a careless server\n%s", got.text())
	}
}

// leaked sends a request of alice to p that renews her cookies, through a new cache
// in front of origin. It reports whether a request without cookies then gets her
// answer or her cookies.
func leaked(t *testing.T, p *process, origin string) (answer, bool) {
	t.Helper()
	access, refresh := browser(t, p, alice)
	_, token, _ := strings.Cut(access, "=")
	for p.send(t, "GET", "/me", "", bearer(token)).status == http.StatusOK { // wait until it expires: a Bearer token is not renewed
		time.Sleep(50 * time.Millisecond)
	}
	front := cached(t, origin)
	got := front.send(t, "GET", "/report", "", "Cookie: "+access+"; "+refresh)
	if got.status != http.StatusOK || len(got.header["Set-Cookie"]) != 2 {
		t.Fatalf("%s: the cookies were not renewed\n%s", p.name, got.text())
	}
	got = front.send(t, "GET", "/report", "")
	return got, got.status == http.StatusOK || len(got.header["Set-Cookie"]) > 0
}

// cached starts a cache in front of origin. The cache ignores Set-Cookie and Vary:
// with them, nginx would not mix up users, but other caches might.
func cached(t *testing.T, origin string) *process {
	t.Helper()
	return startNginx(t, "proxy_cache_path cache keys_zone=shared:1m;", fmt.Sprintf(`
		location / {
			proxy_pass %s;
			proxy_cache shared;
			proxy_ignore_headers Set-Cookie Vary;
			add_header X-Cache $upstream_cache_status always;
		}`, origin))
}
