// Package ginjwt is the adapter of package jwtgate for Gin.
//
//	api := r.Group("/api", ginjwt.Protect(auth))
//
// Behind Protect, the identity is in c.Request.Context(): read it with [Claims]
// and [Identity] in a handler, with jwtgate.Claims and jwtgate.IdentityFrom below one.
// Hand c.Request.Context() on, not c: a *gin.Context is a context.Context that
// has no identity in it. What is registered before r.Use stays open.
package ginjwt

import (
	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that lets through what auth and all rules allow,
// and answers everything else itself.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) gin.HandlerFunc {
	return func(c *gin.Context) {
		d := auth.Decide(c.Request.Context(), jwtgate.HTTPRequest(c.Request), rules...)
		if d.Renewed {
			commit := commitBelow(c.Writer, &d)
			defer commit()
		}
		if Send(c, d.Response) {
			return
		}
		c.Request = d.Forward(c.Request)
		c.Next()
	}
}

// Handle mounts an endpoint of core, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) gin.HandlerFunc {
	return func(c *gin.Context) {
		Send(c, endpoint(c.Request.Context(), jwtgate.HTTPRequest(c.Request)))
	}
}

// Claims returns the token's claims as a T. See [jwtgate.Claims] for its errors.
func Claims[T any](c *gin.Context) (T, error) { return jwtgate.Claims[T](c.Request.Context()) }

// Identity returns who the request comes from, and false for an anonymous one.
func Identity(c *gin.Context) (*jwtgate.Identity, bool) {
	return jwtgate.IdentityFrom(c.Request.Context())
}

// Send does what res says: it sets the header fields and, unless the status is
// zero, answers and aborts, or aborts with the error in c.Errors to leave the
// body to the application's error middleware. It reports whether it aborted.
func Send(c *gin.Context, res jwtgate.Response) (answered bool) {
	res.CopyHeader(c.Writer.Header())
	if res.Status == 0 {
		return false
	}
	c.Abort()
	c.Status(res.Status)
	if res.Err != nil {
		// Gin's renderers leave a Content-Type that is set already.
		c.Writer.Header().Del("Content-Type")
		_ = c.Error(res.Err)
		return true
	}
	_, _ = c.Writer.Write(res.Body) // a client that has gone away is not our error
	return true
}
