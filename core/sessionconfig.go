package jwtgate

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// SessionConfig turns sign-in on: short access tokens, and refresh tokens that
// rotate, of sessions that can be ended at any time. The zero value of an
// optional field is the safe default.
type SessionConfig struct {
	_ [0]func()

	// Subject returns what subject may do now. It is asked at every login and
	// every refresh, so changed roles take effect with the next access token.
	// [ErrNoSubject] says that subject is gone or disabled: a session of it is
	// ended. Any other error is trouble on this side, and answers 503. The
	// Subject of the Grant may be left empty. It must be safe for concurrent
	// use. Required.
	Subject func(ctx context.Context, subject string) (Grant, error)

	// Store keeps the sessions. Nil means a [session.Memory] of this process,
	// which one log line says: sessions are gone with the process, and no other
	// process knows them.
	Store session.Store

	// Keys are secrets of at least 32 bytes under which refresh tokens are
	// made. The first makes new ones, all are accepted. They have nothing to do
	// with the keys that sign access tokens, and outlive their rotation.
	//
	// If there are none, one is derived from [Config.Keys] where that is a
	// single HMAC key; else a random one is used, which only goes with a
	// [session.Memory]: with any other store it is a mistake to give none.
	Keys [][]byte

	// RefreshTTL is how long a session lives without a refresh. The default is
	// 7 days.
	RefreshTTL time.Duration

	// SessionTTL is how long a session lives at most, and with it its refresh
	// tokens and access tokens. The default is 30 days.
	SessionTTL time.Duration

	// ReuseWindow is how long a refresh token that was just replaced still
	// answers, with the same successor: so that parallel requests and lost
	// answers cost nobody a session. It is at most one minute. The default is
	// 10 seconds. See SingleUse for none.
	ReuseWindow time.Duration

	// SingleUse does away with the ReuseWindow: a refresh token works once, and
	// a client that refreshes twice at once, or misses an answer, is signed out.
	SingleUse bool

	// MaxSessions bounds the live sessions of a subject: a login at the bound
	// ends the oldest. The default is no bound.
	MaxSessions int

	// RefuseAtMax refuses a login at the bound in place of ending a session.
	RefuseAtMax bool

	// AllowList accepts an access token of ours only if its session is live in
	// the store, which is asked on every request. Tokens without sid are refused.
	AllowList bool

	// RetireReplaced refuses the access tokens issued before the current refresh
	// token, once the ReuseWindow is over.
	RetireReplaced bool

	// Jitter shortens the life of each access token by a random part of it, of
	// this length at most, so that clients which signed in together do not
	// refresh together. The default is none.
	Jitter time.Duration

	// Timeout bounds each use of the store and of Subject that changes a
	// session. It goes on when the client hangs up: a rotation is either
	// answered or can be asked for again. The default is 5 seconds.
	Timeout time.Duration

	// MaxLag is how long access tokens are accepted while the store does not say
	// what is revoked. After that they are refused with 503, until it does. It is
	// at least one second. The default is 30 seconds.
	MaxLag time.Duration

	// InsecureAnyLag accepts access tokens however long that lasts. Who signs out
	// on another process meanwhile is not signed out on this one.
	InsecureAnyLag bool

	// Throttle, if not nil, is asked before a password is checked. A wait above
	// zero refuses with 429 and says to come back after it. An error is trouble
	// on this side, and answers 503. It must be safe for concurrent use.
	Throttle func(ctx context.Context, req Request, username string) (wait time.Duration, err error)
}

// ErrNoSubject is what [SessionConfig].Subject returns for a subject that is
// gone or disabled.
var ErrNoSubject = errors.New("jwtgate: the subject is gone or disabled")

const (
	defaultRefreshTTL   = 7 * 24 * time.Hour
	defaultSessionTTL   = 30 * 24 * time.Hour
	defaultReuseWindow  = 10 * time.Second
	maxReuseWindow      = time.Minute
	defaultStoreTimeout = 5 * time.Second
	defaultMaxLag       = 30 * time.Second
	minMaxLag           = time.Second

	// maxSkew is how far the clocks of the processes and of their store may be
	// apart, at most, for what is ended to be remembered long enough.
	maxSkew = time.Minute
)

// sessions is a SessionConfig made ready.
type sessions struct {
	SessionConfig

	codec   *session.Codec
	policy  session.Policy
	revoked revocations
	feed    feed
	flights flights
	grace   time.Duration // how much longer than RefreshTTL the store keeps a session
	stop    context.CancelFunc
	stopped chan struct{}
}

