package fiberjwt

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/jwtgate/jwtgate/core"
)

// request returns c's request without its body. Its strings are Fiber's buffers,
// which the next request overwrites, and its header is h, which the caller may
// use for the next once it is released: core copies what it keeps.
func request(c *fiber.Ctx, h *header) core.Request {
	h.c = c
	return core.Request{
		Method: c.Method(),
		Path:   utils.UnsafeString(c.Context().Path()), // c.Path() is still escaped
		Host:   utils.UnsafeString(c.Context().Host()), // RFC 9112 §3.2.2: one in the target wins
		Header: h,
	}
}

// header is a [core.Header]: that of c's request.
type header struct {
	c     *fiber.Ctx
	lines []string // of the fields that were asked for, one field after the other
}

// Values returns the lines of the field called name. What it returned before
// stays as it is.
func (h *header) Values(name string) []string {
	start := len(h.lines)
	for _, value := range h.c.Request().Header.PeekAll(name) {
		// fasthttp leaves tabs around it.
		h.lines = append(h.lines, strings.Trim(utils.UnsafeString(value), " \t"))
	}
	return h.lines[start:len(h.lines):len(h.lines)]
}

// release lets go of the request.
func (h *header) release() {
	clear(h.lines)
	h.c, h.lines = nil, h.lines[:0]
}
