package fiberjwt

import (
	"github.com/gofiber/fiber/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// commit completes the header of the answer to a renewed request. It calls Fiber's ErrorHandler for err, as [fiber.App] would do later, because the
// ErrorHandler can change the header too. After a panic it is not called, and the
// answer has no cookies.
func commit(c *fiber.Ctx, d *jwtgate.Decision, err error) error {
	if err != nil && c.App().ErrorHandler(c, err) != nil {
		_ = c.SendStatus(fiber.StatusInternalServerError) // always nil
	}
	d.Commit(&c.Response().Header)
	return nil
}

// handedOver joins a *fiber.Error, from which an ErrorHandler gets the status, with
// its cause.
type handedOver struct{ answer, cause error }

func (e *handedOver) Error() string   { return e.answer.Error() }
func (e *handedOver) Unwrap() []error { return []error{e.answer, e.cause} }
