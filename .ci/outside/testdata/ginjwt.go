package main

import (
	"log"
	"net/http"
	"os"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/ginjwt"
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

	r := gin.Default()
	api := r.Group("/api", ginjwt.Protect(auth))
	api.GET("/hello", func(c *gin.Context) {
		claims, err := ginjwt.Claims[MyClaims](c)
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.String(http.StatusOK, "hello "+claims.Subject)
	})
	log.Fatal(r.Run("127.0.0.1:8080"))
}