// setSessions makes a's sessions of its configuration. New starts their feed.
func (a *Auth) setSessions(wrong *mistakes) {
	if a.config.Sessions == nil {
		return
	}
	s := &sessions{SessionConfig: *a.config.Sessions, stopped: make(chan struct{})}
	a.sessions = s
	a.config.Sessions = &SessionConfig{} // its secrets are in the codec alone
	field := func(name string) string { return "Sessions." + name }
	if s.Subject == nil {
		wrong.add(field("Subject"), "is nil: give the function that says what a subject may do")
	}
	if a.config.InsecureAnyIssuer && a.config.Issuer == "" || a.config.InsecureAnyAudience && a.config.Audience == "" {
		wrong.add("Sessions", "needs Issuer and Audience for the tokens that it issues: set both")
	}
	if source := a.trusted[0].keys; source != nil && source.held().signer == nil {
		wrong.add("Keys", "has no key that can sign, which Sessions needs: give a secret or a private key")
	}
	s.RefreshTTL = wrong.duration(field("RefreshTTL"), s.RefreshTTL, defaultRefreshTTL)
	s.SessionTTL = wrong.duration(field("SessionTTL"), s.SessionTTL, defaultSessionTTL)
	if s.SessionTTL < time.Second {
		wrong.add(field("SessionTTL"), "is %v: no access token lives for less than a second", s.SessionTTL)
	}
	s.Timeout = wrong.duration(field("Timeout"), s.Timeout, defaultStoreTimeout)
	s.MaxLag = wrong.duration(field("MaxLag"), s.MaxLag, defaultMaxLag)
	if s.MaxLag < minMaxLag {
		wrong.add(field("MaxLag"), "is %v: use at least %v, a store does not say all the time that there is no news", s.MaxLag, minMaxLag)
	}
	s.ReuseWindow = wrong.duration(field("ReuseWindow"), s.ReuseWindow, defaultReuseWindow)
	if s.ReuseWindow > maxReuseWindow {
		wrong.add(field("ReuseWindow"), "is %v: use at most %v, a thief has as long", s.ReuseWindow, maxReuseWindow)
	}
	if s.SingleUse {
		s.ReuseWindow = 0
	}
	if s.MaxSessions < 0 {
		wrong.add(field("MaxSessions"), "is %d: use a number, or 0 for no bound", s.MaxSessions)
	}
	if s.RefuseAtMax && s.MaxSessions == 0 {
		wrong.add(field("RefuseAtMax"), "is set without MaxSessions: set that too")
	}
	if s.Jitter < 0 || s.Jitter > a.config.AccessTTL/2 {
		wrong.add(field("Jitter"), "is %v: use 0 to half of AccessTTL", s.Jitter)
	}
	if a.cookies != nil && a.cookies.ReissueRefresh {
		s.grace = a.config.AccessTTL
	}
	s.policy = session.Policy{
		Idle:        s.RefreshTTL + s.grace,
		ReuseWindow: s.ReuseWindow,
		Remember:    a.config.AccessTTL + a.config.Leeway + maxSkew,
		Retire:      s.RetireReplaced,
	}
	a.setRefreshKeys(s, wrong)
	if s.Store == nil {
		s.Store = session.NewMemory(0, a.config.Now)
	}
}

// setRefreshKeys finds the secrets that refresh tokens are made under.
func (a *Auth) setRefreshKeys(s *sessions, wrong *mistakes) {
	if len(s.Keys) == 0 {
		if key, ok := a.config.Keys.(Key); ok && key.material != nil && key.material.problem == "" {
			if secret, ok := key.material.public().([]byte); ok {
				s.Keys = [][]byte{secret} // the codec derives its own from it
			}
		}
	}
	if len(s.Keys) == 0 {
		if _, memory := s.Store.(*session.Memory); s.Store != nil && !memory {
			wrong.add("Sessions.Keys", "is empty: a store that other processes share, or that outlives this one, needs a secret of at least %d bytes that they share too", session.MinKeySize)
			return
		}
		secret := make([]byte, session.MinKeySize)
		_, _ = rand.Read(secret) // never fails
		s.Keys = [][]byte{secret}
	}
	codec, err := session.NewCodec(s.Keys...)
	if err != nil {
		wrong.add("Sessions.Keys", "%v", err)
	}
	s.codec, s.Keys = codec, nil
}
