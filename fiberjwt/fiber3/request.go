package fiberjwt

import (
	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/utils/v2"
	"github.com/valyala/fasthttp"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// request returns the request of c without its body. Its strings are in buffers of
// Fiber, which the next request overwrites, so core copies what it keeps. Its header
// is h, which the caller can use for another request after release.
func request(c fiber.Ctx, h *header) jwtgate.Request {
	h.request = c.Request()
	return jwtgate.Request{
		Method: c.Method(),
		Path:   utils.UnsafeString(c.RequestCtx().Path()), // c.Path() is still escaped
		Query:  utils.UnsafeString(c.RequestCtx().URI().QueryString()),
		Host:   utils.UnsafeString(c.RequestCtx().Host()), // RFC 9112 §3.2.2: a host in the target wins
		Header: h,
		Peer:   c.RequestCtx().RemoteAddr(),
		TLS:    c.RequestCtx().IsTLS(),
	}
}

// A header is the [jwtgate.Header] of a request of Fiber.
type header struct {
	request *fasthttp.Request
	lines   []string // the results of Values, one after the other
}

// Values returns the lines of the field called name. It does not change its earlier
// results.
func (h *header) Values(name string) []string {
	start := len(h.lines)
	for _, value := range h.request.Header.PeekAll(name) {
		h.lines = append(h.lines, utils.UnsafeString(value))
	}
	return h.lines[start:len(h.lines):len(h.lines)]
}

// keep copies the header of the request. Call it if the body is a stream: fasthttp
// adds the trailer to the header when the body has been read (RFC 9110 §6.5.1).
func (h *header) keep() {
	kept := new(fasthttp.Request)
	h.request.Header.CopyTo(&kept.Header)
	h.request = kept
}

// release removes all references to the request.
func (h *header) release() {
	clear(h.lines)
	h.request, h.lines = nil, h.lines[:0]
}
