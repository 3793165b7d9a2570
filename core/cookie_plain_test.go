package jwtgate_test

import (
	"net/http"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestPlainHTTP checks when a login causes the warning that its cookies will not come back.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	type fields map[string]string
	const warning = "signed in over plain HTTP"
	for _, test := range []struct {
		name   string
		host   string
		tls    bool
		fields fields
		warns  bool
	}{
		{"plain", "dev.example.test", false, fields{"Origin": "http://dev.example.test"}, true},
		{"plain, port", "dev.example.test:8080", false, fields{"Origin": "http://dev.example.test:8080"}, true},
		{"plain, no Origin", "dev.example.test", false, nil, true},
		{"plain, another Origin", "dev.example.test", false, fields{"Origin": "http://app.example"}, true},
		{"plain, address", "192.0.2.1:8080", false, fields{"Origin": "http://192.0.2.1:8080"}, true},
		{"plain, behind a proxy", "dev.example.test", false, fields{"Origin": "http://dev.example.test", "X-Forwarded-Proto": "http"}, true},
		{"plain, the host only begins with localhost", "localhost.example", false, nil, true},
		{"HTTPS", "site.example", true, fields{"Origin": "https://site.example"}, false},
		{"HTTPS, no Origin", "site.example", true, nil, false},
		{"HTTPS ends at a proxy", "site.example", false, fields{"Origin": "https://site.example"}, false},
		{"HTTPS ends at a proxy, no Origin", "site.example", false, fields{"X-Forwarded-Proto": "https"}, false},
		{"behind a proxy that says for whom", "site.example", false, fields{"X-Forwarded-For": "192.0.2.1"}, false},
		{"behind a proxy, RFC 7239", "site.example", false, fields{"Forwarded": "for=192.0.2.1"}, false},
		{"behind a proxy, Via", "site.example", false, fields{"Via": "1.1 proxy"}, false},
		{"HTTPS ends at a proxy, Sec-Fetch-Site", "site.example", false, fields{"Sec-Fetch-Site": "same-origin"}, false},
		{"localhost", "localhost", false, fields{"Origin": "http://localhost"}, false},
		{"localhost, port", "localhost:8080", false, fields{"Origin": "http://localhost:8080"}, false},
		{"localhost, subdomain", "App.Localhost:8080", false, nil, false},
		{"loopback", "127.0.0.1:8080", false, nil, false},
		{"loopback, another", "127.1.2.3", false, nil, false},
		{"loopback, IPv6", "[::1]:8080", false, nil, false},
		{"loopback, IPv6 without port", "[::1]", false, nil, false},
		{"no host", "", false, nil, false},
	} {
		for _, by := range []string{"login", "SignIn"} {
			s := newTestServer(t, func(c *jwtgate.Config) {
				c.Cookies = &jwtgate.CookieConfig{TrustedOrigins: []string{"http://app.example"}}
			})
			for range 2 {
				req := postCookies(nil, aliceLogin)
				req.Host, req.TLS = test.host, test.tls
				for name, value := range test.fields {
					req = withField(req, name, value)
				}
				if by == "login" {
					if test.host == "" {
						delete(req.Header.(http.Header), "Origin")
					}
					if got := s.send(s.loginEndpoint(), req).text; got != "200 new" {
						t.Fatalf("%s: got %s", test.name, got)
					}
					continue
				}
				tokens, err := s.SignIn(t.Context(), req, "alice")
				if err != nil {
					t.Fatal(err)
				}
				tokens.Response()
				if got := s.warnings(warning); test.warns && got > 1 {
					t.Errorf("%s: got a warning for tokens that are not in cookies", test.name)
				}
				s.read(tokens.Cookies())
			}
			want := 0
			if test.warns {
				want = 1
			}
			if got := s.warnings(warning); got != want {
				t.Errorf("%s, %s: got %d warnings; want %d", test.name, by, got, want)
			}
		}
	}
}

// TestInsecureHTTPWarns checks that New warns of insecure cookies, and a login no more.
func TestInsecureHTTPWarns(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{InsecureHTTP: true} })
	if got := s.warnings("InsecureHTTP is set"); got != 1 {
		t.Errorf("got %d warnings at start; want 1", got)
	}
	req := postCookies(nil, aliceLogin)
	req.Host = "dev.example.test"
	if res := s.loginEndpoint()(t.Context(), req); res.Status != 200 {
		t.Fatalf("got %d", res.Status)
	}
	if got := s.warnings("plain HTTP"); got != 0 {
		t.Errorf("got %d warnings at login; want none", got)
	}
}
