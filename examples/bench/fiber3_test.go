package bench_test

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

var onFiber3 = []contender{
	{"fiber3", bare, func(*key) app {
		return newFiber3App(func(c fiber.Ctx) error { return status3(c, http.StatusNoContent) })
	}},
	{"fiber3", handOn, func(*key) app {
		return newFiber3App(func(c fiber.Ctx) error {
			c.SetContext(context.WithValue(c.Context(), handedKey{}, alice))
			return c.Next()
		}, func(c fiber.Ctx) error {
			from := c.Context().Value(handedKey{}).(*handed)
			return status3(c, answer(from.subject, from.admin))
		})
	}},
	{"fiber3", cold, func(k *key) app { return fiber3Own(coldAuth(k)) }},
	{"fiber3", coldClaims, func(k *key) app { return fiber3Typed(coldAuth(k)) }},
	{"fiber3", warm, func(k *key) app { return fiber3Own(warmAuth(k)) }},
	{"fiber3", warmClaims, func(k *key) app { return fiber3Typed(warmAuth(k)) }},
	{"fiber3", byHand, func(k *key) app {
		parser := newHandParser(k)
		return newFiber3App(func(c fiber.Ctx) error {
			token, _ := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
			claims, err := parser.parse(token)
			if err != nil {
				return fiber.ErrUnauthorized
			}
			c.Locals("user", claims)
			return c.Next()
		}, func(c fiber.Ctx) error {
			claims := c.Locals("user").(*typedClaims)
			return status3(c, answerTyped(claims.Subject, &claims.userClaims))
		})
	}},
}

func fiber3Own(auth *jwtgate.Auth) app {
	return newFiber3App(fiberjwt.Protect(auth), func(c fiber.Ctx) error {
		id, _ := fiberjwt.Identity(c)
		return status3(c, answer(id.Subject(), id.HasRole("admin")))
	})
}

// fiber3Typed is like fiber3Own, but its handler decodes the claims into its own type.
func fiber3Typed(auth *jwtgate.Auth) app {
	return newFiber3App(fiberjwt.Protect(auth), func(c fiber.Ctx) error {
		id, _ := fiberjwt.Identity(c)
		claims, err := fiberjwt.Claims[userClaims](c)
		if err != nil {
			return err
		}
		return status3(c, answerTyped(id.Subject(), &claims))
	})
}

func newFiber3App(handlers ...any) app {
	server := fiber.New()
	server.Get("/", handlers[0], handlers[1:]...)
	return fasthttpApp(server.Handler(), func(l net.Listener) error {
		return server.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
	})
}

func status3(c fiber.Ctx, status int) error {
	c.Status(status)
	return nil
}
