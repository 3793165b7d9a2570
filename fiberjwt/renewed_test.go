package fiberjwt_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/proxy"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/gofiber/fiber/v2/middleware/timeout"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

// The suite writes by Send alone. However else a handler or the error handler writes,
// the answer to a renewed request must have both cookies and not be stored.
func TestRenewed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "__Host-rt=x")
		w.Header().Set("Cache-Control", "public")
	}))
	t.Cleanup(server.Close)
	for _, row := range []struct {
		name  string
		write fiber.Handler
	}{
		{"nothing", func(*fiber.Ctx) error { return nil }},
		{"SendStatus", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusTeapot) }},
		{"JSON", func(c *fiber.Ctx) error { return c.JSON("short") }},
		{"Redirect", func(c *fiber.Ctx) error { return c.Redirect("/") }},
		{"SendStream", func(c *fiber.Ctx) error { return c.SendStream(strings.NewReader("short")) }},
		{"error", func(*fiber.Ctx) error { return fiber.ErrTeapot }},
		{"one of the cookies", func(c *fiber.Ctx) error {
			c.Cookie(&fiber.Cookie{Name: "__Host-at", Value: "x"})
			return nil
		}},
		{"Error of fasthttp", func(c *fiber.Ctx) error {
			c.Context().Error("sorry", http.StatusTeapot)
			return nil
		}},
		{"timeout", timeout.NewWithContext(func(c *fiber.Ctx) error {
			<-c.UserContext().Done()
			return c.UserContext().Err()
		}, time.Millisecond)},
		{"proxy.Forward", func(c *fiber.Ctx) error { return proxy.Forward(server.URL)(c) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, cookie, _ := jwtgatetest.NewAuth(t)
			app := fiber.New(fiber.Config{ErrorHandler: cachedErrors})
			app.Get("/", fiberjwt.Protect(auth), func(c *fiber.Ctx) error {
				c.Set("Cache-Control", "public")
				return row.write(c)
			})
			header := send(t, app, "/", "Cookie: "+cookie).header
			if got := header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
				t.Errorf("got Cache-Control %q, want no-store", got)
			}
			if got := fresh((&http.Response{Header: header}).Cookies()); got != "__Host-at __Host-rt" {
				t.Errorf("got cookies %s, want both", got)
			}
		})
	}
}

// cachedErrors is an ErrorHandler that lets caches store its answers.
func cachedErrors(c *fiber.Ctx, err error) error {
	c.Set("Cache-Control", "public")
	return fiber.DefaultErrorHandler(c, err)
}

// TestRenewedNeither checks that an answer that is written after the guard has neither
// cookie.
func TestRenewedNeither(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write fiber.Handler
		want  int
	}{
		{"panic", func(*fiber.Ctx) error { panic("tea") }, http.StatusInternalServerError},
		{"TimeoutError of fasthttp", func(c *fiber.Ctx) error {
			c.Context().TimeoutError("sorry")
			return nil
		}, http.StatusRequestTimeout},
	} {
		auth, cookie, _ := jwtgatetest.NewAuth(t)
		app := fiber.New(fiber.Config{ErrorHandler: cachedErrors})
		app.Use(recover.New())
		app.Get("/", fiberjwt.Protect(auth), row.write)
		got := send(t, app, "/", "Cookie: "+cookie)
		if got.status != row.want || len(got.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s: got %d with Set-Cookie %q, want %d without", row.name, got.status, got.header.Values("Set-Cookie"), row.want)
		}
	}
}

// TestRenewedErrorHandler checks that an error is handled once, and that a broken
// ErrorHandler gets what Fiber does about it.
func TestRenewedErrorHandler(t *testing.T) {
	t.Parallel()
	auth, cookie, _ := jwtgatetest.NewAuth(t)
	asked := 0
	app := fiber.New(fiber.Config{ErrorHandler: func(_ *fiber.Ctx, err error) error {
		asked++
		return errors.Join(err, errors.New("broken"))
	}})
	app.Get("/", fiberjwt.Protect(auth), func(*fiber.Ctx) error { return fiber.ErrTeapot })
	got := send(t, app, "/", "Cookie: "+cookie)
	if got.status != http.StatusInternalServerError || asked != 1 || len(got.header.Values("Set-Cookie")) != 2 {
		t.Errorf("got %d and %q after %d calls, want 500 and both cookies after one", got.status, got.header.Values("Set-Cookie"), asked)
	}
}

// TestNotRenewedError checks that outer middleware gets the error of a handler if the
// session is not renewed.
func TestNotRenewedError(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		if err := c.Next(); !errors.Is(err, fiber.ErrTeapot) {
			t.Errorf("got %v; want %v", err, fiber.ErrTeapot)
		}
		return nil
	})
	app.Get("/", fiberjwt.Protect(auth), func(*fiber.Ctx) error { return fiber.ErrTeapot })
	send(t, app, "/", "Authorization: Bearer "+token)
}

// fresh returns the names of cookies, and the values that are not those of tokens.
func fresh(cookies []*http.Cookie) string {
	var names []string
	for _, c := range cookies {
		if len(c.Value) > 1 {
			names = append(names, c.Name)
		} else {
			names = append(names, c.Name+"="+c.Value)
		}
	}
	return strings.Join(names, " ")
}
