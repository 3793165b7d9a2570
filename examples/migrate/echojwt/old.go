package main

import (
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"

	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
)

// lifetime is how long the tokens of both applications are valid.
const lifetime = 72 * time.Hour

// oldClaims are the claims in the documentation of echo-jwt. Its tokens have neither
// iss nor sub nor aud.
type oldClaims struct {
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
	jwt.RegisteredClaims
}

// Old returns the application on echo-jwt.
func Old(secret []byte) *echo.Echo {
	e := echo.New()
	e.POST("/login", func(c echo.Context) error {
		user, ok := users.Check(c.FormValue("username"), c.FormValue("password"))
		if !ok {
			return echo.ErrUnauthorized
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, &oldClaims{
			Name:             user.Name,
			Admin:            user.Admin,
			RegisteredClaims: jwt.RegisteredClaims{ExpiresAt: jwt.NewNumericDate(time.Now().Add(lifetime))},
		}).SignedString(secret)
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, echo.Map{"token": token})
	})

	api := e.Group("/api", echojwt.WithConfig(echojwt.Config{
		SigningKey:    secret,
		NewClaimsFunc: func(echo.Context) jwt.Claims { return new(oldClaims) },
	}))
	api.GET("/hello", oldHello)
	api.GET("/profile", profile)
	api.GET("/admin", oldAdmin)
	return e
}

func oldHello(c echo.Context) error {
	user := c.Get("user").(*jwt.Token)
	claims := user.Claims.(*oldClaims)
	return c.String(http.StatusOK, "Welcome "+claims.Name+"!")
}

func oldAdmin(c echo.Context) error {
	user := c.Get("user").(*jwt.Token)
	if !user.Claims.(*oldClaims).Admin {
		return echo.ErrForbidden
	}
	return c.String(http.StatusOK, "Welcome, admin!")
}

// profile is in both applications, unchanged.
func profile(c echo.Context) error {
	user := c.Get("user").(*jwt.Token)
	claims := user.Claims.(*oldClaims)
	return c.JSON(http.StatusOK, echo.Map{"name": claims.Name, "admin": claims.Admin})
}
