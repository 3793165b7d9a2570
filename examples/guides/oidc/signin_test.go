package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/examples/internal/programs"
)

// A testSite is the application, at which users sign in with oidc-provider from npm.
type testSite struct {
	url    string
	issuer string
	cert   http.RoundTripper
}

func startSite(t *testing.T) *testSite {
	t.Helper()
	auth, err := jwtgate.New(config([]byte("a secret of at least 32 bytes, for tests")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	var handler http.Handler
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	callback := server.URL + "/callback/oidc"
	issuer := startProvider(t, "shop", "secret", callback)
	p, err := openIDConnect(t.Context(), issuer, "shop", "secret", callback)
	if err != nil {
		t.Fatal(err)
	}
	handler = routes(auth, map[string]*provider{"oidc": p})
	return &testSite{server.URL, issuer, server.Client().Transport}
}

// startProvider starts oidc-provider, and returns its URL. It stops when the test ends.
func startProvider(t *testing.T, args ...string) string {
	t.Helper()
	cmd := programs.Peer(t, "signin.mjs", args...)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait()
		late.Stop()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider has not started: %v", err)
	}
	late.Reset(time.Minute)
	return strings.TrimSpace(line)
}

// browser returns a browser without cookies. It stops before the page to which stop leads.
func (s *testSite) browser(t *testing.T, stop string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: s.cert, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if stop != "" && strings.HasPrefix(r.URL.Path, stop) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// An answer is what a browser got in the end.
type answer struct {
	status   int
	location string
	text     string
}

func get(t *testing.T, browser *http.Client, url string) answer {
	t.Helper()
	res, err := browser.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(text)}
}

// TestSignIn signs alice in, and tries what an attacker tries.
func TestSignIn(t *testing.T) {
	s := startSite(t)
	signedIn := `{"sub":"` + s.issuer + `|alice"}`
	browser := s.browser(t, "")
	if got := get(t, browser, s.url+"/"); !strings.Contains(got.text, `{"sub":null}`) {
		t.Errorf("before the sign-in: got %+v", got)
	}
	if got := get(t, browser, s.url+"/login/oidc"); got.status != 200 || !strings.Contains(got.text, signedIn) {
		t.Errorf("got %+v; want %s", got, signedIn)
	}

	for _, row := range []struct {
		name   string
		change func(t *testing.T, callback *url.URL, browser *http.Client) *http.Client // what arrives at the callback
		status int
		want   string
	}{
		{"nothing changed", func(_ *testing.T, _ *url.URL, b *http.Client) *http.Client { return b }, 200, signedIn},
		{"another browser", func(t *testing.T, _ *url.URL, _ *http.Client) *http.Client { return s.browser(t, "") }, 400, "begin again"},
		{"a browser with an attempt of its own", func(t *testing.T, _ *url.URL, _ *http.Client) *http.Client {
			b := s.browser(t, "/auth")
			get(t, b, s.url+"/login/oidc")
			return b
		}, 400, "begin again"},
		{"no state", func(_ *testing.T, u *url.URL, b *http.Client) *http.Client { return without(u, b, "state") }, 400, "begin again"},
		{"no code", func(_ *testing.T, u *url.URL, b *http.Client) *http.Client { return without(u, b, "code") }, 502, "try again"},
		{"another nonce", changed(s, func(a *attempt) { a.Nonce = "another" }), 502, "try again"},
		{"no nonce", changed(s, func(a *attempt) { a.Nonce = "" }), 502, "try again"},
		{"another verifier", changed(s, func(a *attempt) { a.Verifier = strings.Repeat("v", 43) }), 502, "try again"},
		{"refused by the user", func(_ *testing.T, u *url.URL, b *http.Client) *http.Client {
			without(u, b, "code")
			u.RawQuery += "&error=access_denied"
			return b
		}, 200, `{"sub":null}`},
	} {
		browser := s.browser(t, "/callback")
		callback, err := url.Parse(get(t, browser, s.url+"/login/oidc").location)
		if err != nil {
			t.Fatal(err)
		}
		returning := row.change(t, callback, browser)
		returning.CheckRedirect = nil
		if got := get(t, returning, callback.String()); got.status != row.status || !strings.Contains(got.text, row.want) {
			t.Errorf("%s: got %+v; want %d with %s", row.name, got, row.status, row.want)
		}
		if row.status == 200 {
			if got := get(t, returning, callback.String()); got.status != 400 {
				t.Errorf("%s, the callback twice: got %+v; want 400", row.name, got)
			}
		}
	}
}

func without(callback *url.URL, browser *http.Client, parameter string) *http.Client {
	query := callback.Query()
	query.Del(parameter)
	callback.RawQuery = query.Encode()
	return browser
}

// changed returns a function that changes the attempt in the browser's cookie.
func changed(s *testSite, change func(*attempt)) func(*testing.T, *url.URL, *http.Client) *http.Client {
	return func(t *testing.T, _ *url.URL, browser *http.Client) *http.Client {
		t.Helper()
		at, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, cookie := range browser.Jar.Cookies(at) {
			r.AddCookie(cookie)
		}
		a, ok := attemptOf(jwtgate.HTTPRequest(r))
		if !ok {
			t.Fatal("the browser has no attempt")
		}
		change(&a)
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		browser.Jar.SetCookies(at, []*http.Cookie{{Name: attemptCookie, Value: base64.RawURLEncoding.EncodeToString(text), Path: "/", Secure: true}})
		return browser
	}
}

// TestGitHub signs a user in by an API in the form of GitHub's.
func TestGitHub(t *testing.T) {
	user := `{"login":"octocat","id":583231}`
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code") != "good" || r.FormValue("code_verifier") == "" {
			http.Error(w, "bad_verification_code", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"gho_1","token_type":"bearer","scope":""}`))
	})
	mux.HandleFunc("GET /user", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer gho_1" {
			http.Error(w, "Bad credentials", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(user))
	})
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	p := gitHub("id", "secret", "https://shop.example.com/callback/github")
	if !strings.HasPrefix(p.oauth.AuthCodeURL("s"), "https://github.com/login/oauth/authorize?") {
		t.Errorf("got %s", p.oauth.AuthCodeURL("s"))
	}
	p.oauth.Endpoint.TokenURL = api.URL + "/token"
	p.subject = gitHubSubject(&p.oauth, api.URL+"/user")

	auth, err := jwtgate.New(config([]byte("a secret of at least 32 bytes, for tests")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(auth.Close)
	server := httptest.NewTLSServer(routes(auth, map[string]*provider{"github": p}))
	t.Cleanup(server.Close)
	s := &testSite{url: server.URL, cert: server.Client().Transport}
	for _, row := range []struct{ user, code, want string }{
		{user, "good", `{"sub":"https://github.com|583231"}`},
		{user, "bad", "try again"},
		{`{"message":"rate limit"}`, "good", "try again"},
	} {
		user = row.user
		browser := s.browser(t, "/login/oauth")
		to, err := url.Parse(get(t, browser, s.url+"/login/github").location)
		if err != nil {
			t.Fatal(err)
		}
		got := get(t, browser, s.url+"/callback/github?code="+row.code+"&state="+to.Query().Get("state"))
		if !strings.Contains(got.text, row.want) {
			t.Errorf("%s, %s: got %+v; want %s", row.user, row.code, got, row.want)
		}
	}
}

// TestDiscovery checks that a provider cannot call itself by the name of another one.
func TestDiscovery(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"issuer":"https://accounts.google.com"}`))
	}))
	t.Cleanup(server.Close)
	if _, err := openIDConnect(t.Context(), server.URL, "shop", "secret", "https://shop.example.com"); err == nil || !strings.Contains(err.Error(), "is called") {
		t.Errorf("got %v; want an error that names both issuers", err)
	}
}
