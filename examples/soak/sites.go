package main

import (
	"context"
	_ "embed" // for the page
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/proxy"
	"github.com/redis/go-redis/v9"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
	"github.com/jwtgate/jwtgate/fiberjwt"
	"github.com/jwtgate/jwtgate/nethttp"
)

// accessTTL is how long access tokens live.
const accessTTL = 5 * time.Second

// sites are the URLs of the applications, without a slash at the end. They have the
// same host, so a browser has the same cookies for them.
type sites struct {
	app   string // on net/http
	fiber string // on Fiber, which passes requests on
	nginx string // in front of app
}

// startSites starts the applications, which report events.
func startSites(t programs.T, newStore func() session.Store, events func(context.Context, jwtgate.Event)) *sites {
	t.Helper()
	newAuth := func() *jwtgate.Auth {
		auth, err := jwtgate.New(jwtgate.Config{
			Issuer:    "https://auth.example.com",
			Audience:  "https://api.example.com",
			Keys:      keys.HS256([]byte("a secret of at least 32 bytes, only for this command")),
			AccessTTL: accessTTL,
			Cookies:   &jwtgate.CookieConfig{},
			Sessions: &jwtgate.SessionConfig{
				Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil },
				Store:   newStore(),
			},
			Observers: []jwtgate.Observer{{Event: events}},
			Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(auth.Close)
		return auth
	}
	app := httptest.NewServer(newApp(newAuth()))
	t.Cleanup(app.Close)
	return &sites{app: app.URL, fiber: startFiber(t, newAuth()), nginx: startNginx(t, app.URL)}
}

// stores returns a function that returns the store of one application, and the server of
// the store, nil if there is none.
func stores(t programs.T, store string) (newStore func() session.Store, server *programs.Redis) {
	t.Helper()
	switch store {
	case "memory":
		memory := session.NewMemory(0, nil)
		return func() session.Store { return memory }, nil
	case "redis":
		server = programs.StartRedis(t)
		return func() session.Store {
			client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + server.Port, ContextTimeoutEnabled: true})
			t.Cleanup(func() { _ = client.Close() })
			store, err := redisstore.New(client, redisstore.Config{})
			if err != nil {
				t.Fatal(err)
			}
			return store
		}, server
	}
	t.Fatalf("-store is %q: use memory or redis", store)
	return nil, nil
}

func checkPassword(_ context.Context, username, _ string) (string, bool, error) {
	return username, true, nil
}

// page is the page that Chromium has open.
//
//go:embed page.html
var page []byte

// newApp returns the application on net/http.
func newApp(auth *jwtgate.Auth) http.Handler {
	guard := nethttp.Protect(auth)
	mux := http.NewServeMux()
	mux.Handle("POST /login", nethttp.Handle(auth.Login(checkPassword)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	mux.Handle("/judge", nethttp.Protect(auth, jwtgate.NoRenewal())(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	mux.Handle("/me", guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	mux.Handle("POST /upload", guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})))
	return mux
}

// startFiber starts the application on Fiber, and the server to which it passes
// requests on.
func startFiber(t programs.T, auth *jwtgate.Auth) string {
	t.Helper()
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "seen=yes")
		w.Header().Set("Cache-Control", "public, max-age=60")
		_, _ = io.WriteString(w, "from behind")
	}))
	t.Cleanup(behind.Close)
	// Without StreamRequestBody, the guard would judge an upload when all of it has
	// arrived, long after its cookies were chosen.
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 32 << 10, StreamRequestBody: true})
	app.Get("/proxied", fiberjwt.Protect(auth), func(c *fiber.Ctx) error { return proxy.Forward(behind.URL)(c) })
	app.Post("/upload", fiberjwt.Protect(auth), func(c *fiber.Ctx) error {
		_, err := io.Copy(io.Discard, c.Context().RequestBodyStream())
		return err
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = app.Listener(listener) }()
	t.Cleanup(func() { _ = app.ShutdownWithTimeout(time.Second) })
	return "http://" + listener.Addr().String()
}

// startNginx starts nginx with the configuration of the README.
func startNginx(t programs.T, app string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "files", "a.txt"), []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	return programs.Nginx(t, "", strings.NewReplacer("http://127.0.0.1:8080", app, "/srv", root).Replace(locations))
}

// locations are those that the README recommends, and one for uploads, which the
// application must not get late.
const locations = `
location /upload {
	proxy_pass http://127.0.0.1:8080;
	proxy_set_header Host $http_host;
	proxy_http_version 1.1;
	proxy_request_buffering off;
}
location / {
	proxy_pass http://127.0.0.1:8080;
	proxy_set_header Host $http_host;
}
location /files/ {
	auth_request /judge;
	root /srv;
}
location = /judge {
	internal;
	proxy_pass http://127.0.0.1:8080;
	proxy_method $request_method;
	proxy_set_header Host $http_host;
	proxy_pass_request_body off;
	proxy_set_header Content-Length "";
}`
