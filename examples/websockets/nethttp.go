package websockets

import (
	"context"
	"net/http"

	"golang.org/x/net/websocket"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

func serveNetHTTP(auth *jwtgate.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /chat", nethttp.Protect(auth)(chat(auth)))
	return mux
}

// chat is the handler for the frameworks that are built on net/http.
func chat(auth *jwtgate.Auth) http.Handler {
	return websocket.Server{Handler: func(socket *websocket.Conn) {
		r := socket.Request()
		id, _ := jwtgate.IdentityFrom(r.Context())
		ctx, cancel := auth.Watch(r.Context(), id)
		defer cancel()
		stop := context.AfterFunc(ctx, func() {
			_ = socket.WriteClose(closeCode(ctx))
			_ = socket.Close()
		})
		defer stop()
		for {
			var text string
			if err := websocket.Message.Receive(socket, &text); err != nil {
				return // one of the two sides has closed the socket
			}
			_ = websocket.Message.Send(socket, id.Subject()+": "+text)
		}
	}}
}
