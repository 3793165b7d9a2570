package jwtgate

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

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

	// OtherAudiences lists further audiences. A token signed by Keys must name
	// Audience or one of them.
	OtherAudiences []string

	// Keys sign and verify the tokens of Issuer. Required. [keys.Remote] verifies
	// tokens of an identity provider, and cannot sign.
	Keys keys.Source

	// InsecureAnyIssuer accepts tokens signed by Keys whatever their iss is, or
	// without iss. Another system that shares a key can then sign in its users here.
	InsecureAnyIssuer bool

	// InsecureAnyAudience accepts tokens signed by Keys whatever their aud is, or
	// without aud. A token that was issued for another service is then accepted here.
	InsecureAnyAudience bool

	// SubjectClaim is where the subject is in the tokens of Issuer: the name of a
	// claim, such as "user_id", or a JSON Pointer (RFC 6901) that begins with a slash
	// and leads through objects, such as "/user/id". The value there must be a string
	// or a whole number, which counts as its digits. Choose a claim that the issuer
	// never gives to another user and that users cannot change: an email address is
	// neither, and client_id names the program, not its user. The default is "sub".
	// Tokens that are issued here have the subject there and in sub.
	SubjectClaim string

	// OptionalSubject also accepts tokens without a subject, such as those of
	// programs. Their [Identity.Subject] is empty, and the endpoints for the sessions
	// of a subject refuse them.
	OptionalSubject bool

	// AudienceClaim is where the audience is in the tokens of Issuer, in the form of
	// SubjectClaim, such as "client_id" or "azp". The value there must be a string or
	// an array of strings. The default is "aud". Tokens that are issued here have the
	// audience there and in aud.
	AudienceClaim string

	// RoleClaims are where the roles are in the tokens of Issuer, each in the form of
	// SubjectClaim, such as "groups" or "/realm_access/roles". The roles of a token
	// are those of all places together. The value at a place can be an array of
	// strings, a string, which is one role and is never split, or an object, whose
	// roles are the names with the value true or an object or array that is not
	// empty. Any other value has no roles. The default is "roles" (RFC 9068
	// §2.2.3.1). Tokens that are issued here have the roles at the first place.
	RoleClaims []string

	// AcceptIDTokens also accepts ID tokens of Issuer (OpenID Connect Core §2), for
	// an issuer whose clients have no access tokens for this server, as with Google
	// and Firebase. The audience of an ID token is the client that signed the user
	// in, so list your own clients as audiences and no others.
	AcceptIDTokens bool

	// Trusted lists other issuers whose access tokens are accepted too.
	Trusted []TrustedIssuer

	// AccessTTL is the lifetime of the access tokens that this Auth issues, in whole
	// seconds. The default is 15 minutes.
	AccessTTL time.Duration

	// MaxLifetime bounds exp minus iat of every accepted token, or exp minus the
	// current time for a token without iat. It refuses tokens that never expire in
	// practice, and an exp in milliseconds. The default is 24 hours.
	MaxLifetime time.Duration

	// Leeway is how long after exp a token is still accepted, in whole seconds. It is
	// at most 5 minutes. The default is zero.
	Leeway time.Duration

	// ClockSkew is how far in the future nbf and iat may be, in whole seconds, because
	// the clock of the issuer can be ahead. It is at least one second, which is the
	// resolution of nbf and iat, and at most 5 minutes. The default is one minute.
	// A browser whose token is further ahead is renewed, and the log says by how much.
	ClockSkew time.Duration

	// MaxTokenSize is the length of the longest accepted token, in bytes. The
	// default is 8192.
	MaxTokenSize int

	// CacheSize is the memory for verified tokens, in bytes, so that a request with
	// one of them costs very little. Every hit checks the expiry, the revocation and
	// the key again. A token of 500 bytes takes about 1.3 KB, one of 2000 bytes about
	// 4 KB; the claims that [Claims] has decoded from it come in addition. Set it to
	// twice what the active tokens take, and at least to 2048 for each of them, because
	// that is how many tokens there may be. If there is less room, the tokens that are
	// used most stay. The default is 32 MiB, for up to 16384 tokens; a negative number
	// turns the cache off. It is rounded up to a multiple of 16 KiB.
	CacheSize int

	// Cookies, if not nil, accepts the access token in a cookie, for browsers.
	Cookies *CookieConfig

	// TokenHeaders lists header fields that carry an access token, besides the
	// Authorization header with the scheme Bearer (RFC 6750 §2.1), which is always
	// read. A request with two tokens in its header is refused.
	TokenHeaders []TokenHeader

	// WebSocketProtocol also accepts an access token in the handshake of a WebSocket,
	// for pages that hold their tokens: browsers let a page set no other header field.
	// The page offers the token as the subprotocol "jwtgate.bearer." + token, beside a
	// subprotocol of the application (RFC 6455 §1.9):
	//
	//	new WebSocket(url, ["chat", "jwtgate.bearer." + token])
	//
	// The handler must choose the application's subprotocol, which is chat here, as
	// the list of subprotocols of every WebSocket library does. A handshake that
	// offers nothing but the token is refused, because the answer could name nothing
	// else. Like an Authorization header, the field is passed on to the handler.
	WebSocketProtocol bool

	// Resource is the URL by which clients know this API (RFC 9728 §1.2), such as
	// "https://api.example.com". It is https, or http on this machine. If it is set,
	// [Auth.ResourceMetadata] publishes it, and the challenge of every 401 says where.
	Resource string

	// Sessions, if not nil, turns on sessions: login, refresh and logout.
	Sessions *SessionConfig

	// Observers are called for the outcome of every request, for events of sessions and
	// keys, and for every use of the session store and fetch of keys, in their order.
	Observers []Observer

	// ClientAddress, if not nil, returns the address of the client that sent req. The
	// default is req.PeerAddr(), which behind a proxy is the proxy's address, the same
	// for all clients. Set it there, to the address that your proxy adds, and only if
	// the peer is that proxy: any client can send X-Forwarded-For or X-Real-IP.
	// Functions of frameworks, such as ClientIP of Gin, often trust every peer by
	// default. The zero Addr means that the address is not known. It must be safe for
	// concurrent use.
	ClientAddress func(req Request) netip.Addr

	// Debug makes refusals explain themselves to a developer: their detail, and the
	// error_description of the challenge (RFC 6750 §3), say what was wanted, what was
	// found and which field of Config is about it. They never contain a token, a
	// signature, a secret or a password, and the refusal of a login does not say
	// whether the name exists. But they tell every client how tokens are checked, so do
	// not set it in production; New logs a warning. Without Debug, the Logger gets the
	// same explanations if it is enabled at debug level.
	Debug bool

	// Refuse, if not nil, returns the answer to every refusal in place of
	// r.Response(): to change the body, to redirect a page load to a login page, or
	// to leave the refusal to the framework's error handler, as [HandOver] does. A
	// Response with a status below 200 is replaced by r.Response(), so that Refuse
	// cannot let a request through. It must be safe for concurrent use.
	Refuse func(ctx context.Context, req Request, r *Refusal) Response

	// Logger gets refusals with their cause at debug level, and failures on the server's
	// side at error level: the first one at once, and those that follow as a sum, once a
	// minute. It never gets a token or a key. The default is [slog.Default], which New
	// reads.
	Logger *slog.Logger

	// Now is the clock, for tests. The default is [time.Now].
	Now func() time.Time
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
	defaultClockSkew    = time.Minute
	defaultMaxTokenSize = 8 << 10
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
	c.MaxLifetime = wrong.duration("MaxLifetime", c.MaxLifetime, defaultMaxLifetime)
	c.AccessTTL = wrong.duration("AccessTTL", c.AccessTTL, min(defaultAccessTTL, c.MaxLifetime.Truncate(time.Second)))
	if c.AccessTTL < time.Second || c.AccessTTL%time.Second != 0 {
		wrong.add("AccessTTL", "is %v: use a whole number of seconds, because tokens have no fractions", c.AccessTTL)
	}
	if c.AccessTTL > c.MaxLifetime {
		wrong.add("AccessTTL", "is %v, more than MaxLifetime (%v): the tokens issued here would be refused; use at most MaxLifetime", c.AccessTTL, c.MaxLifetime)
	}
	c.ClockSkew = wrong.duration("ClockSkew", c.ClockSkew, defaultClockSkew)
	if c.MaxTokenSize < 0 {
		wrong.add("MaxTokenSize", "is %d: use a number of bytes, or 0 for %d", c.MaxTokenSize, defaultMaxTokenSize)
	}
	if c.MaxTokenSize == 0 {
		c.MaxTokenSize = defaultMaxTokenSize
	}
	if c.CacheSize > maxCacheSize {
		wrong.add("CacheSize", "is %d: use up to %d bytes, 0 for %d, or -1 for no cache", c.CacheSize, maxCacheSize, defaultCacheSize)
	}
	if c.CacheSize == 0 {
		c.CacheSize = defaultCacheSize
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.ClientAddress == nil {
		c.ClientAddress = func(req Request) netip.Addr { return req.PeerAddr() }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
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
