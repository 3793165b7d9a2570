package redisstore

import (
	"context"

	"github.com/jwtgate/jwtgate/core/session"
)

// The kinds of revocations, which are also the names of fields in the entries of a
// stream.
const (
	kindSession = "session"
	kindToken   = "token"
	kindSubject = "subject"
)

// Revoke implements [session.Store].
func (s *Store) Revoke(ctx context.Context, r session.Revocation) error {
	slot := s.slotOf(r.Session.Slot())
	kind, name, further := kindSession, r.Session.String(), []any{r.Generation}
	switch {
	case r.Token != "":
		slot = s.slotNamed(r.Token)
		kind, name, further = kindToken, r.Token, nil
	case r.Subject != "":
		slot = s.slotNamed(r.Subject)
		kind, name, further = kindSubject, r.Subject, []any{r.Issuer, r.Renew}
	}
	_, err := s.runReplicated(ctx, step{
		s.scripts.revoke, slot,
		[]string{slot.stream(), slot.origin()},
		append(attempt(kind, name, r.From.UnixMilli(), r.Until.UnixMilli()), further...),
	}, always)
	return failed(ctx, "revoke", err)
}
