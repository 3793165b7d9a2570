package keys

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// Remote is a Source of the public keys that an issuer publishes as a JWK Set
// (RFC 7517 §5). It is for TrustedIssuer.Keys, or for Config.Keys of a server that
// signs no tokens. The zero value finds the keys by the issuer's name. If the issuer
// also signs with another key, such as a secret, list both in [Sources].
//
// The keys are fetched when the first token of the issuer arrives, and that request
// waits for them. After that they are fetched in the background, as often as their
// Cache-Control asks, but at most once a minute and at least once an hour; without
// Cache-Control, every 15 minutes. If no token arrives for more than an hour, the
// next request waits for a fetch again. When the issuer has removed a key, the next
// fetch removes it here.
//
// A fetch fails if the set cannot be read or has no usable key. The keys that were
// fetched before then stay in use for up to MaxStale. If keys are missing that are
// needed to judge a token, the request is refused with 503, not with 401.
//
// A key of the set verifies by its alg only. A key without alg verifies by the
// algorithm of its curve, or by all RS and PS algorithms if it is an RSA key. A key
// without kid verifies tokens whatever their kid is, unless another key of the set has
// that kid and the algorithm of the token. A key that cannot be used is skipped and
// reported to Config.Observers. The age of keys is measured by the monotonic clock of the
// process, not by Config.Now.
type Remote struct {
	_ [0]func()

	// URL is the address of the JWK Set. Its scheme is https, or http for a loopback
	// address. If URL is empty, the address is found by OpenID Connect Discovery (1.0,
	// §4): in the issuer's metadata document. The issuer in that document must equal
	// the issuer's name.
	URL string

	// DiscoveryURL is the address of the metadata document. Its scheme is https, or
	// http for a loopback address. The default is /.well-known/openid-configuration
	// below the issuer's name. Set it if this server reaches the issuer at another
	// address. It cannot be combined with URL.
	DiscoveryURL string

	// InsecureHTTP allows http also for other addresses, such as http://keycloak:8080
	// in a private network. An attacker on the network path can then replace the keys,
	// and sign in as any user.
	InsecureHTTP bool

	// Transport sends the requests. Set it, for example, to trust a private CA. The
	// default uses the proxy that is set in the environment. Redirects are followed
	// only within one origin.
	Transport http.RoundTripper

	// Timeout bounds each fetch, and so the time that a request waits for it. The
	// default is 5 seconds.
	Timeout time.Duration

	// Cooldown is the pause after a fetch for an unknown kid and after a failed fetch.
	// During the pause, tokens with an unknown kid are refused without waiting. This
	// protects the issuer from a flood of such tokens. It also means that tokens of a
	// new key can be refused for that long if the issuer signs with it as soon as it
	// is published. With each further failure in a row, the pause doubles, up to a
	// minute. The default is 10 seconds.
	Cooldown time.Duration

	// MaxStale is how long keys stay in use after the last successful fetch. The
	// default is 24 hours.
	MaxStale time.Duration
}

const (
	defaultFetchTimeout = 5 * time.Second
	defaultCooldown     = 10 * time.Second
	defaultMaxStale     = 24 * time.Hour
)

// Open makes r a [Source]. It fetches nothing yet.
func (r Remote) Open(options keyaccess.Options) (keyaccess.Keys, []string) {
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
	found, problem := r.locate(options.Issuer)
	if problem != "" {
		problems = append(problems, problem)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if r.Transport == nil {
		r.Transport = newTransport()
	}
	source := &remoteSource{Remote: r, options: options, discovery: found, fetcher: newFetcher(r.Transport)}
	source.ctx, source.stop = context.WithCancel(context.Background())
	return source, nil
}

// locate checks where the keys of issuer are. It returns nil if URL says it, and what
// is wrong, if anything is.
func (r *Remote) locate(issuer string) (found *discovery, problem string) {
	var err error
	switch {
	case r.URL != "" && r.DiscoveryURL != "":
		return nil, "has a URL and a DiscoveryURL: set one of them"
	case r.URL != "":
		if _, err = parseURL(r.URL, r.InsecureHTTP); err != nil {
			return nil, fmt.Sprintf("URL %v: set it to the address of the JWK Set", err)
		}
		return nil, ""
	case issuer == "" && r.DiscoveryURL != "":
		return nil, "has a DiscoveryURL, but no issuer's name that the document must have: set Issuer, or set keys.Remote.URL instead"
	case issuer == "":
		return nil, "has neither a URL nor an issuer's name to find the keys by: set keys.Remote.URL, or Issuer"
	case r.DiscoveryURL != "":
		if _, err = parseURL(r.DiscoveryURL, r.InsecureHTTP); err != nil {
			return nil, fmt.Sprintf("DiscoveryURL %v: set it to the address of the issuer's metadata", err)
		}
		return &discovery{issuer: issuer, address: r.DiscoveryURL, insecure: r.InsecureHTTP}, ""
	}
	if found, err = newDiscovery(issuer, r.InsecureHTTP); err != nil {
		return nil, fmt.Sprintf("cannot be found by the issuer's name, which %v: set the name to the issuer in its metadata, or set keys.Remote.URL", err)
	}
	return found, ""
}
