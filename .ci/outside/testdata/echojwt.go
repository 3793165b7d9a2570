package main

import (
	"log"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/echojwt"
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

	e := echo.New()
	api := e.Group("/api", echojwt.Protect(auth))
	api.GET("/hello", func(c echo.Context) error {
		claims, err := echojwt.Claims[MyClaims](c)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, "hello "+claims.Subject)
	})
	log.Fatal(e.Start("127.0.0.1:8080"))
}
