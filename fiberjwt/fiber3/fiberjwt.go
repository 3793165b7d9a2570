// Package fiberjwt is the adapter of package jwtgate for Fiber v3.
//
//	app.Use("/api", fiberjwt.Protect(auth))
//
// Behind Protect, the identity is in c.Context() and in c, which is a
// context.Context too. Handlers read it with [Claims] and [Identity], and functions
// that get one of the two contexts with jwtgate.Claims and jwtgate.IdentityFrom.
// Fiber uses c for another request after the handler has returned, so pass
// c.Context() to everything that may run longer.
//
// Routes that are registered before Use stay open. Set fiber.Config.ReadBufferSize to
// 32 << 10: by default, Fiber answers 431 to a request header of more than 4 KiB, such
// as one with a long token. Leave DisableHeaderNormalizing off: with it, header fields
// with a name in lower case, as in HTTP/2, are not found. A handler that calls c.End,
// which sends the answer before Protect can complete its header, must not set Cache-Control.
//
// The adapter for Fiber v2 is github.com/jwtgate/jwtgate/fiberjwt. To move to v3, change
// the import path: the calls of these five functions stay as they are, also with a custom
// context. Only the context of the request is now c.Context(), not c.UserContext().
package fiberjwt

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that passes on the requests that auth and all rules
// allow, and answers all others itself. If it has renewed the session of a browser, it
// calls the ErrorHandler for an error of the next handlers, and outer middleware gets
// nil.
func Protect(auth *jwtgate.Auth, rules ...jwtgate.Rule) fiber.Handler {
	if fiber.IsChild() {
		auth.Preforked()
	}
	headers := sync.Pool{New: func() any { return new(header) }}
	return func(c fiber.Ctx) error {
		h := headers.Get().(*header)
		d := auth.Decide(c.Context(), request(c, h), rules...)
		defer d.Done()
		h.release()
		headers.Put(h)
		answered, err := Send(c, d.Response)
		if !answered {
			d.StripConditional(c.Request().Header.Del)
			c.SetContext(d.Context)
			d.StoreIdentity(c.RequestCtx().SetUserValue) // without the allocation of c.Locals
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
	return func(c fiber.Ctx) error {
		h := new(header)
		req := request(c, h)
		if req.Body = c.RequestCtx().RequestBodyStream(); req.Body == nil {
			req.Body = bytes.NewReader(c.Request().Body())
		} else {
			h.keep()
		}
		_, err := Send(c, endpoint(c.Context(), req))
		return err
	}
}

// Claims returns the claims of the token as a T. See [jwtgate.Claims] for its errors.
func Claims[T any](c fiber.Ctx) (T, error) { return jwtgate.Claims[T](c.Context()) }

// Identity returns the identity of the request, and false for an anonymous request.
func Identity(c fiber.Ctx) (*jwtgate.Identity, bool) { return jwtgate.IdentityFrom(c.Context()) }

// Send sets the header fields of res and, unless its status is zero, answers with
// it, or returns its error to leave the answer to Fiber's ErrorHandler. It reports
// whether the request is answered.
func Send(c fiber.Ctx, res jwtgate.Response) (answered bool, err error) {
	res.CopyHeader(&c.Response().Header)
	if res.Status == 0 {
		return false, nil
	}
	if c.RequestCtx().RequestBodyStream() != nil {
		// fasthttp would take the rest of the body for the next request.
		c.RequestCtx().SetConnectionClose()
	}
	if res.Err != nil {
		c.Response().Header.Del(fiber.HeaderContentType) // that of res.Body
		return true, &handedOver{fiber.NewError(res.Status, http.StatusText(res.Status)), res.Err}
	}
	return true, c.Status(res.Status).Send(res.Body)
}
