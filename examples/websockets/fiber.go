package websockets

import (
	"context"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

func serveFiber(auth *jwtgate.Auth) *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/chat", fiberjwt.Protect(auth), func(c *fiber.Ctx) error {
		id, _ := fiberjwt.Identity(c)
		ctx := c.UserContext() // c is of another request when the socket is open
		return upgrader.Upgrade(c.Context(), func(socket *websocket.Conn) { chatFast(ctx, auth, id, socket) })
	})
	return app
}

var upgrader = websocket.FastHTTPUpgrader{
	CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }, // Protect has checked it
}

// chatFast is chat for the frameworks that are built on fasthttp.
func chatFast(ctx context.Context, auth *jwtgate.Auth, id *jwtgate.Identity, socket *websocket.Conn) {
	ctx, cancel := auth.Watch(ctx, id)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		_ = socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeCode(ctx), ""), time.Now().Add(time.Second))
		_ = socket.Close()
	})
	defer stop()
	for {
		kind, text, err := socket.ReadMessage()
		if err != nil {
			return // one of the two sides has closed the socket
		}
		_ = socket.WriteMessage(kind, append([]byte(id.Subject()+": "), text...))
	}
}
