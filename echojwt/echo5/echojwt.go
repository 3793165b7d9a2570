// Package echojwt is the adapter of package jwtgate for Echo v5.
//
//	api := e.Group("/api", echojwt.Protect(auth))
//
// Behind Protect, the identity is in c.Request().Context(). Handlers read it with
// [Claims] and [Identity], and functions that get the context with jwtgate.Claims
// and jwtgate.IdentityFrom. Put Protect on a group or a route: e.Use would also
// guard the login.
//
// The adapter for Echo v4 is github.com/jwtgate/jwtgate/echojwt. To move to v5,
// change the import path: the calls of these five functions stay as they are. A
// refusal that jwtgate.HandOver hands over wraps the *jwtgate.Refusal as before,
// and an HTTPErrorHandler finds its status with echo.StatusCode.
package echojwt

import (
	"net/http"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that passes on the requests that auth and all rules
// allow, and answers all others itself.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			r := c.Request()
			d := auth.Decide(r.Context(), jwtgate.HTTPRequest(r), rules...)
			defer d.Done()
			if d.Renewed {
				defer commitWriter(c, &d).Commit()
			}
			if answered, err := Send(c, d.Response); answered {
				return err
			}
			c.SetRequest(d.Forward(r))
			return next(c)
		}
	}
}

// commitWriter puts the writer of d below Echo's Response, because the functions of
// Response.Before do not run before a Flush. If middleware has replaced the Response
// by a writer without a method Unwrap, the writer of d goes on top of that writer.
func commitWriter(c *echo.Context, d *jwtgate.Decision) *jwtgate.CommitWriter {
	response, err := echo.UnwrapResponse(c.Response())
	if err != nil {
		w := d.CommitWriter(c.Response())
		c.SetResponse(w)
		return w
	}
	w := d.CommitWriter(response.ResponseWriter)
	response.ResponseWriter = w
	return w
}

// Handle mounts an endpoint of core, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) echo.HandlerFunc {
	return func(c *echo.Context) error {
		_, err := Send(c, endpoint(c.Request().Context(), jwtgate.HTTPRequest(c.Request())))
		return err
	}
}

// Claims returns the claims of the token as a T. See [jwtgate.Claims] for its errors.
func Claims[T any](c *echo.Context) (T, error) { return jwtgate.Claims[T](c.Request().Context()) }

// Identity returns the identity of the request, and false for an anonymous request.
func Identity(c *echo.Context) (*jwtgate.Identity, bool) {
	return jwtgate.IdentityFrom(c.Request().Context())
}

// Send sets the header fields of res and, unless its status is zero, answers with
// it, or returns its error to leave the answer to Echo's HTTPErrorHandler. It
// reports whether the request is answered.
func Send(c *echo.Context, res jwtgate.Response) (answered bool, err error) {
	w := c.Response()
	res.CopyHeader(w.Header())
	switch {
	case res.Status == 0:
		return false, nil
	case res.Err != nil:
		// Echo's renderers leave a Content-Type that is set already.
		w.Header().Del(echo.HeaderContentType)
		return true, echo.NewHTTPError(res.Status, http.StatusText(res.Status)).Wrap(res.Err)
	}
	w.WriteHeader(res.Status)
	_, err = w.Write(res.Body)
	return true, err
}
