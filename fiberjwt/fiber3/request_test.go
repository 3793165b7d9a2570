package fiberjwt_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/gofiber/fiber/v3"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// TestCookiesReadBefore checks cookies behind middleware that calls c.Cookies. This
// makes fasthttp parse the Cookie header and drop its lines.
func TestCookiesReadBefore(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	app := fiber.New()
	app.Use(func(c fiber.Ctx) error {
		_ = c.Cookies("theme")
		return c.Next()
	})
	app.Get("/", fiberjwt.Protect(auth), func(c fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
	for _, row := range []struct {
		name, cookie string
		want         int
	}{
		{"one", "theme=dark; __Host-at=" + token, http.StatusNoContent},
		{"two", "__Host-at=" + token + "; __Host-at=" + token, http.StatusBadRequest},
		{"empty", "__Host-at=", http.StatusBadRequest},
		{"beyond ASCII", "__Host-at=" + token + "é", http.StatusBadRequest},
	} {
		if got := send(t, app, "/", "Cookie: "+row.cookie); got.status != row.want {
			t.Errorf("%s: got status %d; want %d", row.name, got.status, row.want)
		}
	}
}

// TestPath checks that core gets paths as net/http has them, without escapes.
func TestPath(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/notes/*", fiberjwt.Handle(func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		return jwtgate.Response{Status: http.StatusOK, Body: []byte(req.Path)}
	}))
	if got := send(t, app, "/notes/a%20b%C3%A9?c=d", ""); got.body != "/notes/a bé" {
		t.Errorf("got path %q; want %q", got.body, "/notes/a bé")
	}
}

// TestHeaderValues checks that a result of Values stays the same after other calls
// of Values and after the caller has appended to a result.
func TestHeaderValues(t *testing.T) {
	t.Parallel()
	app := fiber.New()
	app.Get("/", fiberjwt.Handle(func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		var found [][]string
		for range 5 { // the slice of lines grows meanwhile
			found = append(found, req.Header.Values("Accept"), req.Header.Values("Absent"))
		}
		for _, lines := range found {
			_ = append(lines, "appended")
		}
		for i, got := range found {
			if want := [][]string{{"text/html"}, nil}[i%2]; !slices.Equal(got, want) {
				t.Errorf("answer %d: got %q; want %q", i, got, want)
			}
		}
		return jwtgate.Response{Status: http.StatusNoContent}
	}))
	if got := send(t, app, "/", "Accept: text/html"); got.status != http.StatusNoContent {
		t.Errorf("got status %d", got.status)
	}
}

// TestTrailer checks that the trailer of a body does not become part of the header
// when the body has been read.
func TestTrailer(t *testing.T) {
	t.Parallel()
	app := fiber.New(fiber.Config{StreamRequestBody: true})
	app.Post("/", fiberjwt.Handle(func(_ context.Context, req jwtgate.Request) jwtgate.Response {
		body, err := io.ReadAll(req.Body)
		if string(body) != "some text" || err != nil {
			t.Errorf("got body %q and error %v", body, err)
		}
		for name, want := range map[string][]string{"Forwarded": {"for=192.0.2.1"}, "Origin": nil} {
			if got := req.Header.Values(name); !slices.Equal(got, want) {
				t.Errorf("got %s %q; want %q", name, got, want)
			}
		}
		return jwtgate.Response{Status: http.StatusNoContent}
	}))
	conn, err := net.Dial("tcp", listen(t, app))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: site.example\r\nForwarded: for=192.0.2.1\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"9\r\nsome text\r\n0\r\nForwarded: for=192.0.2.2\r\nOrigin: https://site.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusNoContent {
		t.Errorf("got status %d", res.StatusCode)
	}
}
