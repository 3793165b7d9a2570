package jwtclient_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestRefusals checks which responses cause a renewal and a second attempt.
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
				got = append(got, strings.Join([]string{r.URL.Path, r.Header.Get("Accept"), r.Header.Get("Authorization")}, " "))
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
			r.Header.Set("Accept", "text/plain")
			res, err := transport.RoundTrip(r)
			if err != nil || res.StatusCode != row.status {
				t.Fatalf("got %v, %v; want the last answer", res, err)
			}
			_ = res.Body.Close()
			want := []string{"/me text/plain Bearer old"}
			if row.want {
				want = append(want, "/refresh application/json ", "/me text/plain Bearer new") // and no third attempt
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q; want %q", got, want)
			}
			if len(r.Header) != 1 || res.Request != r {
				t.Errorf("got request %v with %v; want the one of the caller, unchanged", res.Request, r.Header)
			}
		})
	}
}

// TestStale checks that a 401 response does not cause a renewal if the access token
// was replaced in the meantime.
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
		slow, slowBody := make(chan string), make(chan int)
		go func() {
			got, _ := do(t.Context(), transport, "GET", home+"/slow", "")
			slow <- got
		}()
		go func() {
			got, _, _ := send(transport, httptest.NewRequest(http.MethodPost, home+"/slow", io.NopCloser(strings.NewReader("text"))))
			slowBody <- got
		}()
		synctest.Wait()
		for _, path := range []string{"/me", "/me"} {
			if got, err := do(t.Context(), transport, "GET", home+path, ""); got != "200 " {
				t.Errorf("got %q, %v; want 200", got, err)
			}
		}
		if got := <-slow; got != "200 " {
			t.Errorf("got %q; want 200", got)
		}
		if got := <-slowBody; got != http.StatusUnauthorized {
			t.Errorf("got %d for the body that cannot be sent again; want 401", got)
		}
		synctest.Wait()
		if refreshed != 1 {
			t.Errorf("got %d renewals; want 1", refreshed)
		}
	})
}

// TestNewTokenRefused checks that an API that refuses every token does not cause a
// renewal for each request.
func TestNewTokenRefused(t *testing.T) {
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
			t.Errorf("got %d renewals in two seconds; want 2", refreshed)
		}
	})
}

// TestNewTokenRefusedLater checks that a renewed token is replaced if the API accepts it at
// first and refuses it later, even less than a second later.
func TestNewTokenRefusedLater(t *testing.T) {
	t.Parallel()
	refreshed := 0
	used := map[string]bool{}
	transport := newSignedOut(t, answering(func(r *http.Request) *http.Response {
		if r.URL.Path == "/refresh" {
			refreshed++
			return tokens(strings.Repeat("new", refreshed), "next", time.Hour)
		}
		token := r.Header.Get("Authorization")
		if token == "Bearer old" || used[token] {
			return status(http.StatusUnauthorized, "WWW-Authenticate", `Bearer error="invalid_token"`)
		}
		used[token] = true
		return status(http.StatusOK)
	}), nil)
	if err := transport.SetTokens(t.Context(), jwtclient.Tokens{Access: "old", Refresh: "first"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got, err := do(t.Context(), transport, "GET", home+"/me", ""); got != "200 " {
			t.Errorf("got %q, %v; want 200", got, err)
		}
	}
	if refreshed != 3 {
		t.Errorf("got %d renewals; want 3", refreshed)
	}
}

// TestNewTokenExpires checks that a renewed token that expires before a slow API
// responds does not count as refused: the next request is sent with a newer one.
func TestNewTokenExpires(t *testing.T) {
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
			synctest.Wait() // until it is sent, so that the next one uses the new token
		}
		all.Wait()
		if refreshed != 2 {
			t.Errorf("got %d renewals; want 2", refreshed)
		}
	})
}

// TestNextIsReady checks that the 401 response to a request that cannot be sent again
// is returned at once, and that the next request waits for the new tokens.
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

// TestRefusedMeanwhile is like TestNextIsReady, with a renewal in flight already that
// was started before the token expired.
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
