// Package app is an application whose routes and handlers are tested.
package app

import (
	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// routes returns the routes of the application. Its tests give it an Auth of their own.
func routes(auth *jwtgate.Auth) *fiber.App {
	app := fiber.New(fiber.Config{ReadBufferSize: 16 << 10})
	app.Get("/hello", fiberjwt.Protect(auth), hello)
	app.Get("/admin", fiberjwt.Protect(auth, jwtgate.Role("admin")), hello)
	return app
}

func hello(c fiber.Ctx) error {
	id, _ := fiberjwt.Identity(c)
	return c.JSON("hello " + id.Subject())
}
