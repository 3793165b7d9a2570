package echojwt_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/echojwt"
)

// A stream of server-sent events ends with the session, on whatever process it is ended,
// and with the access token. The page needs no code for that: after the end of a stream,
// EventSource connects again, and Protect renews the session or refuses the request.
func Example_serverSentEvents() {
	auth, alice := signIn()
	messages := make(chan string, 1)

	e := echo.New()
	e.GET("/events", func(c echo.Context) error {
		id, _ := echojwt.Identity(c)
		ctx, cancel := auth.Watch(c.Request().Context(), id)
		defer cancel()
		w := c.Response()
		w.Header().Set(echo.HeaderContentType, "text/event-stream")
		for {
			select {
			case <-ctx.Done():
				return nil
			case text := <-messages:
				_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
				w.Flush()
			}
		}
	}, echojwt.Protect(auth))
	server := httptest.NewServer(e)
	defer server.Close()

	messages <- "hello"
	watchEvents(auth, server.URL+"/events", alice)
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
