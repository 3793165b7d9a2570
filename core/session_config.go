package jwtgate

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// SessionConfig configures sessions: short-lived access tokens and rotating refresh
// tokens of sessions that can be ended at any time. The zero value of an optional
// field is the safe default.
type SessionConfig struct {
	_ [0]func()

	// Subject returns what subject may do now. It is called at every login and
	// every refresh, so changed roles take effect with the next access token. It
	// returns [ErrNoSubject] if the subject no longer exists or is disabled, which
	// ends the session. Any other error is an internal error, answered with 503. The
	// Subject of the Grant can be left empty. It must be safe for concurrent use.
	// Required.
	Subject func(ctx context.Context, subject string) (Grant, error)

	// Store keeps the sessions. Nil means a [session.Memory] of this process, which
	// New logs: the sessions end with the process, and other processes do not know
	// them.
	Store session.Store

	// Keys are secrets of at least 32 bytes that protect refresh tokens. The first
	// makes new tokens, all are accepted. They are independent of the keys that sign
	// access tokens, and of their rotation. To replace a secret, list the new one
	// second in every process, then list it first, and remove the old one when the
	// longest session is over.
	//
	// If there are none, and [Config.Keys] is a single HMAC key, a secret is derived
	// from it. Otherwise a random secret is used with a [session.Memory], and it is
	// a mistake to give none with any other store.
	Keys [][]byte

	// RefreshTTL is how long a session lives without a refresh. The default is
	// 7 days.
	RefreshTTL time.Duration

	// SessionTTL is how long a session lives at most, and with it its refresh tokens
	// and access tokens. The default is 30 days.
	SessionTTL time.Duration

	// ReuseWindow is how long a replaced refresh token still answers, with the same
	// successor, so that parallel requests and lost answers do not end a session. It
	// is at most one minute. The default is 10 seconds. To turn it off, set SingleUse.
	ReuseWindow time.Duration

	// SingleUse turns the ReuseWindow off: a refresh token works once. A client that
	// refreshes twice at the same time, or misses an answer, is signed out.
	SingleUse bool

	// MaxSessions bounds the live sessions of a subject. A login at the bound ends
	// the oldest session. The default is no bound.
	MaxSessions int

	// RefuseAtMax refuses a login at the bound instead of ending a session.
	RefuseAtMax bool

	// AllowList accepts an access token of ours only if its session is live in the
	// store, which is read on every request. Tokens without sid are refused.
	AllowList bool

	// RetireReplaced refuses the access tokens that were issued before the current
	// refresh token, once the ReuseWindow is over.
	RetireReplaced bool

	// Jitter shortens the lifetime of each access token by a random duration up to
	// this one, so that clients that signed in together do not refresh together. The
	// default is none.
	Jitter time.Duration

	// Timeout bounds each use of the store and of Subject that changes a session.
	// The work continues when the client closes the connection, so that a rotation
	// is never left half done. The default is 5 seconds.
	Timeout time.Duration

	// MaxLag is how long access tokens are accepted while the store does not report
	// what is revoked. After that they are refused with 503 until it does. It is at
	// least one second. The default is 30 seconds.
	MaxLag time.Duration

	// InsecureAnyLag accepts access tokens however long that takes. Sessions ended
	// on another process in the meantime stay valid on this one.
	InsecureAnyLag bool

	// Throttle, if not nil, is called before a password is checked. If it returns a
	// wait above zero, the login is refused with 429 and Retry-After. An error is an
	// internal error, answered with 503. It must be safe for concurrent use.
	Throttle func(ctx context.Context, req Request, username string) (wait time.Duration, err error)
}

// ErrNoSubject is the error of [SessionConfig].Subject for a subject that no longer
// exists or is disabled.
var ErrNoSubject = errors.New("jwtgate: the subject does not exist or is disabled")

const (
	defaultRefreshTTL   = 7 * 24 * time.Hour
	defaultSessionTTL   = 30 * 24 * time.Hour
	defaultReuseWindow  = 10 * time.Second
	maxReuseWindow      = time.Minute
	defaultStoreTimeout = 5 * time.Second
	defaultMaxLag       = 30 * time.Second
	minMaxLag           = time.Second

	// maxSkew is the largest supported difference between the clocks of the
	// processes and of their store. Revocations are kept for that much longer.
	maxSkew = time.Minute
)

// sessions is a checked SessionConfig and the state of the sessions.
type sessions struct {
	SessionConfig

	codec     *refreshtoken.Codec
	policy    session.Policy
	revoked   revocations
	feed      feed
	rotations rotations
	preforked atomic.Bool   // Preforked has logged its error
	grace     time.Duration // how much longer than RefreshTTL the store keeps a session
	stop      context.CancelFunc
	stopped   chan struct{}
}

