package jwtgate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// An Auth judges requests and issues tokens as its [Config] says. Make one with
// [New] and share it: it is safe for concurrent use. A nil *Auth refuses every
// request with 503, so that an error of New which was not looked at locks up.
type Auth struct {
	config   Config
	trusted  []trust   // Config.Keys first, then each of Config.Trusted
	remote   bool      // the keys of one of trusted are fetched
	cookies  *cookies  // nil without Config.Cookies
	sessions *sessions // nil without Config.Sessions
	origins  *http.CrossOriginProtection

	cache      *cache
	headers    *jose.Headers
	signatures sync.Pool // of *[maxSignature]byte
	copying    sync.Map  // of copying by the reflect.Type of claims
}

// maxSignature is the size of the largest signature, that of an RSA key.
const maxSignature = maxRSABits / 8

// trust is an issuer with its keys and what its tokens must say.
type trust struct {
	keys      keySource
	remote    *remoteSource // keys, if they are fetched; nil if not
	issuer    string        // empty: any
	audience  string        // empty: any
	rolesPath []string
}

// New returns an Auth for config, or an error that joins a [*ConfigError] for
// every mistake in it.
func New(config Config) (*Auth, error) {
	var wrong mistakes
	config = config.withDefaults(&wrong)
	a := &Auth{config: config, headers: jose.NewHeaders()}
	a.signatures.New = func() any { return new([maxSignature]byte) }
	a.trust("", Issuer{Name: config.Issuer, Audience: config.Audience, Keys: config.Keys, RolesPath: config.RolesPath}, &wrong)
	for i, issuer := range config.Trusted {
		field := fmt.Sprintf("Trusted[%d].", i)
		if issuer.Audience == "" {
			issuer.Audience = config.Audience
		}
		if issuer.Name == "" {
			wrong.add(field+"Name", "is empty: name the iss of its tokens")
		}
		if slices.ContainsFunc(a.trusted, func(t trust) bool { return t.issuer == issuer.Name && issuer.Name != "" }) {
			wrong.add(field+"Name", "is %q, an issuer that is named already: give all its keys in one place", issuer.Name)
		}
		if issuer.Audience == "" {
			wrong.add(field+"Audience", "is empty: name the audience that its tokens have here")
		}
		if len(issuer.RolesPath) > 0 {
			wrong.rolesPath(field+"RolesPath", issuer.RolesPath)
		}
		a.trust(field, issuer, &wrong)
	}
	if config.InsecureAnyIssuer {
		a.trusted[0].issuer = ""
	}
	if config.InsecureAnyAudience {
		a.trusted[0].audience = ""
	}
	a.setCookies(config.Cookies, &wrong)
	storeless := config.Sessions != nil && config.Sessions.Store == nil
	a.setSessions(&wrong)
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	a.cache = newCache(config.CacheSize)
	if a.sessions != nil {
		if storeless {
			config.Logger.Info("sessions are kept in the memory of this process: set Sessions.Store to share and keep them")
		}
		a.openFeed()
	}
	return a, nil
}

// trust adds issuer to those whose tokens are accepted.
func (a *Auth) trust(field string, issuer Issuer, wrong *mistakes) {
	t := trust{issuer: issuer.Name, audience: issuer.Audience, rolesPath: issuer.RolesPath}
	if len(t.rolesPath) == 0 {
		t.rolesPath = []string{"roles"}
	}
	t.rolesPath = slices.Clone(t.rolesPath)
	if issuer.Keys == nil {
		wrong.add(field+"Keys", "is nil: give a key, such as jwtgate.HS256(secret), a jwtgate.KeySet or jwtgate.RemoteKeys{}")
	} else {
		var problems []string
		t.keys, problems = issuer.Keys.open(a, issuer.Name)
		if remote, ok := t.keys.(*remoteSource); ok {
			t.remote, a.remote = remote, true
		}
		for _, problem := range problems {
			wrong.add(field+"Keys", "%s", problem)
		}
	}
	a.trusted = append(a.trusted, t)
}

// Close stops what an Auth has going on in the background, and waits for it to
// end. The Auth judges on with the keys that it has, and, with sessions, for no
// longer than [SessionConfig].MaxLag. Close is needed where an Auth does not live
// as long as the process.
func (a *Auth) Close() {
	if a == nil {
		return
	}
	for i := range a.trusted {
		if remote := a.trusted[i].remote; remote != nil {
			remote.close()
		}
	}
	if a.sessions != nil {
		a.sessions.stop()
		<-a.sessions.stopped
	}
}
