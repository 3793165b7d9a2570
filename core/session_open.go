package jwtgate

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/session"
)

// SignIn opens a session for subject, which the application has authenticated by other
// means, such as an OAuth callback or a link in an email. Send the result of
// [Tokens.Response], or, to a browser, of [Tokens.Cookies]. If req has the cookies of
// a session, that session is ended. An error is a [*Refusal], whose Response can be
// sent.
//
// SignIn does not check where req comes from: a callback is a request from another
// site by nature. The application must check that the browser that returns is the one
// that left, or another site can sign a visitor in to an account of its own (login
// CSRF). In an OAuth callback, this is the parameter state, compared with a cookie
// that was set before the redirect to the provider (RFC 6749 §10.12), or PKCE with the
// verifier bound to that browser (RFC 9700 §4.7). For a login form of the application's
// own, [net/http.CrossOriginProtection] does it.
//
// The session has the given lifetime, of which there can be at most one, or that of
// [SessionConfig].
func (a *Auth) SignIn(ctx context.Context, req Request, subject string, lifetime ...Lifetime) (Tokens, error) {
	if a == nil || a.sessions == nil {
		return Tokens{}, refuse(CodeUnavailable, errNoSessions)
	}
	o := opening{userAgent: req.First("User-Agent"), address: a.config.ClientAddress(req), replaces: a.replaced(&req)}
	if len(lifetime) > 0 {
		o.lifetime = lifetime[0]
	}
	tokens, refusal := a.open(ctx, subject, o)
	if refusal != nil {
		return Tokens{}, refusal
	}
	tokens.plainHost = a.plainHost(&req)
	return tokens, nil
}

// An opening is how a session is to be opened.
type opening struct {
	userAgent string
	address   netip.Addr // of the client
	inCookies bool       // its tokens must fit into cookies
	lifetime  Lifetime   // as the login has chosen it
	replaces  credential // the cookies of a session to end; zero for none
}

// replaced returns the cookies in req if they may belong to a session.
func (a *Auth) replaced(req *Request) credential {
	if a.cookies == nil {
		return credential{}
	}
	found, err := a.fromCookies(req)
	if err != nil {
		return credential{}
	}
	return found
}

// open opens a session for subject.
func (a *Auth) open(ctx context.Context, subject string, o opening) (Tokens, *Refusal) {
	s := a.sessions
	ctx, cancel := s.detach(ctx)
	defer cancel()
	lifetime, err := s.lifetime(o.lifetime)
	if err != nil {
		return Tokens{}, a.failed(ctx, Event{Subject: subject}, err)
	}
	renewed := s.revoked.renewedFrom(subject)
	grant, err := s.Subject(ctx, subject)
	if errors.Is(err, ErrNoSubject) {
		return Tokens{}, refuse(CodeInvalidCredentials, err)
	}
	if err != nil {
		return Tokens{}, a.failed(ctx, Event{Subject: subject}, err)
	}
	now := a.config.Now()
	token := refreshtoken.Token{ID: session.NewID(a.owner(subject)), Nonce: refreshtoken.NewNonce()}
	if s.grace > 0 {
		token.Nonce = s.codec.DerivedNonce(token.ID)
	}
	grant.Subject = subject
	// An access token is signed before the session exists, so that an error of the
	// key, or a Grant that is too large, leaves no session behind, and ends none.
	of := sessionClaims{id: token.ID, present: true, authTime: now, limit: now.Add(lifetime.SessionTTL), stored: now}
	access, _, err := a.issue(grant, of)
	if err == nil && o.inCookies {
		err = a.cookies.fits(access)
	}
	if err != nil {
		return Tokens{}, a.failed(ctx, Event{Subject: subject}, err)
	}
	if o.replaces.cookie {
		// The new cookies replace the old ones, so the browser could not end that
		// session later.
		if refusal := a.endByCookies(ctx, o.userAgent, o.replaces); refusal != nil {
			return Tokens{}, refusal
		}
		a.supersedeRenewal(ctx)
	}
	created := a.config.Now()
	record, err := s.Store.Create(ctx, session.New{
		ID:        token.ID,
		Owner:     a.owner(subject),
		NonceHash: token.Nonce.Hash(),
		UserAgent: storedUserAgent(o.userAgent),
		Note:      o.lifetime.note(),
		Idle:      lifetime.RefreshTTL + s.grace,
		Limit:     lifetime.SessionTTL,
		Remember:  s.policy.Remember,
	}, session.Bound{Max: s.MaxSessions, Refuse: s.RefuseAtMax})
	if errors.Is(err, session.ErrTooMany) {
		return Tokens{}, refuse(CodeTooManySessions, err)
	}
	if err != nil {
		return Tokens{}, a.failed(ctx, Event{Subject: subject}, err)
	}
	a.compareClock(ctx, record.Created, created)
	// The one that is sent also says when the session began by the store's clock.
	if latest := s.revoked.renewedFrom(subject); latest.After(renewed) { // the grant has changed since
		renewed = latest
		grant, err = s.Subject(ctx, subject)
		grant.Subject = subject
	}
	of.stored = later(storedAt(&record), renewed)
	var id *Identity
	if err == nil {
		access, id, err = a.issue(grant, of)
	}
	if err == nil && o.inCookies {
		err = a.cookies.fits(access)
	}
	if err != nil {
		_, _ = s.Store.End(ctx, token.ID, s.policy.Remember) // nobody has a token of it
	}
	if errors.Is(err, ErrNoSubject) {
		return Tokens{}, refuse(CodeInvalidCredentials, err)
	}
	if err != nil {
		return Tokens{}, a.failed(ctx, Event{Subject: subject}, err)
	}
	a.tell(ctx, Event{Kind: EventSignedIn, Subject: subject, SessionID: token.ID.String(), UserAgent: record.UserAgent, Address: o.address})
	return a.tokens(access, id, token, &record), nil
}

