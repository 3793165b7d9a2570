package jwtgate

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Config is what [New] makes an [Auth] of. It is checked once, as a whole, and
// not looked at again. The zero value of an optional field is the safe default.
type Config struct {
	_ [0]func() // makes literals name their fields

	// Issuer is the iss of our own tokens (RFC 7519 §4.1.1): put into those
	// issued, and required, to the letter, of those verified. Required, unless
	// InsecureAnyIssuer gives the check up.
	Issuer string

	// Audience is the aud of our own tokens (RFC 7519 §4.1.3): put into those
	// issued, and one of those that a token must name to be accepted. Required,
	// unless InsecureAnyAudience gives the check up.
	Audience string

	// Keys sign and verify our own tokens. Required. With [RemoteKeys], they are
	// an identity provider's, which alone can sign.
	Keys Keys

	// InsecureAnyIssuer accepts tokens by Keys whatever their iss, or without.
	// Another system that shares a key can then sign in its users here.
	InsecureAnyIssuer bool

	// InsecureAnyAudience accepts tokens by Keys whatever their aud, or without.
	// A token that was given to another service is then good here.
	InsecureAnyAudience bool

	// Trusted are other issuers whose access tokens are accepted too.
	Trusted []Issuer

	// RolesPath leads to the roles of our own tokens: the names to follow from
	// the outermost object inwards, such as "realm_access", "roles". What is
	// there must be an array of strings; anything else is no roles at all.
	// The default is the claim "roles" (RFC 9068 §2.2.3.1).
	RolesPath []string

	// AccessTTL is how long an access token lives that is issued here, in whole
	// seconds. The default is 15 minutes.
	AccessTTL time.Duration

	// MaxLifetime bounds exp minus iat, or exp minus now for a token without
	// iat, of every token accepted. It catches an exp in milliseconds as well
	// as tokens made to last for ever. The default is 24 hours.
	MaxLifetime time.Duration

	// Leeway is how far the clocks of issuers may be off, applied to exp, nbf
	// and iat. It is at most 5 minutes. The default is zero; nbf and iat are
	// allowed one second all the same, because that is their resolution.
	Leeway time.Duration

	// MaxTokenSize is the length of the longest token that is looked at, in
	// bytes. The default is 8192.
	MaxTokenSize int

	// CacheSize bounds how many verified tokens are remembered, so that a request
	// with one of them costs next to nothing. No check is given up: what expires,
	// is revoked, or was signed by a key that is gone since, is refused as ever.
	// Nearly all tokens find room if they are half as many; with more, those in
	// steady use stay. One of 500 bytes takes about 1.1 KB, and what [Claims] has
	// decoded of it, also when it is over, until another takes its place. The
	// default is 16384; less than zero is none.
	CacheSize int

	// Cookies, if not nil, lets the access token come in a cookie, for browsers.
	Cookies *CookieConfig

	// Sessions, if not nil, turns sign-in on: login, refresh and logout.
	Sessions *SessionConfig

	// Events, if not nil, is told what happens to sessions, while the request
	// that it happens to waits, and what happens to the keys of RemoteKeys. It
	// must be safe for concurrent use.
	Events func(ctx context.Context, e Event)

	// Refuse, if not nil, is asked for the answer to every refusal, which is
	// r.Response() otherwise: to change its body, to redirect a navigation to a
	// login page, or, as [HandOver] does, to leave it to the framework's own
	// error path. A Response with a status below 200 counts as r.Response(): no answer
	// of Refuse lets a request through. It must be safe for concurrent use.
	Refuse func(ctx context.Context, req Request, r *Refusal) Response

	// Logger gets refusals at debug level, trouble at error level, and never a
	// token or a key. The default discards.
	Logger *slog.Logger

	// Now is the clock. The default is [time.Now]. Tests set their own.
	Now func() time.Time
}

// An Issuer is someone else whose access tokens are accepted. A key of one
// issuer never verifies a token of another, whatever its kid says.
type Issuer struct {
	_ [0]func()

	// Name is the iss of its tokens, required to the letter.
	Name string

	// Audience is what the aud of its tokens must name. The default is
	// [Config.Audience].
	Audience string

	// Keys verify its tokens. Only public halves are used. RemoteKeys{} are those
	// that it publishes.
	Keys Keys

	// RolesPath is [Config.RolesPath] for its tokens, with the same default.
	RolesPath []string
}

// A ConfigError is one mistake in a [Config].
type ConfigError struct {
	Field  string // as a path from Config, such as "Trusted[1].Name"
	Reason string // what is wrong and how to mend it; never holds a secret
}

// Error names the field and the reason.
func (e *ConfigError) Error() string { return "jwtgate: Config." + e.Field + ": " + e.Reason }

const (
	defaultAccessTTL    = 15 * time.Minute
	defaultMaxLifetime  = 24 * time.Hour
	defaultMaxTokenSize = 8 << 10
	maxLeeway           = 5 * time.Minute
)

// mistakes collects what is wrong with a Config.
type mistakes []error

func (m *mistakes) add(field, reason string, args ...any) {
	*m = append(*m, &ConfigError{Field: field, Reason: fmt.Sprintf(reason, args...)})
}

// withDefaults returns c with every optional field set, and adds what is wrong with it.
func (c Config) withDefaults(wrong *mistakes) Config {
	if c.Issuer == "" && !c.InsecureAnyIssuer {
		wrong.add("Issuer", "is empty: name the issuer of your tokens, or set InsecureAnyIssuer")
	}
	if c.Audience == "" && !c.InsecureAnyAudience {
		wrong.add("Audience", "is empty: name the audience of your tokens, or set InsecureAnyAudience")
	}
	if len(c.RolesPath) == 0 {
		c.RolesPath = []string{"roles"}
	}
	c.RolesPath = slices.Clone(c.RolesPath)
	wrong.rolesPath("RolesPath", c.RolesPath)
	c.MaxLifetime = wrong.duration("MaxLifetime", c.MaxLifetime, defaultMaxLifetime)
	c.AccessTTL = wrong.duration("AccessTTL", c.AccessTTL, min(defaultAccessTTL, c.MaxLifetime.Truncate(time.Second)))
	if c.AccessTTL < time.Second || c.AccessTTL%time.Second != 0 {
		wrong.add("AccessTTL", "is %v: tokens count in whole seconds, so use some", c.AccessTTL)
	}
	if c.AccessTTL > c.MaxLifetime {
		wrong.add("AccessTTL", "is %v, more than MaxLifetime (%v): our own tokens would be refused", c.AccessTTL, c.MaxLifetime)
	}
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		wrong.add("Leeway", "is %v: use 0 to %v", c.Leeway, maxLeeway)
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
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// rolesPath adds what is wrong with path, which is not empty.
func (m *mistakes) rolesPath(field string, path []string) {
	if slices.Contains(path, "") {
		m.add(field, "has an empty name: give the name of a member at each step")
	}
	if registered[strings.ToLower(path[0])] {
		m.add(field, "leads into the registered claim %q: roles need a claim of their own", path[0])
	}
}

// duration returns d, or its default if d is zero; less than that is a mistake.
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
