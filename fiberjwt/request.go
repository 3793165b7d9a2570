package fiberjwt

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// request returns c's request without its body. Its strings are Fiber's buffers,
// which the next request overwrites, and its header is h, which the caller may
// use for the next once it is released: core copies what it keeps.
func request(c *fiber.Ctx, h *header) jwtgate.Request {
	h.request = c.Request()
	return jwtgate.Request{
		Method: c.Method(),
		Path:   utils.UnsafeString(c.Context().Path()), // c.Path() is still escaped
		Host:   utils.UnsafeString(c.Context().Host()), // RFC 9112 §3.2.2: one in the target wins
		Header: h,
		Peer:   c.Context().RemoteAddr(),
		TLS:    c.Context().IsTLS(),
	}
}

// header is a [jwtgate.Header]: that of c's request.
type header struct {
	request *fiber.Request
	lines   []string // of the fields that were asked for, one field after the other
}

// Values returns the lines of the field called name. What it returned before
// stays as it is.
func (h *header) Values(name string) []string {
	start := len(h.lines)
	for _, value := range h.request.Header.PeekAll(name) {
		// fasthttp leaves tabs around it.
		h.lines = append(h.lines, strings.Trim(utils.UnsafeString(value), " \t"))
	}
	return h.lines[start:len(h.lines):len(h.lines)]
}

// keep has h stay as it is while the body is read: fasthttp adds to the header what
// trails the body (RFC 9110 §6.5.1). A body that is not a stream was read before.
func (h *header) keep() {
	kept := new(fiber.Request)
	h.request.Header.CopyTo(&kept.Header)
	h.request = kept
}

// release lets go of the request.
func (h *header) release() {
	clear(h.lines)
	h.request, h.lines = nil, h.lines[:0]
}
