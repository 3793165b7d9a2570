// Package fiberjwt is the adapter of package jwtgate for Fiber v2. The one for Fiber
// v3 is github.com/jwtgate/jwtgate/fiberjwt/fiber3.
//
// [Protect] authenticates requests. With app.Use, it protects only later routes.
//
//	app.Use("/api", fiberjwt.Protect(auth))
//
// It puts the identity of the client into c.UserContext(), not into c.Context().
// Handlers read it with [Claims] and [Identity], and functions that have only a
// context with jwtgate.Claims and jwtgate.IdentityFrom.
//
// Set fiber.Config.ReadBufferSize to 32 << 10: by default, Fiber answers 431 to a request
// header of more than 4 KiB, such as one with a long token.
//
// Do not set fiber.Config.DisableHeaderNormalizing: fields with lower-case names, as in
// HTTP/2, would not be found.
package fiberjwt

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that calls the next handler for requests that auth
// and all rules accept. It answers all other requests itself. If it has renewed the
// session of a browser, it calls the ErrorHandler for an error of the next handlers,
// and outer middleware gets nil.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) fiber.Handler {
	if fiber.IsChild() {
		auth.Preforked()
	}
	headers := sync.Pool{New: func() any { return new(header) }}
	return func(c *fiber.Ctx) error {
		h := headers.Get().(*header)
		d := auth.Decide(c.UserContext(), request(c, h), rules...)
		defer d.Done()
		h.release()
		headers.Put(h)
		answered, err := Send(c, d.Response)
		if !answered {
			d.StripConditional(c.Request().Header.Del)
			c.SetUserContext(d.Context)
			err = c.Next()
		}
		if d.Renewed {
			return commit(c, &d, err)
		}
		return err
	}
}

// Handle returns a handler that serves endpoint, such as auth.JWKS.
func Handle(endpoint jwtgate.Endpoint) fiber.Handler {
	return func(c *fiber.Ctx) error {
		h := new(header)
		req := request(c, h)
		if req.Body = c.Context().RequestBodyStream(); req.Body == nil {
			req.Body = bytes.NewReader(c.Request().Body())
		} else {
			h.keep()
		}
		_, err := Send(c, endpoint(c.UserContext(), req))
		return err
	}
}

// Claims returns the claims of the access token, decoded into a T. It returns the
// errors of [jwtgate.Claims].
func Claims[T any](c *fiber.Ctx) (T, error) { return jwtgate.Claims[T](c.UserContext()) }

// Identity returns the identity in c.UserContext(). It returns false if the request
// is anonymous.
func Identity(c *fiber.Ctx) (*jwtgate.Identity, bool) { return jwtgate.IdentityFrom(c.UserContext()) }

// Send sets the header fields of res and, unless res.Status is zero, writes the
// status and the body. If res.Err is set, Send writes nothing and returns an error
// for Fiber's ErrorHandler, which then writes the response. Send returns false for
// answered if the handler still has to write the response.
func Send(c *fiber.Ctx, res jwtgate.Response) (answered bool, err error) {
	res.CopyHeader(&c.Response().Header)
	if res.Status == 0 {
		return false, nil
	}
	if c.Context().RequestBodyStream() != nil {
		// fasthttp would parse an unread rest of the body as the next request.
		c.Context().SetConnectionClose()
	}
	if res.Err != nil {
		c.Response().Header.Del(fiber.HeaderContentType) // it is the type of res.Body
		return true, &handedOver{fiber.NewError(res.Status, http.StatusText(res.Status)), res.Err}
	}
	return true, c.Status(res.Status).Send(res.Body)
}
