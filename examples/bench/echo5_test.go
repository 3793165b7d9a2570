package bench_test

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
)

var onEcho5 = []contender{
	{"echo5", bare, func(*key) app {
		return echo5App(func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) })
	}},
	{"echo5", handOn, func(*key) app {
		return echo5App(func(c *echo.Context) error {
			from := c.Request().Context().Value(handedKey{}).(*handed)
			return c.NoContent(answer(from.subject, from.admin))
		}, func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				r := c.Request()
				c.SetRequest(r.WithContext(context.WithValue(r.Context(), handedKey{}, alice)))
				return next(c)
			}
		})
	}},
	{"echo5", cold, func(k *key) app { return echo5Own(coldAuth(k)) }},
	{"echo5", coldClaims, func(k *key) app { return echo5Typed(coldAuth(k)) }},
	{"echo5", warm, func(k *key) app { return echo5Own(warmAuth(k)) }},
	{"echo5", warmClaims, func(k *key) app { return echo5Typed(warmAuth(k)) }},
	{"echo5", byHand, func(k *key) app {
		parser := newHandParser(k)
		return echo5App(func(c *echo.Context) error {
			claims := c.Get("user").(*typedClaims)
			return c.NoContent(answerTyped(claims.Subject, &claims.userClaims))
		}, func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				token, _ := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
				claims, err := parser.parse(token)
				if err != nil {
					return echo.ErrUnauthorized
				}
				c.Set("user", claims)
				return next(c)
			}
		})
	}},
}

func echo5Own(auth *jwtgate.Auth) app {
	return echo5App(func(c *echo.Context) error {
		id, _ := echojwt.Identity(c)
		return c.NoContent(answer(id.Subject(), id.HasRole("admin")))
	}, echojwt.Protect(auth))
}

// echo5Typed is like echo5Own, but its handler decodes the claims into its own type.
func echo5Typed(auth *jwtgate.Auth) app {
	return echo5App(func(c *echo.Context) error {
		id, _ := echojwt.Identity(c)
		claims, err := echojwt.Claims[userClaims](c)
		if err != nil {
			return err
		}
		return c.NoContent(answerTyped(id.Subject(), &claims))
	}, echojwt.Protect(auth))
}

func echo5App(handler echo.HandlerFunc, guards ...echo.MiddlewareFunc) app {
	e := echo.New()
	e.GET("/", handler, guards...)
	return httpApp(e)
}
