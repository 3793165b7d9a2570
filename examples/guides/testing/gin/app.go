// Package app is an application whose routes and handlers are tested.
package app

import (
	"net/http"

	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/ginjwt"
)

// routes returns the routes of the application. Its tests give it an Auth of their own.
func routes(auth *jwtgate.Auth) *gin.Engine {
	r := gin.New()
	r.GET("/hello", ginjwt.Protect(auth), hello)
	r.GET("/admin", ginjwt.Protect(auth, jwtgate.Role("admin")), hello)
	return r
}

func hello(c *gin.Context) {
	id, _ := ginjwt.Identity(c)
	c.JSON(http.StatusOK, "hello "+id.Subject())
}
