package nethttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

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

// In the conformance suite, handlers write with Send only. The response to a
// renewed request must not be cacheable however the handler writes it.
func TestRenewed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		write func(w http.ResponseWriter, r *http.Request)
	}{
		{"nothing", func(http.ResponseWriter, *http.Request) {}},
		{"WriteHeader", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }},
		{"Write", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("short")) }},
		{"io.Copy", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader("short")}) // by ReadFrom
		}},
		{"http.Error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "short", http.StatusTeapot) }},
		{"http.Redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) }},
		{"http.ServeContent", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", time.Unix(1, 0), strings.NewReader("short"))
		}},
		{"early hints", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Cache-Control", "public")
			w.WriteHeader(http.StatusOK)
		}},
		{"http.Flusher", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte("short"))
		}},
		{"Flush of the controller", func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
		}},
		{"other methods of the controller", func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Errorf("set deadline: %v", err)
			}
		}},
		{"panic", func(http.ResponseWriter, *http.Request) { panic("tea") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			auth, cookie, _ := jwtgatetest.NewAuth(t)
			protected := nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "public")
				row.write(w, r)
			}))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					if recover() != nil {
						w.WriteHeader(http.StatusInternalServerError)
					}
				}()
				protected.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Cookie", cookie)
			r.Header.Set("Range", "bytes=0-1")
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if got := res.Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
				t.Errorf("got Cache-Control %q, want no-store", got)
			}
			if got := len(res.Header.Values("Set-Cookie")); got != 2 {
				t.Errorf("got %d cookies, want 2", got)
			}
			if res.StatusCode == http.StatusPartialContent {
				t.Errorf("got status %d, want the whole", res.StatusCode)
			}
		})
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
