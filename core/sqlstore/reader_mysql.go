package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// settled is the age of a revocation at which a lower number that is missing can be
// given up, unless it is locked. The server takes a number and inserts its row within
// one statement, which takes less than that.
const settled = 10_000 // milliseconds

// newReader returns a reader. The numbers of revocations become visible out of
// order: a transaction that takes a number first can commit last. The reader has a
// floor, below which there are no more new rows, and reads everything above it again
// each time. The floor rises as long as no number is missing.
//
// A missing number is one of a transaction that is still running, for whatever time,
// or of one that was rolled back. The rows of the former are locked. So once the
// rows after the missing one are settled, the reader tries to lock everything up to
// there: if that succeeds and shows nothing new, the floor rises to there.
func (mysql) newReader() reader { return &mysqlReader{} }

type mysqlReader struct {
	floor revocation     // the one at the floor; its number is 0 at first
	seen  map[int64]bool // the numbers above the floor that were announced
}

func (r *mysqlReader) read(ctx context.Context, s *Store, pass func(r revocation, now int64)) error {
	var top revocation // the last one that is settled
	first := r.floor
	rows, err := s.db.QueryContext(ctx, s.text("SELECT {clock}, "+revocationColumns+" FROM jwtgate_revocations r WHERE r.seq >= ? ORDER BY r.seq"), first.seq)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	found := first.seq == 0
	for rows.Next() {
		var now int64
		next, _, err := scanRevocation(rows.Scan, &now)
		if err != nil {
			return fmt.Errorf("a revocation: %w", err)
		}
		if next.seq == first.seq {
			// A server that lost its latest changes uses their numbers again.
			found = next.written == first.written
			continue
		}
		if !r.seen[next.seq] {
			pass(next, now)
		}
		r.note(next)
		if now-next.written >= settled {
			top = next
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !found {
		return errMissed // the removal of old rows leaves the row at the floor alone
	}
	if top.seq <= r.floor.seq {
		return nil
	}
	return r.settle(ctx, s, top)
}

// note remembers that next was announced. If it is the one after the floor, the
// floor rises.
func (r *mysqlReader) note(next revocation) {
	if next.seq == r.floor.seq+1 {
		r.floor = next
		delete(r.seen, next.seq)
		return
	}
	if r.seen == nil {
		r.seen = make(map[int64]bool)
	}
	r.seen[next.seq] = true
}

// settle raises the floor to top, if no transaction can add a row below it.
func (r *mysqlReader) settle(ctx context.Context, s *Store, top revocation) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}) // locks no gaps
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	seqs, err := s.keys(ctx, tx, "SELECT seq FROM jwtgate_revocations WHERE seq > ? AND seq <= ? FOR UPDATE NOWAIT", r.floor.seq, top.seq)
	if is(err, lockWaitTimeout, nowait) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		if n, ok := seq.(int64); !ok || !r.seen[n] {
			return nil // the next read shows it
		}
	}
	r.floor = top
	for seq := range r.seen {
		if seq <= top.seq {
			delete(r.seen, seq)
		}
	}
	return nil
}
