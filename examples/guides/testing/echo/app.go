// Package app is an application whose routes and handlers are tested.
package app

import (
	"net/http"

	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/echojwt"
)

// routes returns the routes of the application. Its tests give it an Auth of their own.
func routes(auth *jwtgate.Auth) *echo.Echo {
	e := echo.New()
	e.GET("/hello", hello, echojwt.Protect(auth))
	e.GET("/admin", hello, echojwt.Protect(auth, jwtgate.Role("admin")))
	return e
}

func hello(c echo.Context) error {
	id, _ := echojwt.Identity(c)
	return c.JSON(http.StatusOK, "hello "+id.Subject())
}
