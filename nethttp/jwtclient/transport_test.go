package jwtclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// send sends r as it is and returns the status and the body.
func send(transport http.RoundTripper, r *http.Request) (int, string, error) {
	res, err := transport.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// TestOrigins wants the token at the declared origins and nowhere else.
func TestOrigins(t *testing.T) {
	t.Parallel()
	var got []string
	transport, err := jwtclient.New(jwtclient.Config{
		Origin:      "https://api.example.com",
		MoreOrigins: []string{"https://[2001:DB8::1]:8443", "http://localhost:8080", "http://127.0.0.2"},
		Base: answering(func(r *http.Request) *http.Response {
			got = r.Header["Authorization"]
			return status(http.StatusOK)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "token"}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		url  string
		want bool
	}{
		{"https://api.example.com", true},
		{"https://api.example.com:443/a?b#c", true},
		{"https://API.EXAMPLE.COM/", true},
		{"https://[2001:db8::1]:8443/", true},
		{"http://localhost:8080/", true},
		{"http://127.0.0.2:80/", true},

		{"http://api.example.com/", false},
		{"http://api.example.com:443/", false},
		{"https://api.example.com:8443/", false},
		{"https://example.com/", false},
		{"https://a.api.example.com/", false},
		{"https://api.example.com.evil.example/", false},
		{"https://api.example.com./", false},
		{"https://evil.example/api.example.com", false},
		{"https://[2001:db8::2]:8443/", false},
		{"http://localhost/", false},
		{"https://localhost:8080/", false},
		{"http://127.0.0.1/", false},
		{"wss://api.example.com/", false},
	} {
		u, err := url.Parse(row.url)
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		if _, _, err := send(transport, &http.Request{URL: u}); err != nil {
			t.Fatal(err)
		}
		if sent := slices.Equal(got, []string{"Bearer token"}); sent != row.want || !sent && got != nil {
			t.Errorf("%s: got %q; want the token: %t", row.url, got, row.want)
		}
	}
	if _, _, err := send(transport, &http.Request{}); err != nil {
		t.Errorf("without a URL: got %v; want what the base says", err)
	}
}

// TestRedirect follows redirects as http.Client does.
func TestRedirect(t *testing.T) {
	t.Parallel()
	var got []string
	base := answering(func(r *http.Request) *http.Response {
		got = append(got, r.URL.Host+" "+r.Header.Get("Authorization"))
		if next := r.URL.Query().Get("next"); next != "" {
			return status(http.StatusTemporaryRedirect, "Location", next)
		}
		return status(http.StatusOK)
	})
	transport := newSignedOut(t, base, nil)
	if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "token"}); err != nil {
		t.Fatal(err)
	}
	there := home + "/c"
	over := "https://evil.api.example.com/b?next=" + url.QueryEscape(there)
	if _, err := do(t.Context(), transport, "POST", home+"/a?next="+url.QueryEscape(over), "text"); err != nil {
		t.Fatal(err)
	}
	want := []string{"api.example.com Bearer token", "evil.api.example.com ", "api.example.com Bearer token"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}

// TestOwnAuthorization wants requests with one of their own left alone.
func TestOwnAuthorization(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		own  []string
	}{
		{"another token", []string{"Bearer other"}},
		{"another scheme", []string{"Basic YTpi"}},
		{"empty", []string{""}},
		{"nil", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
				calls++
				if got, there := r.Header["Authorization"]; !slices.Equal(got, row.own) || !there {
					t.Errorf("got %q; want %q", got, row.own)
				}
				return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
			}), nil)
			r := httptest.NewRequest(http.MethodGet, home, nil)
			r.Header["Authorization"] = row.own
			got, _, err := send(transport, r)
			if err != nil || got != http.StatusUnauthorized || calls != 1 {
				t.Errorf("got %d, %v after %d calls; want the 401 after one", got, err, calls)
			}
		})
	}
}

