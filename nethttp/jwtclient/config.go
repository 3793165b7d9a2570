package jwtclient

import (
	"errors"
	"fmt"
	"net/http"
)

// A Config configures a [Transport].
type Config struct {
	_ [0]func() // composite literals must name the fields

	// Origin is the origin of the API: its scheme, its host and, unless it is the
	// default of the scheme, its port. An example is "https://api.example.com".
	// Required. The scheme must be https, because anyone who reads a token can use
	// it. It can be http only for localhost and loopback addresses.
	Origin string

	// MoreOrigins are other origins that requests are sent to with the access
	// token. The rules for Origin apply to each.
	MoreOrigins []string

	// TokenURL is the endpoint that exchanges a username and a password for
	// tokens, RefreshURL the one that exchanges a refresh token for new tokens, and
	// LogoutURL the one that ends the session of a refresh token. Each is a path at
	// Origin, or a URL at Origin or at one of MoreOrigins. The defaults are
	// "/token", "/refresh" and "/logout".
	TokenURL, RefreshURL, LogoutURL string

	// Store keeps the tokens, for example in a [TokenFile]. If it is nil, the
	// tokens are kept in memory.
	Store Store

	// Base sends the requests. If it is nil, [http.DefaultTransport] does.
	Base http.RoundTripper
}

// New returns a Transport. It is signed in if config.Store has tokens, and signed
// out otherwise. If config is invalid, the error lists all mistakes, each with the
// name of its field; endpoints are checked only if all origins are valid. New does
// not send a request and does not read the store: the Transport reads it when it
// first needs tokens.
func New(config Config) (*Transport, error) {
	t := &Transport{
		base:      config.Base,
		store:     config.Store,
		storeLock: make(chan struct{}, 1),
	}
	if t.base == nil {
		t.base = http.DefaultTransport
	}
	if t.store == nil {
		t.store = new(memoryStore)
	}
	var mistakes []error
	check := func(field, value string, err error) {
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("jwtclient: Config.%s: %q %w", field, value, err))
		}
	}
	home, err := t.addOrigin(config.Origin)
	check("Origin", config.Origin, err)
	for _, text := range config.MoreOrigins {
		_, err := t.addOrigin(text)
		check("MoreOrigins", text, err)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...) // the endpoints cannot be checked without the origins
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
		check(endpoint.field, endpoint.value, err)
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return t, nil
}
