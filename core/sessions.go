package core

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

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

	// Throttle, if not nil, is asked before a password is checked. A wait above
	// zero refuses with 429 and says to come back after it. An error is trouble
	// on this side, and answers 503. It must be safe for concurrent use.
	Throttle func(ctx context.Context, req Request, username string) (wait time.Duration, err error)
}

// ErrNoSubject is what [SessionConfig].Subject returns for a subject that is
// gone or disabled.
var ErrNoSubject = errors.New("core: the subject is gone or disabled")

const (
	defaultRefreshTTL   = 7 * 24 * time.Hour
	defaultSessionTTL   = 30 * 24 * time.Hour
	defaultReuseWindow  = 10 * time.Second
	maxReuseWindow      = time.Minute
	defaultStoreTimeout = 5 * time.Second

	// minRemember is how long the record of an ended session is kept at least,
	// so that its refresh token is told from one of a session never heard of.
	minRemember = time.Minute

	maxUserAgent = 256
)

// sessions is a SessionConfig made ready.
type sessions struct {
	SessionConfig

	codec   *session.Codec
	policy  session.Policy
	revoked revocations
	flights flights
	grace   time.Duration // how much longer than RefreshTTL the store keeps a session
	stop    context.CancelFunc
	stopped chan struct{}
}

