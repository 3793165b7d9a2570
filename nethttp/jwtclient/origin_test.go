package jwtclient_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestOrigins checks that the token is sent to the declared origins only.
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

// TestRedirect checks that a redirect to another origin is followed without the
// token, and one back to a declared origin with it.
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
