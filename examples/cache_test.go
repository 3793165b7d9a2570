package examples

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/examples/internal/content"
)

// TestSharedCache puts a shared cache in front of each server. The cache stores
// every answer that Cache-Control allows, including its cookies.
func TestSharedCache(t *testing.T) {
	nginx := installed(t, "nginx", "/usr/sbin/nginx")
	for _, p := range startAll(t, "JWT_KEY="+secret, "ACCESS_TTL=1s") {
		if got, ok := leaked(t, p, nginx, p.url); ok {
			t.Errorf("%s: the cache sends alice's answer to others\n%s", p.name, got.text())
		}

		front := cached(t, nginx, p.url)
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
	if got, ok := leaked(t, p, nginx, origin.URL); !ok {
		t.Errorf("the test does not detect a careless server\n%s", got.text())
	}
}

// leaked sends a request of alice to p that renews her cookies, through a new cache
// in front of origin. It reports whether a request without cookies then gets her
// answer or her cookies.
func leaked(t *testing.T, p *process, nginx, origin string) (answer, bool) {
	t.Helper()
	access, refresh := browser(t, p, alice)
	_, token, _ := strings.Cut(access, "=")
	for p.send(t, "GET", "/me", "", bearer(token)).status == http.StatusOK { // wait until it expires: a Bearer token is not renewed
		time.Sleep(50 * time.Millisecond)
	}
	front := cached(t, nginx, origin)
	got := front.send(t, "GET", "/report", "", "Cookie: "+access+"; "+refresh)
	if got.status != http.StatusOK || len(got.header["Set-Cookie"]) != 2 {
		t.Fatalf("%s: the cookies were not renewed\n%s", p.name, got.text())
	}
	got = front.send(t, "GET", "/report", "")
	return got, got.status == http.StatusOK || len(got.header["Set-Cookie"]) > 0
}

// cached starts a cache in front of origin. The cache ignores Set-Cookie and Vary:
// with them, nginx would not mix up users, but other caches might.
func cached(t *testing.T, nginx, origin string) *process {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()

	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, `
daemon off;
master_process off;
pid %[1]s/pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	proxy_cache_path %[1]s/cache keys_zone=shared:1m;
	server {
		listen %[2]s;
		location / {
			proxy_pass %[3]s;
			proxy_cache shared;
			proxy_ignore_headers Set-Cookie Vary;
			add_header X-Cache $upstream_cache_status always;
		}
	}
}`, dir, addr, origin), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(nginx, "-c", config, "-e", "stderr")
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		if err := cmd.Wait(); err != nil {
			t.Errorf("nginx: %v\n%s", err, stderr.String())
		}
	})
	front := &process{name: "nginx", url: "http://" + addr}
	front.waitUntilReady(t)
	return front
}
