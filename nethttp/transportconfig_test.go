package nethttp_test

import (
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/nethttp"
)

// TestTransportConfig wants every mistake named by its field, all at once.
func TestTransportConfig(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		config nethttp.TransportConfig
		want   []string
	}{
		{"https", nethttp.TransportConfig{Origin: "https://api.example.com"}, nil},
		{"https with a port", nethttp.TransportConfig{Origin: "https://api.example.com:8443"}, nil},
		{"plain HTTP here, by name", nethttp.TransportConfig{Origin: "http://localhost:8080"}, nil},
		{"plain HTTP here, by IPv4", nethttp.TransportConfig{Origin: "http://127.0.0.1:8080"}, nil},
		{"plain HTTP here, by IPv6", nethttp.TransportConfig{Origin: "http://[::1]:8080"}, nil},
		{"paths", nethttp.TransportConfig{Origin: home, TokenURL: "/a", RefreshURL: "/a?b=c", LogoutURL: "d"}, nil},
		{"URLs", nethttp.TransportConfig{Origin: home, RefreshURL: home + ":443/refresh"}, nil},
		{"URL at another origin that is declared", nethttp.TransportConfig{Origin: home, MoreOrigins: []string{"https://auth.example.com"}, RefreshURL: "https://auth.example.com/refresh"}, nil},

		{"nothing", nethttp.TransportConfig{}, []string{`Origin: "" is not an origin`}},
		{"a host", nethttp.TransportConfig{Origin: "api.example.com"}, []string{"Origin: "}},
		{"no host", nethttp.TransportConfig{Origin: "https://"}, []string{"Origin: "}},
		{"a port alone", nethttp.TransportConfig{Origin: "https://:443"}, []string{"Origin: "}},
		{"another scheme", nethttp.TransportConfig{Origin: "ftp://api.example.com"}, []string{"Origin: "}},
		{"a path", nethttp.TransportConfig{Origin: "https://api.example.com/"}, []string{"Origin: "}},
		{"a query", nethttp.TransportConfig{Origin: "https://api.example.com?"}, []string{"Origin: "}},
		{"a user", nethttp.TransportConfig{Origin: "https://alice@api.example.com"}, []string{"Origin: "}},
		{"a fragment", nethttp.TransportConfig{Origin: "https://api.example.com#a"}, []string{"Origin: "}},
		{"not a URL", nethttp.TransportConfig{Origin: "https://%zz"}, []string{"Origin: "}},
		{"plain HTTP", nethttp.TransportConfig{Origin: "http://api.example.com"}, []string{`Origin: "http://api.example.com" would carry tokens`}},
		{"plain HTTP, a name like this machine's", nethttp.TransportConfig{Origin: "http://localhost.example.com"}, []string{"Origin: "}},
		{"plain HTTP, a private address", nethttp.TransportConfig{Origin: "http://10.0.0.1"}, []string{"Origin: "}},
		{"more of them", nethttp.TransportConfig{Origin: "x", MoreOrigins: []string{home, "http://a.example", "y"}}, []string{`.Origin: "x"`, `MoreOrigins: "http://a.example"`, `MoreOrigins: "y"`}},
		{"endpoints elsewhere", nethttp.TransportConfig{Origin: home, TokenURL: "https://a.example/token", RefreshURL: "//a.example/refresh", LogoutURL: "http://api.example.com/logout"}, []string{"TokenURL: ", "RefreshURL: ", "LogoutURL: "}},
		{"endpoints that are none", nethttp.TransportConfig{Origin: home, TokenURL: "/", RefreshURL: "/a#b", LogoutURL: "https://a@api.example.com/logout"}, []string{"TokenURL: ", "RefreshURL: ", "LogoutURL: "}},
		{"an endpoint that is no URL", nethttp.TransportConfig{Origin: home, RefreshURL: "/%zz"}, []string{"RefreshURL: "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			transport, err := nethttp.NewTransport(row.config)
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
