package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

var (
	errTaken = errors.New("another session has the same ID")

	// errMore says that so many sessions have to end first that they end in a
	// transaction of their own.
	errMore = errors.New("there are more sessions to end")
)

// Create implements [session.Store].
func (s *Store) Create(ctx context.Context, n session.New, bound session.Bound) (session.Record, error) {
	r, err := s.create(ctx, n, bound)
	if errors.Is(err, session.ErrTooMany) { // an answer, whether or not ctx is done by now
		return session.Record{}, session.ErrTooMany
	}
	if err != nil && s.dialect.full(err) {
		err = fmt.Errorf("%w: %w", session.ErrFull, err)
	}
	return r, failed(ctx, "create", err)
}

func (s *Store) create(ctx context.Context, n session.New, bound session.Bound) (r session.Record, err error) {
	if bound.Max <= 0 { // nothing to count: the INSERT is a transaction by itself
		err = s.retry(ctx, func() (err error) {
			done, err := s.dialect.writing(ctx)
			if err != nil {
				return err
			}
			defer done()
			r, err = s.insert(ctx, s.db, n, bound)
			return err
		})
		return r, err
	}
	for {
		var more bool
		err = s.transact(ctx, func(tx queryer) (err error) {
			if err := s.dialect.lockOwner(ctx, s, tx, keyOf(n.Owner)); err != nil {
				return err
			}
			r, err = s.insert(ctx, tx, n, bound)
			if more = errors.Is(err, errMore); more {
				return nil
			}
			return err
		})
		if err != nil || !more {
			return r, err
		}
	}
}

// insert creates the session n, and ends the sessions that are too many. If another
// transaction creates the same session at the same time, the INSERT fails, and
// insert is called again.
func (s *Store) insert(ctx context.Context, q queryer, n session.New, bound session.Bound) (session.Record, error) {
	owner := keyOf(n.Owner)
	var clock int64
	var live, exists int
	query, args := "SELECT {clock}, 0, (SELECT COUNT(*) FROM jwtgate_sessions WHERE id = ?)", []any{n.ID[:]}
	if bound.Max > 0 {
		query = `SELECT {clock}, (SELECT COUNT(*) FROM jwtgate_sessions WHERE owner = ? AND ended = 0 AND idle_at > {clock}),
			(SELECT COUNT(*) FROM jwtgate_sessions WHERE id = ?)`
		args = []any{owner[:], n.ID[:]}
	}
	if err := q.QueryRowContext(ctx, s.text(query), args...).Scan(&clock, &live, &exists); err != nil {
		return session.Record{}, err
	}
	now := at(clock)
	if exists > 0 {
		before, _, err := s.read(ctx, q, n.ID, "")
		if err == nil && before.NonceHash != n.NonceHash {
			err = errTaken
		}
		return before.Record, err
	}
	if bound.Max > 0 && live >= bound.Max {
		if bound.Refuse {
			return session.Record{}, session.ErrTooMany
		}
		if err := s.makeRoom(ctx, q, owner, live-bound.Max+1, now, n.Remember); err != nil {
			return session.Record{}, err
		}
	}
	r := session.Record{
		ID: n.ID, Owner: n.Owner, NonceHash: n.NonceHash, UserAgent: n.UserAgent, Note: n.Note,
		Created: now, Idle: at(now.Add(min(n.Idle, n.Limit)).UnixMilli()), Limit: at(now.Add(n.Limit).UnixMilli()),
	}
	_, err := s.exec(ctx, q, `INSERT INTO jwtgate_sessions (version, revision, id, owner, issuer, audience, subject, nonce_hash, user_agent, note,
		generation, parent, late, ended, created_at, rotated_at, used_at, idle_at, limit_at, due_at)
		VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?, 0, 0, ?, ?, ?)`,
		recordVersion, n.ID[:], owner[:], bytes(n.Owner.Issuer), bytes(n.Owner.Audience), bytes(n.Owner.Subject), n.NonceHash[:], bytes(n.UserAgent), int64(n.Note),
		clock, r.Idle.UnixMilli(), r.Limit.UnixMilli(), r.Idle.UnixMilli())
	return r, err
}

// makeRoom ends the excess oldest sessions of an owner. If they are too many for one
// transaction, it ends some, and returns errMore.
func (s *Store) makeRoom(ctx context.Context, tx queryer, owner ownerKey, excess int, now time.Time, remember time.Duration) error {
	_, oldest, err := s.oldest(ctx, tx, owner, session.Cursor{}, at(math.MaxInt64), now, min(excess, endPart))
	if err != nil {
		return err
	}
	if err := s.endPart(ctx, tx, oldest, now, remember); err != nil {
		return err
	}
	if excess > endPart {
		return errMore
	}
	return nil
}
