// Package fiberjwt is the adapter of package jwtgate for Fiber v2.
//
//	app.Use("/api", fiberjwt.Protect(auth))
//
// Behind Protect, the identity is in c.UserContext(): read it with [Claims] and
// [Identity] in a handler, with jwtgate.Claims and jwtgate.IdentityFrom below one, but
// not in c.Context(). What is registered before Use stays open. Leave
// fiber.Config.DisableHeaderNormalizing off: with it, names of header fields in
// lower case, as HTTP/2 has them, are not found.
package fiberjwt

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that lets through what auth and all rules allow,
// and answers everything else itself. If it renewed the session of a browser, it calls
// the ErrorHandler for an error of the next handlers, and outer middleware gets nil.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) fiber.Handler {
	if fiber.IsChild() {
		auth.Preforked()
	}
	headers := sync.Pool{New: func() any { return new(header) }}
	return func(c *fiber.Ctx) error {
		h := headers.Get().(*header)
		d := auth.Decide(c.UserContext(), request(c, h), rules...)
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

// Handle mounts an endpoint of core, such as auth.JWKS.
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

// Claims returns the token's claims as a T. See [jwtgate.Claims] for its errors.
func Claims[T any](c *fiber.Ctx) (T, error) { return jwtgate.Claims[T](c.UserContext()) }

// Identity returns who the request comes from, and false for an anonymous one.
func Identity(c *fiber.Ctx) (*jwtgate.Identity, bool) { return jwtgate.IdentityFrom(c.UserContext()) }

// Send does what res says: it sets the header fields and, unless the status is
// zero, answers, or returns the error to leave the answer to Fiber's
// ErrorHandler. It reports whether the request is dealt with.
func Send(c *fiber.Ctx, res jwtgate.Response) (answered bool, err error) {
	res.CopyHeader(&c.Response().Header)
	if res.Status == 0 {
		return false, nil
	}
	if c.Context().RequestBodyStream() != nil {
		// fasthttp would take what is left of the body for the next request.
		c.Context().SetConnectionClose()
	}
	if res.Err != nil {
		c.Response().Header.Del(fiber.HeaderContentType) // that of res.Body
		return true, &handedOver{fiber.NewError(res.Status, http.StatusText(res.Status)), res.Err}
	}
	return true, c.Status(res.Status).Send(res.Body)
}

// handedOver is a *fiber.Error, from which an ErrorHandler takes the status,
// and its cause.
type handedOver struct{ answer, cause error }

func (e *handedOver) Error() string   { return e.answer.Error() }
func (e *handedOver) Unwrap() []error { return []error{e.answer, e.cause} }
