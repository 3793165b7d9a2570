package fiberjwt_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

func TestAdapter(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunAdapter(t, adapter(fiber.Config{}))
}

// With StreamRequestBody, a body is read from the connection while the handler runs.
func TestAdapterStreamRequestBody(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunAdapter(t, adapter(fiber.Config{StreamRequestBody: true}))
}

// adapter returns a [jwtgatetest.Adapter] whose apps have the given config.
func adapter(config fiber.Config) jwtgatetest.Adapter {
	config.DisableStartupMessage = true
	return func(t *testing.T, site jwtgatetest.Site) string {
		app := fiber.New(config)
		app.Use(outer(site))
		guarded := map[string]bool{}
		for _, route := range site.Routes {
			group := app.Group(route.Path)
			var handlers []fiber.Handler
			for i, guard := range route.Guards {
				protect := fiberjwt.Protect(guard.Auth, guard.Rules...)
				if i > 0 {
					handlers = append(handlers, protect)
				} else if !guarded[route.Path] { // Use covers all methods of the path
					group.Use(protect)
				}
			}
			guarded[route.Path] = true
			group.Add(route.Method, "", append(handlers, handler(route))...)
		}
		return listen(t, app)
	}
}

// listen serves app on a real connection, because [fiber.App.Test] does not reuse the
// memory of one request for the next.
func listen(t *testing.T, app *fiber.App) (addr string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(listener) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Errorf("shut down: %v", err)
		}
		_ = listener.Close() // Shutdown does not close it if the app has not begun to serve
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return listener.Addr().String()
}

func outer(site jwtgatetest.Site) fiber.Handler {
	return func(c *fiber.Ctx) error {
		for _, field := range site.Header {
			c.Response().Header.Add(field.Name, field.Value)
		}
		if site.Context != nil {
			c.SetUserContext(site.Context(c.UserContext()))
		}
		return c.Next()
	}
}

func handler(route jwtgatetest.Route) fiber.Handler {
	if route.Endpoint != nil {
		return fiberjwt.Handle(route.Endpoint)
	}
	return func(c *fiber.Ctx) error {
		id, found := fiberjwt.Identity(c)
		claims, err := fiberjwt.Claims[jwtgatetest.Claims](c)
		_, sendErr := fiberjwt.Send(c, route.Handler(jwtgatetest.View{Context: c.UserContext(), Identity: id, Found: found, Claims: claims, Err: err, Header: func(name string) string { return c.Get(name) }}))
		return sendErr
	}
}

// Fiber's error handler is called only if a refusal is handed over.
func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		serves bool // an endpoint, in place of a guard
		refuse func(context.Context, jwtgate.Request, *jwtgate.Refusal) jwtgate.Response
		asked  int
		body   string
		kind   string
	}{
		{"not handed over", false, nil, 0, `"code":"token_missing"`, "application/problem+json"},
		{"handed over", false, jwtgate.HandOver, 1, "sorry: token_missing", fiber.MIMETextPlainCharsetUTF8},
		{"handed over by an endpoint", true, jwtgate.HandOver, 1, "sorry: token_missing", fiber.MIMETextPlainCharsetUTF8},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = row.refuse })
			asked := 0
			app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
				asked++
				refusal, native := (*jwtgate.Refusal)(nil), (*fiber.Error)(nil)
				if !errors.As(err, &refusal) || !errors.As(err, &native) || native.Code != refusal.Status {
					t.Errorf("got %v; want a fiber.Error and a refusal of one status", err)
					return nil
				}
				return c.Status(native.Code).SendString("sorry: " + string(refusal.Code))
			}})
			if row.serves {
				app.Get("/", fiberjwt.Handle(auth.ListSessions))
			} else {
				app.Get("/", fiberjwt.Protect(auth), func(*fiber.Ctx) error {
					t.Error("the handler ran")
					return nil
				})
			}
			got := send(t, app, "/", "")
			if asked != row.asked {
				t.Errorf("the error handler was called %d times; want %d", asked, row.asked)
			}
			if got.status != http.StatusUnauthorized || !strings.Contains(got.body, row.body) {
				t.Errorf("got %d %q; want %q", got.status, got.body, row.body)
			}
			if kind := got.header.Get("Content-Type"); kind != row.kind {
				t.Errorf("got Content-Type %q; want %q", kind, row.kind)
			}
		})
	}
}

