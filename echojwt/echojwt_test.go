package echojwt_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/echojwt"
)

func TestAdapter(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunAdapter(t, serve)
}

// serve is a [jwtgatetest.Adapter].
func serve(t *testing.T, site jwtgatetest.Site) string {
	e := echo.New()
	e.Use(outer(site))
	for _, route := range site.Routes {
		group := e.Group(route.Path)
		var guards []echo.MiddlewareFunc
		for i, guard := range route.Guards {
			protect := echojwt.Protect(guard.Auth, guard.Rules...)
			if i == 0 {
				group.Use(protect)
			} else {
				guards = append(guards, protect)
			}
		}
		group.Add(route.Method, "", handler(route), guards...)
	}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func outer(site jwtgatetest.Site) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			for _, field := range site.Header {
				c.Response().Header().Add(field.Name, field.Value)
			}
			if site.Context != nil {
				c.SetRequest(c.Request().WithContext(site.Context(c.Request().Context())))
			}
			return next(c)
		}
	}
}

func handler(route jwtgatetest.Route) echo.HandlerFunc {
	if route.Endpoint != nil {
		return echojwt.Handle(route.Endpoint)
	}
	return func(c echo.Context) error {
		id, found := echojwt.Identity(c)
		claims, err := echojwt.Claims[jwtgatetest.Claims](c)
		_, sendErr := echojwt.Send(c, route.Handler(jwtgatetest.View{Context: c.Request().Context(), Identity: id, Found: found, Claims: claims, Err: err, Header: c.Request().Header.Get}))
		return sendErr
	}
}

// Echo's error handler is called only if a refusal is handed over.
func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		serves bool // an endpoint, in place of a guard
		refuse func(context.Context, jwtgate.Request, *jwtgate.Refusal) jwtgate.Response
		asked  int
		body   string
		kind   string
	}{
		{"not handed over", false, nil, 0, `"code":"token_missing"`, "application/problem+json"},
		{"handed over", false, jwtgate.HandOver, 1, `{"error":"token_missing"}`, echo.MIMEApplicationJSON},
		{"handed over by an endpoint", true, jwtgate.HandOver, 1, `{"error":"token_missing"}`, echo.MIMEApplicationJSON},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = row.refuse })
			e := echo.New()
			asked := 0
			e.HTTPErrorHandler = func(err error, c echo.Context) {
				asked++
				refusal, native := (*jwtgate.Refusal)(nil), (*echo.HTTPError)(nil)
				if !errors.As(err, &refusal) || !errors.As(err, &native) || native.Code != refusal.Status {
					t.Errorf("got %v; want an HTTPError and a refusal of one status", err)
					return
				}
				_ = c.JSON(native.Code, map[string]any{"error": refusal.Code})
			}
			if row.serves {
				e.GET("/", echojwt.Handle(auth.ListSessions))
			} else {
				e.GET("/", func(echo.Context) error {
					t.Error("the handler ran")
					return nil
				}, echojwt.Protect(auth))
			}
			w := serveOne(e, "", "")
			if asked != row.asked {
				t.Errorf("the error handler was called %d times; want %d", asked, row.asked)
			}
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), row.body) {
				t.Errorf("got %d %q; want %q", w.Code, w.Body, row.body)
			}
			if got := w.Header().Get("Content-Type"); got != row.kind {
				t.Errorf("got Content-Type %q; want %q", got, row.kind)
			}
		})
	}
}

// Echo's error handler is called for the error of a protected handler.
func TestHandlerError(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	e := echo.New()
	e.GET("/", func(echo.Context) error { return echo.ErrTeapot }, echojwt.Protect(auth))
	if w := serveOne(e, "Authorization", "Bearer "+token); w.Code != http.StatusTeapot {
		t.Errorf("got status %d; want %d", w.Code, http.StatusTeapot)
	}
}

// Middleware outside of Protect, such as a logger, can read the identity after the
// handler has returned.
func TestIdentityAfterwards(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			err := next(c)
			if id, found := echojwt.Identity(c); !found || id.Subject() != "alice" {
				t.Errorf("got identity: %t; want alice", found)
			}
			return err
		}
	})
	e.GET("/", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, echojwt.Protect(auth))
	serveOne(e, "Authorization", "Bearer "+token)
}

// Without a token, a client of a protected group cannot find out which paths exist.
func TestUnknownPath(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	e := echo.New()
	e.Group("/api", echojwt.Protect(auth)).GET("/notes", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	for header, want := range map[string]int{"": http.StatusUnauthorized, "Bearer " + token: http.StatusNotFound} {
		r := httptest.NewRequest(http.MethodGet, "/api/unknown", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("got status %d; want %d", w.Code, want)
		}
	}
}

// serveOne serves GET / with one header field.
func serveOne(h http.Handler, name, value string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if name != "" {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
