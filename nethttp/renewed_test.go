package nethttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/nethttp"
)

// In the conformance suite, handlers write with Send only. The response to a renewed
// request must have both cookies, and be kept out of caches, however the handler
// writes it.
func TestRenewed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		own   bool // the handler sets a cookie of its own
		write http.HandlerFunc
	}{
		{"nothing", false, func(http.ResponseWriter, *http.Request) {}},
		{"WriteHeader", false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }},
		{"Write", false, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("short")) }},
		{"io.Copy", false, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, struct{ io.Reader }{strings.NewReader("short")}) // by ReadFrom
		}},
		{"http.Error", false, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "short", http.StatusTeapot) }},
		{"http.Redirect", false, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) }},
		{"http.ServeContent", false, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "a.txt", time.Unix(1, 0), strings.NewReader("short"))
		}},
		{"early hints", false, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "__Host-at=x")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Cache-Control", "public")
			w.WriteHeader(http.StatusOK)
		}},
		{"http.Flusher", false, func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte("short"))
		}},
		{"Flush of the controller", false, func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
		}},
		{"other methods of the controller", false, func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Errorf("set deadline: %v", err)
			}
		}},
		{"panic", false, func(http.ResponseWriter, *http.Request) { panic("tea") }},
		{"one of the cookies", false, func(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Set-Cookie", "__Host-rt=x; Path=/") }},
		{"no header", false, func(w http.ResponseWriter, _ *http.Request) { clear(w.Header()) }},
		{"http.TimeoutHandler", true, func(w http.ResponseWriter, r *http.Request) {
			http.TimeoutHandler(http.HandlerFunc(ownCookie), time.Minute, "late").ServeHTTP(w, r)
		}},
		{"http.TimeoutHandler, too late", false, func(w http.ResponseWriter, r *http.Request) {
			http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "late").ServeHTTP(w, r)
		}},
		{"httputil.ReverseProxy", true, func(w http.ResponseWriter, r *http.Request) { proxyTo(t, ownCookie).ServeHTTP(w, r) }},
		{"httputil.ReverseProxy, one of the cookies", false, func(w http.ResponseWriter, r *http.Request) {
			proxyTo(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Set-Cookie", "__Host-at=; Max-Age=0") }).ServeHTTP(w, r)
		}},
		{"httputil.ReverseProxy, early hints", true, func(w http.ResponseWriter, r *http.Request) {
			proxyTo(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusEarlyHints)
				ownCookie(w, r)
			}).ServeHTTP(w, r)
		}},
		{"trailer", false, func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"Set-Cookie", "__Host-at=x")
			w.Header().Set(http.TrailerPrefix+"Digest", "x")
		}},
		{"announced trailer", false, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Trailer", "Digest, set-cookie")
			_, _ = w.Write([]byte("short"))
			w.Header().Set("Set-Cookie", "__Host-at=x")
			w.Header().Set("Digest", "x")
		}},
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
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
				if got := header["Set-Cookie"]; len(got) > 0 {
					t.Errorf("got an informational response with Set-Cookie %q", got)
				}
				return nil
			}})
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Cookie", cookie)
			r.Header.Set("Range", "bytes=0-1")
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body) // until the trailer
			_ = res.Body.Close()
			if got := res.Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
				t.Errorf("got Cache-Control %q, want no-store", got)
			}
			want := "__Host-at __Host-rt"
			if row.own {
				want = "theme " + want
			}
			if got := fresh(res.Cookies()); got != want {
				t.Errorf("got cookies %s, want %s", got, want)
			}
			if res.StatusCode == http.StatusPartialContent {
				t.Errorf("got status %d, want the whole", res.StatusCode)
			}
			if got := res.Trailer["Set-Cookie"]; len(got) > 0 {
				t.Errorf("got a trailer with Set-Cookie %q", got)
			}
			if digest := map[bool]string{true: "x"}[strings.HasSuffix(row.name, "trailer")]; res.Trailer.Get("Digest") != digest {
				t.Errorf("got a trailer with Digest %q, want %q", res.Trailer.Get("Digest"), digest)
			}
		})
	}
}

// ownCookie is a handler that sets a cookie.
func ownCookie(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
	w.Header().Set("Cache-Control", "public")
	_, _ = io.WriteString(w, "short")
}

// proxyTo returns a proxy to a server with the handler backend.
func proxyTo(t *testing.T, backend http.HandlerFunc) http.Handler {
	server := httptest.NewServer(backend)
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Error(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}

// fresh returns the names of cookies, and the values that are not those of tokens.
func fresh(cookies []*http.Cookie) string {
	var names []string
	for _, c := range cookies {
		if len(c.Value) > 1 {
			names = append(names, c.Name)
		} else {
			names = append(names, c.Name+"="+c.Value)
		}
	}
	return strings.Join(names, " ")
}