// TestRefusals wants a renewal after the 401 that means it, and after no other.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		status     int
		challenges []string
		want       bool
	}{
		{"as core says it", 401, []string{`Bearer error="invalid_token"`}, true},
		{"among others", 401, []string{`Basic realm="x", Bearer realm="x", error="invalid_token", DPoP algs="ES256"`}, true},
		{"in another line", 401, []string{`Negotiate YWJj==`, `bearer ERROR=invalid_token`}, true},
		{"no error: no token came", 401, []string{`Bearer`}, false},
		{"no error, a realm", 401, []string{`Bearer realm="invalid_token"`}, false},
		{"none at all", 401, nil, false},
		{"scope", 401, []string{`Bearer error="insufficient_scope"`}, false},
		{"recent login (RFC 9470)", 401, []string{`Bearer error="insufficient_user_authentication", max_age=300`}, false},
		{"both", 401, []string{`Bearer error="invalid_token"`, `Bearer error="insufficient_user_authentication"`}, false},
		{"of another scheme", 401, []string{`Bearer realm="x", DPoP error="invalid_token"`}, false},
		{"in capitals", 401, []string{`Bearer error="INVALID_TOKEN"`}, false},
		{"403", 403, []string{`Bearer error="invalid_token"`}, false},
		{"407", 407, []string{`Bearer error="invalid_token"`}, false},
		{"200", 200, []string{`Bearer error="invalid_token"`}, false},
		{"500", 500, []string{`Bearer error="invalid_token"`}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
				got = append(got, r.URL.Path+" "+r.Header.Get("Authorization"))
				if r.URL.Path == "/refresh" {
					return tokens("new", "next", time.Hour)
				}
				res := status(row.status)
				res.Header["Www-Authenticate"] = row.challenges
				return res
			}), nil)
			if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, home+"/me", nil)
			res, err := transport.RoundTrip(r)
			if err != nil || res.StatusCode != row.status {
				t.Fatalf("got %v, %v; want the last answer", res, err)
			}
			_ = res.Body.Close()
			want := []string{"/me Bearer old"}
			if row.want {
				want = append(want, "/refresh ", "/me Bearer new") // and no more, however it is answered
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q; want %q", got, want)
			}
			if len(r.Header) > 0 || res.Request != r {
				t.Errorf("the request came back as %v with %v", res.Request, r.Header)
			}
		})
	}
}

// TestStale wants a 401 to a token that has been replaced since to cost nothing.
func TestStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refreshed := 0
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			switch {
			case r.URL.Path == "/refresh":
				refreshed++
				return tokens("new", "next", time.Hour)
			case r.Header.Get("Authorization") == "Bearer new":
				return status(http.StatusOK)
			case r.URL.Path == "/slow":
				time.Sleep(time.Minute)
			}
			return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
			t.Fatal(err)
		}
		slow := make(chan string)
		go func() {
			got, _ := do(t.Context(), transport, "GET", home+"/slow", "")
			slow <- got
		}()
		synctest.Wait()
		for _, path := range []string{"/me", "/me"} {
			if got, err := do(t.Context(), transport, "GET", home+path, ""); got != "200 " {
				t.Errorf("got %q, %v; want 200", got, err)
			}
		}
		if got := <-slow; got != "200 " || refreshed != 1 {
			t.Errorf("got %q after %d renewals; want 200 after one", got, refreshed)
		}
	})
}

// TestFutile wants an API that refuses every token not to cost a renewal for each request.
func TestFutile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refreshed := 0
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			if r.URL.Path == "/refresh" {
				refreshed++
				return tokens(strings.Repeat("new", refreshed), "next", time.Hour)
			}
			return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if got, err := do(t.Context(), transport, "GET", home+"/me", ""); got != "401 " {
				t.Errorf("got %q, %v; want 401", got, err)
			}
			time.Sleep(100*time.Millisecond + 1)
		}
		if refreshed != 2 {
			t.Errorf("renewed %d times in two seconds; want 2", refreshed)
		}
	})
}

// TestNotFutile has a renewed token expire on its way to a slow API. That ends the
// request that had its second attempt, and no other.
func TestNotFutile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refreshed := 0
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			if r.URL.Path == "/refresh" {
				refreshed++
				return tokens(strings.Repeat("new", refreshed), "next", life)
			}
			switch token := r.Header.Get("Authorization"); {
			case token == "Bearer new" && r.URL.Path == "/slow":
				time.Sleep(life + time.Second)
			case token == "Bearer new":
				time.Sleep(life + 3*time.Second/2)
			case token != "Bearer old":
				return status(http.StatusOK)
			}
			return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, row := range []struct{ path, want string }{{"/slow", "401 "}, {"/slower", "200 "}} {
			all.Go(func() {
				if got, err := do(t.Context(), transport, "GET", home+row.path, ""); got != row.want {
					t.Errorf("%s: got %q, %v; want %s", row.path, got, err, row.want)
				}
			})
			synctest.Wait() // the next one is sent with the new token
		}
		all.Wait()
		if refreshed != 2 {
			t.Errorf("renewed %d times; want 2", refreshed)
		}
	})
}

