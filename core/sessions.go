package jwtgate

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jwtgate/jwtgate/core/session"
)

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
		if refusal := a.signOutCookies(ctx, o.userAgent, o.replaces); refusal != nil {
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

// end ends the session id, and tells of it as event.
func (a *Auth) end(ctx context.Context, id session.ID, event Event) *Refusal {
	s := a.sessions
	event.SessionID = id.String()
	live, err := s.Store.End(ctx, id, s.policy.Remember)
	if err != nil {
		return a.trouble(ctx, event, err)
	}
	if live {
		a.revokeHere(session.Revocation{Session: id})
		a.tell(ctx, event)
		return nil
	}
	// The store may have lost it, and other processes still accept its tokens.
	return a.revoke(ctx, session.Revocation{Session: id, Until: a.config.Now().Add(s.policy.Remember)})
}

// revoke announces r, from now on, unless that was done before.
func (a *Auth) revoke(ctx context.Context, r session.Revocation) *Refusal {
	s := a.sessions
	now := a.config.Now()
	if s.revoked.covers(r, now) {
		return nil
	}
	r.From = now
	if err := s.Store.Revoke(ctx, r); err != nil {
		return a.trouble(ctx, Event{Subject: r.Subject}, err)
	}
	s.revoked.add(r, now)
	return nil
}

// revokeHere makes r hold in this process before the store's feed says so.
func (a *Auth) revokeHere(r session.Revocation) {
	now := a.config.Now()
	r.From, r.Until = now, now.Add(a.sessions.policy.Remember)
	a.sessions.revoked.add(r, now)
}

// trouble reports err, which is not the client's doing, and returns the refusal
// that it is to the client. A client that went away is no trouble.
func (a *Auth) trouble(ctx context.Context, event Event, err error) *Refusal {
	if !errors.Is(ctx.Err(), context.Canceled) {
		event.Kind, event.Err = EventStoreDown, err
		a.tell(ctx, event)
	}
	return refuse(CodeUnavailable, err)
}

var errNoSessions = errors.New("jwtgate: Config.Sessions is not set")

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

// maxUserAgent is how much of a User-Agent is kept, in bytes.
const maxUserAgent = 256

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
