package websockets

import (
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

// onNetHTTP returns a function that serves with a framework that is built on net/http.
func onNetHTTP(app func(*jwtgate.Auth) http.Handler) func(*testing.T, net.Listener, *jwtgate.Auth) {
	return func(t *testing.T, l net.Listener, auth *jwtgate.Auth) {
		server := &http.Server{Handler: app(auth), ReadHeaderTimeout: time.Second}
		t.Cleanup(func() { _ = server.Close() })
		_ = server.Serve(l)
	}
}

var frameworks = map[string]func(*testing.T, net.Listener, *jwtgate.Auth){
	"net/http": onNetHTTP(serveNetHTTP),
	"echo":     onNetHTTP(serveEcho),
	"echo5":    onNetHTTP(serveEcho5),
	"gin":      onNetHTTP(serveGin),
	"fiber":    func(_ *testing.T, l net.Listener, auth *jwtgate.Auth) { _ = serveFiber(auth).Listener(l) },
	"fiber3": func(_ *testing.T, l net.Listener, auth *jwtgate.Auth) {
		_ = serveFiber3(auth).Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
	},
}

// open opens a socket. If the server refuses it, the socket is nil.
func open(t *testing.T, url, cookie string) (socket *websocket.Conn, status int) {
	t.Helper()
	socket, res, err := websocket.DefaultDialer.DialContext(t.Context(), url, http.Header{"Cookie": {cookie}})
	if res == nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return socket, res.StatusCode
}

// TestSocketEnds checks that a socket is open until the session is ended on another
// process with the same store, or the access token has expired.
func TestSocketEnds(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for name, serve := range frameworks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := session.NewMemory(0, nil)
			process := func() *jwtgate.Auth {
				auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) {
					c.Now, c.Sessions.Store, c.AccessTTL = time.Now, store, 2*time.Second
				})
				return auth
			}
			auth, elsewhere := process(), process()
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go serve(t, listener, auth)
			url := "ws://" + listener.Addr().String() + "/chat"

			if _, status := open(t, url, ""); status != http.StatusUnauthorized {
				t.Errorf("without credentials: got status %d; want 401", status)
			}
			for _, row := range []struct {
				name   string
				end    func(sid string) error
				within time.Duration
				want   int
			}{
				{"session ended", func(sid string) error { return elsewhere.EndSession(t.Context(), sid) }, time.Second, closeSignedOut},
				{"token expired", func(string) error { return nil }, 3 * time.Second, closeReconnect},
			} {
				tokens, err := auth.SignIn(t.Context(), jwtgate.Request{}, "alice")
				if err != nil {
					t.Fatal(err)
				}
				socket, status := open(t, url, "__Host-at="+tokens.Access.Token)
				if socket == nil {
					t.Fatalf("%s: got status %d; want 101", row.name, status)
				}
				if err := socket.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
					t.Error(err)
				}
				if _, text, err := socket.ReadMessage(); err != nil || string(text) != "alice: hello" {
					t.Errorf("%s: got %q, %v; want an echo", row.name, text, err)
				}
				begun := time.Now()
				if err := row.end(tokens.SessionID); err != nil {
					t.Error(err)
				}
				_, text, err := socket.ReadMessage()
				closed := (*websocket.CloseError)(nil)
				if !errors.As(err, &closed) || closed.Code != row.want || time.Since(begun) > row.within {
					t.Errorf("%s: got %q, %v after %v; want close code %d within %v", row.name, text, err, time.Since(begun), row.want, row.within)
				}
				_ = socket.Close()
			}
		})
	}
}
