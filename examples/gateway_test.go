package examples

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// A gateway is a proxy in front of a server. It counts the requests to /refresh
// and can make them fail.
type gateway struct {
	url    string // without a slash at the end
	server http.Handler

	mu        sync.Mutex
	refreshes int
	faults    []fault
}

// A fault answers one request to /refresh in place of server.
type fault func(w http.ResponseWriter, r *http.Request, server http.Handler)

// startGateway starts a gateway in front of p. It runs until the test ends. It
// serves an empty page at /blank and redirects /away to the URL in the query. Pages
// of any origin may read its answers, but not their header fields (CORS).
func startGateway(t *testing.T, p *process) *gateway {
	t.Helper()
	origin, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{server: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(origin) }}}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { allow(w, r, g.server) })
	mux.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) { allow(w, r, g.nextRefresh()) })
	mux.HandleFunc("/blank", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.RawQuery, http.StatusTemporaryRedirect)
	})
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	g.url = front.URL
	return g
}

// then applies faults to the next requests to /refresh, one fault to each request.
func (g *gateway) then(faults ...fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, faults...)
}

// count returns the number of requests to /refresh since its last call.
func (g *gateway) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.refreshes
	g.refreshes = 0
	return n
}

// nextRefresh counts a request to /refresh and returns its handler.
func (g *gateway) nextRefresh() http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refreshes++
	if len(g.faults) == 0 {
		return g.server
	}
	next := g.faults[0]
	g.faults = g.faults[1:]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next(w, r, g.server) })
}

// unavailable is a fault: it answers 503.
func unavailable(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(`{"code":"unavailable"}`))
}

// dropped is a fault: it breaks the connection after the server has handled the
// request. It first sends a part of the answer, because a browser repeats a request
// by itself if the connection breaks before the answer begins.
func dropped(w http.ResponseWriter, r *http.Request, server http.Handler) {
	server.ServeHTTP(httptest.NewRecorder(), r)
	w.Header().Set("Content-Length", "1000")
	_ = http.NewResponseController(w).Flush() // an error does not matter: the connection breaks anyway
	panic(http.ErrAbortHandler)
}

// held returns a fault that blocks a request, a function that waits until the
// request has arrived, and a function that lets it continue.
func held() (hold fault, arrived, release func()) {
	arrival, permission := make(chan struct{}), make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		close(arrival)
		<-permission
		server.ServeHTTP(w, r)
	}, func() { <-arrival }, sync.OnceFunc(func() { close(permission) })
}

// allow adds the CORS header fields that let pages of any origin use next.
func allow(w http.ResponseWriter, r *http.Request, next http.Handler) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	if r.Method != http.MethodOptions {
		next.ServeHTTP(w, r)
	}
}
