package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Find implements [session.Store]. It reads without a lock.
func (s *Store) Find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	var (
		r   row
		now time.Time
	)
	err := s.retry(ctx, func() (err error) {
		r, now, err = s.read(ctx, s.alone(), id, "")
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && r.forgotten(now):
		return session.Record{}, false, nil
	case err != nil:
		return session.Record{}, false, failed(ctx, "find", err)
	}
	return r.Record, true, nil
}

// List implements [session.Store]. It reads without a lock. It passes over sessions
// whose rows were written by a later version of this package.
func (s *Store) List(ctx context.Context, owner session.Owner, after session.Cursor, limit int) ([]session.Record, error) {
	var records []session.Record
	err := s.retry(ctx, func() (err error) {
		records, err = s.list(ctx, owner, after, limit)
		return err
	})
	return records, failed(ctx, "list", err)
}

func (s *Store) list(ctx context.Context, owner session.Owner, after session.Cursor, limit int) ([]session.Record, error) {
	key := keyOf(owner)
	created := milliseconds(after.Created)
	rows, err := s.db.QueryContext(ctx, s.text("SELECT "+columns+` FROM jwtgate_sessions
		WHERE owner = ? AND ended = 0 AND created_at >= ? AND (created_at > ? OR id > ?) AND idle_at > {clock} AND version = ?
		ORDER BY created_at, id LIMIT ?`), key[:], created, created, after.ID[:], recordVersion, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var records []session.Record
	for rows.Next() {
		r, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		records = append(records, r.Record)
	}
	return records, rows.Err()
}

// read returns the session id, and the time of the database. lock is empty, or the
// end of a statement that locks. The error is sql.ErrNoRows if there is no such
// session.
func (s *Store) read(ctx context.Context, q queryer, id session.ID, lock string) (row, time.Time, error) {
	var now int64
	r, err := scan(q.QueryRowContext(ctx, s.text("SELECT {clock}, "+columns+" FROM jwtgate_sessions WHERE id = ?"+lock), id[:]).Scan, &now)
	return r, at(now), err
}

// readAll returns the sessions of confirmations, and the time of the database.
func (s *Store) readAll(ctx context.Context, confirmations []session.Confirmation) (map[session.ID]row, time.Time, error) {
	ids := make([]any, len(confirmations))
	for i := range confirmations {
		ids[i] = confirmations[i].ID[:]
	}
	var found map[session.ID]row
	var now int64
	err := s.retry(ctx, func() error {
		found = make(map[session.ID]row)
		rows, err := s.db.QueryContext(ctx, s.text("SELECT {clock}, "+columns+" FROM jwtgate_sessions WHERE id IN ("+marks(len(ids))+")"), ids...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			r, err := scan(rows.Scan, &now)
			if errors.Is(err, errVersion) {
				s.warnUnknown(ctx, err)
				continue
			}
			if err != nil {
				return err
			}
			found[r.ID] = r
		}
		return rows.Err()
	})
	return found, at(now), err
}

// warnUnknown logs, once, that there are rows that this process cannot read.
func (s *Store) warnUnknown(ctx context.Context, err error) {
	s.unknown.Do(func() {
		s.config.Logger.WarnContext(ctx, "some rows were written by a later version of package sqlstore, and are passed over: update this program", "err", err)
	})
}
