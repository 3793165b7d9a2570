// Package echojwt is the adapter of package jwtgate for Echo v4. The one for Echo v5
// is github.com/jwtgate/jwtgate/echojwt/echo5.
//
// [Protect] is middleware that authenticates requests. Use it for a group or a
// route. With e.Use, it would protect the login endpoint too.
//
//	api := e.Group("/api", echojwt.Protect(auth))
//
// It puts the identity of the client into the context of the request. Handlers
// read it with [Claims] and [Identity], and functions that have only
// c.Request().Context() with jwtgate.Claims and jwtgate.IdentityFrom.
//
// The package github.com/labstack/echo-jwt has the same name.
package echojwt

import (
	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that calls the next handler for requests that auth
// and all rules accept. It answers all other requests itself.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			d := auth.Decide(r.Context(), jwtgate.HTTPRequest(r), rules...)
			defer d.Done()
			if d.Renewed {
				// Response.Before would not do: Response.Flush does not call its functions.
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

// Handle returns a handler that serves endpoint, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) echo.HandlerFunc {
	return func(c echo.Context) error {
		_, err := Send(c, endpoint(c.Request().Context(), jwtgate.HTTPRequest(c.Request())))
		return err
	}
}

// Claims returns the claims of the access token, decoded into a T. It returns the
// errors of [jwtgate.Claims].
func Claims[T any](c echo.Context) (T, error) { return jwtgate.Claims[T](c.Request().Context()) }

// Identity returns the identity in the context of the request. It returns false if
// the request is anonymous.
func Identity(c echo.Context) (*jwtgate.Identity, bool) {
	return jwtgate.IdentityFrom(c.Request().Context())
}

// Send sets the header fields of res and, unless res.Status is zero, writes the
// status and the body. If res.Err is set, Send writes nothing and returns an
// *echo.HTTPError for Echo's HTTPErrorHandler, which then writes the response. Send
// returns false for answered if the handler still has to write the response.
func Send(c echo.Context, res jwtgate.Response) (answered bool, err error) {
	w := c.Response()
	res.CopyHeader(w.Header())
	switch {
	case res.Status == 0:
		return false, nil
	case res.Err != nil:
		// Echo would not replace this Content-Type when it renders the error.
		w.Header().Del(echo.HeaderContentType)
		return true, echo.NewHTTPError(res.Status).SetInternal(res.Err)
	}
	w.WriteHeader(res.Status)
	_, err = w.Write(res.Body)
	return true, err
}
