package jwtgate

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
	// signed first: trouble with the key must not use the refresh token up. And
	// what is stolen ends, whether or not its subject can be loaded.
	after, verdict := session.Step(record, token.Presented(), a.config.Now(), s.policy)
	var access AccessToken
	var refusal *Refusal
	switch {
	case verdict.Good():
		access, refusal = a.renewAccess(ctx, event, st, &after)
	case verdict != session.Stolen:
		refusal = a.verdict(ctx, event, verdict)
	}
	if refusal != nil {
		return Tokens{}, refusal
	}
	record, verdict, err = s.Store.Advance(ctx, token.Presented(), s.policy)
	if err != nil {
		return Tokens{}, a.trouble(ctx, event, err)
	}
	if refusal := a.verdict(ctx, event, verdict); refusal != nil {
		if verdict == session.Stolen {
			a.revokeHere(session.Revocation{Session: token.ID})
		}
		return Tokens{}, refusal
	}
	if access.Token == "" || s.RetireReplaced && record.Generation != after.Generation {
		// The store has another clock, or someone was faster: there is no access
		// token yet, or it says the wrong generation.
		if access, refusal = a.renewAccess(ctx, event, st, &record); refusal != nil {
			return Tokens{}, refusal
		}
	}
	token.Generation = record.Generation
	return a.tokens(access, token, &record), nil
}

// renewAccess returns an access token of the session r for what its subject may
// do now. A subject that is no more ends the session.
func (a *Auth) renewAccess(ctx context.Context, event Event, st step, r *session.Record) (AccessToken, *Refusal) {
	grant, err := a.sessions.Subject(ctx, r.Subject)
	if errors.Is(err, ErrNoSubject) {
		event.Kind = EventDisabled
		if refusal := a.end(ctx, r.ID, event); refusal != nil {
			return AccessToken{}, refusal
		}
		return AccessToken{}, refuse(CodeRefreshRevoked, err)
	}
	if err != nil {
		return AccessToken{}, a.trouble(ctx, event, err)
	}
	grant.Subject = r.Subject
	access, err := a.issue(grant, aboutRecord(r))
	if errors.Is(err, errSessionOver) {
		return AccessToken{}, refuse(CodeRefreshExpired, err)
	}
	if err == nil && st.inCookies {
		err = a.cookies.fits(access)
	}
	if err != nil {
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
