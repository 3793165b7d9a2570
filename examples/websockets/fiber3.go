package websockets

import (
	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

func serveFiber3(auth *jwtgate.Auth) *fiber.App {
	app := fiber.New()
	app.Get("/chat", fiberjwt.Protect(auth), func(c fiber.Ctx) error {
		id, _ := fiberjwt.Identity(c)
		ctx := c.Context() // c is of another request when the socket is open
		return upgrader.Upgrade(c.RequestCtx(), func(socket *websocket.Conn) { chatFast(ctx, auth, id, socket) })
	})
	return app
}
