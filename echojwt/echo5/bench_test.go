package echojwt_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"

	echojwt "github.com/jwtgate/jwtgate/echojwt/echo5"
)

// BenchmarkProtect measures requests with a guard. The cost of the guard is the
// difference to bare, which is a request without one.
func BenchmarkProtect(b *testing.B) {
	auth, token := signIn()
	handler := func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) }
	e := echo.New()
	e.GET("/bare", handler)
	e.GET("/guarded", handler, echojwt.Protect(auth))
	for _, row := range []struct {
		name          string
		path          string
		authorization string
		status        int
	}{
		{"bare", "/bare", "", http.StatusNoContent},
		{"accepted", "/guarded", "Bearer " + token, http.StatusNoContent},
		{"missing", "/guarded", "", http.StatusUnauthorized},
		{"invalid", "/guarded", "Bearer " + token[:len(token)-4] + "AAAA", http.StatusUnauthorized},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodGet, row.path, nil)
			if row.authorization != "" {
				r.Header.Set("Authorization", row.authorization)
			}
			w := &discard{header: http.Header{}}
			for b.Loop() {
				clear(w.header)
				e.ServeHTTP(w, r)
			}
			if w.status != row.status {
				b.Errorf("got status %d; want %d", w.status, row.status)
			}
		})
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
