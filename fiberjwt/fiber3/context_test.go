package fiberjwt_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// TestContexts checks that the identity is in every context of a request that Fiber
// has, and in contexts derived from them.
func TestContexts(t *testing.T) {
	t.Parallel()
	type key struct{}
	auth, _, token := jwtgatetest.NewAuth(t)
	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth), func(c fiber.Ctx) error {
		for _, row := range []struct {
			name string
			ctx  context.Context
		}{
			{"c", c},
			{"c.Context()", c.Context()},
			{"c.RequestCtx()", c.RequestCtx()},
			{"derived from c", context.WithValue(c, key{}, "value")},
			{"derived from c.Context()", context.WithValue(c.Context(), key{}, "value")},
		} {
			id, found := jwtgate.IdentityFrom(row.ctx)
			claims, err := jwtgate.Claims[jwtgatetest.Claims](row.ctx)
			if !found || id.Subject() != "alice" || err != nil || claims.Subject != "alice" {
				t.Errorf("%s: got identity: %t, claims %v, %v; want those of alice", row.name, found, claims, err)
			}
		}
		return c.SendStatus(http.StatusNoContent)
	})
	if got := send(t, app, "/", "Authorization: Bearer "+token); got.status != http.StatusNoContent {
		t.Errorf("got status %d; want 204", got.status)
	}
}

// TestContextsOfAnonymous checks that no context of an anonymous request has an
// identity: neither that of a guard of another Auth nor that of an earlier request.
func TestContextsOfAnonymous(t *testing.T) {
	t.Parallel()
	outer, _, token := jwtgatetest.NewAuth(t)
	inner, _, _ := jwtgatetest.NewAuth(t)
	app := fiber.New()
	app.Use(fiberjwt.Protect(outer, jwtgate.Optional()))
	app.Use(func(c fiber.Ctx) error {
		c.Request().Header.Del(fiber.HeaderAuthorization) // for inner, the request is anonymous
		if c.Path() == "/replaced" {
			c.SetContext(context.Background())
		}
		return c.Next()
	})
	app.Get("/*", fiberjwt.Protect(inner, jwtgate.Optional()), func(c fiber.Ctx) error {
		for name, ctx := range map[string]context.Context{"c": c, "c.Context()": c.Context()} {
			if id, found := jwtgate.IdentityFrom(ctx); found {
				t.Errorf("%s, %s: got the identity of %s; want none", c.Path(), name, id.Subject())
			}
		}
		return c.SendStatus(http.StatusNoContent)
	})
	for _, path := range []string{"/", "/replaced"} {
		for _, line := range []string{"Authorization: Bearer " + token, ""} {
			if got := send(t, app, path, line); got.status != http.StatusNoContent {
				t.Errorf("%s: got status %d; want 204", path, got.status)
			}
		}
	}
}

// A shopCtx is the custom context of an application.
type shopCtx struct {
	*fiber.DefaultCtx
	basket int
}

// Basket is a method of the application.
func (c *shopCtx) Basket() int { return c.basket }

// TestCustomContext checks that a handler behind Protect gets the custom context of
// its app, and the identity from it.
func TestCustomContext(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	app := fiber.NewWithCustomCtx(func(app *fiber.App) fiber.CustomCtx {
		return &shopCtx{fiber.NewDefaultCtx(app), 3}
	})
	app.Get("/", fiberjwt.Protect(auth), func(c fiber.Ctx) error {
		custom, ok := c.(*shopCtx)
		if !ok || custom.Basket() != 3 {
			t.Errorf("got a %T; want the custom context", c)
		}
		if id, found := fiberjwt.Identity(c); !found || id.Subject() != "alice" {
			t.Errorf("got identity: %t; want alice", found)
		}
		return c.SendStatus(http.StatusNoContent)
	})
	if got := send(t, app, "/", "Authorization: Bearer "+token); got.status != http.StatusNoContent {
		t.Errorf("got status %d; want 204", got.status)
	}
	if got := send(t, app, "/", ""); got.status != http.StatusUnauthorized {
		t.Errorf("got status %d; want 401", got.status)
	}
}
