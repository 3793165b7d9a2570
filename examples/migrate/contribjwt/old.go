package main

import (
	"time"

	jwtware "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"

	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
)

// lifetime is how long the tokens of both applications are valid.
const lifetime = 72 * time.Hour

// Old returns the application on contrib/jwt. Its tokens have the claims in the
// documentation of contrib/jwt, and neither iss nor sub nor aud.
func Old(secret []byte) *fiber.App {
	app := fiber.New()
	app.Post("/login", func(c *fiber.Ctx) error {
		user, ok := users.Check(c.FormValue("username"), c.FormValue("password"))
		if !ok {
			return fiber.ErrUnauthorized
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"name":  user.Name,
			"admin": user.Admin,
			"exp":   time.Now().Add(lifetime).Unix(),
		}).SignedString(secret)
		if err != nil {
			return err
		}
		return c.JSON(fiber.Map{"token": token})
	})

	api := app.Group("/api", jwtware.New(jwtware.Config{
		SigningKey: jwtware.SigningKey{JWTAlg: jwtware.HS256, Key: secret},
	}))
	api.Get("/hello", oldHello)
	api.Get("/profile", profile)
	api.Get("/admin", oldAdmin)
	return app
}

func oldHello(c *fiber.Ctx) error {
	user := c.Locals("user").(*jwt.Token)
	claims := user.Claims.(jwt.MapClaims)
	return c.SendString("Welcome " + claims["name"].(string) + "!")
}

func oldAdmin(c *fiber.Ctx) error {
	user := c.Locals("user").(*jwt.Token)
	if admin, _ := user.Claims.(jwt.MapClaims)["admin"].(bool); !admin {
		return fiber.ErrForbidden
	}
	return c.SendString("Welcome, admin!")
}

// profile is in both applications, unchanged.
func profile(c *fiber.Ctx) error {
	user := c.Locals("user").(*jwt.Token)
	claims := user.Claims.(jwt.MapClaims)
	return c.JSON(fiber.Map{"name": claims["name"], "admin": claims["admin"]})
}
