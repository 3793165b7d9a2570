package sqlstore

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	// removalInterval is the time between two removals of old rows, by whatever
	// process.
	removalInterval = time.Minute

	// removalPart is how many rows of a table are removed in one transaction.
	removalPart = 100

	// keepRevocations is how long a revocation is kept after it was written, even if
	// its time is over, and after a later one was written. A reader compares the
	// latest revocation that it has read with the table; see mysqlReader.
	keepRevocations = time.Minute
)

// RemoveExpired removes the rows of sessions that are forgotten and of revocations
// whose time is over. It does so in parts, each in a transaction of its own, so that
// no other call waits for long. It does nothing if another process is removing rows,
// or has removed some within the last minute.
//
// Feed calls RemoveExpired about once a minute, so programs have no need to.
func (s *Store) RemoveExpired(ctx context.Context) error {
	task, err := s.takeRemoval(ctx, "AND value <= {clock}")
	for more := true; err == nil && task && more; {
		var sessions, revocations bool
		if sessions, err = s.removeSessions(ctx); err != nil {
			break
		}
		if revocations, err = s.removeRevocations(ctx); err != nil {
			break
		}
		if more = sessions || revocations; more {
			_, err = s.takeRemoval(ctx, "")
		}
	}
	return failed(ctx, "remove expired", err)
}

// removeOften calls RemoveExpired now and then, until ctx is done.
func (s *Store) removeOften(ctx context.Context) {
	for {
		timer := time.NewTimer(removalInterval/2 + rand.N(removalInterval)) //nolint:gosec // a guess gains nothing
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if err := s.RemoveExpired(ctx); err != nil && ctx.Err() == nil {
			s.config.Logger.WarnContext(ctx, "old sessions and revocations are not removed: a later attempt follows", "err", err)
		}
	}
}

// takeRemoval gives this process the task of the removal for a minute, if the row of
// the task fulfills a condition.
func (s *Store) takeRemoval(ctx context.Context, condition string) (bool, error) {
	taken, err := s.execute(ctx, "UPDATE jwtgate_state SET value = {clock} + ? WHERE name = 'removal' "+condition, removalInterval.Milliseconds())
	return taken > 0, err
}

// removeSessions removes some sessions whose time to be forgotten has come. It
// reports whether there may be more. A rotation does not change when a row is due,
// so removeSessions first makes rows due later whose sessions are still live.
func (s *Store) removeSessions(ctx context.Context) (more bool, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		now, err := s.now(ctx, tx)
		if err != nil {
			return err
		}
		ids, err := s.keys(ctx, tx, "SELECT id FROM jwtgate_sessions WHERE due_at <= ? ORDER BY due_at LIMIT ?"+s.dialect.forUpdate(), now.UnixMilli(), removalPart)
		if err != nil || len(ids) == 0 {
			return err
		}
		more = len(ids) == removalPart
		args := append([]any{int(session.Live), now.UnixMilli()}, ids...)
		in := "id IN (" + marks(len(ids)) + ")"
		if _, err := s.exec(ctx, tx, "UPDATE jwtgate_sessions SET revision = revision + 1, due_at = idle_at WHERE ended = ? AND idle_at > ? AND "+in, args...); err != nil {
			return err
		}
		_, err = s.exec(ctx, tx, "DELETE FROM jwtgate_sessions WHERE due_at <= ? AND "+in, args[1:]...)
		return err
	})
	return more, err
}

// removeRevocations removes some revocations whose time is over. It reports whether
// there may be more.
func (s *Store) removeRevocations(ctx context.Context) (more bool, err error) {
	err = s.transact(ctx, func(tx queryer) error {
		seqs, err := s.keys(ctx, tx, `SELECT seq FROM jwtgate_revocations WHERE until_at <= {clock}
			AND seq < (SELECT MAX(seq) FROM jwtgate_revocations WHERE written_at <= {clock} - ?)
			ORDER BY until_at LIMIT ?`, keepRevocations.Milliseconds(), removalPart)
		if err != nil || len(seqs) == 0 {
			return err
		}
		more = len(seqs) == removalPart
		_, err = s.exec(ctx, tx, "DELETE FROM jwtgate_revocations WHERE seq IN ("+marks(len(seqs))+")", seqs...)
		return err
	})
	return more, err
}

// keys returns the values in the only column of a query.
func (s *Store) keys(ctx context.Context, q queryer, query string, args ...any) ([]any, error) {
	rows, err := q.QueryContext(ctx, s.text(query), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var keys []any
	for rows.Next() {
		var key any
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}
