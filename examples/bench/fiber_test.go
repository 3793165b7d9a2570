package bench_test

import (
	"context"
	"net/http"
	"strings"

	peer "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

var onFiber = []contender{
	{"fiber", bare, func(*key) app {
		return newFiberApp(func(c *fiber.Ctx) error { return status(c, http.StatusNoContent) })
	}},
	{"fiber", handOn, func(*key) app {
		return newFiberApp(func(c *fiber.Ctx) error {
			c.SetUserContext(context.WithValue(c.UserContext(), handedKey{}, alice))
			return c.Next()
		}, func(c *fiber.Ctx) error {
			from := c.UserContext().Value(handedKey{}).(*handed)
			return status(c, answer(from.subject, from.admin))
		})
	}},
	{"fiber", cold, func(k *key) app { return fiberOwn(coldAuth(k)) }},
	{"fiber", coldClaims, func(k *key) app { return fiberTyped(coldAuth(k)) }},
	{"fiber", warm, func(k *key) app { return fiberOwn(warmAuth(k)) }},
	{"fiber", warmClaims, func(k *key) app { return fiberTyped(warmAuth(k)) }},
	{"fiber", byHand, func(k *key) app {
		parser := newHandParser(k)
		return newFiberApp(func(c *fiber.Ctx) error {
			token, _ := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
			claims, err := parser.parse(token)
			if err != nil {
				return fiber.ErrUnauthorized
			}
			c.Locals("user", claims)
			return c.Next()
		}, func(c *fiber.Ctx) error {
			claims := c.Locals("user").(*typedClaims)
			return status(c, answerTyped(claims.Subject, &claims.userClaims))
		})
	}},
	{"fiber", "contrib-jwt", func(k *key) app {
		return newFiberApp(peer.New(peer.Config{
			SigningKey: peer.SigningKey{JWTAlg: k.algorithm, Key: k.public},
		}), func(c *fiber.Ctx) error {
			token := c.Locals("user").(*jwt.Token)
			return status(c, answerMap(token.Claims.(jwt.MapClaims)))
		})
	}},
}

func fiberOwn(auth *jwtgate.Auth) app {
	return newFiberApp(fiberjwt.Protect(auth), func(c *fiber.Ctx) error {
		id, _ := fiberjwt.Identity(c)
		return status(c, answer(id.Subject(), id.HasRole("admin")))
	})
}

// fiberTyped is like fiberOwn, but its handler decodes the claims into its own type.
func fiberTyped(auth *jwtgate.Auth) app {
	return newFiberApp(fiberjwt.Protect(auth), func(c *fiber.Ctx) error {
		id, _ := fiberjwt.Identity(c)
		claims, err := fiberjwt.Claims[userClaims](c)
		if err != nil {
			return err
		}
		return status(c, answerTyped(id.Subject(), &claims))
	})
}

func newFiberApp(handlers ...fiber.Handler) app {
	server := fiber.New(fiber.Config{DisableStartupMessage: true})
	server.Get("/", handlers...)
	return fasthttpApp(server.Handler(), server.Listener)
}

func status(c *fiber.Ctx, status int) error {
	c.Status(status)
	return nil
}
