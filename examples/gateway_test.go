package examples

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// A gateway is what stands between clients and a server: it counts the requests
// to /refresh, and has accidents with them.
type gateway struct {
	url    string // without a slash at the end
	server http.Handler

	mu        sync.Mutex
	refreshes int
	accidents []accident
}

// An accident happens to one request to /refresh, which server would answer.
type accident func(w http.ResponseWriter, r *http.Request, server http.Handler)

// startGateway stands before p until the test ends. It has an empty page of its
// own at /blank, leads from /away to wherever the query says, and allows pages of
// any origin to read all but the header (CORS).
func startGateway(t *testing.T, p *process) *gateway {
	t.Helper()
	origin, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{server: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(origin) }}}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { allow(w, r, g.server) })
	mux.HandleFunc("/refresh", func(w http.ResponseWriter, r *http.Request) { allow(w, r, g.accident()) })
	mux.HandleFunc("/blank", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.RawQuery, http.StatusTemporaryRedirect)
	})
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	g.url = front.URL
	return g
}

// then has the next requests to /refresh meet with these accidents, one each.
func (g *gateway) then(accidents ...accident) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accidents = append(g.accidents, accidents...)
}

// count returns how many requests to /refresh there were since it was last asked.
func (g *gateway) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.refreshes
	g.refreshes = 0
	return n
}

// accident returns what answers the next request to /refresh.
func (g *gateway) accident() http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refreshes++
	if len(g.accidents) == 0 {
		return g.server
	}
	next := g.accidents[0]
	g.accidents = g.accidents[1:]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next(w, r, g.server) })
}

// unavailable is a server in trouble.
func unavailable(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write([]byte(`{"code":"unavailable"}`))
}

// dropped is a connection that is lost once the server has done its work. Before
// the answer has begun, browsers would ask again by themselves.
func dropped(w http.ResponseWriter, r *http.Request, server http.Handler) {
	server.ServeHTTP(httptest.NewRecorder(), r)
	w.Header().Set("Content-Length", "1000")
	_ = http.NewResponseController(w).Flush() // as good as the connection is
	panic(http.ErrAbortHandler)
}

// held returns an accident that keeps a request waiting, and functions that wait
// for it and let it go on.
func held() (hold accident, arrived, release func()) {
	came, gone := make(chan struct{}), make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		close(came)
		<-gone
		server.ServeHTTP(w, r)
	}, func() { <-came }, sync.OnceFunc(func() { close(gone) })
}

// allow does what browsers want of a server that pages of other origins may ask.
func allow(w http.ResponseWriter, r *http.Request, next http.Handler) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	if r.Method != http.MethodOptions {
		next.ServeHTTP(w, r)
	}
}
