package bench_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/valyala/fasthttp"
)

// An app is a server with one route, with or without a guard.
type app struct {
	// serve accepts connections until l is closed.
	serve func(l net.Listener) error

	// client returns a function that sends a request with token in process and
	// returns the status of the answer. The function itself allocates nothing.
	// It must not be called concurrently; use a client for each goroutine.
	client func(token string) (send func() (status int))
}

// answer returns the status that a handler answers. Every handler reads the same
// two claims, and answers 403 if they are not those of the good token.
func answer(subject string, admin bool) (status int) {
	if subject != "alice" || !admin {
		return http.StatusForbidden
	}
	return http.StatusNoContent
}

// answerMap is answer for claims that are a map.
func answerMap(claims map[string]any) (status int) {
	subject, _ := claims["sub"].(string)
	roles, _ := claims["roles"].([]any)
	return answer(subject, slices.Contains(roles, any("admin")))
}

// answerTyped is answer for claims that are a struct.
func answerTyped(subject string, claims *userClaims) (status int) {
	return answer(subject, slices.Contains(claims.Roles, "admin"))
}

func httpApp(handler http.Handler) app {
	return app{
		serve: func(l net.Listener) error { return http.Serve(l, handler) },
		client: func(token string) func() int {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := &discard{header: http.Header{}}
			return func() int {
				clear(w.header)
				w.status = http.StatusOK
				handler.ServeHTTP(w, r)
				return w.status
			}
		},
	}
}

func fasthttpApp(handler fasthttp.RequestHandler, serve func(l net.Listener) error) app {
	return app{
		serve: serve,
		client: func(token string) func() int {
			c := new(fasthttp.RequestCtx)
			c.Request.Header.SetMethod(fasthttp.MethodGet)
			c.Request.SetRequestURI("/")
			c.Request.Header.SetHost("api.example.com")
			c.Request.Header.Set(fasthttp.HeaderAuthorization, "Bearer "+token)
			return func() int {
				c.Response.Reset()
				c.ResetUserValues() // removes the identity of the previous request
				handler(c)
				return c.Response.StatusCode()
			}
		},
	}
}

// A discard is a reusable ResponseWriter that discards the body.
type discard struct {
	header http.Header
	status int
}

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) Write(p []byte) (int, error) { return len(p), nil }
func (w *discard) WriteHeader(status int)      { w.status = status }
