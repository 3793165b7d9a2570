package fiberjwt_test

import (
	"testing"

	"github.com/gofiber/fiber/v3"

	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// BenchmarkProtect measures requests with a guard. The cost of the guard is the
// difference to bare, which is a request without one.
func BenchmarkProtect(b *testing.B) {
	auth, token := signIn()
	handler := func(c fiber.Ctx) error {
		c.Status(fiber.StatusNoContent)
		return nil
	}
	app := fiber.New()
	app.Get("/bare", handler)
	app.Get("/guarded", fiberjwt.Protect(auth), handler)
	serve := app.Handler()
	for _, row := range []struct {
		name          string
		path          string
		authorization string
		status        int
	}{
		{"bare", "/bare", "", fiber.StatusNoContent},
		{"accepted", "/guarded", "Bearer " + token, fiber.StatusNoContent},
		{"missing", "/guarded", "", fiber.StatusUnauthorized},
		{"invalid", "/guarded", "Bearer " + token[:len(token)-4] + "AAAA", fiber.StatusUnauthorized},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			c := argument(serve)
			c.Request.SetRequestURI(row.path)
			c.Request.Header.SetHost("site.example")
			if row.authorization != "" {
				c.Request.Header.Set(fiber.HeaderAuthorization, row.authorization)
			}
			for b.Loop() {
				c.Response.Reset()
				c.ResetUserValues() // the identity of the previous request
				serve(c)
			}
			if got := c.Response.StatusCode(); got != row.status {
				b.Errorf("got status %d; want %d", got, row.status)
			}
		})
	}
}

// argument returns a new argument for a function. It saves an import of the
// package with the argument's type, which only Fiber requires.
func argument[T any](func(*T)) *T { return new(T) }
