package fiberjwt

import (
	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"
)

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
