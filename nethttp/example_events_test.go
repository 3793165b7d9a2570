package nethttp_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/nethttp"
)

// A stream of server-sent events ends with the session, on whatever process it is ended,
// and with the access token. The page needs no code for that: after the end of a stream,
// EventSource connects again, and Protect renews the session or refuses the request.
func Example_serverSentEvents() {
	auth, alice := signIn()
	messages := make(chan string, 1)

	events := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := nethttp.Identity(r)
		ctx, cancel := auth.Watch(r.Context(), id)
		defer cancel()
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			select {
			case <-ctx.Done():
				return
			case text := <-messages:
				_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
				_ = http.NewResponseController(w).Flush()
			}
		}
	})
	server := httptest.NewServer(nethttp.Protect(auth)(events))
	defer server.Close()

	messages <- "hello"
	watchEvents(auth, server.URL, alice)
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
