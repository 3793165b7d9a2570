package jwtgate_test

import (
	"context"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A seenStore is a Store that keeps the arguments of the last calls.
type seenStore struct {
	session.Store

	created  session.New
	bound    session.Bound
	policy   session.Policy
	remember time.Duration
	ending   session.Ending
	revoked  session.Revocation
}

func (s *seenStore) Create(ctx context.Context, n session.New, bound session.Bound) (session.Record, error) {
	s.created, s.bound = n, bound
	return s.Store.Create(ctx, n, bound)
}

func (s *seenStore) Advance(ctx context.Context, p session.Presented, policy session.Policy) (session.Record, session.Verdict, error) {
	s.policy = policy
	return s.Store.Advance(ctx, p, policy)
}

func (s *seenStore) End(ctx context.Context, id session.ID, remember time.Duration) (bool, error) {
	s.remember = remember
	return s.Store.End(ctx, id, remember)
}

func (s *seenStore) EndAll(ctx context.Context, e session.Ending) ([]session.ID, time.Time, error) {
	s.ending = e
	return s.Store.EndAll(ctx, e)
}

func (s *seenStore) Revoke(ctx context.Context, r session.Revocation) error {
	s.revoked = r
	return s.Store.Revoke(ctx, r)
}
