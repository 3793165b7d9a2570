package jwtclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Config is what [New] makes a [Transport] of.
type Config struct {
	_ [0]func() // makes literals name their fields

	// Origin is where the API is: scheme, host and, unless it is the scheme's
	// own, port, such as "https://api.example.com". Required. Without https it
	// must be this machine: a token is as good as a password.
	Origin string

	// MoreOrigins are others that the token is for.
	MoreOrigins []string

	// TokenURL takes a name and a password, RefreshURL a refresh token, LogoutURL
	// too. Each is a path at Origin, or a URL at one of the origins. The defaults
	// are "/token", "/refresh" and "/logout".
	TokenURL, RefreshURL, LogoutURL string

	// Store keeps the tokens, such as a [TokenFile]. The default is the memory of
	// this process.
	Store Store

	// Base sends the requests. The default is [http.DefaultTransport].
	Base http.RoundTripper
}

// New returns a Transport that nobody is signed in with, unless there
// are tokens in config.Store. It reports all mistakes at once; each names its
// field. It sends nothing, and the store is not asked before the first request.
func New(config Config) (*Transport, error) {
	t := &Transport{
		base:  config.Base,
		store: config.Store,
		turn:  make(chan struct{}, 1),
	}
	if t.base == nil {
		t.base = http.DefaultTransport
	}
	if t.store == nil {
		t.store = new(memoryStore)
	}
	var wrong []error
	mistake := func(field, value string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("jwtclient: Config.%s: %q %w", field, value, err))
		}
	}
	home, err := t.addOrigin(config.Origin)
	mistake("Origin", config.Origin, err)
	for _, text := range config.MoreOrigins {
		_, err := t.addOrigin(text)
		mistake("MoreOrigins", text, err)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...) // and nothing to resolve the rest against
	}
	for _, endpoint := range []struct {
		url                     *string
		field, value, byDefault string
	}{
		{&t.tokenURL, "TokenURL", config.TokenURL, "/token"},
		{&t.refreshURL, "RefreshURL", config.RefreshURL, "/refresh"},
		{&t.logoutURL, "LogoutURL", config.LogoutURL, "/logout"},
	} {
		if endpoint.value == "" {
			endpoint.value = endpoint.byDefault
		}
		*endpoint.url, err = t.endpoint(home, endpoint.value)
		mistake(endpoint.field, endpoint.value, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return t, nil
}

var (
	errNotOrigin   = errors.New(`is not an origin: give scheme and host alone, such as "https://api.example.com"`)
	errPlainHTTP   = errors.New("would carry tokens over the network for all to read: use https")
	errNotEndpoint = errors.New(`is not an endpoint: give a path, such as "/refresh", or a URL without user and fragment`)
	errElsewhere   = errors.New("is at none of the origins: add its own to MoreOrigins")
)

// An origin is scheme, host and port (RFC 6454 §4), as an [url.URL] has them.
type origin struct{ scheme, host, port string }

func (t *Transport) addOrigin(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errNotOrigin // what url.Parse says of it repeats it
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) {
		return nil, errNotOrigin
	}
	if u.Scheme == "http" && !thisMachine(u.Hostname()) {
		return nil, errPlainHTTP
	}
	t.origins = append(t.origins, origin{u.Scheme, u.Hostname(), port(u)})
	return u, nil
}

// endpoint returns the URL of a reference (RFC 3986 §5).
func (t *Transport) endpoint(home *url.URL, reference string) (string, error) {
	u, err := home.Parse(reference)
	switch {
	case err != nil, u.User != nil, u.Fragment != "", u.Path == "", u.Path == "/":
		return "", errNotEndpoint
	case !t.trusts(u):
		return "", errElsewhere
	}
	return u.String(), nil
}

// trusts reports whether the token may go to u.
func (t *Transport) trusts(u *url.URL) bool {
	for _, o := range t.origins {
		if u.Scheme == o.scheme && strings.EqualFold(u.Hostname(), o.host) && port(u) == o.port {
			return true
		}
	}
	return false
}

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

func thisMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}
