package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example.com"
)

// serve returns the routes of the API for a page at app, and alice's cookies.
func serve(t *testing.T) (routes http.Handler, cookie string) {
	t.Helper()
	s := setup{PageOrigin: app}
	auth, err := jwtgate.New(s.config([]byte("a secret of at least 32 bytes, for tests")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	return s.routes(auth), jwtgatetest.Cookie(t, auth, "alice")
}

// TestOrigins checks which pages may send requests with alice's cookies, and which may
// read the answers.
func TestOrigins(t *testing.T) {
	routes, cookie := serve(t)
	for _, row := range []struct {
		method, path, origin string
		status               int
		readable             bool
	}{
		{"GET", "/api/me", app, 200, true},
		{"GET", "/api/me", evil, 200, false},
		{"POST", "/api/visits", app, 200, true},
		{"POST", "/api/visits", evil, 403, false},
		{"POST", "/api/visits", "null", 403, false},
		{"POST", "/api/logout", evil, 403, false},
		{"POST", "/api/logout", app, 204, true},
	} {
		r := httptest.NewRequest(row.method, "https://api.example.com"+row.path, nil)
		r.Header.Set("Cookie", cookie)
		r.Header.Set("Origin", row.origin)
		r.Header.Set("Sec-Fetch-Site", "same-site") // as browsers say for all three
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, r)
		header := w.Result().Header
		readable := header.Get("Access-Control-Allow-Origin") == row.origin && header.Get("Access-Control-Allow-Credentials") == "true"
		if w.Code != row.status || readable != row.readable {
			t.Errorf("%s %s from %s: got %d, readable %t; want %d, %t", row.method, row.path, row.origin, w.Code, readable, row.status, row.readable)
		}
		if !strings.Contains(strings.Join(header["Vary"], ","), "Origin") {
			t.Errorf("%s %s: a cache could mix up the answers for different origins", row.method, row.path)
		}
	}
}

// TestPreflight checks the answers to the browser's questions.
func TestPreflight(t *testing.T) {
	routes, _ := serve(t)
	for _, row := range []struct {
		origin string
		status int
	}{{app, 204}, {evil, 405}} {
		r := httptest.NewRequest(http.MethodOptions, "https://api.example.com/api/visits", nil)
		r.Header.Set("Origin", row.origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, r)
		if w.Code != row.status || (w.Header().Get("Access-Control-Allow-Methods") != "") != (row.status == 204) {
			t.Errorf("%s: got %d, %v; want %d", row.origin, w.Code, w.Header(), row.status)
		}
	}
}
