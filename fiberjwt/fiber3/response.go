package fiberjwt

import (
	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// commit completes the header of the answer to a renewed request. It calls Fiber's
// ErrorHandler for err, as [fiber.App] would do later, because the ErrorHandler can
// change the header too. After a panic it is not called, and the answer has no cookies.
func commit(c fiber.Ctx, d *jwtgate.Decision, err error) error {
	if err != nil && c.App().ErrorHandler(c, err) != nil {
		_ = c.SendStatus(fiber.StatusInternalServerError) // always nil
	}
	d.Commit(&response(c).Header)
	return nil
}

// response returns the response that is sent for c. If Fiber's timeout middleware
// has answered, that is a copy of c.Response(), which the handler may still change.
func response(c fiber.Ctx) *fasthttp.Response {
	if timedOut := c.RequestCtx().LastTimeoutErrorResponse(); timedOut != nil {
		return timedOut
	}
	return c.Response()
}

// A handedOver is an error with two parts: a *fiber.Error, from which an ErrorHandler
// takes the status, and the cause.
type handedOver struct{ answer, cause error }

// Error returns the text of the status, because the default ErrorHandler sends it.
func (e *handedOver) Error() string   { return e.answer.Error() }
func (e *handedOver) Unwrap() []error { return []error{e.answer, e.cause} }
