package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jwtgate/jwtgate/core/session"
)

// revocationVersion is the version of the meaning of the columns of a revocation.
const revocationVersion = 1

// The kinds of revocations.
const (
	kindSession = "session"
	kindToken   = "token"
	kindSubject = "subject"
	kindRenew   = "renew" // of a subject, whose tokens count as expired
)

// Revoke implements [session.Store].
func (s *Store) Revoke(ctx context.Context, r session.Revocation) error {
	if r.From.IsZero() {
		now, err := s.time(ctx)
		if err != nil {
			return failed(ctx, "revoke", err)
		}
		r.From = now
	}
	_, err := s.execute(ctx, announcement, announced(r)...)
	return failed(ctx, "revoke", err)
}

// announce adds r to the table of revocations, where the feeds find it when the
// transaction is committed.
func (s *Store) announce(ctx context.Context, q queryer, r session.Revocation) error {
	_, err := s.exec(ctx, q, announcement, announced(r)...)
	return err
}

const announcement = `INSERT INTO jwtgate_revocations (version, kind, session, generation, token, issuer, subject, from_at, until_at, written_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, {clock})`

// announced returns the parameters of announcement.
func announced(r session.Revocation) []any {
	kind := kindSession
	switch {
	case r.Token != "":
		kind = kindToken
	case r.Subject != "" && r.Renew:
		kind = kindRenew
	case r.Subject != "":
		kind = kindSubject
	}
	return []any{
		revocationVersion, kind, r.Session[:], r.Generation, bytes(r.Token), bytes(r.Issuer), bytes(r.Subject),
		r.From.UnixMilli(), r.Until.UnixMilli(),
	}
}

// A revocation is a row of the table of revocations.
type revocation struct {
	session.Revocation

	seq     int64
	written int64
	unknown error // what this process cannot read, in a row of a later version
}

// revocationColumns are the columns that scanRevocation reads, in this order.
const revocationColumns = "r.seq, r.version, r.kind, r.session, r.generation, r.token, r.issuer, r.subject, r.from_at, r.until_at, r.written_at"

// scanRevocation reads the next values as a revocation. It returns false if they are
// NULL, in an outer join.
func scanRevocation(from func(...any) error, before ...any) (revocation, bool, error) {
	var (
		r                                      revocation
		seq, version, gen, start, end, written sql.NullInt64
		kind, token, issuer, subject           sql.NullString
		id                                     []byte
	)
	if err := from(append(before, &seq, &version, &kind, &id, &gen, &token, &issuer, &subject, &start, &end, &written)...); err != nil {
		return revocation{}, false, err
	}
	r.seq, r.written = seq.Int64, written.Int64
	r.From, r.Until = at(start.Int64), at(end.Int64)
	switch {
	case !seq.Valid:
		return revocation{}, false, nil
	case version.Int64 != revocationVersion:
		r.unknown = fmt.Errorf("version %d of a revocation", version.Int64)
	case kind.String == kindSession && len(id) == len(r.Session):
		copy(r.Session[:], id)
		r.Generation = uint32(gen.Int64) //nolint:gosec // announced writes such numbers
	case kind.String == kindToken:
		r.Token = token.String
	case kind.String == kindSubject, kind.String == kindRenew:
		r.Issuer, r.Subject, r.Renew = issuer.String, subject.String, kind.String == kindRenew
	default:
		r.unknown = fmt.Errorf("a revocation of the kind %q", kind.String)
	}
	return r, true, nil
}
