package fiberjwt

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// request returns the request of c without its body, and with h as its header. Its
// strings are in buffers of Fiber that the next request overwrites. That is safe,
// because package jwtgate copies what it keeps. The caller can reuse h after release.
func request(c *fiber.Ctx, h *header) jwtgate.Request {
	h.request = c.Request()
	return jwtgate.Request{
		Method: c.Method(),
		Path:   utils.UnsafeString(c.Context().Path()), // unlike c.Path(), it is unescaped
		Query:  utils.UnsafeString(c.Context().URI().QueryString()),
		Host:   utils.UnsafeString(c.Context().Host()), // RFC 9112 §3.2.2: a host in the target takes precedence
		Header: h,
		Peer:   c.Context().RemoteAddr(),
		TLS:    c.Context().IsTLS(),
	}
}

// header is a [jwtgate.Header] with the fields of a request of Fiber.
type header struct {
	request *fiber.Request
	lines   []string // all lines that Values has returned
}

// Values returns the lines of the field called name. Earlier results stay valid.
func (h *header) Values(name string) []string {
	start := len(h.lines)
	for _, value := range h.request.Header.PeekAll(name) {
		// fasthttp does not remove tabs around a value.
		h.lines = append(h.lines, strings.Trim(utils.UnsafeString(value), " \t"))
	}
	return h.lines[start:len(h.lines):len(h.lines)]
}

// keep copies the header, so that it does not change while the body is read: fasthttp
// adds the trailer fields of the body to it (RFC 9110 §6.5.1). It is needed only for a
// body that is a stream.
func (h *header) keep() {
	kept := new(fiber.Request)
	h.request.Header.CopyTo(&kept.Header)
	h.request = kept
}

// release makes h empty.
func (h *header) release() {
	clear(h.lines)
	h.request, h.lines = nil, h.lines[:0]
}
