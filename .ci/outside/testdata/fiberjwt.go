package main

import (
	"log"
	"os"

	"github.com/gofiber/fiber/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

type MyClaims struct {
	Subject string `json:"sub"`
}

func main() {
	auth, err := jwtgate.New(jwtgate.Config{
		Issuer:   "https://auth.example.com",
		Audience: "https://api.example.com",
		Keys:     keys.HS256([]byte(os.Getenv("JWT_SECRET"))),
	})
	if err != nil {
		log.Fatal(err)
	}

	app := fiber.New(fiber.Config{ReadBufferSize: 16 << 10})
	api := app.Group("/api", fiberjwt.Protect(auth))
	api.Get("/hello", func(c *fiber.Ctx) error {
		claims, err := fiberjwt.Claims[MyClaims](c)
		if err != nil {
			return err
		}
		return c.SendString("hello " + claims.Subject)
	})
	log.Fatal(app.Listen("127.0.0.1:8080"))
}
