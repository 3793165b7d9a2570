package jwtgate

import (
	"context"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/session"
)

// A rotation is a use of a refresh token.
type rotation struct {
	token     refreshtoken.Token
	userAgent string
	inCookies bool // the new tokens must fit into cookies
	reissue   bool // the session need only be live; its refresh token may have expired
}

// rotate uses a refresh token: it finds the session, calls Subject, signs an access
// token and rotates the refresh token.
func (a *Auth) rotate(ctx context.Context, r rotation) (Tokens, *Refusal) {
	s, token := a.sessions, r.token
	ctx, cancel := s.detach(ctx)
	defer cancel()
	event := Event{SessionID: token.ID.String(), UserAgent: storedUserAgent(r.userAgent)}
	record, found, err := s.Store.Find(ctx, token.ID)
	if err != nil {
		return Tokens{}, a.failed(ctx, event, err)
	}
	if !found {
		return Tokens{}, a.verdict(ctx, event, session.Unknown)
	}
	event.Subject = record.Owner.Subject
	if !r.reissue {
		record.Idle = s.refreshEnd(&record)
	}
	// The outcome is predicted before the store is asked for it. A refusal that no
	// other process and no clock could change needs no further work. For a token that
	// is accepted, the grant is obtained first, so that an error of it does not use up
	// the refresh token. Whether a replaced token is refused is for the store alone
	// to decide, by its own clock.
	_, verdict := session.Step(record, token.Presented(), a.config.Now(), s.policy)
	var grant *Grant
	var refusal *Refusal
	switch verdict {
	case session.Stolen, session.Stale, session.Busy:
	case session.Unknown, session.Expired, session.Revoked, session.Invalid:
		refusal = a.verdict(ctx, event, verdict)
	default:
		grant, refusal = a.currentGrant(ctx, event, &record)
	}
	if refusal != nil {
		return Tokens{}, refusal
	}
	stepped := a.config.Now()
	record, verdict, err = s.Store.Advance(ctx, token.Presented(), s.policy)
	if err != nil {
		return Tokens{}, a.failed(ctx, event, err)
	}
	if refusal := a.verdict(ctx, event, verdict); refusal != nil {
		switch verdict {
		case session.Stolen:
			a.revokeHere(session.Revocation{Session: token.ID})
		case session.Busy:
			refusal.RetryAfter = s.busyFor(&record, a.config.Now())
		}
		return Tokens{}, refusal
	}
	if grant == nil { // the store's clock differs, or a parallel request was faster
		if grant, refusal = a.currentGrant(ctx, event, &record); refusal != nil {
			return Tokens{}, refusal
		}
	}
	// The access token says when the store made the rotation, so it is signed after
	// that. If signing fails, the client has the replaced token, which still answers.
	access, id, refusal := a.renewAccess(ctx, event, r, *grant, &record)
	if refusal != nil {
		return Tokens{}, refusal
	}
	token.Generation = record.Generation
	tokens := a.tokens(access, id, token, &record)
	tokens.stepped = stepped
	return tokens, nil
}

// currentGrant returns what the subject of the session record may do now. If the subject
// no longer exists, the session is ended.
func (a *Auth) currentGrant(ctx context.Context, event Event, record *session.Record) (*Grant, *Refusal) {
	grant, err := a.sessions.Subject(ctx, record.Owner.Subject)
	if errors.Is(err, ErrNoSubject) {
		event.Kind = EventDisabled
		if refusal := a.end(ctx, record.ID, event); refusal != nil {
			return nil, refusal
		}
		return nil, refuse(CodeRefreshRevoked, err)
	}
	grant.Subject = record.Owner.Subject
	if err == nil {
		_, err = a.claims(grant)
	}
	if err != nil {
		return nil, a.failed(ctx, event, err)
	}
	return &grant, nil
}

// renewAccess returns a new access token of the session record for grant.
func (a *Auth) renewAccess(ctx context.Context, event Event, r rotation, grant Grant, record *session.Record) (AccessToken, *Identity, *Refusal) {
	access, id, err := a.issue(grant, sessionClaimsOf(record))
	if errors.Is(err, errSessionOver) {
		return AccessToken{}, nil, refuse(CodeRefreshExpired, err)
	}
	if err == nil && r.inCookies {
		err = a.cookies.fits(access)
	}
	if err != nil {
		return AccessToken{}, nil, a.failed(ctx, event, err)
	}
	return access, id, nil
}

// verdict reports v, and returns its refusal, or nil if the token is accepted.
func (a *Auth) verdict(ctx context.Context, event Event, v session.Verdict) *Refusal {
	code := Code("")
	switch v {
	case session.Rotated:
		event.Kind = EventRotated
	case session.Repeated, session.Reissued, session.Displaced:
		event.Kind = EventRepeated
	case session.Healed:
		event.Kind = EventHealed
		a.config.Logger.WarnContext(ctx, "the session store has lost rotations of a session", "session", event.SessionID)
	case session.Stolen:
		event.Kind, code = EventReused, CodeRefreshReused
		a.config.Logger.WarnContext(ctx, "a replaced refresh token was used again: the session is ended", "session", event.SessionID)
	case session.Invalid:
		event.Kind, code = EventForged, CodeRefreshInvalid
		a.config.Logger.WarnContext(ctx, "a refresh token has a valid MAC but does not match its session: the secret in Sessions.Keys may be known to others", "session", event.SessionID)
	case session.Revoked:
		code = CodeRefreshRevoked
	case session.Stale:
		code = CodeRefreshStale
	case session.Busy:
		return refuse(CodeUnavailable, errBusy)
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

var errBusy = errors.New("jwtgate: the refresh token was replaced, and another late answer must wait")

// busyFor returns when a client whose token was Busy should try again: when
// [session.Step] displaces the successor of its token.
func (s *sessions) busyFor(r *session.Record, now time.Time) time.Duration {
	two := 2 * s.ReuseWindow
	return min(max(r.Rotated.Add(two).Sub(now), time.Second), max(two, time.Second))
}
