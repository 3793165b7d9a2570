package echojwt_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
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
		return func(c *echo.Context) error {
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
	return func(c *echo.Context) error {
		id, found := echojwt.Identity(c)
		claims, err := echojwt.Claims[jwtgatetest.Claims](c)
		_, sendErr := echojwt.Send(c, route.Handler(jwtgatetest.View{Context: c.Request().Context(), Identity: id, Found: found, Claims: claims, Err: err, Header: c.Request().Header.Get}))
		return sendErr
	}
}

// TestHandOver checks that Echo's error handler answers refusals that are handed
// over, and no others.
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
		{"handed over", false, jwtgate.HandOver, 1, `{"error":"token_missing","message":"Unauthorized"}`, echo.MIMEApplicationJSON},
		{"handed over by an endpoint", true, jwtgate.HandOver, 1, `{"error":"token_missing","message":"Unauthorized"}`, echo.MIMEApplicationJSON},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = row.refuse })
			e := echo.New()
			asked := 0
			e.HTTPErrorHandler = func(c *echo.Context, err error) {
				asked++
				refusal, native := (*jwtgate.Refusal)(nil), (*echo.HTTPError)(nil)
				if !errors.As(err, &refusal) || !errors.As(err, &native) || native.Code != refusal.Status || echo.StatusCode(err) != refusal.Status {
					t.Errorf("got %v; want an HTTPError and a refusal of one status", err)
					return
				}
				_ = c.JSON(native.Code, map[string]any{"error": refusal.Code, "message": native.Message})
			}
			if row.serves {
				e.GET("/", echojwt.Handle(auth.ListSessions))
			} else {
				e.GET("/", func(*echo.Context) error {
					t.Error("the handler ran")
					return nil
				}, echojwt.Protect(auth))
			}
			w := serveOne(e, "", "")
			if asked != row.asked {
				t.Errorf("the error handler was asked %d times; want %d", asked, row.asked)
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

// TestHandOverHidesCause checks that Echo's default error handler, which shows the
// message of an HTTPError, does not show the refusal.
func TestHandOverHidesCause(t *testing.T) {
	t.Parallel()
	auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = jwtgate.HandOver })
	e := echo.New()
	e.GET("/", func(*echo.Context) error { return nil }, echojwt.Protect(auth))
	w := serveOne(e, "Authorization", "Bearer a.b.c")
	if want := `{"message":"Unauthorized"}` + "\n"; w.Code != http.StatusUnauthorized || w.Body.String() != want {
		t.Errorf("got %d %q; want 401 %q", w.Code, w.Body, want)
	}
}

// errTeapot is an error of a handler.
var errTeapot = echo.NewHTTPError(http.StatusTeapot, "short and stout")

// TestHandlerError checks that an error of a handler reaches the error handler.
func TestHandlerError(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	e := echo.New()
	e.GET("/", func(*echo.Context) error { return errTeapot }, echojwt.Protect(auth))
	if w := serveOne(e, "Authorization", "Bearer "+token); w.Code != http.StatusTeapot {
		t.Errorf("got status %d; want %d", w.Code, http.StatusTeapot)
	}
}

// TestIdentityAfterwards checks that middleware outside of the guard, such as a
// logger, can read the identity after the handler has returned.
func TestIdentityAfterwards(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c *echo.Context) error {
			err := next(c)
			if id, found := echojwt.Identity(c); !found || id.Subject() != "alice" {
				t.Errorf("got identity: %t; want alice", found)
			}
			return err
		}
	})
	e.GET("/", func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) }, echojwt.Protect(auth))
	serveOne(e, "Authorization", "Bearer "+token)
}

// TestUnknownPath checks that a guard on a group does not reveal which paths exist.
func TestUnknownPath(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	e := echo.New()
	e.Group("/api", echojwt.Protect(auth)).GET("/notes", func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) })
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

