package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/echojwt"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

// TestFrameworks submits the login form to a route of other frameworks.
func TestFrameworks(t *testing.T) {
	auth, err := newAuth([]byte("a secret of at least 32 bytes, for tests"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	for name, send := range map[string]func(*http.Request) (int, http.Header){"Echo": onEcho(auth), "Fiber": onFiber(t, auth)} {
		for _, row := range []struct {
			fields   string
			status   int
			location string
			cookies  int
		}{
			{right.Encode(), 303, "/orders", 2},
			{wrong.Encode(), 401, "", 0},
		} {
			r := httptest.NewRequest(http.MethodPost, "/login?next=/orders", strings.NewReader(row.fields))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			status, header := send(r)
			if status != row.status || header.Get("Location") != row.location || len(header["Set-Cookie"]) != row.cookies {
				t.Errorf("%s: got %d, %v; want %d, %q and %d cookies", name, status, header, row.status, row.location, row.cookies)
			}
		}
	}
}

func onEcho(auth *jwtgate.Auth) func(*http.Request) (int, http.Header) {
	e := echo.New()
	e.POST("/login", echojwt.Handle(login(auth)))
	return func(r *http.Request) (int, http.Header) {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code, w.Header()
	}
}

func onFiber(t *testing.T, auth *jwtgate.Auth) func(*http.Request) (int, http.Header) {
	f := fiber.New(fiber.Config{ReadBufferSize: 16 << 10})
	f.Post("/login", fiberjwt.Handle(login(auth)))
	return func(r *http.Request) (int, http.Header) {
		t.Helper()
		res, err := f.Test(r, fiber.TestConfig{Timeout: 0})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header
	}
}
