package sqlstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// readTimeout is how long a reader waits for the first revocation, or for the next
// one.
const readTimeout = 10 * time.Second

var errMissed = errors.New("the database is another one than before, or has lost its latest changes: revocations may have been missed")

// Feed implements [session.Store]. It reads the table of revocations 4 times a
// second; see [Config].PollInterval. Between the reads it holds no connection. It
// returns an error if a read fails.
//
// While it runs, it also removes old rows, if no other process does.
func (s *Store) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	removing, stop := context.WithCancel(ctx)
	var removal sync.WaitGroup
	defer removal.Wait()
	defer stop()
	removal.Go(func() { s.removeOften(removing) })

	tick := time.NewTicker(s.config.PollInterval)
	defer tick.Stop()
	for reader := s.dialect.newReader(); ; {
		if err := s.readOnce(ctx, reader, announce); err != nil {
			return failed(ctx, "feed", err)
		}
		upToDate()
		select {
		case <-ctx.Done():
			return failed(ctx, "feed", ctx.Err())
		case <-tick.C:
		}
	}
}

// readOnce reads new revocations. It returns an error if the database is silent for
// readTimeout.
func (s *Store) readOnce(ctx context.Context, r reader, announce func(session.Revocation)) error {
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(readTimeout, func() { stop(context.DeadlineExceeded) })
	defer silence.Stop()
	err := s.retry(reading, func() error {
		return r.read(reading, s, func(r revocation, now int64) {
			silence.Reset(readTimeout)
			switch {
			case r.unknown != nil:
				s.warnUnknown(ctx, r.unknown)
			case now < r.Until.UnixMilli():
				announce(r.Revocation)
			}
		})
	})
	if cause := context.Cause(reading); err != nil && cause != nil {
		return cause
	}
	return err
}
