package jwtclient_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// BenchmarkTransport measures Transport with a base that responds at once. The row
// "bare" has the cost of the base alone.
func BenchmarkTransport(b *testing.B) {
	answer := &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody}
	base := answering(func(*http.Request) *http.Response { return answer })
	transport, err := jwtclient.New(jwtclient.Config{Origin: home, Base: base})
	if err != nil {
		b.Fatal(err)
	}
	err = transport.SetTokens(b.Context(), jwtclient.Tokens{Access: "token", Refresh: "refresh", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct {
		name      string
		transport http.RoundTripper
		url       string
	}{
		{"bare", base, home},
		{"live token", transport, home},
		{"elsewhere", transport, "https://example.org"},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodGet, row.url, nil)
			r.Header.Set("Accept", "application/json")
			for b.Loop() {
				if _, err := row.transport.RoundTrip(r); err != nil { //nolint:bodyclose // the response has no body
					b.Fatal(err)
				}
			}
		})
	}
}
