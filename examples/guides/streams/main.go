// Command streams is an application whose pages have a stream of server-sent events and
// a WebSocket. Both end with the session of the user.
package main

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"time"

	"golang.org/x/net/websocket"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/examples/internal/users"
	"github.com/jwtgate/jwtgate/nethttp"
)

//go:embed web
var files embed.FS

func main() {
	secret := make([]byte, 32) // an application reads it from its environment
	_, _ = rand.Read(secret)   // never fails
	auth, err := jwtgate.New(config(secret))
	if err != nil {
		log.Fatal(err)
	}
	log.Println("http://localhost:8080, user alice, password wonderland")
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", routes(auth))) //nolint:gosec // streams have no timeout
}

func config(secret []byte) jwtgate.Config {
	return jwtgate.Config{
		Issuer:   "https://chat.example.com",
		Audience: "https://chat.example.com",
		Keys:     keys.HS256(secret),
		Cookies:  &jwtgate.CookieConfig{},
		Sessions: &jwtgate.SessionConfig{Subject: users.Find, Limiter: &jwtgate.PasswordLimiter{}},
	}
}

func routes(auth *jwtgate.Auth) http.Handler {
	web, err := fs.Sub(files, "web")
	if err != nil {
		log.Fatal(err) // never: the folder is embedded
	}
	signedIn := nethttp.Protect(auth)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(web))
	mux.Handle("POST /login", nethttp.Handle(auth.Login(users.Check)))
	mux.Handle("POST /logout", nethttp.Handle(auth.Logout))
	mux.Handle("GET /me", signedIn(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	mux.Handle("GET /events", signedIn(events(auth)))
	mux.Handle("GET /chat", signedIn(chat(auth)))
	return mux
}

// events sends the time every half second, until the client is gone or the session is over.
func events(auth *jwtgate.Auth) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := nethttp.Identity(r)
		ctx, cancel := auth.Watch(r.Context(), id)
		defer cancel()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // nginx sends each event at once
		_, _ = fmt.Fprint(w, "retry: 500\n\n")    // milliseconds until the browser connects again
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		for {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", time.Now().Format(time.TimeOnly))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
}

// The codes with which the server closes a socket. Those from 4000 on are for
// applications (RFC 6455 §7.4.2).
const (
	closeReconnect = 4000
	closeSignedOut = 4001
)

// chat answers each message, until one of the two sides closes the socket or the session
// is over.
func chat(auth *jwtgate.Auth) http.Handler {
	return websocket.Server{Handler: func(socket *websocket.Conn) {
		r := socket.Request()
		id, _ := nethttp.Identity(r)
		ctx, cancel := auth.Watch(r.Context(), id)
		defer cancel()
		stop := context.AfterFunc(ctx, func() {
			code := closeReconnect
			if refusal := (*jwtgate.Refusal)(nil); errors.As(context.Cause(ctx), &refusal) && refusal.Code == jwtgate.CodeTokenRevoked {
				code = closeSignedOut
			}
			_ = socket.WriteClose(code)
			_ = socket.Close()
		})
		defer stop()
		for {
			var text string
			if err := websocket.Message.Receive(socket, &text); err != nil {
				return
			}
			_ = websocket.Message.Send(socket, id.Subject()+": "+text)
		}
	}}
}
