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
	"time"

	"github.com/gofiber/fiber/v3"
	recoverer "github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/gofiber/fiber/v3/middleware/timeout"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

func TestAdapter(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunAdapter(t, adapter(fiber.Config{}))
}

// TestAdapterStreamRequestBody is TestAdapter for apps in which a body is read from
// the connection while the handler runs.
func TestAdapterStreamRequestBody(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunAdapter(t, adapter(fiber.Config{StreamRequestBody: true}))
}

// adapter returns a [jwtgatetest.Adapter] for apps with config.
func adapter(config fiber.Config) jwtgatetest.Adapter {
	return func(t *testing.T, site jwtgatetest.Site) string {
		app := fiber.New(config)
		app.Use(outer(site))
		guarded := map[string]bool{}
		for _, route := range site.Routes {
			group := app.Group(route.Path)
			var handlers []any
			for i, guard := range route.Guards {
				protect := fiberjwt.Protect(guard.Auth, guard.Rules...)
				if i > 0 {
					handlers = append(handlers, protect)
				} else if !guarded[route.Path] { // Use is for all methods
					group.Use(protect)
				}
			}
			guarded[route.Path] = true
			handlers = append(handlers, handler(route))
			group.Add([]string{route.Method}, "", handlers[0], handlers[1:]...)
		}
		return listen(t, app)
	}
}

// listen serves app on a port. With [fiber.App.Test] instead, no request would use
// the buffers of the previous one.
func listen(t *testing.T, app *fiber.App) (addr string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
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
	return func(c fiber.Ctx) error {
		for _, field := range site.Header {
			c.Response().Header.Add(field.Name, field.Value)
		}
		if site.Context != nil {
			c.SetContext(site.Context(c.Context()))
		}
		return c.Next()
	}
}

func handler(route jwtgatetest.Route) fiber.Handler {
	if route.Endpoint != nil {
		return fiberjwt.Handle(route.Endpoint)
	}
	return func(c fiber.Ctx) error {
		id, found := fiberjwt.Identity(c)
		claims, err := fiberjwt.Claims[jwtgatetest.Claims](c)
		_, sendErr := fiberjwt.Send(c, route.Handler(jwtgatetest.View{Context: c.Context(), Identity: id, Found: found, Claims: claims, Err: err, Header: func(name string) string { return c.Get(name) }}))
		return sendErr
	}
}

// TestHandOver checks that Fiber's error handler answers refusals that are handed
// over, and no others.
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
			app := fiber.New(fiber.Config{ErrorHandler: func(c fiber.Ctx, err error) error {
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
				app.Get("/", fiberjwt.Protect(auth), func(fiber.Ctx) error {
					t.Error("the handler ran")
					return nil
				})
			}
			got := send(t, app, "/", "")
			if asked != row.asked {
				t.Errorf("the error handler was asked %d times; want %d", asked, row.asked)
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

// TestHandOverHidesCause checks that the default error handler, which sends the text
// of an error, does not send the refusal.
func TestHandOverHidesCause(t *testing.T) {
	t.Parallel()
	auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = jwtgate.HandOver })
	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth))
	if got := send(t, app, "/", "Authorization: Bearer a.b.c"); got.body != "Unauthorized" {
		t.Errorf("got %q; want the words of the status", got.body)
	}
}

// TestRenewed checks that the answer to a renewed request carries the new cookies and
// is not stored, however a handler writes it. The conformance suite uses only Send.
func TestRenewed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write fiber.Handler
	}{
		{"nothing", func(fiber.Ctx) error { return nil }},
		{"SendStatus", func(c fiber.Ctx) error { return c.SendStatus(http.StatusTeapot) }},
		{"JSON", func(c fiber.Ctx) error { return c.JSON("short") }},
		{"Redirect", func(c fiber.Ctx) error { return c.Redirect().To("/") }},
		{"SendStream", func(c fiber.Ctx) error { return c.SendStream(strings.NewReader("short")) }},
		{"SendStreamWriter", func(c fiber.Ctx) error {
			return c.SendStreamWriter(func(w *bufio.Writer) { _, _ = w.WriteString("short") })
		}},
		{"SendEarlyHints", func(c fiber.Ctx) error { return c.SendEarlyHints([]string{"</a.css>; rel=preload"}) }},
		{"error", func(fiber.Ctx) error { return fiber.ErrTeapot }},
		{"timeout", timeout.New(func(c fiber.Ctx) error {
			<-c.Context().Done()
			return nil
		}, timeout.Config{Timeout: time.Millisecond})},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, cookie, _ := jwtgatetest.NewAuth(t)
			app := fiber.New()
			app.Use(recoverer.New())
			app.Get("/", fiberjwt.Protect(auth), func(c fiber.Ctx) error {
				c.Set("Cache-Control", "public")
				return row.write(c)
			})
			header := send(t, app, "/", "Cookie: "+cookie).header
			if got := header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
				t.Errorf("got Cache-Control %q; want no-store", got)
			}
			if got := len(header.Values("Set-Cookie")); got != 2 {
				t.Errorf("got %d cookies; want 2", got)
			}
		})
	}
}

// TestRenewedNeither checks that an answer after a panic has neither cookie: Protect
// does not see it.
func TestRenewedNeither(t *testing.T) {
	t.Parallel()
	auth, cookie, _ := jwtgatetest.NewAuth(t)
	app := fiber.New()
	app.Use(recoverer.New())
	app.Get("/", fiberjwt.Protect(auth), func(fiber.Ctx) error { panic("tea") })
	got := send(t, app, "/", "Cookie: "+cookie)
	if got.status != http.StatusInternalServerError || len(got.header.Values("Set-Cookie")) > 0 {
		t.Errorf("got %d with Set-Cookie %q; want 500 without", got.status, got.header.Values("Set-Cookie"))
	}
}

// TestRenewedErrorHandler checks that an error is handled once, and that Fiber answers
// if the ErrorHandler fails.
func TestRenewedErrorHandler(t *testing.T) {
	t.Parallel()
	auth, cookie, _ := jwtgatetest.NewAuth(t)
	asked := 0
	app := fiber.New(fiber.Config{ErrorHandler: func(_ fiber.Ctx, err error) error {
		asked++
		return errors.Join(err, errors.New("broken"))
	}})
	app.Get("/", fiberjwt.Protect(auth), func(fiber.Ctx) error { return fiber.ErrTeapot })
	got := send(t, app, "/", "Cookie: "+cookie)
	if got.status != http.StatusInternalServerError || asked != 1 || len(got.header.Values("Set-Cookie")) != 2 {
		t.Errorf("got %d and %q after %d calls; want 500 and both cookies after one", got.status, got.header.Values("Set-Cookie"), asked)
	}
}

// TestNotRenewedError checks that outer middleware gets the error of a handler if the
// session is not renewed.
func TestNotRenewedError(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	app := fiber.New()
	app.Use(func(c fiber.Ctx) error {
		if err := c.Next(); !errors.Is(err, fiber.ErrTeapot) {
			t.Errorf("got %v; want %v", err, fiber.ErrTeapot)
		}
		return nil
	})
	app.Get("/", fiberjwt.Protect(auth), func(fiber.Ctx) error { return fiber.ErrTeapot })
	send(t, app, "/", "Authorization: Bearer "+token)
}

// An answer is a response of an app.
type answer struct {
	status int
	header http.Header
	body   string
}

// send returns the answer of app to GET with one header line.
func send(t *testing.T, app *fiber.App, target, line string) answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if name, value, found := strings.Cut(line, ": "); found {
		r.Header.Set(name, value)
	}
	res, err := app.Test(r, fiber.TestConfig{})
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
