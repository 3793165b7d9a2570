package jwtgate

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/jose"
	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/keys"
)

// Config configures an [Auth]. [New] checks and copies it: later changes have no
// effect. The zero value of an optional field is the safe default.
type Config struct {
	_ [0]func() // requires literals to name their fields

	// Issuer is the iss of the tokens that this Auth issues, and the iss that
	// tokens signed by Keys must have, compared exactly (RFC 7519 §4.1.1). It is
	// required, unless InsecureAnyIssuer is set.
	Issuer string

	// Audience is the aud of the tokens that this Auth issues, and an audience
	// that tokens signed by Keys must name (RFC 7519 §4.1.3). It is required,
	// unless InsecureAnyAudience is set.
	Audience string

	// Keys sign and verify the tokens of Issuer. Required. [keys.Remote] verifies
	// tokens of an identity provider, and cannot sign.
	Keys keys.Source

	// InsecureAnyIssuer accepts tokens signed by Keys whatever their iss is, or
	// without iss. Another system that shares a key can then sign in its users here.
	InsecureAnyIssuer bool

	// InsecureAnyAudience accepts tokens signed by Keys whatever their aud is, or
	// without aud. A token that was issued for another service is then accepted here.
	InsecureAnyAudience bool

	// Trusted lists other issuers whose access tokens are accepted too.
	Trusted []TrustedIssuer

	// RolesPath is where the roles are in the tokens of Issuer: the names to follow
	// from the outermost object inwards, such as "realm_access", "roles". The value
	// there must be an array of strings; any other value counts as no roles. The
	// default is the claim "roles" (RFC 9068 §2.2.3.1).
	RolesPath []string

	// AccessTTL is the lifetime of the access tokens that this Auth issues, in whole
	// seconds. The default is 15 minutes.
	AccessTTL time.Duration

	// MaxLifetime bounds exp minus iat of every accepted token, or exp minus the
	// current time for a token without iat. It refuses tokens that never expire in
	// practice, and an exp in milliseconds. The default is 24 hours.
	MaxLifetime time.Duration

	// Leeway is the clock difference that is allowed when exp, nbf and iat are
	// checked. It is at most 5 minutes. The default is zero; nbf and iat are allowed
	// one second in any case, because that is their resolution.
	Leeway time.Duration

	// MaxTokenSize is the length of the longest accepted token, in bytes. The
	// default is 8192.
	MaxTokenSize int

	// CacheSize is the number of verified tokens to cache, so that a request with
	// one of them costs very little. Every hit checks the expiry, the revocation and
	// the key again. Set it to about twice the number of active tokens; with less,
	// the tokens in steady use stay. A token of 500 bytes takes about 1.1 KB and
	// what [Claims] has decoded of it, until another token replaces it. The default
	// is 16384; a negative number turns the cache off.
	CacheSize int

	// Cookies, if not nil, accepts the access token in a cookie, for browsers.
	Cookies *CookieConfig

	// Sessions, if not nil, turns on sessions: login, refresh and logout.
	Sessions *SessionConfig

	// Events, if not nil, is called for what happens to sessions, before the answer
	// to the request is sent, and for what happens to the keys of [keys.Remote]. It
	// must be safe for concurrent use.
	Events func(ctx context.Context, e Event)

	// ClientAddress, if not nil, returns the address of the client that sent req. The
	// default is req.PeerAddr(), which behind a proxy is the proxy's address, the same
	// for all clients. Set it there, to the address that your proxy adds, and only if
	// the peer is that proxy: any client can send X-Forwarded-For or X-Real-IP.
	// Functions of frameworks, such as ClientIP of Gin, often trust every peer by
	// default. The zero Addr means that the address is not known. It must be safe for
	// concurrent use.
	ClientAddress func(req Request) netip.Addr

	// Refuse, if not nil, returns the answer to every refusal in place of
	// r.Response(): to change the body, to redirect a page load to a login page, or
	// to leave the refusal to the framework's error handler, as [HandOver] does. A
	// Response with a status below 200 is replaced by r.Response(), so that Refuse
	// cannot let a request through. It must be safe for concurrent use.
	Refuse func(ctx context.Context, req Request, r *Refusal) Response

	// Logger gets refusals at debug level and internal errors at error level, and
	// never a token or a key. The default discards.
	Logger *slog.Logger

	// Now is the clock, for tests. The default is [time.Now].
	Now func() time.Time
}

