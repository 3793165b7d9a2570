// Package fiberjwt is the adapter of package core for Fiber v2.
//
//	app.Use("/api", fiberjwt.Protect(auth))
//
// Behind Protect, the identity is in c.UserContext(): read it with [Claims] and
// [Identity] in a handler, with core.Claims and core.IdentityFrom below one, but
// not in c.Context(). What is registered before Use stays open.
package fiberjwt

import (
	"bytes"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/jwtgate/jwtgate/core"
)

// Protect returns middleware that lets through what auth and all rules allow,
// and answers everything else itself.
func Protect(auth *core.Auth, rules ...core.Rule) fiber.Handler {
	return func(c *fiber.Ctx) error {
		d := auth.Decide(c.UserContext(), request(c), rules...)
		if answered, err := Send(c, d.Response); answered {
			return err
		}
		if d.Renewed {
			for _, name := range core.Conditional {
				c.Request().Header.Del(name)
			}
			defer d.Commit(c.Response().Header.Set)
		}
		c.SetUserContext(d.Context)
		return c.Next()
	}
}

// Handle mounts an endpoint of core, such as auth.JWKS.
func Handle(endpoint core.Endpoint) fiber.Handler {
	return func(c *fiber.Ctx) error {
		req := request(c)
		if req.Body = c.Context().RequestBodyStream(); req.Body == nil {
			req.Body = bytes.NewReader(c.Request().Body())
		}
		_, err := Send(c, endpoint(c.UserContext(), req))
		return err
	}
}

// Claims returns the token's claims as a T. See [core.Claims] for its errors.
func Claims[T any](c *fiber.Ctx) (T, error) { return core.Claims[T](c.UserContext()) }

// Identity returns who the request comes from, and false for an anonymous one.
func Identity(c *fiber.Ctx) (*core.Identity, bool) { return core.IdentityFrom(c.UserContext()) }

// Send does what res says: it sets the header fields and, unless the status is
// zero, answers, or returns the error to leave the answer to Fiber's
// ErrorHandler. It reports whether the request is dealt with.
func Send(c *fiber.Ctx, res core.Response) (answered bool, err error) {
	res.WriteHeader(c.Response().Header.Set, c.Response().Header.Add)
	switch {
	case res.Status == 0:
		return false, nil
	case res.Err != nil:
		return true, &handedOver{fiber.NewError(res.Status, http.StatusText(res.Status)), res.Err}
	}
	return true, c.Status(res.Status).Send(res.Body)
}

// handedOver is a *fiber.Error, from which an ErrorHandler takes the status,
// and its cause.
type handedOver struct{ answer, cause error }

func (e *handedOver) Error() string   { return e.answer.Error() }
func (e *handedOver) Unwrap() []error { return []error{e.answer, e.cause} }

// request returns c's request without its body. The strings are Fiber's buffers,
// which the next request overwrites: core copies what it keeps.
func request(c *fiber.Ctx) core.Request {
	header := &c.Request().Header
	peek := func(name string) string { return utils.UnsafeString(header.Peek(name)) }
	return core.Request{
		Method:        c.Method(),
		Path:          c.Path(),
		Host:          utils.UnsafeString(header.Host()),
		Authorization: lines(header.PeekAll(fiber.HeaderAuthorization)),
		Cookie:        lines(header.PeekAll(fiber.HeaderCookie)),
		Origin:        peek(fiber.HeaderOrigin),
		SecFetchSite:  peek("Sec-Fetch-Site"),
		SecFetchMode:  peek("Sec-Fetch-Mode"),
		Upgrade:       peek(fiber.HeaderUpgrade),
		ContentType:   peek(fiber.HeaderContentType),
		UserAgent:     peek(fiber.HeaderUserAgent),
	}
}

func lines(values [][]byte) (lines []string) {
	for _, value := range values {
		lines = append(lines, utils.UnsafeString(value))
	}
	return lines
}
