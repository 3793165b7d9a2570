package fiberjwt

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/jwtgate/jwtgate/core"
)

// request returns c's request without its body. Its strings are Fiber's buffers,
// which the next request overwrites: core copies what it keeps.
func request(c *fiber.Ctx) core.Request {
	header := &c.Request().Header
	return core.Request{
		Method:        c.Method(),
		Path:          utils.UnsafeString(c.Context().Path()), // c.Path() is still escaped
		Host:          utils.UnsafeString(c.Context().Host()), // RFC 9112 §3.2.2: one in the target wins
		Authorization: lines(header.PeekAll(fiber.HeaderAuthorization)),
		Cookie:        lines(header.PeekAll(fiber.HeaderCookie)),
		Origin:        text(header.Peek(fiber.HeaderOrigin)),
		SecFetchSite:  text(header.Peek("Sec-Fetch-Site")),
		SecFetchMode:  text(header.Peek("Sec-Fetch-Mode")),
		Upgrade:       text(header.Peek(fiber.HeaderUpgrade)),
		IfNoneMatch:   text(header.Peek(fiber.HeaderIfNoneMatch)),
		ContentType:   text(header.Peek(fiber.HeaderContentType)),
		UserAgent:     text(header.Peek(fiber.HeaderUserAgent)),
	}
}

func lines(values [][]byte) []string {
	if len(values) == 0 {
		return nil
	}
	lines := make([]string, len(values))
	for i, value := range values {
		lines[i] = text(value)
	}
	return lines
}

// text returns the value of a header field, around which fasthttp leaves tabs.
func text(value []byte) string { return strings.Trim(utils.UnsafeString(value), " \t") }
