package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// A visitor is a browser as far as it matters here: it sends the cookies that it has
// when a request begins, and keeps those of an answer when that arrives. Unlike the jar
// of package net/http/cookiejar, it sends Secure cookies to this machine without TLS.
type visitor struct {
	mu      sync.Mutex
	cookies map[string]string
}

// newVisitor returns a visitor that has signed in to the application.
func newVisitor(t programs.T, app, name string) *visitor {
	t.Helper()
	v := &visitor{cookies: make(map[string]string)}
	form := url.Values{"username": {name}, "password": {"any"}}.Encode()
	status, _, err := v.send(context.Background(), http.MethodPost, app+"/login", strings.NewReader(form))
	if status != 200 || err != nil {
		t.Fatalf("login: got %d, error %v", status, err)
	}
	return v
}

// send sends a request, and returns the status and the body of the answer.
func (v *visitor) send(ctx context.Context, method, url string, body io.Reader) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, "", err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Cookie", v.header())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	v.keep(res.Cookies())
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// header returns the Cookie field of a request.
func (v *visitor) header() string {
	v.mu.Lock()
	cookies := maps.Clone(v.cookies)
	v.mu.Unlock()
	var pairs []string
	for name, value := range cookies {
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "; ")
}

func (v *visitor) keep(cookies []*http.Cookie) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range cookies {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
			continue
		}
		v.cookies[c.Name] = c.Value
	}
}
