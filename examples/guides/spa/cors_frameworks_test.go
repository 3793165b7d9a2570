package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/echojwt"
	fiberjwt "github.com/jwtgate/jwtgate/fiberjwt/fiber3"
)

const pageOrigin = app

// onEcho and onFiber are an API with the CORS middleware of a framework.
func onEcho(auth *jwtgate.Auth) func(*http.Request) (int, http.Header) {
	e := echo.New()
	e.Use(middleware.CORSWithConfig(middleware.CORSConfig{AllowOrigins: []string{pageOrigin}, AllowCredentials: true}))
	e.POST("/api/visits", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, echojwt.Protect(auth))
	return func(r *http.Request) (int, http.Header) {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code, w.Header()
	}
}

func onFiber(t *testing.T, auth *jwtgate.Auth) func(*http.Request) (int, http.Header) {
	f := fiber.New(fiber.Config{ReadBufferSize: 16 << 10})
	f.Use(cors.New(cors.Config{AllowOrigins: []string{pageOrigin}, AllowCredentials: true}))
	f.Post("/api/visits", fiberjwt.Protect(auth), func(c fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
	return func(r *http.Request) (int, http.Header) {
		t.Helper()
		res, err := f.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode, res.Header
	}
}

// TestFrameworks checks the CORS middleware of other frameworks outside of Protect.
func TestFrameworks(t *testing.T) {
	s := setup{PageOrigin: app}
	auth, err := jwtgate.New(s.config([]byte("a secret of at least 32 bytes, for tests")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	cookie := jwtgatetest.Cookie(t, auth, "alice")
	for name, send := range map[string]func(*http.Request) (int, http.Header){"Echo": onEcho(auth), "Fiber": onFiber(t, auth)} {
		for _, row := range []struct {
			method, origin, cookie string
			status                 int
			readable               bool
		}{
			{"OPTIONS", app, "", 204, true},
			{"POST", app, cookie, 200, true},
			{"POST", app, "", 401, true}, // the page shows the login form
			{"POST", evil, cookie, 403, false},
		} {
			r := httptest.NewRequest(row.method, "https://api.example.com/api/visits", nil)
			r.Header.Set("Origin", row.origin)
			r.Header.Set("Sec-Fetch-Site", "same-site")
			if row.method == http.MethodOptions {
				r.Header.Set("Access-Control-Request-Method", "POST")
			} else {
				r.Header.Set("Cookie", row.cookie)
			}
			status, header := send(r)
			readable := header.Get("Access-Control-Allow-Origin") == row.origin && header.Get("Access-Control-Allow-Credentials") == "true"
			if status != row.status || readable != row.readable {
				t.Errorf("%s: %s from %s: got %d, readable %t; want %d, %t", name, row.method, row.origin, status, readable, row.status, row.readable)
			}
			if !strings.Contains(strings.Join(header["Vary"], ","), "Origin") {
				t.Errorf("%s: %s: got Vary: %q; want Origin in it", name, row.method, header["Vary"])
			}
		}
	}
}
