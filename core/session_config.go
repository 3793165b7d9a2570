package jwtgate

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
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

	// Subject returns the roles, scopes and further claims of subject. It is called
	// at every login and every refresh, so changed roles take effect with the next
	// access token. It returns [ErrNoSubject] if the subject no longer exists or is
	// disabled, which ends the session. Any other error is an internal error,
	// answered with 503. The Subject of the Grant can be left empty. The function
	// must be safe for concurrent use. Required.
	Subject func(ctx context.Context, subject string) (Grant, error)

	// Store keeps the sessions. If it is nil, they are kept in a [session.Memory]: they
	// end with the process, and other processes do not know them. [New] logs that.
	Store session.Store

	// Keys are secrets of at least 32 bytes that protect refresh tokens. The first
	// makes new tokens, all are accepted. A refresh token is valid for the Issuer and
	// the Audience of the [Config] only, even if another application has the same
	// secrets and the same Store. The secrets are independent of the keys that sign
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

	// ReuseWindow is how long a replaced refresh token still answers after its
	// replacement, and after the first use of its successor, so that parallel requests
	// do not end a session. All answers have the same successor. While the successor
	// is unused, its answer may have been lost, and the replaced token answers at any
	// time. Three ReuseWindows after the first use, its use ends the session as
	// stolen. It is a second to a minute. The default is 10 seconds. To turn it off,
	// set SingleUse.
	ReuseWindow time.Duration

	// SingleUse turns the ReuseWindow off: a replaced refresh token answers only until
	// its successor is used, and its use ends the session from then on. A client that
	// refreshes twice at the same time can be signed out.
	SingleUse bool

	// MaxSessions bounds the live sessions of a subject, so that one account cannot
	// fill the store. A login at the bound ends the oldest session. The default is
	// 100; -1 means no bound.
	MaxSessions int

	// RefuseAtMax refuses a login at the bound instead of ending a session.
	RefuseAtMax bool

	// AllowList accepts an access token of ours only if its session is live in the
	// store, which is read on every request. Tokens without sid are refused.
	AllowList bool

	// RetireReplaced refuses the access tokens that were issued before the current
	// refresh token, from a ReuseWindow after the first use of that one or of an
	// access token that was issued with it.
	RetireReplaced bool

	// Jitter shortens the lifetime of each access token by a random duration up to
	// this one, so that clients that signed in together do not refresh together. The
	// default is none.
	Jitter time.Duration

	// Timeout bounds each use of the store and of Subject that changes a session.
	// The work continues when the client closes the connection, so that a rotation
	// is never left half done. The default is 5 seconds.
	//
	// A store whose call fails after more than a fifth of Timeout hangs. From then
	// on, requests that need it are answered 503 at once, until it answers a trial
	// call. There is one a second, and requests that arrive with it wait for it for up
	// to a quarter of a second.
	Timeout time.Duration

	// MaxLag is how long access tokens are accepted while the store does not report
	// revocations. After that they are refused with 503 until the store reports
	// again. It is at least one second. The default is 30 seconds.
	MaxLag time.Duration

	// InsecureAnyLag accepts access tokens however long the store does not report
	// revocations. Sessions ended on another process in the meantime stay valid on
	// this one.
	InsecureAnyLag bool

	// Limiter bounds how often passwords can be guessed at [Auth.Login] and
	// [Auth.Token]. Use a [PasswordLimiter], or a [LoginLimiter] of your own whose
	// counts all processes share. The default is no bound.
	Limiter LoginLimiter
}

// ErrNoSubject is the error of [SessionConfig].Subject for a subject that no longer
// exists or is disabled.
var ErrNoSubject = errors.New("jwtgate: the subject does not exist or is disabled")

const (
	defaultRefreshTTL   = 7 * 24 * time.Hour
	defaultSessionTTL   = 30 * 24 * time.Hour
	defaultReuseWindow  = 10 * time.Second
	minReuseWindow      = time.Second
	maxReuseWindow      = time.Minute
	defaultMaxSessions  = 100
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

	codec         *refreshtoken.Codec
	policy        session.Policy
	revoked       revocations
	feed          feed
	breaker       *breaker // nil if the store is in memory
	rotations     rotations
	confirmations confirmations
	preforked     atomic.Bool   // Preforked has logged its error
	grace         time.Duration // how much longer than RefreshTTL the store keeps a session
	revoke        time.Duration // how long the revocation of a subject is kept
	stop          context.CancelFunc
	stopped       chan struct{}
}

