package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jwtgate/jwtgate/nethttp"
)

// BenchmarkProtect measures Protect. The row "bare" has the cost of the handler
// alone: subtract it from the others.
func BenchmarkProtect(b *testing.B) {
	auth, token := signIn()
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	guarded := nethttp.Protect(auth)(bare)
	for _, row := range []struct {
		name          string
		handler       http.Handler
		authorization string
		status        int
	}{
		{"bare", bare, "", http.StatusNoContent},
		{"accepted", guarded, "Bearer " + token, http.StatusNoContent},
		{"missing", guarded, "", http.StatusUnauthorized},
		{"invalid", guarded, "Bearer " + token[:len(token)-4] + "AAAA", http.StatusUnauthorized},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if row.authorization != "" {
				r.Header.Set("Authorization", row.authorization)
			}
			w := &discard{header: http.Header{}}
			for b.Loop() {
				clear(w.header)
				row.handler.ServeHTTP(w, r)
			}
			if w.status != row.status {
				b.Errorf("got status %d, want %d", w.status, row.status)
			}
		})
	}
}

// discard is a ResponseWriter that can be reused.
type discard struct {
	header http.Header
	status int
}

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) Write(p []byte) (int, error) { return len(p), nil }
func (w *discard) WriteHeader(status int)      { w.status = status }
