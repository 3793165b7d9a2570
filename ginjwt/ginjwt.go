// Package ginjwt is the adapter of package jwtgate for Gin.
//
// [Protect] is middleware that authenticates requests. With r.Use, it protects only
// the routes that are registered after that call.
//
//	api := r.Group("/api", ginjwt.Protect(auth))
//
// It puts the identity of the client into the context of the request. Handlers
// read it with [Claims] and [Identity], and functions that have only a context with
// jwtgate.Claims and jwtgate.IdentityFrom. Pass c.Request.Context() to such functions,
// not c: a *gin.Context is a context.Context too, but it does not have the identity.
package ginjwt

import (
	"github.com/gin-gonic/gin"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that calls the next handler for requests that auth
// and all rules accept. It answers all other requests itself.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) gin.HandlerFunc {
	return func(c *gin.Context) {
		d := auth.Decide(c.Request.Context(), jwtgate.HTTPRequest(c.Request), rules...)
		defer d.Done()
		if d.Renewed {
			commitBelow(c.Writer, &d)
		}
		if Send(c, d.Response) {
			return
		}
		c.Request = d.Forward(c.Request)
		c.Next()
	}
}

// Handle returns a handler that serves endpoint, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) gin.HandlerFunc {
	return func(c *gin.Context) {
		Send(c, endpoint(c.Request.Context(), jwtgate.HTTPRequest(c.Request)))
	}
}

// Claims returns the claims of the access token, decoded into a T. It returns the
// errors of [jwtgate.Claims].
func Claims[T any](c *gin.Context) (T, error) { return jwtgate.Claims[T](c.Request.Context()) }

// Identity returns the identity in the context of the request. It returns false if
// the request is anonymous.
func Identity(c *gin.Context) (*jwtgate.Identity, bool) {
	return jwtgate.IdentityFrom(c.Request.Context())
}

// Send sets the header fields of res and, unless res.Status is zero, aborts the chain
// and writes the status and the body. If res.Err is set, Send adds it to c.Errors and
// writes no body, so that middleware of the application can write one. Send returns
// false if it did not abort: the handler still has to write the response.
func Send(c *gin.Context, res jwtgate.Response) (answered bool) {
	res.CopyHeader(c.Writer.Header())
	if res.Status == 0 {
		return false
	}
	c.Abort()
	c.Status(res.Status)
	if res.Err != nil {
		// Gin would not replace this Content-Type when it renders the error.
		c.Writer.Header().Del("Content-Type")
		_ = c.Error(res.Err)
		return true
	}
	_, _ = c.Writer.Write(res.Body) // a write fails if the client has closed the connection
	return true
}
