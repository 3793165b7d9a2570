package fiberjwt_test

import (
	"runtime"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/jwtgate/jwtgate/fiberjwt"
)

// Protect uses the header of one request for the next, and must not collect the lines of
// all of them.
func TestProtectReleasesHeader(t *testing.T) {
	const requests, lines, most = 5000, 50, 1 << 20
	auth, token := signIn()
	app := fiber.New()
	app.Get("/", fiberjwt.Protect(auth), func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusNoContent) })
	serve := app.Handler()
	c := argument(serve)
	c.Request.SetRequestURI("/")
	for range lines {
		c.Request.Header.Add(fiber.HeaderAuthorization, "Bearer "+token)
	}
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	serve(c)
	before := heap()
	for range requests {
		c.Response.Reset()
		c.ResetUserValues()
		serve(c)
	}
	if after := heap(); after > before+most {
		t.Errorf("got %d bytes more after %d requests; want at most %d", after-before, requests, most)
	}
}