// TestRenewed checks that the answer to a renewed request carries the new cookies and
// is not stored, however a handler writes it. The conformance suite uses only Send.
func TestRenewed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write echo.HandlerFunc
	}{
		{"nothing", func(*echo.Context) error { return nil }},
		{"NoContent", func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) }},
		{"JSON", func(c *echo.Context) error { return c.JSON(http.StatusOK, "short") }},
		{"JSON that fails", func(c *echo.Context) error { return c.JSON(http.StatusOK, func() {}) }},
		{"Redirect", func(c *echo.Context) error { return c.Redirect(http.StatusSeeOther, "/") }},
		{"Stream", func(c *echo.Context) error { return c.Stream(http.StatusOK, "text/plain", strings.NewReader("short")) }},
		{"Flush", func(c *echo.Context) error { return http.NewResponseController(c.Response()).Flush() }},
		{"Flush of the Response", func(c *echo.Context) error { unwrap(c).Flush(); return nil }},
		{"Write of the Response", func(c *echo.Context) error { _, err := unwrap(c).Write([]byte("short")); return err }},
		{"ServeContent", func(c *echo.Context) error {
			http.ServeContent(c.Response(), c.Request(), "a.txt", time.Unix(1, 0), strings.NewReader("short"))
			return nil
		}},
		{"WriteHeader below the Response", func(c *echo.Context) error { unwrap(c).Unwrap().WriteHeader(http.StatusTeapot); return nil }},
		{"Write below the Response", func(c *echo.Context) error { _, err := unwrap(c).Unwrap().Write([]byte("short")); return err }},
		{"error", func(*echo.Context) error { return errTeapot }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			checkRenewed(t, echo.New(), http.MethodGet, row.write)
		})
	}
}

func unwrap(c *echo.Context) *echo.Response {
	response, err := echo.UnwrapResponse(c.Response())
	if err != nil {
		panic(err)
	}
	return response
}

// TestRenewedInMiddleware is like TestRenewed, for middleware outside of the guard
// that replaces the writer.
func TestRenewedInMiddleware(t *testing.T) {
	t.Parallel()
	wrap := func(replace func(w http.ResponseWriter) http.ResponseWriter) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				c.SetResponse(replace(c.Response()))
				return next(c)
			}
		}
	}
	pass := func(next http.Handler) http.Handler { return next }
	for _, row := range []struct {
		name   string
		method string
		outer  echo.MiddlewareFunc
	}{
		{"a writer with Unwrap", http.MethodGet, wrap(func(w http.ResponseWriter) http.ResponseWriter { return &unwrapper{opaque{w}} })},
		{"a writer without Unwrap", http.MethodGet, wrap(func(w http.ResponseWriter) http.ResponseWriter { return opaque{w} })},
		{"WrapMiddleware", http.MethodGet, echo.WrapMiddleware(pass)},
		{"HEAD served by GET", http.MethodHead, wrap(func(w http.ResponseWriter) http.ResponseWriter { return w })},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := echo.NewWithConfig(echo.Config{Router: echo.NewRouter(echo.RouterConfig{AutoHandleHEAD: true})})
			e.Use(row.outer)
			checkRenewed(t, e, row.method, func(c *echo.Context) error { return c.String(http.StatusOK, "short") })
		})
	}
}

// opaque hides all other methods of a ResponseWriter.
type opaque struct{ w http.ResponseWriter }

func (o opaque) Header() http.Header         { return o.w.Header() }
func (o opaque) Write(p []byte) (int, error) { return o.w.Write(p) }
func (o opaque) WriteHeader(status int)      { o.w.WriteHeader(status) }

type unwrapper struct{ opaque }

func (u *unwrapper) Unwrap() http.ResponseWriter { return u.w }

// checkRenewed serves a request that is renewed, and checks the header of its answer.
func checkRenewed(t *testing.T, e *echo.Echo, method string, write echo.HandlerFunc) {
	t.Helper()
	auth, cookie, _ := jwtgatetest.NewAuth(t)
	e.GET("/", func(c *echo.Context) error {
		c.Response().Header().Set("Cache-Control", "public")
		return write(c)
	}, echojwt.Protect(auth))
	r := httptest.NewRequest(method, "/", nil)
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if got := w.Result().Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
		t.Errorf("got Cache-Control %q; want no-store", got)
	}
	if got := len(w.Result().Cookies()); got != 2 {
		t.Errorf("got %d cookies; want 2", got)
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