// A payload counts how often it is closed.
type payload struct {
	io.Reader
	closed atomic.Int32
}

func (p *payload) Close() error {
	p.closed.Add(1)
	return nil
}

// TestBodies wants every body sent whole and closed once, whatever happens.
func TestBodies(t *testing.T) {
	t.Parallel()
	broken := errors.New("no second body")
	for _, row := range []struct {
		name    string
		getBody bool
		getErr  error
		expired bool    // and known to be
		faults  []fault // of the renewal
		cancel  bool    // before it is sent
		status  int     // 0: an error
		bodies  int     // that there were
		next    bool    // the next request works
	}{
		{"good token", true, nil, false, nil, false, 200, 1, true},
		{"good token, no GetBody", false, nil, false, nil, false, 200, 1, true},
		{"expired", true, nil, true, nil, false, 200, 1, true},
		{"expired, no GetBody", false, nil, true, nil, false, 200, 1, true},
		{"expired, cancelled", false, nil, true, nil, true, 0, 1, true},
		{"expired, renewal fails", false, nil, true, []fault{refused404}, false, 0, 1, false},
		{"refused", true, nil, false, nil, false, 200, 2, true},
		{"refused, no GetBody", false, nil, false, nil, false, 401, 1, true},
		{"refused, GetBody fails", true, broken, false, nil, false, 0, 1, true},
		{"refused, renewal fails", true, nil, false, []fault{refused404}, false, 0, 1, false},
		{"refused, no GetBody, renewal fails", false, nil, false, []fault{refused404}, false, 401, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(t)
				transport := newTransport(t, a, nil)
				a.faults = row.faults
				if row.expired {
					time.Sleep(life)
				}
				if strings.HasPrefix(row.name, "refused") { // the server's clock is ahead
					a.refuse(token(t, transport))
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if row.cancel {
					cancel()
				}
				var bodies []*payload
				fresh := func() io.ReadCloser {
					p := &payload{Reader: strings.NewReader("tea")}
					bodies = append(bodies, p)
					return p
				}
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, home+"/notes", fresh())
				if err != nil {
					t.Fatal(err)
				}
				if row.getBody {
					r.GetBody = func() (io.ReadCloser, error) {
						if row.getErr != nil {
							return nil, row.getErr
						}
						return fresh(), nil
					}
				}
				got, text, err := send(transport, r)
				if err != nil {
					if row.status != 0 || row.getErr != nil && !errors.Is(err, row.getErr) {
						t.Errorf("got %v; want %d", err, row.status)
					}
				} else if want := map[int]string{200: "tea", 401: "sorry"}[row.status]; got != row.status || text != want {
					t.Errorf("got %d %q; want %d %q", got, text, row.status, want)
				}
				if len(bodies) != row.bodies {
					t.Errorf("got %d bodies; want %d", len(bodies), row.bodies)
				}
				for i, p := range bodies {
					if n := p.closed.Load(); n != 1 {
						t.Errorf("body %d was closed %d times; want once", i+1, n)
					}
				}
				if got, err := do(t.Context(), transport, "POST", home+"/notes", "again"); (got == "200 again") != row.next {
					t.Errorf("the next request: got %q, %v; want it to work: %t", got, err, row.next)
				}
			})
		})
	}
}

// A request may have a GetBody that is not for it.
func TestNoBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	transport := newTransport(t, a, nil)
	a.refuse(token(t, transport))
	r := httptest.NewRequest(http.MethodGet, home+"/me", nil)
	r.Body = nil
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("tea")), nil }
	if got, _, err := send(transport, r); got != 200 || err != nil {
		t.Errorf("got %d, %v; want 200", got, err)
	}
	if last := a.posted[len(a.posted)-1]; last != "" {
		t.Errorf("got the body %q; want none", last)
	}
}