// owner returns the owner of the sessions of subject at this application.
func (a *Auth) owner(subject string) session.Owner {
	return session.Owner{Issuer: a.config.Issuer, Audience: a.config.Audience, Subject: subject}
}

// tokens returns the tokens of the session r.
func (a *Auth) tokens(access AccessToken, id *Identity, token refreshtoken.Token, r *session.Record) Tokens {
	return Tokens{
		Access:         access,
		Refresh:        a.sessions.codec.Encode(token),
		RefreshExpires: a.sessions.refreshEnd(r),
		SessionID:      token.ID.String(),
		transient:      a.sessions.lifetimeOf(r).Transient,
		auth:           a,
		identity:       id,
	}
}

// failed reports and logs err, an internal error, and returns its refusal. It does
// nothing else if the client has closed the connection.
func (a *Auth) failed(ctx context.Context, event Event, err error) *Refusal {
	code := CodeUnavailable
	event.Kind, event.Err = EventStoreDown, err
	if errors.Is(err, errTooLarge) {
		code, event.Kind = CodeInternal, EventTooLarge
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		a.tell(ctx, event)
		a.logInternal(ctx, err, "subject", event.Subject, "session", event.SessionID)
	}
	return refuse(code, loggedError{err})
}

var errNoSessions = errors.New("jwtgate: Config.Sessions is not set")

// detach returns a context that does not end with the client's connection, and ends
// after s.Timeout.
func (s *sessions) detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
}

// refreshEnd returns when the refresh token of r expires. The session may be kept
// for longer, so that its refresh token can be issued anew. A late answer, which is
// not a rotation, does not extend it: it changes Rotated, but not Idle.
func (s *sessions) refreshEnd(r *session.Record) time.Time {
	end := r.Limit
	if idle := r.Refreshed().Add(s.lifetimeOf(r).RefreshTTL); idle.Before(end) {
		end = idle
	}
	if idle := r.Idle.Add(-s.grace); r.Idle.Before(r.Limit) && idle.Before(end) {
		end = idle
	}
	return end
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

// maxUserAgent is the length of the longest stored User-Agent, in bytes.
const maxUserAgent = 256

// storedUserAgent returns a copy of userAgent that is short, valid UTF-8.
func storedUserAgent(userAgent string) string {
	if len(userAgent) > maxUserAgent {
		userAgent = userAgent[:maxUserAgent]
	}
	if !utf8.ValidString(userAgent) {
		return strings.ToValidUTF8(userAgent, "")
	}
	return strings.Clone(userAgent)
}
