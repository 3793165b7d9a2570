package jwtgate

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// RemoteKeys are the public keys that an issuer publishes as a JWK Set (RFC 7517
// §5), for [Issuer.Keys], or for [Config.Keys] of a server that signs no tokens.
// The zero value finds them by the issuer's name.
//
// Nothing is fetched before the first token of the issuer. That one waits; from
// then on the keys are fetched anew in the background, as often as their
// Cache-Control asks, but every minute at most and every hour at least, and
// without it every 15 minutes. Where no token came for longer than an hour, the
// next one waits again. A key that the issuer has removed is gone with the
// next fetch. A set that cannot be read, or has no usable key, is a fetch that
// failed: what was fetched before stays in use up to MaxStale. A token that
// cannot be judged for want of keys is refused with 503, not with 401.
//
// A key of the set verifies by its alg only; one without alg by that of its
// curve, one of RSA by RS256. Those that cannot be used are passed over one by
// one, and told to [Config.Events]. How old keys are is measured by the clock of
// the process that nobody can set, not by [Config.Now].
type RemoteKeys struct {
	_ [0]func()

	// URL is where the JWK Set is: https, or http on this machine. If it is empty,
	// the issuer's document at /.well-known/openid-configuration below its name
	// says where (OpenID Connect Discovery 1.0 §4); the issuer in it must be the
	// name to the letter.
	URL string

	// Transport carries the requests, if not nil, such as one that trusts a
	// private CA. The default is one of its own, through the proxy that the
	// environment names. Redirects are followed only within one origin.
	Transport http.RoundTripper

	// Timeout bounds a fetch as a whole, and so the wait of a request that needs
	// one. The default is 5 seconds.
	Timeout time.Duration

	// Cooldown is the least time from a fetch for a kid that is not held, or one
	// that failed, to the next. Until then such tokens are refused without a wait:
	// it is how long a flood of them leaves the issuer alone, and how long a key
	// can stay unknown that is used as soon as it is published. After failures in
	// a row it doubles, up to a minute. The default is 10 seconds.
	Cooldown time.Duration

	// MaxStale is how long keys are used after their last good fetch, if none
	// succeeds. The default is 24 hours.
	MaxStale time.Duration
}

const (
	defaultFetchTimeout = 5 * time.Second
	defaultCooldown     = 10 * time.Second
	defaultMaxStale     = 24 * time.Hour
)

// open checks r, and fetches nothing yet.
func (r RemoteKeys) open(a *Auth, issuer string) (keySource, []string) {
	var problems []string
	for _, d := range []struct {
		field     string
		value     *time.Duration
		byDefault time.Duration
	}{
		{"Timeout", &r.Timeout, defaultFetchTimeout},
		{"Cooldown", &r.Cooldown, defaultCooldown},
		{"MaxStale", &r.MaxStale, defaultMaxStale},
	} {
		if *d.value < 0 {
			problems = append(problems, fmt.Sprintf("%s is %v: use a duration above zero, or 0 for %v", d.field, *d.value, d.byDefault))
		}
		if *d.value == 0 {
			*d.value = d.byDefault
		}
	}
	var at *discovery
	var err error
	switch {
	case r.URL != "":
		if _, err = parseURL(r.URL); err != nil {
			problems = append(problems, fmt.Sprintf("URL %v: give the address of the JWK Set", err))
		}
	case issuer == "":
		problems = append(problems, "has no name of an issuer to be found by: give RemoteKeys.URL, or Issuer")
	default:
		if at, err = newDiscovery(issuer); err != nil {
			problems = append(problems, fmt.Sprintf("cannot be found by the issuer's name, which %v: give the name that it has in its metadata, or RemoteKeys.URL", err))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if r.Transport == nil {
		r.Transport = newTransport()
	}
	source := &remoteSource{RemoteKeys: r, auth: a, issuer: issuer, discovery: at, fetcher: newFetcher(r.Transport)}
	source.ctx, source.stop = context.WithCancel(context.Background())
	return source, nil
}
