package core

import (
	"context"
	"errors"

	"github.com/jwtgate/jwtgate/core/session"
)

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
