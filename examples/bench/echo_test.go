package bench_test

import (
	"context"
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	peer "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/echojwt"
)

var onEcho = []contender{
	{"echo", bare, func(*key) app {
		return echoApp(func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	}},
	{"echo", handOn, func(*key) app {
		return echoApp(func(c echo.Context) error {
			from := c.Request().Context().Value(handedKey{}).(*handed)
			return c.NoContent(answer(from.subject, from.admin))
		}, func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				r := c.Request()
				c.SetRequest(r.WithContext(context.WithValue(r.Context(), handedKey{}, alice)))
				return next(c)
			}
		})
	}},
	{"echo", cold, func(k *key) app { return echoOwn(coldAuth(k)) }},
	{"echo", coldClaims, func(k *key) app { return echoTyped(coldAuth(k)) }},
	{"echo", warm, func(k *key) app { return echoOwn(warmAuth(k)) }},
	{"echo", warmClaims, func(k *key) app { return echoTyped(warmAuth(k)) }},
	{"echo", byHand, func(k *key) app {
		parser := newHandParser(k)
		return echoApp(func(c echo.Context) error {
			claims := c.Get("user").(*typedClaims)
			return c.NoContent(answerTyped(claims.Subject, &claims.userClaims))
		}, func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
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
	{"echo", "echo-jwt", func(k *key) app {
		return echoApp(func(c echo.Context) error {
			token := c.Get("user").(*jwt.Token)
			return c.NoContent(answerMap(token.Claims.(jwt.MapClaims)))
		}, peer.WithConfig(peer.Config{SigningMethod: k.algorithm, SigningKey: k.public}))
	}},
}

func echoOwn(auth *jwtgate.Auth) app {
	return echoApp(func(c echo.Context) error {
		id, _ := echojwt.Identity(c)
		return c.NoContent(answer(id.Subject(), id.HasRole("admin")))
	}, echojwt.Protect(auth))
}

// echoTyped is like echoOwn, but its handler decodes the claims into its own type.
func echoTyped(auth *jwtgate.Auth) app {
	return echoApp(func(c echo.Context) error {
		id, _ := echojwt.Identity(c)
		claims, err := echojwt.Claims[userClaims](c)
		if err != nil {
			return err
		}
		return c.NoContent(answerTyped(id.Subject(), &claims))
	}, echojwt.Protect(auth))
}

func echoApp(handler echo.HandlerFunc, guards ...echo.MiddlewareFunc) app {
	e := echo.New()
	e.GET("/", handler, guards...)
	return httpApp(e)
}
