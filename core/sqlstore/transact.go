package sqlstore

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// maxRetry is how long a step is repeated for a caller without a deadline.
	maxRetry = 10 * time.Second

	// The pause before the first repetition of a step, and the longest one.
	minPause = time.Millisecond
	maxPause = 50 * time.Millisecond
)

// transact runs step in a transaction, and commits it. If the database refuses that
// because of a concurrent transaction, transact repeats it.
func (s *Store) transact(ctx context.Context, step func(tx queryer) error) error {
	return s.retry(ctx, func() error {
		done, err := s.dialect.writing(ctx)
		if err != nil {
			return err
		}
		defer done()
		tx, err := s.dialect.begin(ctx, s.db)
		if err != nil {
			return err
		}
		if err := step(tx); err != nil {
			_ = tx.Rollback()
			return err
		}
		return tx.Commit()
	})
}

// execute executes a statement that is a transaction by itself, and returns the
// number of rows that it changed.
func (s *Store) execute(ctx context.Context, statement string, args ...any) (changed int64, err error) {
	err = s.retry(ctx, func() error {
		done, err := s.dialect.writing(ctx)
		if err != nil {
			return err
		}
		defer done()
		changed, err = s.exec(ctx, s.db, statement, args...)
		return err
	})
	return changed, err
}

// alone returns the queryer for the most frequent steps, which are transactions by
// themselves.
func (s *Store) alone() queryer {
	if s.dialect.prepares() {
		return prepared{s.db, s}
	}
	return s.db
}

// exec executes a statement, and returns the number of rows that it changed.
func (s *Store) exec(ctx context.Context, q queryer, statement string, args ...any) (changed int64, err error) {
	result, err := q.ExecContext(ctx, s.text(statement), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// retry calls step again for as long as its error is one that a repetition can
// avoid, and ctx is not done. A step that failed has changed nothing then.
func (s *Store) retry(ctx context.Context, step func() error) error {
	start := time.Now()
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := step()
		if err == nil || !s.dialect.again(err) || time.Since(start) > maxRetry {
			return err
		}
		// Callers that met once should not meet again.
		timer := time.NewTimer(pause/2 + rand.N(pause)) //nolint:gosec // a guess gains nothing
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// time returns the time of the database.
func (s *Store) time(ctx context.Context) (now time.Time, err error) {
	err = s.retry(ctx, func() error {
		now, err = s.now(ctx, s.db)
		return err
	})
	return now, err
}

// now is time in a transaction.
func (s *Store) now(ctx context.Context, q queryer) (time.Time, error) {
	var now int64
	err := q.QueryRowContext(ctx, s.text("SELECT {clock}")).Scan(&now)
	return at(now), err
}
