package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// An Auth judges requests and issues tokens as its [Config] says. Create one with
// [New] and share it: it is safe for concurrent use. A nil *Auth refuses every
// request with 503, so that an ignored error of New does not open the routes.
type Auth struct {
	config   Config
	issuers  []issuer  // Config.Keys first, then each of Config.Trusted
	remote   bool      // the keys of an issuer are fetched
	cookies  *cookies  // nil without Config.Cookies
	sessions *sessions // nil without Config.Sessions
	origins  *http.CrossOriginProtection

	cache      *cache
	headers    *jose.Headers
	signatures sync.Pool // of *[keyaccess.MaxSignatureSize]byte
	cloners    sync.Map  // from reflect.Type to knownCloner
	jwks       atomic.Pointer[jwksPage]
}

// An issuer is an issuer whose tokens are accepted, with its keys and what its
// tokens must say.
type issuer struct {
	keys      keyaccess.Keys
	remote    keyaccess.Remote // keys, if they are fetched, else nil
	name      string           // empty: any
	audience  string           // empty: any
	rolesPath []string
}

// New returns an Auth for config, or an error that joins a [*ConfigError] for
// every mistake in it.
func New(config Config) (*Auth, error) {
	var wrong mistakes
	config = config.withDefaults(&wrong)
	a := &Auth{config: config, headers: jose.NewHeaders()}
	a.signatures.New = func() any { return new([keyaccess.MaxSignatureSize]byte) }
	a.issuers = a.openIssuers(&wrong)
	for i := range a.issuers {
		a.remote = a.remote || a.issuers[i].remote != nil
	}
	if config.Cookies != nil {
		a.cookies = newCookies(&config, &wrong)
		a.origins = newOrigins(config.Cookies.TrustedOrigins, &wrong)
	}
	if config.Sessions != nil {
		a.sessions = newSessions(&config, a.issuers[0].keys, &wrong)
		a.config.Sessions = &SessionConfig{} // only the codec keeps the secrets
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
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

// openIssuers returns the issuers whose tokens are accepted.
func (a *Auth) openIssuers(wrong *mistakes) []issuer {
	own := TrustedIssuer{Name: a.config.Issuer, Audience: a.config.Audience, Keys: a.config.Keys, RolesPath: a.config.RolesPath}
	issuers := []issuer{a.openIssuer("", own, wrong)}
	for i, trusted := range a.config.Trusted {
		field := fmt.Sprintf("Trusted[%d].", i)
		if trusted.Audience == "" {
			trusted.Audience = a.config.Audience
		}
		if trusted.Name == "" {
			wrong.add(field+"Name", "is empty: set it to the iss of its tokens")
		} else if slices.ContainsFunc(issuers, func(other issuer) bool { return other.name == trusted.Name }) {
			wrong.add(field+"Name", "is %q, an issuer that is listed already: list all its keys in one place", trusted.Name)
		}
		if trusted.Audience == "" {
			wrong.add(field+"Audience", "is empty: set it to the audience that its tokens name")
		}
		if len(trusted.RolesPath) > 0 {
			wrong.rolesPath(field+"RolesPath", trusted.RolesPath)
		}
		issuers = append(issuers, a.openIssuer(field, trusted, wrong))
	}
	if a.config.InsecureAnyIssuer {
		issuers[0].name = ""
	}
	if a.config.InsecureAnyAudience {
		issuers[0].audience = ""
	}
	return issuers
}

// openIssuer opens the keys of config. Errors name its fields with the prefix field.
func (a *Auth) openIssuer(field string, config TrustedIssuer, wrong *mistakes) issuer {
	i := issuer{name: config.Name, audience: config.Audience, rolesPath: slices.Clone(config.RolesPath)}
	if len(i.rolesPath) == 0 {
		i.rolesPath = []string{defaultRolesClaim}
	}
	if config.Keys == nil {
		wrong.add(field+"Keys", "is nil: give a key, such as keys.HS256(secret), a keys.Set or keys.Remote{}")
		return i
	}
	keys, problems := config.Keys.Open(keyaccess.Options{Issuer: config.Name, Logger: a.config.Logger, Report: a.keysChanged})
	for _, problem := range problems {
		wrong.add(field+"Keys", "%s", problem)
	}
	i.keys = keys
	i.remote, _ = keys.(keyaccess.Remote)
	return i
}

// Close stops the background work of a and waits for it to end. The Auth then
// still judges requests with the keys that it has, and, with sessions, for at most
// [SessionConfig].MaxLag. Close is needed only if the Auth does not live as long
// as the process.
func (a *Auth) Close() {
	if a == nil {
		return
	}
	for i := range a.issuers {
		if remote := a.issuers[i].remote; remote != nil {
			remote.Close()
		}
	}
	if a.sessions != nil {
		a.sessions.stop()
		<-a.sessions.stopped
		<-a.sessions.confirmations.stopped
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