var refused404 fault = func(*http.Request, func() *http.Response) (*http.Response, error) {
	return status(http.StatusNotFound), nil
}

var refused503 fault = func(*http.Request, func() *http.Response) (*http.Response, error) {
	return status(http.StatusServiceUnavailable), nil
}

func token(t *testing.T, transport *jwtclient.Transport) string {
	t.Helper()
	access, _, err := transport.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return access
}

// TestNextIsReady wants a 401 that could not be repeated to come back at once, and
// the next request, which cannot be repeated either, to wait for new tokens.
func TestNextIsReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			switch {
			case r.URL.Path == "/refresh":
				time.Sleep(time.Second)
				return tokens("new", "next", time.Hour)
			case r.Header.Get("Authorization") == "Bearer new":
				return status(http.StatusOK)
			}
			return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
		}), nil)
		if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for i, want := range []struct {
			status int
			after  time.Duration
		}{{401, 0}, {200, time.Second}} {
			r := httptest.NewRequest(http.MethodPost, home, io.NopCloser(strings.NewReader("text")))
			got, _, err := send(transport, r)
			if err != nil || got != want.status || time.Since(begun) != want.after {
				t.Errorf("request %d: got %d, %v after %v; want %d after %v", i+1, got, err, time.Since(begun), want.status, want.after)
			}
		}
	})
}

// The same where a renewal ahead of expiry is under way already.
func TestRefusedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refuse := false
		transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
			switch {
			case r.URL.Path == "/refresh":
				time.Sleep(20 * time.Second)
				return tokens("new", "next", time.Hour)
			case refuse && r.Header.Get("Authorization") == "Bearer old":
				return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
			}
			return status(http.StatusOK)
		}), nil)
		err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first", Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour - 2*time.Minute)
		for _, want := range []int{200, 401, 200} {
			r := httptest.NewRequest(http.MethodPost, home, io.NopCloser(strings.NewReader("text")))
			if got, _, err := send(transport, r); got != want || err != nil {
				t.Errorf("got %d, %v; want %d", got, err, want)
			}
			refuse = true
		}
	})
}

// TestOneConnection has a base with no more than that, which the renewal needs
// while the answer that asked for it is there. Where that is short, it is read,
// and the connection kept.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		text        string
		connections int32
	}{
		{"short", "sorry", 1},
		{"long", strings.Repeat("sorry", 100_000), 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			testOneConnection(t, row.text, row.connections)
		})
	}
}

func testOneConnection(t *testing.T, text string, connections int32) {
	var renewed atomic.Bool
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/refresh":
			renewed.Store(true)
			_, _ = io.WriteString(w, `{"access_token":"new","token_type":"Bearer","refresh_token":"next"}`)
		case r.Header.Get("Authorization") != "Bearer new":
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, text)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	base := &http.Transport{MaxConnsPerHost: 1}
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
		t.Fatal(err)
	}
	if got, err := do(t.Context(), transport, "GET", server.URL, ""); got != "200 " || !renewed.Load() {
		t.Errorf("got %q, %v; want 200 after a renewal", got, err)
	}
	if got := opened.Load(); got != connections {
		t.Errorf("got %d connections; want %d", got, connections)
	}
}

// TestCloseIdleConnections wants the call to arrive, and a base without it to do.
func TestCloseIdleConnections(t *testing.T) {
	t.Parallel()
	base := &closer{}
	(&http.Client{Transport: newSignedOut(t, base, nil)}).CloseIdleConnections()
	if !base.closed {
		t.Error("the base was not told")
	}
	newSignedOut(t, answering(nil), nil).CloseIdleConnections()
}

type closer struct {
	answering
	closed bool
}

func (c *closer) CloseIdleConnections() { c.closed = true }

// TestDefaultBase wants http.DefaultTransport.
func TestDefaultBase(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	transport, err := jwtclient.New(jwtclient.Config{Origin: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "token"}); err != nil {
		t.Fatal(err)
	}
	if got, err := do(t.Context(), transport, "GET", server.URL, ""); got != "200 Bearer token" {
		t.Errorf("got %q, %v", got, err)
	}
}
