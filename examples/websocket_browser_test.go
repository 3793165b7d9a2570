package examples

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"golang.org/x/net/websocket"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/nethttp"
)

// TestWebSocketInBrowser opens a WebSocket from a page that holds its token. Only a
// real browser shows whether it is content with the subprotocol in the answer.
func TestWebSocketInBrowser(t *testing.T) {
	auth, _, token := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.WebSocketProtocol = true })
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("page")) })
	mux.Handle("GET /chat", nethttp.Protect(auth)(websocket.Server{Handshake: chooseChat, Handler: greet}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := startBrowser(t)
	page.open(server.URL)
	for _, row := range []struct{ name, protocols, want string }{
		{"a token", `["chat", "jwtgate.bearer.` + token + `"]`, "chat alice"},
		{"the token first", `["jwtgate.bearer.` + token + `", "chat"]`, "chat alice"},
		{"a forged token", `["chat", "jwtgate.bearer.` + token[:len(token)-4] + `"]`, "refused"},
		{"no token", `["chat"]`, "refused"},
		{"nothing but a token", `["jwtgate.bearer.` + token + `"]`, "refused"},
	} {
		got := eval[string](page, fmt.Sprintf(`new Promise(done => {
			const socket = new WebSocket("/chat", %s);
			socket.onmessage = event => done(socket.protocol + " " + event.data);
			socket.onerror = () => done("refused");
		})`, row.protocols))
		if got != row.want {
			t.Errorf("%s: got %q; want %q", row.name, got, row.want)
		}
	}
}

// chooseChat answers with the subprotocol chat, if the client offers it.
func chooseChat(config *websocket.Config, _ *http.Request) error {
	if !slices.Contains(config.Protocol, "chat") {
		return websocket.ErrBadWebSocketProtocol
	}
	config.Protocol = []string{"chat"}
	return nil
}

// greet sends the subject of the request.
func greet(socket *websocket.Conn) {
	if id, ok := jwtgate.IdentityFrom(socket.Request().Context()); ok {
		_ = websocket.Message.Send(socket, id.Subject())
	}
}