// A TrustedIssuer is another issuer whose access tokens are accepted. A key of one
// issuer never verifies a token of another, whatever the token's kid is.
type TrustedIssuer struct {
	_ [0]func()

	// Name is the iss of its tokens, compared exactly. Required.
	Name string

	// Audience is the audience that its tokens must name. The default is
	// [Config.Audience].
	Audience string

	// Keys verify its tokens. Only public halves are used. The zero [keys.Remote]
	// finds the keys that the issuer publishes. Required.
	Keys keys.Source

	// RolesPath is where the roles are in its tokens, as in [Config.RolesPath].
	RolesPath []string
}

// A ConfigError is one mistake in a [Config].
type ConfigError struct {
	Field  string // a path from Config, such as "Trusted[1].Name"
	Reason string // what is wrong and how to correct it; never contains a secret
}

// Error names the field and the reason.
func (e *ConfigError) Error() string { return "jwtgate: Config." + e.Field + ": " + e.Reason }

const (
	defaultAccessTTL    = 15 * time.Minute
	defaultMaxLifetime  = 24 * time.Hour
	defaultMaxTokenSize = 8 << 10
	defaultRolesClaim   = "roles"
)

// mistakes collects the mistakes in a Config.
type mistakes []error

func (m *mistakes) add(field, reason string, args ...any) {
	*m = append(*m, &ConfigError{Field: field, Reason: fmt.Sprintf(reason, args...)})
}

// withDefaults returns c with every optional field set, and adds the mistakes in it.
func (c Config) withDefaults(wrong *mistakes) Config {
	if c.Issuer == "" && !c.InsecureAnyIssuer {
		wrong.add("Issuer", "is empty: set it to the issuer of your tokens, or set InsecureAnyIssuer")
	}
	if c.Audience == "" && !c.InsecureAnyAudience {
		wrong.add("Audience", "is empty: set it to the audience that your tokens name, or set InsecureAnyAudience")
	}
	if len(c.RolesPath) == 0 {
		c.RolesPath = []string{defaultRolesClaim}
	}
	c.RolesPath = slices.Clone(c.RolesPath)
	wrong.rolesPath("RolesPath", c.RolesPath)
	c.MaxLifetime = wrong.duration("MaxLifetime", c.MaxLifetime, defaultMaxLifetime)
	c.AccessTTL = wrong.duration("AccessTTL", c.AccessTTL, min(defaultAccessTTL, c.MaxLifetime.Truncate(time.Second)))
	if c.AccessTTL < time.Second || c.AccessTTL%time.Second != 0 {
		wrong.add("AccessTTL", "is %v: use a whole number of seconds, which is what tokens count in", c.AccessTTL)
	}
	if c.AccessTTL > c.MaxLifetime {
		wrong.add("AccessTTL", "is %v, more than MaxLifetime (%v): the tokens issued here would be refused; use at most MaxLifetime", c.AccessTTL, c.MaxLifetime)
	}
	if c.Leeway < 0 || c.Leeway > keyaccess.MaxLeeway {
		wrong.add("Leeway", "is %v: use 0 to %v", c.Leeway, keyaccess.MaxLeeway)
	}
	if c.MaxTokenSize < 0 {
		wrong.add("MaxTokenSize", "is %d: use a number of bytes, or 0 for %d", c.MaxTokenSize, defaultMaxTokenSize)
	}
	if c.MaxTokenSize == 0 {
		c.MaxTokenSize = defaultMaxTokenSize
	}
	if c.CacheSize > maxCacheSize {
		wrong.add("CacheSize", "is %d: use up to %d tokens, 0 for %d, or -1 for none", c.CacheSize, maxCacheSize, defaultCacheSize)
	}
	if c.CacheSize == 0 {
		c.CacheSize = defaultCacheSize
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.ClientAddress == nil {
		c.ClientAddress = func(req Request) netip.Addr { return req.PeerAddr() }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// rolesPath adds the mistakes in path, which is not empty.
func (m *mistakes) rolesPath(field string, path []string) {
	if slices.Contains(path, "") {
		m.add(field, "has an empty name: name a member at each step")
	}
	if jose.IsRegistered(path[0]) {
		m.add(field, "leads into the registered claim %q: put roles into a claim of their own", path[0])
	}
}

// duration returns d, or its default if d is zero. A negative d is a mistake.
func (m *mistakes) duration(field string, d, byDefault time.Duration) time.Duration {
	switch {
	case d == 0:
		return byDefault
	case d < 0:
		m.add(field, "is %v: use a duration above zero, or 0 for %v", d, byDefault)
		return byDefault
	}
	return d
}
