package main

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

// newClaims are the claims that handlers read.
type newClaims struct {
	Name  string `json:"name"`
	Admin bool   `json:"admin"`
}

// NewAuth accepts the tokens of both applications.
func NewAuth(source keys.Source) (*jwtgate.Auth, error) {
	return jwtgate.New(jwtgate.Config{
		Issuer:      "https://auth.example.com",
		Audience:    "https://api.example.com",
		Keys:        source,
		AccessTTL:   lifetime,
		MaxLifetime: lifetime + time.Minute, // in case the clocks of two servers differ

		// Delete these lines when the last old token has expired.
		InsecureAnyIssuer:   true,   // old tokens have no iss,
		InsecureAnyAudience: true,   // no aud,
		SubjectClaim:        "name", // and no sub
	})
}

// New returns the application on jwtgate.
func New(auth *jwtgate.Auth) *fiber.App {
	app := fiber.New(fiber.Config{ReadBufferSize: 16 << 10}) // for long tokens
	app.Post("/login", func(c *fiber.Ctx) error {
		user, ok := users.Check(c.FormValue("username"), c.FormValue("password"))
		if !ok {
			return fiber.ErrUnauthorized
		}
		access, err := auth.Issue(c.UserContext(), jwtgate.Grant{
			Subject: user.Name,
			Claims:  newClaims{Name: user.Name, Admin: user.Admin},
		})
		if err != nil {
			return err
		}
		return c.JSON(fiber.Map{"token": access.Token})
	})

	api := app.Group("/api", fiberjwt.Protect(auth, jwtgate.ClaimsOf[newClaims]()))
	api.Get("/hello", newHello)
	api.Get("/profile", keepUser, profile)
	api.Get("/admin", fiberjwt.Protect(auth, jwtgate.Check(isAdmin)), newAdmin)
	return app
}

func newHello(c *fiber.Ctx) error {
	id, _ := fiberjwt.Identity(c)
	return c.SendString("Welcome " + id.Subject() + "!")
}

func newAdmin(c *fiber.Ctx) error { return c.SendString("Welcome, admin!") }

func isAdmin(ctx context.Context, _ *jwtgate.Identity) (bool, error) {
	claims, err := jwtgate.Claims[newClaims](ctx)
	return claims.Admin, err
}

// keepUser sets c.Locals("user") for handlers that have not been changed yet.
func keepUser(c *fiber.Ctx) error {
	claims, err := fiberjwt.Claims[jwt.MapClaims](c)
	if err != nil {
		return err
	}
	c.Locals("user", &jwt.Token{Claims: claims, Valid: true})
	return c.Next()
}
