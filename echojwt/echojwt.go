// Package echojwt is the adapter of package jwtgate for Echo v4.
//
//	api := e.Group("/api", echojwt.Protect(auth))
//
// Behind Protect, the identity is in c.Request().Context(): read it with
// [Claims] and [Identity] in a handler, with jwtgate.Claims and jwtgate.IdentityFrom
// below one. Put Protect on a group or a route: e.Use would guard the login
// beside them too. (github.com/labstack/echo-jwt has the same package name.)
package echojwt

import (
	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that lets through what auth and all rules allow,
// and answers everything else itself.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			d := auth.Decide(r.Context(), jwtgate.HTTPRequest(r), rules...)
			if d.Renewed {
				// Below the Response, whose Before is not asked by Flush.
				renewed := d.CommitWriter(c.Response().Writer)
				defer renewed.Commit()
				c.Response().Writer = renewed
			}
			if answered, err := Send(c, d.Response); answered {
				return err
			}
			c.SetRequest(d.Forward(r))
			return next(c)
		}
	}
}

// Handle mounts an endpoint of core, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) echo.HandlerFunc {
	return func(c echo.Context) error {
		_, err := Send(c, endpoint(c.Request().Context(), jwtgate.HTTPRequest(c.Request())))
		return err
	}
}

// Claims returns the token's claims as a T. See [jwtgate.Claims] for its errors.
func Claims[T any](c echo.Context) (T, error) { return jwtgate.Claims[T](c.Request().Context()) }

// Identity returns who the request comes from, and false for an anonymous one.
func Identity(c echo.Context) (*jwtgate.Identity, bool) {
	return jwtgate.IdentityFrom(c.Request().Context())
}

// Send does what res says: it sets the header fields and, unless the status is
// zero, answers, or returns the error to leave the answer to Echo's
// HTTPErrorHandler. It reports whether the request is dealt with.
func Send(c echo.Context, res jwtgate.Response) (answered bool, err error) {
	w := c.Response()
	res.CopyHeader(w.Header())
	switch {
	case res.Status == 0:
		return false, nil
	case res.Err != nil:
		// Echo's renderers leave a Content-Type that is set already.
		w.Header().Del(echo.HeaderContentType)
		return true, echo.NewHTTPError(res.Status).SetInternal(res.Err)
	}
	w.WriteHeader(res.Status)
	_, err = w.Write(res.Body)
	return true, err
}
