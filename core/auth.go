package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// An Auth judges requests and issues tokens as its [Config] says. Create one with
// [New] and share it: it is safe for concurrent use. A nil *Auth refuses every
// request with 503, so that an ignored error of New does not open the routes.
type Auth struct {
	config   Config
	issuers  []issuer      // Config.Keys first, then each of Config.Trusted
	remote   bool          // the keys of an issuer are fetched
	leeway   time.Duration // the longest Leeway of an issuer
	cookies  *cookies      // nil without Config.Cookies
	fields   *tokenFields  // nil without Config.TokenHeaders and Config.WebSocketProtocol
	resource *resource     // nil without Config.Resource
	sessions *sessions     // nil without Config.Sessions
	origins  *http.CrossOriginProtection
	warned   sync.Once // of a login over plain HTTP
	clocks   clockWarnings

	observers  observers
	outages    outages
	probe      probe
	draining   atomic.Bool
	storeAhead atomic.Int64 // how much the clock of the store is ahead, in nanoseconds

	cache       *cache
	headers     *jose.Headers
	buffers     sync.Pool // of *decodeBuffers
	claimsTypes sync.Map  // from reflect.Type to *claimsType
	jwks        atomic.Pointer[jwksPage]
}

// New returns an Auth for config, or an error that joins a [*ConfigError] for
// every mistake in it.
func New(config Config) (*Auth, error) {
	var wrong mistakes
	config = config.withDefaults(&wrong)
	a := &Auth{config: config, headers: jose.NewHeaders(), observers: newObservers(config.Observers), probe: newProbe()}
	a.outages.logger = config.Logger
	a.buffers.New = func() any { return new(decodeBuffers) }
	a.issuers = a.openIssuers(&wrong)
	for i := range a.issuers {
		a.remote = a.remote || a.issuers[i].remote != nil
		a.leeway = max(a.leeway, time.Duration(a.issuers[i].leeway)*time.Second)
	}
	if config.Cookies != nil {
		a.cookies = newCookies(&config, &wrong)
		a.origins = newOrigins(config.Cookies.TrustedOrigins, &wrong)
	}
	if a.fields = newTokenFields(&config, &wrong); a.fields != nil && a.origins == nil {
		a.origins = newOrigins(nil, &wrong)
	}
	a.resource = newResource(config.Resource, &wrong)
	if config.Sessions != nil {
		a.sessions = newSessions(&config, a.issuers[0].keys, &a.outages, &wrong)
		a.sessions.Store = &observedStore{a.sessions.Store, a}
		a.config.Sessions = &SessionConfig{} // only the codec keeps the secrets
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	if a.resource != nil {
		if err := a.resource.describe(a.issuers); err != nil {
			return nil, fmt.Errorf("jwtgate: encode the metadata of Config.Resource: %w", err)
		}
	}
	if config.Debug {
		config.Logger.Warn("Debug is set: refusals tell every client how tokens are checked and what is configured, so do not use it in production")
	}
	if config.Cookies != nil && config.Cookies.InsecureHTTP {
		config.Logger.Warn("Cookies.InsecureHTTP is set: cookies with tokens can be read and replaced by anyone on the network, so do not use it in production")
	}
	a.cache = newCache(config.CacheSize)
	if a.sessions != nil {
		if config.Sessions.Store == nil {
			config.Logger.Info("sessions are kept in the memory of this process: set Sessions.Store to share and keep them")
		}
		a.openFeed()
	}
	return a, nil
}

// Close stops the background work of a and waits for it to end. The Auth then
// still judges requests with the keys that it has, and, with sessions, for at most
// [SessionConfig].MaxLag. Close is needed only if the Auth does not live as long
// as the process.
func (a *Auth) Close() {
	if a == nil {
		return
	}
	a.Drain()
	a.outages.closed.Store(true)
	for i := range a.issuers {
		if remote := a.issuers[i].remote; remote != nil {
			remote.Close()
		}
	}
	if a.sessions != nil {
		a.sessions.stop()
		<-a.sessions.stopped
		<-a.sessions.confirmations.stopped
		a.sessions.breaker.close()
	}
}

// keysFetched reports a fetch of remote keys to the observers.
func (a *Auth) keysFetched(ctx context.Context, issuer string, took time.Duration, err error) {
	for _, f := range a.observers.keyFetch {
		f(ctx, KeyFetch{issuer, took, err})
	}
}

// keysChanged tells the application about a change of remote keys.
func (a *Auth) keysChanged(ctx context.Context, change *keyaccess.Change) {
	kinds := [...]EventKind{
		keyaccess.Unavailable: EventKeysDown,
		keyaccess.Skipped:     EventKeySkipped,
		keyaccess.Changed:     EventKeysChanged,
	}
	a.tell(ctx, Event{Kind: kinds[change.Kind], Issuer: change.Issuer, Err: change.Err})
}
