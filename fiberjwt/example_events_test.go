package fiberjwt_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/fiberjwt"
)

// A stream of server-sent events ends with the session, on whatever process it is ended,
// and with the access token. The page needs no code for that: after the end of a stream,
// EventSource connects again, and Protect renews the session or refuses the request.
func Example_serverSentEvents() {
	auth, alice := signIn()
	messages := make(chan string, 1)

	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/events", fiberjwt.Protect(auth), func(c *fiber.Ctx) error {
		id, _ := fiberjwt.Identity(c)
		ctx, cancel := auth.Watch(c.UserContext(), id)
		c.Set(fiber.HeaderContentType, "text/event-stream")
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { // runs after the handler
			defer cancel()
			for {
				select {
				case <-ctx.Done():
					return
				case text := <-messages:
					_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
					if w.Flush() != nil {
						return // the client has closed the connection
					}
				}
			}
		})
		return nil
	})
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = app.Listener(listener) }()
	defer func() { _ = app.Shutdown() }()

	messages <- "hello"
	watchEvents(auth, "http://"+listener.Addr().String()+"/events", alice)
	// Output:
	// data: hello
	// the stream has ended
}

// watchEvents prints the events of a stream. After the first one, an administrator ends the
// sessions of alice.
func watchEvents(auth *jwtgate.Auth, url, token string) {
	ctx := context.Background()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		log.Print(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Print(err)
		return
	}
	defer func() { _ = res.Body.Close() }()
	for events := bufio.NewScanner(res.Body); events.Scan(); {
		if line := events.Text(); strings.HasPrefix(line, "data:") {
			fmt.Println(line)
			if err := auth.EndSessions(ctx, "alice"); err != nil {
				log.Print(err)
			}
		}
	}
	fmt.Println("the stream has ended")
}
