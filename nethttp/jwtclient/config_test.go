package jwtclient_test

import (
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/nethttp/jwtclient"
)

// TestConfig checks that New reports every mistake with the name of its field.
func TestConfig(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		config jwtclient.Config
		want   []string
	}{
		{"https", jwtclient.Config{Origin: "https://api.example.com"}, nil},
		{"https with a port", jwtclient.Config{Origin: "https://api.example.com:8443"}, nil},
		{"plain HTTP here, by name", jwtclient.Config{Origin: "http://localhost:8080"}, nil},
		{"plain HTTP here, by IPv4", jwtclient.Config{Origin: "http://127.0.0.1:8080"}, nil},
		{"plain HTTP here, by IPv6", jwtclient.Config{Origin: "http://[::1]:8080"}, nil},
		{"paths", jwtclient.Config{Origin: home, TokenURL: "/a", RefreshURL: "/a?b=c", LogoutURL: "d"}, nil},
		{"URLs", jwtclient.Config{Origin: home, RefreshURL: home + ":443/refresh"}, nil},
		{"URL at another origin that is declared", jwtclient.Config{Origin: home, MoreOrigins: []string{"https://auth.example.com"}, RefreshURL: "https://auth.example.com/refresh"}, nil},

		{"nothing", jwtclient.Config{}, []string{`Origin: "" is not an origin`}},
		{"a host", jwtclient.Config{Origin: "api.example.com"}, []string{"Origin: "}},
		{"no host", jwtclient.Config{Origin: "https://"}, []string{"Origin: "}},
		{"a port alone", jwtclient.Config{Origin: "https://:443"}, []string{"Origin: "}},
		{"another scheme", jwtclient.Config{Origin: "ftp://api.example.com"}, []string{"Origin: "}},
		{"a path", jwtclient.Config{Origin: "https://api.example.com/"}, []string{"Origin: "}},
		{"a query", jwtclient.Config{Origin: "https://api.example.com?"}, []string{"Origin: "}},
		{"a user", jwtclient.Config{Origin: "https://alice@api.example.com"}, []string{"Origin: "}},
		{"a fragment", jwtclient.Config{Origin: "https://api.example.com#a"}, []string{"Origin: "}},
		{"not a URL", jwtclient.Config{Origin: "https://%zz"}, []string{"Origin: "}},
		{"plain HTTP", jwtclient.Config{Origin: "http://api.example.com"}, []string{`Origin: "http://api.example.com" is not encrypted`}},
		{"plain HTTP, a name like this machine's", jwtclient.Config{Origin: "http://localhost.example.com"}, []string{"Origin: "}},
		{"plain HTTP, a private address", jwtclient.Config{Origin: "http://10.0.0.1"}, []string{"Origin: "}},
		{"more of them", jwtclient.Config{Origin: "x", MoreOrigins: []string{home, "http://a.example", "y"}}, []string{`.Origin: "x"`, `MoreOrigins: "http://a.example"`, `MoreOrigins: "y"`}},
		{"endpoints elsewhere", jwtclient.Config{Origin: home, TokenURL: "https://a.example/token", RefreshURL: "//a.example/refresh", LogoutURL: "http://api.example.com/logout"}, []string{"TokenURL: ", "RefreshURL: ", "LogoutURL: "}},
		{"endpoints that are none", jwtclient.Config{Origin: home, TokenURL: "/", RefreshURL: "/a#b", LogoutURL: "https://a@api.example.com/logout"}, []string{"TokenURL: ", "RefreshURL: ", "LogoutURL: "}},
		{"an endpoint that is no URL", jwtclient.Config{Origin: home, RefreshURL: "/%zz"}, []string{"RefreshURL: "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			transport, err := jwtclient.New(row.config)
			if (transport != nil) == (err != nil) || (err != nil) != (len(row.want) > 0) {
				t.Fatalf("got %v, %v; want mistakes %q", transport, err, row.want)
			}
			if err == nil {
				return
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(row.want) {
				t.Fatalf("got %q; want %q", lines, row.want)
			}
			for i, want := range row.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("got %q; want %q in it", lines[i], want)
				}
			}
		})
	}
}