// setSessions makes a's sessions of its configuration, and starts their feed
// only if nothing is wrong.
func (a *Auth) setSessions(wrong *mistakes) {
	if a.config.Sessions == nil {
		return
	}
	s := &sessions{SessionConfig: *a.config.Sessions, stopped: make(chan struct{})}
	a.sessions = s
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
	s.Timeout = wrong.duration(field("Timeout"), s.Timeout, defaultStoreTimeout)
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
		Remember:    max(minRemember, a.config.AccessTTL+a.config.Leeway+time.Second),
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
			if secret, ok := key.material.signing.([]byte); ok {
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

// follow keeps the revocations up to date until ctx is done.
func (a *Auth) follow(ctx context.Context) {
	s := a.sessions
	defer close(s.stopped)
	for ctx.Err() == nil {
		err := s.Store.Feed(ctx, func(r session.Revocation) { s.revoked.add(r, a.config.Now()) })
		if ctx.Err() != nil {
			return
		}
		a.config.Logger.ErrorContext(ctx, "the feed of revocations broke off and is taken up again", "cause", err)
		a.tell(ctx, Event{Kind: EventStoreDown, Err: fmt.Errorf("core: revocation feed: %w", err)})
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// Close stops what New started in the background, and waits for it to end. The
// Auth judges on without news of revocations elsewhere. It is needed where an
// Auth does not live as long as the process.
func (a *Auth) Close() {
	if a != nil && a.sessions != nil {
		a.sessions.stop()
		<-a.sessions.stopped
	}
}

// opening is how a session is to begin.
type opening struct {
	userAgent string
	inCookies bool       // its tokens are to fit into cookies
	replaces  credential // the cookies whose session ends for it; zero for none
}

// begin opens a session for subject.
func (a *Auth) begin(ctx context.Context, subject string, o opening) (Tokens, *Refusal) {
	s := a.sessions
	if s == nil {
		return Tokens{}, refuse(CodeUnavailable, errNoSessions)
	}
	ctx, cancel := s.detach(ctx)
	defer cancel()
	grant, err := s.Subject(ctx, subject)
	if errors.Is(err, ErrNoSubject) {
		return Tokens{}, refuse(CodeInvalidCredentials, err)
	}
	if err != nil {
		return Tokens{}, a.trouble(ctx, Event{Subject: subject}, err)
	}
	now := a.config.Now()
	token := session.Token{ID: session.NewID(subject), Nonce: session.NewNonce()}
	if s.grace > 0 {
		token.Nonce = s.codec.Nonce(token.ID)
	}
	about := about{session: token.ID, hasSession: true, authTime: now, limit: now.Add(s.SessionTTL)}
	grant.Subject = subject
	// Signed before the session exists, so that trouble with the key leaves none behind.
	access, err := a.issue(grant, about)
	if err == nil && o.inCookies {
		err = a.cookies.fits(access)
	}
	if err != nil {
		return Tokens{}, a.trouble(ctx, Event{Subject: subject}, err)
	}
	if o.replaces.cookie {
		// No one could sign out of the old one any more.
		if refusal := a.signOutCookies(ctx, o.replaces); refusal != nil {
			return Tokens{}, refusal
		}
	}
	record, err := s.Store.Create(ctx, session.New{
		ID:        token.ID,
		Subject:   subject,
		NonceHash: token.Nonce.Hash(),
		UserAgent: shorten(o.userAgent),
		Idle:      s.policy.Idle,
		Limit:     s.SessionTTL,
		Remember:  s.policy.Remember,
	}, session.Bound{Max: s.MaxSessions, Refuse: s.RefuseAtMax})
	if errors.Is(err, session.ErrTooMany) {
		return Tokens{}, refuse(CodeTooManySessions, err)
	}
	if err != nil {
		return Tokens{}, a.trouble(ctx, Event{Subject: subject}, err)
	}
	a.tell(ctx, Event{Kind: EventSignedIn, Subject: subject, SessionID: token.ID.String(), UserAgent: record.UserAgent})
	return a.tokens(access, token, &record), nil
}

// step is a use of a refresh token.
type step struct {
	token     session.Token
	userAgent string
	inCookies bool // the new tokens are to fit into cookies
	reissue   bool // the session's own end counts, not that of its refresh token
}

// advance takes st: find the session, load its subject anew, sign an access
// token, rotate.
func (a *Auth) advance(ctx context.Context, st step) (Tokens, *Refusal) {
	s, token := a.sessions, st.token
	ctx, cancel := s.detach(ctx)
	defer cancel()
	event := Event{SessionID: token.ID.String(), UserAgent: shorten(st.userAgent)}
	record, found, err := s.Store.Find(ctx, token.ID)
	if err != nil {
		return Tokens{}, a.trouble(ctx, event, err)
	}
	if !found {
		return Tokens{}, a.verdict(ctx, event, session.Unknown)
	}
	event.Subject = record.Subject
	if !st.reissue {
		record.Idle = s.refreshEnd(&record)
	}
	// What will follow is known before the store is asked to do it. Who is
	// refused without a change costs no more. Who is not gets the access token
	// signed first: trouble with the key must not use the refresh token up.
	after, verdict := session.Step(record, token.Presented(), a.config.Now(), s.policy)
	if !verdict.Good() && verdict != session.Stolen {
		return Tokens{}, a.verdict(ctx, event, verdict)
	}
	grant, err := s.Subject(ctx, record.Subject)
	if errors.Is(err, ErrNoSubject) {
		if refusal := a.end(ctx, record.ID, record.Subject, EventDisabled); refusal != nil {
			return Tokens{}, refusal
		}
		return Tokens{}, refuse(CodeRefreshRevoked, err)
	}
	if err != nil {
		return Tokens{}, a.trouble(ctx, event, err)
	}
	grant.Subject = record.Subject
	access, refusal := a.issueFor(ctx, event, grant, &after)
	if refusal != nil {
		return Tokens{}, refusal
	}
	if st.inCookies {
		if err := a.cookies.fits(access); err != nil {
			return Tokens{}, a.trouble(ctx, event, err)
		}
	}
	record, verdict, err = s.Store.Advance(ctx, token.Presented(), s.policy)
	if err != nil {
		return Tokens{}, a.trouble(ctx, event, err)
	}
	if refusal := a.verdict(ctx, event, verdict); refusal != nil {
		if verdict == session.Stolen {
			a.revokeHere(session.Revocation{Session: record.ID})
		}
		return Tokens{}, refusal
	}
	if record.Generation != after.Generation && s.RetireReplaced {
		// Someone was faster, and the access token says the wrong generation.
		if access, refusal = a.issueFor(ctx, event, grant, &record); refusal != nil {
			return Tokens{}, refusal
		}
	}
	token.Generation = record.Generation
	return a.tokens(access, token, &record), nil
}

// issueFor returns an access token of the session r.
func (a *Auth) issueFor(ctx context.Context, event Event, grant Grant, r *session.Record) (AccessToken, *Refusal) {
	access, err := a.issue(grant, aboutRecord(r))
	switch {
	case errors.Is(err, errSessionOver):
		return AccessToken{}, refuse(CodeRefreshExpired, err)
	case err != nil:
		return AccessToken{}, a.trouble(ctx, event, err)
	}
	return access, nil
}

// verdict tells of v, and returns the refusal that it is, nil if it is good.
func (a *Auth) verdict(ctx context.Context, event Event, v session.Verdict) *Refusal {
	code := Code("")
	switch v {
	case session.Rotated:
		event.Kind = EventRotated
	case session.Repeated, session.Reissued:
		event.Kind = EventRepeated
	case session.Healed:
		event.Kind = EventHealed
		a.config.Logger.WarnContext(ctx, "the session store had lost rotations of a session", "session", event.SessionID)
	case session.Stolen:
		event.Kind, code = EventReused, CodeRefreshReused
		a.config.Logger.WarnContext(ctx, "a replaced refresh token was used again: the session is ended", "session", event.SessionID)
	case session.Invalid:
		event.Kind, code = EventForged, CodeRefreshInvalid
		a.config.Logger.WarnContext(ctx, "a refresh token has a good MAC, but is not of its session: its key may be known", "session", event.SessionID)
	case session.Revoked:
		code = CodeRefreshRevoked
	default: // Unknown, Expired
		code = CodeRefreshExpired
	}
	if event.Kind != "" {
		a.tell(ctx, event)
	}
	if code == "" {
		return nil
	}
	return refuse(code, nil)
}

// end ends one session.
func (a *Auth) end(ctx context.Context, id session.ID, subject string, kind EventKind) *Refusal {
	event := Event{Kind: kind, Subject: subject, SessionID: id.String()}
	live, err := a.sessions.Store.End(ctx, id, a.sessions.policy.Remember)
	if err != nil {
		return a.trouble(ctx, event, err)
	}
	a.revokeHere(session.Revocation{Session: id})
	if live {
		a.tell(ctx, event)
	}
	return nil
}

// revokeHere makes r hold in this process before the store's feed says so.
func (a *Auth) revokeHere(r session.Revocation) {
	now := a.config.Now()
	r.From, r.Until = now, now.Add(a.sessions.policy.Remember)
	a.sessions.revoked.add(r, now)
}

// trouble reports err, which is not the client's doing, and returns the refusal
// that it is to the client.
func (a *Auth) trouble(ctx context.Context, event Event, err error) *Refusal {
	event.Kind, event.Err = EventStoreDown, err
	a.tell(ctx, event)
	return refuse(CodeUnavailable, err)
}

var errNoSessions = errors.New("core: Config.Sessions is not set")

// find looks id up in the store, for as long as one use of it may take.
func (a *Auth) find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	return a.sessions.Store.Find(ctx, id)
}

// detach returns a context that outlives the client's, for as long as one use
// of the store may take.
func (s *sessions) detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
}

// refreshEnd returns when the refresh token of r expires. The session itself
// may be kept for longer, to be reissued one.
func (s *sessions) refreshEnd(r *session.Record) time.Time {
	if idle := r.Used().Add(s.RefreshTTL); idle.Before(r.Limit) {
		return idle
	}
	return r.Limit
}

// jitter returns a random duration up to s.Jitter, in whole seconds.
func (s *sessions) jitter() time.Duration {
	if s.Jitter < time.Second {
		return 0
	}
	n, err := rand.Int(rand.Reader, big.NewInt(int64(s.Jitter/time.Second)+1))
	if err != nil { // never happens: rand.Reader does not fail
		return 0
	}
	return time.Duration(n.Int64()) * time.Second
}

func (a *Auth) tokens(access AccessToken, token session.Token, r *session.Record) Tokens {
	return Tokens{
		Access:         access,
		Refresh:        a.sessions.codec.Encode(token),
		RefreshExpires: a.sessions.refreshEnd(r),
		SessionID:      token.ID.String(),
		auth:           a,
	}
}

// shorten returns a copy of a User-Agent that is fit to be kept.
func shorten(userAgent string) string {
	if len(userAgent) > maxUserAgent {
		userAgent = userAgent[:maxUserAgent]
	}
	if !utf8.ValidString(userAgent) {
		return strings.ToValidUTF8(userAgent, "")
	}
	return strings.Clone(userAgent)
}
