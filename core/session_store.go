package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// An observedStore is the session store of an Auth: each use of the store is reported
// to the observers, and its failures are logged.
type observedStore struct {
	session.Store

	auth *Auth
}

// maxClockDifference is how much the clocks of this process and of the store can differ
// without a line in the log.
const maxClockDifference = 2 * time.Second

// used reports a use of the store that began at begin, and returns its error.
func (s *observedStore) used(ctx context.Context, operation string, kind outage, begin time.Time, err error) error {
	a := s.auth
	for _, f := range a.observers.storeUse {
		f(ctx, StoreUse{operation, time.Since(begin), err})
	}
	if err == nil {
		a.outages.works(kind)
		return nil
	}
	if errors.Is(err, session.ErrTooMany) { // an answer, not a failure
		return err
	}
	a.outages.failed(ctx, kind, err, "operation", operation)
	return loggedError{err}
}

// checkClock logs it if the clock of the store, which has given the time at to a record
// since begin, differs from that of this process.
func (s *observedStore) checkClock(ctx context.Context, begin, at time.Time) {
	ahead := max(0, at.Sub(s.auth.config.Now()))
	if behind := begin.Truncate(time.Millisecond).Sub(at); behind > 0 { // a store may count in milliseconds
		ahead = -behind
	}
	s.auth.storeAhead.Store(int64(ahead))
	if ahead.Abs() > maxClockDifference {
		s.auth.outages.failed(ctx, outageClock, fmt.Errorf("%w: %v", errStoreClock, ahead.Round(time.Millisecond)))
	}
}

var errStoreClock = errors.New("jwtgate: the clock of the session store is ahead of this process by")

func (s *observedStore) Create(ctx context.Context, n session.New, bound session.Bound) (session.Record, error) {
	begin, now := time.Now(), s.auth.config.Now()
	r, err := s.Store.Create(ctx, n, bound)
	if err == nil {
		s.checkClock(ctx, now, r.Created)
	}
	return r, s.used(ctx, "create", outageWriting, begin, err)
}

func (s *observedStore) Find(ctx context.Context, id session.ID) (session.Record, bool, error) {
	begin := time.Now()
	r, found, err := s.Store.Find(ctx, id)
	return r, found, s.used(ctx, "find", outageReading, begin, err)
}

func (s *observedStore) Advance(ctx context.Context, p session.Presented, policy session.Policy) (session.Record, session.Verdict, error) {
	begin := time.Now()
	r, verdict, err := s.Store.Advance(ctx, p, policy)
	return r, verdict, s.used(ctx, "advance", outageWriting, begin, err)
}

func (s *observedStore) Confirm(ctx context.Context, confirmations []session.Confirmation, policy session.Policy) error {
	begin := time.Now()
	return s.used(ctx, "confirm", outageWriting, begin, s.Store.Confirm(ctx, confirmations, policy))
}

func (s *observedStore) End(ctx context.Context, id session.ID, remember time.Duration) (bool, error) {
	begin := time.Now()
	live, err := s.Store.End(ctx, id, remember)
	return live, s.used(ctx, "end", outageWriting, begin, err)
}

func (s *observedStore) EndAll(ctx context.Context, subject string, remember time.Duration, except ...session.ID) ([]session.ID, error) {
	begin := time.Now()
	ended, err := s.Store.EndAll(ctx, subject, remember, except...)
	return ended, s.used(ctx, "endall", outageWriting, begin, err)
}

func (s *observedStore) List(ctx context.Context, subject string) ([]session.Record, error) {
	begin := time.Now()
	records, err := s.Store.List(ctx, subject)
	return records, s.used(ctx, "list", outageReading, begin, err)
}

func (s *observedStore) Revoke(ctx context.Context, r session.Revocation) error {
	begin := time.Now()
	return s.used(ctx, "revoke", outageWriting, begin, s.Store.Revoke(ctx, r))
}

// Feed reports its use when it ends. Auth.follow logs it.
func (s *observedStore) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	begin := time.Now()
	err := s.Store.Feed(ctx, announce, upToDate)
	for _, f := range s.auth.observers.storeUse {
		f(ctx, StoreUse{"feed", time.Since(begin), err})
	}
	return err
}