// newSessions returns the sessions of config, whose Keys are opened as own (nil if
// they have mistakes), and adds the mistakes in its Sessions. Auth.openFeed starts
// their feed.
func newSessions(config *Config, own keyaccess.Keys, wrong *mistakes) *sessions {
	s := &sessions{SessionConfig: *config.Sessions, stopped: make(chan struct{})}
	if config.InsecureAnyIssuer && config.Issuer == "" || config.InsecureAnyAudience && config.Audience == "" {
		wrong.add("Sessions", "needs Issuer and Audience for the tokens that it issues: set both")
	}
	if own != nil && !own.Current().CanSign() {
		wrong.add("Keys", "has no key that can sign, which Sessions needs: give a secret or a private key")
	}
	s.check(config.AccessTTL, wrong)
	if config.Cookies != nil && config.Cookies.ReissueRefresh {
		s.grace = config.AccessTTL
	}
	s.policy = session.Policy{
		Idle:        s.RefreshTTL + s.grace,
		ReuseWindow: s.ReuseWindow,
		Remember:    config.AccessTTL + config.Leeway + maxSkew,
		Retire:      s.RetireReplaced,
	}
	s.codec = newCodec(config, own, wrong)
	s.Keys = nil
	if s.Store == nil {
		s.Store = session.NewMemory(0, config.Now)
	}
	return s
}

// check sets the defaults of s and adds the mistakes in it.
func (s *sessions) check(accessTTL time.Duration, wrong *mistakes) {
	add := func(field, reason string, args ...any) { wrong.add("Sessions."+field, reason, args...) }
	duration := func(field string, d, byDefault time.Duration) time.Duration {
		return wrong.duration("Sessions."+field, d, byDefault)
	}
	if s.Subject == nil {
		add("Subject", "is nil: set it to the function that returns what a subject may do")
	}
	s.RefreshTTL = duration("RefreshTTL", s.RefreshTTL, defaultRefreshTTL)
	s.SessionTTL = duration("SessionTTL", s.SessionTTL, defaultSessionTTL)
	if s.SessionTTL < time.Second {
		add("SessionTTL", "is %v: use at least a second, the shortest lifetime of an access token", s.SessionTTL)
	}
	s.Timeout = duration("Timeout", s.Timeout, defaultStoreTimeout)
	s.MaxLag = duration("MaxLag", s.MaxLag, defaultMaxLag)
	if s.MaxLag < minMaxLag {
		add("MaxLag", "is %v: use at least %v, because a store reports only about twice a second", s.MaxLag, minMaxLag)
	}
	s.ReuseWindow = duration("ReuseWindow", s.ReuseWindow, defaultReuseWindow)
	if s.ReuseWindow > maxReuseWindow {
		add("ReuseWindow", "is %v: use at most %v, because a thief has the same time", s.ReuseWindow, maxReuseWindow)
	}
	if s.SingleUse {
		s.ReuseWindow = 0
	}
	if s.MaxSessions < 0 {
		add("MaxSessions", "is %d: use a number above zero, or 0 for no bound", s.MaxSessions)
	}
	if s.RefuseAtMax && s.MaxSessions == 0 {
		add("RefuseAtMax", "is set without MaxSessions: set MaxSessions too")
	}
	if s.Jitter < 0 || s.Jitter > accessTTL/2 {
		add("Jitter", "is %v: use 0 to half of AccessTTL", s.Jitter)
	}
}

// newCodec returns the codec of refresh tokens for config, whose Keys are opened as
// own.
func newCodec(config *Config, own keyaccess.Keys, wrong *mistakes) *refreshtoken.Codec {
	secrets := config.Sessions.Keys
	if _, single := config.Keys.(keys.Key); single && own != nil && len(secrets) == 0 {
		if secret := own.Current().Secret(); secret != nil {
			secrets = [][]byte{secret} // the codec derives keys of its own from it
		}
	}
	if len(secrets) == 0 {
		store := config.Sessions.Store
		if _, memory := store.(*session.Memory); store != nil && !memory {
			wrong.add("Sessions.Keys", "is empty: a store that is shared with other processes, or outlives this one, needs a secret of at least %d bytes that all processes share", refreshtoken.MinKeySize)
			return nil
		}
		secret := make([]byte, refreshtoken.MinKeySize)
		_, _ = rand.Read(secret) // never fails
		secrets = [][]byte{secret}
	}
	codec, err := refreshtoken.New(secrets...)
	if err != nil {
		wrong.add("Sessions.Keys", "%v", err)
	}
	return codec
}