// newSessions returns the sessions of config, whose Keys are opened as own (nil if
// they have mistakes), and adds the mistakes in its Sessions. Auth.openFeed starts
// their feed.
func newSessions(config *Config, own keyaccess.Keys, outages *outages, wrong *mistakes) *sessions {
	s := &sessions{SessionConfig: *config.Sessions, stopped: make(chan struct{}), confirmations: newConfirmations()}
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
	s.revoked.issuer = config.Issuer
	s.policy = session.Policy{
		Idle:        s.RefreshTTL + s.grace,
		ReuseWindow: s.ReuseWindow,
		Remember:    config.AccessTTL + config.Leeway + maxSkew,
		Retire:      s.RetireReplaced,
	}
	// A sum of durations could overflow.
	further := config.Leeway + maxSkew
	s.revoke = min(config.MaxLifetime, math.MaxInt64-further) + further
	s.codec = newCodec(config, own, wrong)
	s.Keys = nil
	if s.Store == nil {
		s.Store = session.NewMemory(0, config.Now)
	}
	if s.breaker = newBreaker(s.Store, s.Timeout, outages); s.breaker != nil {
		s.Store = s.breaker
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
	if s.ReuseWindow < minReuseWindow {
		add("ReuseWindow", "is %v: use at least %v, the time in which all processes learn of a use", s.ReuseWindow, minReuseWindow)
	}
	if s.ReuseWindow > maxReuseWindow {
		add("ReuseWindow", "is %v: use at most %v, because a thief has the same time", s.ReuseWindow, maxReuseWindow)
	}
	if s.SingleUse {
		s.ReuseWindow = 0
	}
	switch {
	case s.MaxSessions == 0:
		s.MaxSessions = defaultMaxSessions
	case s.MaxSessions < -1:
		add("MaxSessions", "is %d: use a number above zero, 0 for %d, or -1 for no bound", s.MaxSessions, defaultMaxSessions)
	case s.MaxSessions == -1:
		if s.RefuseAtMax {
			add("RefuseAtMax", "is set, but MaxSessions is -1, which means no bound: set MaxSessions to the bound")
		}
		s.MaxSessions = 0 // no bound in a session.Bound
	}
	if limiter, ours := s.Limiter.(*PasswordLimiter); ours {
		limiter.check(wrong)
	}
	if s.Jitter < 0 || s.Jitter > accessTTL/2 {
		add("Jitter", "is %v: use 0 to half of AccessTTL", s.Jitter)
	}
}

// newCodec returns the codec of refresh tokens for config, whose Keys are opened as
// own.
func newCodec(config *Config, own keyaccess.Keys, wrong *mistakes) *refreshtoken.Codec {
	secrets := config.Sessions.Keys
	if _, single := config.Keys.(keys.Key); single && len(secrets) == 0 {
		if own == nil {
			return nil // the mistake in Keys comes first: if it is a secret, nothing else is missing
		}
		if secret := own.Current().Secret(); secret != nil {
			secrets = [][]byte{secret} // the codec derives keys of its own from it
		}
	}
	if len(secrets) == 0 {
		store := config.Sessions.Store
		if local, ok := store.(interface{ InProcess() bool }); store != nil && !(ok && local.InProcess()) {
			wrong.add("Sessions.Keys", "is empty: set it to a secret of at least %d bytes that stays the same and that all processes share, because the store is shared with other processes or outlives this one", refreshtoken.MinKeySize)
			return nil
		}
		secret := make([]byte, refreshtoken.MinKeySize)
		_, _ = rand.Read(secret) // never fails
		secrets = [][]byte{secret}
	}
	codec, err := refreshtoken.New(config.Issuer, config.Audience, secrets...)
	if err != nil {
		wrong.add("Sessions.Keys", "%v", err)
	}
	return codec
}
