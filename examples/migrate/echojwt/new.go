package main

import (
	"context"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/echojwt"
	"github.com/jwtgate/jwtgate/examples/migrate/internal/users"
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
func New(auth *jwtgate.Auth) *echo.Echo {
	e := echo.New()
	e.POST("/login", func(c echo.Context) error {
		user, ok := users.Check(c.FormValue("username"), c.FormValue("password"))
		if !ok {
			return echo.ErrUnauthorized
		}
		access, err := auth.Issue(c.Request().Context(), jwtgate.Grant{
			Subject: user.Name,
			Claims:  newClaims{Name: user.Name, Admin: user.Admin},
		})
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, echo.Map{"token": access.Token})
	})

	api := e.Group("/api", echojwt.Protect(auth, jwtgate.ClaimsOf[newClaims]()))
	api.GET("/hello", newHello)
	api.GET("/profile", profile, keepUser)
	api.GET("/admin", newAdmin, echojwt.Protect(auth, jwtgate.Check(isAdmin)))
	return e
}

func newHello(c echo.Context) error {
	id, _ := echojwt.Identity(c)
	return c.String(http.StatusOK, "Welcome "+id.Subject()+"!")
}

func newAdmin(c echo.Context) error { return c.String(http.StatusOK, "Welcome, admin!") }

func isAdmin(ctx context.Context, _ *jwtgate.Identity) (bool, error) {
	claims, err := jwtgate.Claims[newClaims](ctx)
	return claims.Admin, err
}

// keepUser sets c.Get("user") for handlers that have not been changed yet.
func keepUser(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		claims, err := echojwt.Claims[*oldClaims](c)
		if err != nil {
			return err
		}
		c.Set("user", &jwt.Token{Claims: claims, Valid: true})
		return next(c)
	}
}
