package nethttp_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/nethttp"
)

func TestAdapter(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunAdapter(t, serve)
}

// serve is a [jwtgatetest.Adapter].
func serve(t *testing.T, site jwtgatetest.Site) string {
	mux := http.NewServeMux()
	for _, route := range site.Routes {
		h := handler(route)
		for _, guard := range slices.Backward(route.Guards) {
			h = nethttp.Protect(guard.Auth, guard.Rules...)(h)
		}
		mux.Handle(route.Method+" "+route.Path, h)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, field := range site.Header {
			w.Header().Add(field.Name, field.Value)
		}
		if site.Context != nil {
			r = r.WithContext(site.Context(r.Context()))
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func handler(route jwtgatetest.Route) http.Handler {
	if route.Endpoint != nil {
		return nethttp.Handle(route.Endpoint)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, found := nethttp.Identity(r)
		claims, err := nethttp.Claims[jwtgatetest.Claims](r)
		nethttp.Send(w, route.Handler(jwtgatetest.View{Context: r.Context(), Identity: id, Found: found, Claims: claims, Err: err, Header: r.Header.Get}))
	})
}

// Middleware and handlers that need more than an http.ResponseWriter must find the
// interfaces of the ResponseWriter of the server.
func TestProtectLeavesWriter(t *testing.T) {
	t.Parallel()
	auth, _, token := jwtgatetest.NewAuth(t)
	recorder := httptest.NewRecorder()
	var got http.ResponseWriter
	handler := nethttp.Protect(auth)(nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { got = w })))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	handler.ServeHTTP(recorder, r)
	if got != recorder {
		t.Errorf("got writer %T, want the one that came in", got)
	}
	if _, found := nethttp.Identity(r); found {
		t.Error("the identity is in the caller's request, want it in the handler's only")
	}
}

// net/http has no error handler that a refusal can be handed over to.
func TestHandOver(t *testing.T) {
	t.Parallel()
	auth, _, _ := jwtgatetest.NewAuth(t, func(c *jwtgate.Config) { c.Refuse = jwtgate.HandOver })
	w := httptest.NewRecorder()
	nethttp.Protect(auth)(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if body := w.Body.String(); w.Code != http.StatusUnauthorized || !strings.Contains(body, `"code":"token_missing"`) {
		t.Errorf("got %d %q, want the refusal", w.Code, body)
	}
}

// A handler that makes another request with the context of its own must not get around
// the check of its origin.
func TestSubRequest(t *testing.T) {
	t.Parallel()
	auth, _, _ := jwtgatetest.NewAuth(t)
	tokens, err := auth.SignIn(t.Context(), jwtgate.Request{}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	ran := false
	inner := nethttp.Protect(auth)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { ran = true }))
	outer := nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sub := r.Clone(r.Context())
		sub.Method = http.MethodPost
		inner.ServeHTTP(w, sub)
	}))
	for _, row := range []struct {
		site string
		ran  bool
	}{
		{"same-origin", true},
		{"cross-site", false},
	} {
		ran = false
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Cookie", "__Host-at="+tokens.Access.Token)
		r.Header.Set("Sec-Fetch-Site", row.site)
		outer.ServeHTTP(httptest.NewRecorder(), r)
		if ran != row.ran {
			t.Errorf("from a page of %s: got a handler that ran %v; want %v", row.site, ran, row.ran)
		}
	}
}
