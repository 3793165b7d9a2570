package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// End implements [session.Store].
func (s *Store) End(ctx context.Context, id session.ID, remember time.Duration) (bool, error) {
	var live bool
	_, found, err := s.change(ctx, id, remember, func(before session.Record, now time.Time) (session.Record, []session.Revocation) {
		after := before
		if live = before.LiveAt(now); live {
			after.Ended = session.SignedOut
		}
		return after, nil
	})
	return live && found && err == nil, failed(ctx, "end", err)
}

// endPart is how many sessions of an owner end in one transaction. For as long as
// that takes, SQLite executes no other transaction.
const endPart = 50

// EndAll implements [session.Store].
func (s *Store) EndAll(ctx context.Context, e session.Ending) ([]session.ID, time.Time, error) {
	var ended []session.ID
	var from time.Time
	until, err := s.time(ctx)
	if err == nil && len(e.Except) == 0 {
		from = until
		_, err = s.execute(ctx, announcement, announced(session.Revocation{
			Issuer: e.Owner.Issuer, Subject: e.Owner.Subject, From: from, Until: from.Add(e.Revoke),
		})...)
	}
	after := session.Cursor{}
	for more := true; more && err == nil; {
		var part []session.ID
		err = s.transact(ctx, func(tx queryer) (err error) {
			now, err := s.now(ctx, tx)
			if err != nil {
				return err
			}
			next, live, err := s.oldest(ctx, tx, keyOf(e.Owner), after, until, now, endPart)
			if err != nil {
				return err
			}
			more = len(live) == endPart
			part = slices.DeleteFunc(live, func(id session.ID) bool { return slices.Contains(e.Except, id) })
			if err := s.endPart(ctx, tx, part, now, e.Remember); err != nil {
				return err
			}
			after = next
			return nil
		})
		if err == nil {
			ended = append(ended, part...)
		}
	}
	return ended, from, failed(ctx, "end all", err)
}

// oldest locks and returns up to limit live sessions of an owner, the oldest first,
// that were created until a time, from the one after the cursor on. It also returns
// the cursor of the last one, or the same cursor if there is none.
func (s *Store) oldest(ctx context.Context, tx queryer, owner ownerKey, after session.Cursor, until, now time.Time, limit int) (session.Cursor, []session.ID, error) {
	created := milliseconds(after.Created)
	rows, err := tx.QueryContext(ctx, s.text(`SELECT created_at, id FROM jwtgate_sessions
		WHERE owner = ? AND ended = 0 AND created_at >= ? AND (created_at > ? OR id > ?) AND created_at <= ? AND idle_at > ?
		ORDER BY created_at, id LIMIT ?`+s.dialect.forUpdate()),
		owner[:], created, created, after.ID[:], until.UnixMilli(), now.UnixMilli(), limit)
	if err != nil {
		return after, nil, err
	}
	defer func() { _ = rows.Close() }()
	var ids []session.ID
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&created, &id); err != nil {
			return after, nil, err
		}
		after = session.Cursor{Created: at(created)}
		copy(after.ID[:], id)
		ids = append(ids, after.ID)
	}
	return after, ids, rows.Err()
}

// endPart ends live sessions, which the transaction has locked, and announces that.
func (s *Store) endPart(ctx context.Context, tx queryer, ids []session.ID, now time.Time, remember time.Duration) error {
	if len(ids) == 0 {
		return nil
	}
	end := now.Add(remember).UnixMilli()
	args := []any{int(session.SignedOut), end}
	for i := range ids {
		args = append(args, ids[i][:])
	}
	if _, err := s.exec(ctx, tx, "UPDATE jwtgate_sessions SET revision = revision + 1, ended = ?, due_at = ? WHERE id IN ("+marks(len(ids))+")", args...); err != nil {
		return err
	}
	_, err := s.exec(ctx, tx, `INSERT INTO jwtgate_revocations (version, kind, session, generation, token, issuer, subject, from_at, until_at, written_at)
		SELECT ?, ?, id, 0, ?, ?, ?, ?, ?, {clock} FROM jwtgate_sessions WHERE id IN (`+marks(len(ids))+") ORDER BY created_at, id",
		append([]any{revocationVersion, kindSession, bytes(""), bytes(""), bytes(""), now.UnixMilli(), end}, args[2:]...)...)
	return err
}