// Fiber's default error handler sends the text of an error to the client, so the text
// must not contain the cause of a refusal.
func TestHandOverHidesCause(t *testing.T) {
	t.Parallel()
	auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = jwtgate.HandOver })
	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth))
	if got := send(t, app, "/", "Authorization: Bearer a.b.c"); got.body != "Unauthorized" {
		t.Errorf("got %q; want the text of the status", got.body)
	}
}

// c.Cookies makes fasthttp parse the Cookie header and discard its lines. All cookies
// must be found even then.
func TestCookiesReadBefore(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		_ = c.Cookies("theme")
		return c.Next()
	})
	app.Get("/", fiberjwt.Protect(auth), func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
	for _, row := range []struct {
		name, cookie string
		want         int
	}{
		{"one", "theme=dark; __Host-at=" + token, http.StatusNoContent},
		{"two", "__Host-at=" + token + "; __Host-at=" + token, http.StatusBadRequest},
		{"empty", "__Host-at=", http.StatusBadRequest},
		{"beyond ASCII", "__Host-at=" + token + "é", http.StatusBadRequest},
	} {
		if got := send(t, app, "/", "Cookie: "+row.cookie); got.status != row.want {
			t.Errorf("%s: got status %d; want %d", row.name, got.status, row.want)
		}
	}
}

// A path is unescaped and has no query, as in net/http.
func TestPath(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/notes/*", fiberjwt.Handle(func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		return jwtgate.Response{Status: http.StatusOK, Body: []byte(req.Path)}
	}))
	if got := send(t, app, "/notes/a%20b%C3%A9?c=d", ""); got.body != "/notes/a bé" {
		t.Errorf("got path %q; want %q", got.body, "/notes/a bé")
	}
}

// The result of Values must stay valid until the request ends, also after further calls
// and after a caller has appended to another result.
func TestHeaderValues(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/", fiberjwt.Handle(func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		var found [][]string
		for range 5 { // the slice of all lines grows several times
			found = append(found, req.Header.Values("Accept"), req.Header.Values("Absent"))
		}
		for _, lines := range found {
			_ = append(lines, "appended")
		}
		for i, got := range found {
			if want := [][]string{{"text/html"}, nil}[i%2]; !slices.Equal(got, want) {
				t.Errorf("answer %d: got %q; want %q", i, got, want)
			}
		}
		return jwtgate.Response{Status: http.StatusNoContent}
	}))
	if got := send(t, app, "/", "Accept: text/html"); got.status != http.StatusNoContent {
		t.Errorf("got status %d", got.status)
	}
}

// The trailer fields of a body must not become part of the header when the body is read.
func TestTrailer(t *testing.T) {
	t.Parallel()
	app := fiber.New(fiber.Config{StreamRequestBody: true, DisableStartupMessage: true})
	app.Post("/", fiberjwt.Handle(func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		body, err := io.ReadAll(req.Body)
		if string(body) != "some text" || err != nil {
			t.Errorf("got body %q and error %v", body, err)
		}
		for name, want := range map[string][]string{"Forwarded": {"for=192.0.2.1"}, "Origin": nil} {
			if got := req.Header.Values(name); !slices.Equal(got, want) {
				t.Errorf("got %s %q; want %q", name, got, want)
			}
		}
		return jwtgate.Response{Status: http.StatusNoContent}
	}))
	conn, err := net.Dial("tcp", listen(t, app))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: site.example\r\nForwarded: for=192.0.2.1\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"9\r\nsome text\r\n0\r\nForwarded: for=192.0.2.2\r\nOrigin: https://site.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("got status %d", res.StatusCode)
	}
}

// answer is the response.
type answer struct {
	status int
	header http.Header
	body   string
}

// send returns the response of app to GET with one header line.
func send(t *testing.T, app *fiber.App, target, line string) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if name, value, found := strings.Cut(line, ": "); found {
		r.Header.Set(name, value)
	}
	res, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}
