package jwtclient

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

var (
	errNotOrigin   = errors.New(`is not an origin: give the scheme and the host only, such as "https://api.example.com"`)
	errPlainHTTP   = errors.New("is not encrypted, and tokens could be read on the network: use https")
	errNotEndpoint = errors.New(`is not an endpoint: give a path, such as "/refresh", or a URL without user and fragment`)
	errOtherOrigin = errors.New("is at none of the origins: add its origin to MoreOrigins")
)

// An origin is a scheme, a host and a port (RFC 6454 §4). The host is as a URL has
// it, so compare it without regard to case.
type origin struct{ scheme, host, port string }

// addOrigin adds an origin of Config to t, and returns it as a URL.
func (t *Transport) addOrigin(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errNotOrigin // the error of url.Parse would repeat text
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
		return nil, errNotOrigin
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return nil, errPlainHTTP
	}
	t.origins = append(t.origins, origin{u.Scheme, u.Hostname(), port(u)})
	return u, nil
}

// endpoint resolves a reference to an endpoint against home (RFC 3986 §5), and
// checks that its URL is at one of the origins.
func (t *Transport) endpoint(home *url.URL, reference string) (string, error) {
	u, err := home.Parse(reference)
	switch {
	case err != nil, u.User != nil, u.Fragment != "", u.Path == "", u.Path == "/":
		return "", errNotEndpoint
	case !t.trusts(u):
		return "", errOtherOrigin
	}
	return u.String(), nil
}

// trusts reports whether u is at one of the origins, so that the access token may
// be sent to it.
func (t *Transport) trusts(u *url.URL) bool {
	for _, o := range t.origins {
		if u.Scheme == o.scheme && strings.EqualFold(u.Hostname(), o.host) && port(u) == o.port {
			return true
		}
	}
	return false
}

// port returns the port of u, or the default port of its scheme.
func port(u *url.URL) string {
	switch port := u.Port(); {
	case port != "":
		return port
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}
