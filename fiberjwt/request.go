package fiberjwt

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/jwtgate/jwtgate/core"
)

// request returns c's request without its body. Its strings are Fiber's buffers,
// which the next request overwrites, and its lines are in room, which the caller
// may use for the next: core copies what it keeps.
func request(c *fiber.Ctx, room *lines) core.Request {
	header := &c.Request().Header
	return core.Request{
		Method:        c.Method(),
		Path:          utils.UnsafeString(c.Context().Path()), // c.Path() is still escaped
		Host:          utils.UnsafeString(c.Context().Host()), // RFC 9112 §3.2.2: one in the target wins
		Authorization: room.authorization.of(header.PeekAll(fiber.HeaderAuthorization)),
		Cookie:        room.cookie.of(header.PeekAll(fiber.HeaderCookie)),
		Origin:        text(header.Peek(fiber.HeaderOrigin)),
		SecFetchSite:  text(header.Peek("Sec-Fetch-Site")),
		SecFetchMode:  text(header.Peek("Sec-Fetch-Mode")),
		Upgrade:       text(header.Peek(fiber.HeaderUpgrade)),
		IfNoneMatch:   text(header.Peek(fiber.HeaderIfNoneMatch)),
		ContentType:   text(header.ContentType()),
		UserAgent:     text(header.UserAgent()),
	}
}

// lines has room for the lines of a request's fields.
type lines struct{ authorization, cookie field }

// clear lets go of the request.
func (l *lines) clear() {
	clear(l.authorization)
	clear(l.cookie)
}

// field has room for the lines of a field.
type field []string

// of returns the lines with values.
func (f *field) of(values [][]byte) []string {
	*f = (*f)[:0]
	for _, value := range values {
		*f = append(*f, text(value))
	}
	return *f
}

// text returns the value of a header field, around which fasthttp leaves tabs.
func text(value []byte) string { return strings.Trim(utils.UnsafeString(value), " \t") }
