package jwtgate

import (
	"context"

	"github.com/jwtgate/jwtgate/core/session"
)

// EndSession ends the session with the given id on every process. Its access tokens
// are revoked also if the store has lost it. A session that does not exist, or is of
// another application on the same store, is not an error. An error means that the store
// failed.
func (a *Auth) EndSession(ctx context.Context, id string) error {
	if a == nil || a.sessions == nil {
		return errNoSessions
	}
	sid, ok := session.ParseID(id)
	if !ok {
		return nil
	}
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	record, found, err := a.sessions.Store.Find(ctx, sid)
	if err != nil {
		return a.failed(ctx, Event{SessionID: sid.String()}, err)
	}
	if found && record.Owner != a.owner(record.Owner.Subject) {
		return nil
	}
	if refusal := a.end(ctx, sid, Event{Kind: EventEnded}); refusal != nil {
		return refusal
	}
	return nil
}

// EndSessions ends all sessions of subject on every process, except those with the
// given ids. Their access tokens are refused at once on this process, and within a
// moment on others.
//
// Without exceptions, it revokes every access token that was issued to subject before:
// also those of sessions that the store has lost, those that [Auth.Issue] returned, and
// those of other applications with the same Issuer and Store, whose sessions go on.
// With exceptions, these tokens stay valid until they expire, because the store cannot
// tell them from those of the sessions to keep.
//
// An error means that the store failed. Some of the sessions may then be ended. Repeat
// the call to end the others.
func (a *Auth) EndSessions(ctx context.Context, subject string, except ...string) error {
	if a == nil || a.sessions == nil {
		return errNoSessions
	}
	var spared []session.ID
	for _, text := range except {
		if id, ok := session.ParseID(text); ok {
			spared = append(spared, id)
		}
	}
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	if refusal := a.endAll(ctx, Event{Kind: EventEndedAll, Subject: subject}, spared...); refusal != nil {
		return refusal
	}
	return nil
}

// end ends the session id and reports event.
func (a *Auth) end(ctx context.Context, id session.ID, event Event) *Refusal {
	s := a.sessions
	event.SessionID = id.String()
	live, err := s.Store.End(ctx, id, s.policy.Remember)
	if err != nil {
		return a.failed(ctx, event, err)
	}
	if live {
		a.revokeHere(session.Revocation{Session: id})
		a.tell(ctx, event)
		return nil
	}
	// The store may have lost the session, and other processes still accept its tokens.
	return a.revoke(ctx, session.Revocation{Session: id, Until: a.config.Now().Add(s.policy.Remember)})
}

// endAll ends the sessions of event's subject except those in spared, and reports
// event.
func (a *Auth) endAll(ctx context.Context, event Event, spared ...session.ID) *Refusal {
	s := a.sessions
	e := session.Ending{
		Owner:    a.owner(event.Subject),
		Except:   spared,
		Remember: s.policy.Remember,
		Revoke:   s.revoke,
	}
	ended, from, err := s.Store.EndAll(ctx, e)
	for _, id := range ended {
		a.revokeHere(session.Revocation{Session: id})
	}
	if err != nil {
		return a.failed(ctx, event, err)
	}
	if len(spared) == 0 {
		now := a.config.Now()
		r := session.Revocation{Issuer: e.Owner.Issuer, Subject: e.Owner.Subject, From: from, Until: now.Add(e.Revoke)}
		s.revoked.add(r, now)
	}
	a.tell(ctx, event)
	return nil
}

// revokeToken revokes the token of id until it has expired.
func (a *Auth) revokeToken(ctx context.Context, id *Identity) *Refusal {
	if id.claims.ID == "" {
		return nil // a token without jti cannot be named
	}
	return a.revoke(ctx, session.Revocation{Token: tokenName(id), Until: id.Expires().Add(a.leeway + maxSkew)})
}

// revoke announces r from now on, unless it is announced already.
func (a *Auth) revoke(ctx context.Context, r session.Revocation) *Refusal {
	s := a.sessions
	now := a.config.Now()
	if s.revoked.covers(r, now) {
		return nil
	}
	r.From = now
	if err := s.Store.Revoke(ctx, r); err != nil {
		return a.failed(ctx, Event{Subject: r.Subject}, err)
	}
	s.revoked.add(r, now)
	return nil
}

// revokeHere applies r in this process, before the store's feed announces it.
func (a *Auth) revokeHere(r session.Revocation) {
	now := a.config.Now()
	r.From, r.Until = now, now.Add(a.sessions.policy.Remember)
	a.sessions.revoked.add(r, now)
}
