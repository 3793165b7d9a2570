package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Advance implements [session.Store].
func (s *Store) Advance(ctx context.Context, p session.Presented, policy session.Policy) (session.Record, session.Verdict, error) {
	var verdict session.Verdict
	r, found, err := s.change(ctx, p.ID, policy.Remember, func(before session.Record, now time.Time) (session.Record, []session.Revocation) {
		after, v := session.Step(before, p, now, policy)
		verdict = v
		return after, retirement(p.ID, session.FirstUsed(before, after, v), now, policy)
	})
	if err != nil {
		return session.Record{}, 0, failed(ctx, "advance", err)
	}
	if !found {
		return session.Record{}, session.Unknown, nil
	}
	return r, verdict, nil
}

// confirmPart is how many sessions Confirm reads at once, and changes in one
// transaction.
const confirmPart = 100

// Confirm implements [session.Store].
func (s *Store) Confirm(ctx context.Context, confirmations []session.Confirmation, policy session.Policy) error {
	// All transactions that lock several sessions should lock them in the same
	// order, so that none waits for another that waits for it.
	sorted := slices.SortedFunc(slices.Values(confirmations), func(a, b session.Confirmation) int {
		return slices.Compare(a.ID[:], b.ID[:])
	})
	errs := []error{ctx.Err()}
	for part := range slices.Chunk(sorted, confirmPart) {
		errs = append(errs, s.confirm(ctx, part, policy))
	}
	return failed(ctx, "confirm", errors.Join(errs...))
}

// confirm applies confirmations in one transaction. If a session changes at the same
// time, confirm applies the confirmations of that session afterwards, one by one.
func (s *Store) confirm(ctx context.Context, confirmations []session.Confirmation, policy session.Policy) error {
	rows, now, err := s.readAll(ctx, confirmations)
	if err != nil {
		return err
	}
	type confirmed struct {
		before row
		after  session.Record
		c      session.Confirmation
	}
	var changes []confirmed
	for _, c := range confirmations {
		before := rows[c.ID] // the zero row if there is none, which no confirmation changes
		if after, changed := session.Confirm(before.Record, c, now); changed {
			changes = append(changes, confirmed{before, after, c})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	var missed []session.Confirmation
	err = s.transact(ctx, func(tx queryer) error {
		missed = nil
		for _, change := range changes {
			saved, err := s.save(ctx, tx, change.before, change.after, 0, now, retirement(change.c.ID, change.c.Generation, now, policy))
			if err != nil {
				return err
			}
			if !saved {
				missed = append(missed, change.c)
			}
		}
		return nil
	})
	errs := []error{err}
	for _, c := range missed {
		_, _, err := s.change(ctx, c.ID, 0, func(before session.Record, now time.Time) (session.Record, []session.Revocation) {
			after, changed := session.Confirm(before, c, now)
			if !changed {
				return before, nil
			}
			return after, retirement(c.ID, c.Generation, now, policy)
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// retirement returns the announcement of the first use of generation, if policy asks
// for one. Before the first generation, there is nothing to retire.
func retirement(id session.ID, generation uint32, now time.Time, policy session.Policy) []session.Revocation {
	if !policy.Retire || generation == 0 {
		return nil
	}
	return []session.Revocation{session.Retirement(id, generation, now, policy)}
}

// A decision returns what becomes of a session at the time now, and what to announce
// besides the end of the session.
type decision func(before session.Record, now time.Time) (after session.Record, also []session.Revocation)

// errConflict says that the session has changed since it was read.
var errConflict = errors.New("the session changes all the time")

// change applies decide to the session id. It returns the record after that, and
// false if there is no such session. If the session ends, change announces that, and
// keeps the record for the duration remember.
//
// The first attempt reads the session without a lock, and saves it if nobody has
// changed it since. That takes two statements, each a transaction by itself, and is
// faster than a transaction of four. A session that changes in between has
// concurrent callers: the second attempt locks it first, so that no caller waits for
// more than its turn.
func (s *Store) change(ctx context.Context, id session.ID, remember time.Duration, decide decision) (r session.Record, found bool, err error) {
	attempt := func(q queryer, lock string) error {
		before, now, err := s.read(ctx, q, id, lock)
		if found = err == nil && !before.forgotten(now); !found {
			if errors.Is(err, sql.ErrNoRows) {
				return nil
			}
			return err
		}
		after, also := decide(before.Record, now)
		r = after
		saved, err := s.saveAlone(ctx, q, before, after, remember, now, also)
		if err == nil && !saved {
			return errConflict
		}
		return err
	}
	if err := s.retry(ctx, func() error { return attempt(s.alone(), "") }); !errors.Is(err, errConflict) {
		return r, found, err
	}
	err = s.transact(ctx, func(tx queryer) error { return attempt(tx, s.dialect.forUpdate()) })
	return r, found, err
}

// saveAlone is save, in a transaction of its own if q is not one.
func (s *Store) saveAlone(ctx context.Context, q queryer, before row, after session.Record, remember time.Duration, now time.Time, also []session.Revocation) (saved bool, err error) {
	if after == before.Record && len(also) == 0 {
		return true, nil
	}
	if q != s.alone() {
		return s.save(ctx, q, before, after, remember, now, also)
	}
	if after.Ended == before.Ended && len(also) == 0 { // one statement
		done, err := s.dialect.writing(ctx)
		if err != nil {
			return false, err
		}
		defer done()
		return s.save(ctx, q, before, after, remember, now, nil)
	}
	err = s.transact(ctx, func(tx queryer) error {
		saved, err = s.save(ctx, tx, before, after, remember, now, also)
		return err
	})
	return saved, err
}

// save saves after, which was made of before at the time now, with the announcements
// of its end and of also. It returns false, and saves nothing, if the session has
// changed since it was read.
func (s *Store) save(ctx context.Context, q queryer, before row, after session.Record, remember time.Duration, now time.Time, also []session.Revocation) (bool, error) {
	idle := after.Idle.UnixMilli()
	due := min(before.due, idle) // a rotation does not change it: the removal looks at the row then
	if after.Ended != before.Ended {
		end := now.Add(remember)
		due = end.UnixMilli()
		also = append(also, session.Revocation{Session: after.ID, From: now, Until: end})
	}
	set, args := "", []any{after.Generation, after.Parent, lateBits(&after), milliseconds(after.Rotated), milliseconds(after.Used), idle}
	if after.Ended != before.Ended || due != before.due {
		// Indexes have these columns. A rotation that does not name them writes to no
		// index.
		set, args = ", ended = ?, due_at = ?", append(args, int(after.Ended), due)
	}
	changed, err := s.exec(ctx, q, `UPDATE jwtgate_sessions
		SET revision = revision + 1, generation = ?, parent = ?, late = ?, rotated_at = ?, used_at = ?, idle_at = ?`+set+`
		WHERE id = ? AND revision = ?`, append(args, after.ID[:], before.revision)...)
	if err != nil || changed == 0 {
		return false, err
	}
	for _, r := range also {
		if err := s.announce(ctx, q, r); err != nil {
			return false, err
		}
	}
	return true, nil
}
