package jwtgatetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// runKeepAlive tests many requests on one connection. Some servers reuse the
// memory of a request for the next one. An identity or a session must not
// change when that happens, and no request may see the identity of another.
func runKeepAlive(t *testing.T, serve Adapter) {
	const connections, requests = 4, 50
	auth := siteAuth(t, withSessions)
	var mu sync.Mutex
	kept := map[string]View{}
	keep := func(v View) jwtgate.Response {
		mu.Lock()
		defer mu.Unlock()
		who := strings.Clone(subject(v))
		kept[who] = v
		return text(who)
	}
	check := func(_ context.Context, username, _ string) (string, bool, error) { return username, true, nil }
	addr := serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/private", Guards: guards(auth), Handler: keep},
		{Method: "POST", Path: "/login", Endpoint: auth.Login(check)},
	}})

	var clients []func()
	for i := range connections {
		conn := dial(t, addr)
		reader := bufio.NewReader(conn)
		login := fmt.Sprintf("username=device-%d&password=x", i)
		res, err := roundTrip(conn, reader, "POST /login HTTP/1.1\r\nHost: site.example\r\nUser-Agent: first browser\r\n"+
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "+strconv.Itoa(len(login))+"\r\n\r\n"+login)
		if err != nil {
			t.Fatal(err)
		}
		if res.last { // a server may close it after a request with a body
			conn = dial(t, addr)
			reader.Reset(conn)
		}
		tokens := make([]string, requests)
		for j := range requests {
			tokens[j] = Token(t, auth, fmt.Sprintf("user-%d-%03d", i, j))
		}
		clients = append(clients, func() {
			for j, token := range tokens {
				line := "Authorization: Bearer " + token
				if j%2 == 1 {
					line = "Cookie: __Host-at=" + token
				}
				want := fmt.Sprintf("user-%d-%03d", i, j)
				got, err := roundTrip(conn, reader, "GET /private HTTP/1.1\r\nHost: site.example\r\nUser-Agent: other browser\r\n"+line+"\r\n\r\n")
				if err != nil || got.body != want {
					t.Errorf("got %q, %v, want %q", got.body, err, want)
					return
				}
			}
		})
	}
	var running sync.WaitGroup
	for _, client := range clients {
		running.Go(client)
	}
	running.Wait()

	for i := range connections {
		devices, _, err := auth.Sessions(t.Context(), fmt.Sprintf("device-%d", i), "")
		if err != nil || len(devices) != 1 || devices[0].UserAgent != "first browser" {
			t.Errorf("got sessions %v, %v, want one of the first browser", devices, err)
		}
	}
	if len(kept) != connections*requests {
		t.Errorf("got %d identities, want %d", len(kept), connections*requests)
	}
	for who, v := range kept {
		if v.Identity == nil {
			t.Errorf("got no identity, want %q", who)
			continue
		}
		// The claims are decoded only here, long after the request.
		claims, err := jwtgate.Claims[Claims](v.Context)
		if v.Identity.Subject() != who || claims.Subject != who || err != nil {
			t.Errorf("got subject %q and claims %v, %v later, want %q", v.Identity.Subject(), claims, err, who)
		}
	}
}

// runUnread tests requests whose body is not read by a handler. A server must not
// parse the rest of the body as the next request: behind a proxy, an attacker could
// use that to smuggle a request into the connection of another client.
func runUnread(t *testing.T, serve Adapter) {
	var s stage
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "POST", Path: "/private", Guards: guards(siteAuth(t)), Handler: s.who},
		{Method: "POST", Path: "/endpoint", Endpoint: func(context.Context, jwtgate.Request) jwtgate.Response { return text("unread") }},
		{Method: "GET", Path: "/smuggle", Handler: s.who},
	}})
	for _, target := range []string{"/private", "/endpoint"} {
		t.Run(target, func(t *testing.T) {
			// The length of buffers is a multiple of its length, so that a rest
			// of the body begins with it.
			const hidden = "GET /smuggle HTTP/1.1\r\nHost:\r\n\r\n"
			conn := dial(t, s.addr)
			written := make(chan struct{})
			go func() {
				defer close(written)
				// An error is fine: the server may close the connection early.
				_, _ = io.WriteString(conn, "POST "+target+" HTTP/1.1\r\nHost: site.example\r\nContent-Length: "+strconv.Itoa(len(hidden)<<14)+"\r\n\r\n"+strings.Repeat(hidden, 1<<14))
				_, _ = io.WriteString(conn, request("GET", "/nothing", ""))
			}()
			raw, err := io.ReadAll(conn)
			_ = conn.Close()
			<-written
			if len(raw) == 0 {
				t.Errorf("got no answer: %v", err)
			}
			if ran := s.ran.Load(); ran > 0 {
				t.Errorf("the server took %d parts of the body for requests", ran)
			}
		})
	}
}
