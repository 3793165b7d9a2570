package jwtgate

import (
	"context"
	"errors"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// An observedStore is the session store of an Auth: each use of the store is reported
// to the observers, and its failures are logged.
type observedStore struct {
	session.Store

	auth *Auth
}

// used reports a use of the store that began at begin, and returns its error.
func (s *observedStore) used(ctx context.Context, operation string, kind outage, begin time.Time, err error) error {
	a, failure := s.auth, err
	if errors.Is(err, session.ErrTooMany) { // an answer
		failure = nil
	}
	for _, f := range a.observers.storeUse {
		f(ctx, StoreUse{operation, time.Since(begin), failure})
	}
	if failure == nil {
		a.outages.works(kind)
		return err
	}
	a.outages.failed(ctx, kind, err, "operation", operation)
	return loggedError{err}
}

func (s *observedStore) Create(ctx context.Context, n session.New, bound session.Bound) (session.Record, error) {
	begin := time.Now()
	r, err := s.Store.Create(ctx, n, bound)
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

func (s *observedStore) EndAll(ctx context.Context, e session.Ending) ([]session.ID, time.Time, error) {
	begin := time.Now()
	ended, from, err := s.Store.EndAll(ctx, e)
	return ended, from, s.used(ctx, "endall", outageWriting, begin, err)
}

func (s *observedStore) List(ctx context.Context, owner session.Owner, after session.Cursor, limit int) ([]session.Record, error) {
	begin := time.Now()
	records, err := s.Store.List(ctx, owner, after, limit)
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
