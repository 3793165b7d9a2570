package jwtgate_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// errBroken is the error of what a test breaks on purpose.
var errBroken = errors.New("broken by the test")

// A faultyStore is a Store that records the names of the methods called, and that
// a test can make fail, before or after the wrapped Store executes the call.
type faultyStore struct {
	session.Store

	// confirms makes Confirm reach the wrapped Store. Otherwise confirmations are lost,
	// so that a test does not depend on the time of a batch.
	confirms bool

	mu     sync.Mutex
	calls  []string
	before func(ctx context.Context, call string) error // if not nil, called before each call; its error is returned instead
	after  func(ctx context.Context, call string) error // the same, after each call
}

// around records call, and runs step between the two hooks. It returns the error
// of a hook.
func (s *faultyStore) around(ctx context.Context, call string, step func()) error {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx, call); err != nil {
			return err
		}
	}
	step()
	if after != nil {
		return after(ctx, call)
	}
	return nil
}

// taken returns the recorded calls, and forgets them.
func (s *faultyStore) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := strings.Join(s.calls, " ")
	s.calls = nil
	return calls
}

// breaks makes all calls of the method call fail with errBroken: before the wrapped
// Store executes them, or after that.
func (s *faultyStore) breaks(call string, after bool) {
	fail := func(_ context.Context, called string) error {
		if called == call {
			return errBroken
		}
		return nil
	}
	if after {
		s.hook(nil, fail)
	} else {
		s.hook(fail, nil)
	}
}

// hook sets the functions that are called before and after each call, and forgets
// the recorded calls. Nil functions are not called.
func (s *faultyStore) hook(before, after func(ctx context.Context, call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after, s.calls = before, after, nil
}

// hangs makes all calls of the method call wait until their context is done.
func (s *faultyStore) hangs(call string) {
	s.hook(func(ctx context.Context, called string) error {
		if called != call {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}, nil)
}

// failAt makes the nth call of the method call fail with errBroken, and all
// later ones.
func (s *faultyStore) failAt(call string, n int) {
	s.hook(func(_ context.Context, called string) error {
		if called == call {
			n--
		}
		if called == call && n <= 0 {
			return errBroken
		}
		return nil
	}, nil)
}

// mend makes the store work again.
func (s *faultyStore) mend() { s.hook(nil, nil) }

func (s *faultyStore) Create(ctx context.Context, n session.New, bound session.Bound) (r session.Record, err error) {
	if fault := s.around(ctx, "Create", func() { r, err = s.Store.Create(ctx, n, bound) }); fault != nil {
		return session.Record{}, fault
	}
	return r, err
}

func (s *faultyStore) Find(ctx context.Context, id session.ID) (r session.Record, found bool, err error) {
	if fault := s.around(ctx, "Find", func() { r, found, err = s.Store.Find(ctx, id) }); fault != nil {
		return session.Record{}, false, fault
	}
	return r, found, err
}

func (s *faultyStore) Advance(ctx context.Context, p session.Presented, policy session.Policy) (r session.Record, v session.Verdict, err error) {
	if fault := s.around(ctx, "Advance", func() { r, v, err = s.Store.Advance(ctx, p, policy) }); fault != nil {
		return session.Record{}, 0, fault
	}
	return r, v, err
}

func (s *faultyStore) Confirm(ctx context.Context, c []session.Confirmation, policy session.Policy) error {
	if !s.confirms {
		return nil
	}
	return s.Store.Confirm(ctx, c, policy)
}

func (s *faultyStore) End(ctx context.Context, id session.ID, remember time.Duration) (live bool, err error) {
	if fault := s.around(ctx, "End", func() { live, err = s.Store.End(ctx, id, remember) }); fault != nil {
		return false, fault
	}
	return live, err
}

func (s *faultyStore) EndAll(ctx context.Context, e session.Ending) (ended []session.ID, from time.Time, err error) {
	if fault := s.around(ctx, "EndAll", func() { ended, from, err = s.Store.EndAll(ctx, e) }); fault != nil {
		return ended, from, fault // some are ended
	}
	return ended, from, err
}

func (s *faultyStore) List(ctx context.Context, owner session.Owner, after session.Cursor, limit int) (records []session.Record, err error) {
	if fault := s.around(ctx, "List", func() { records, err = s.Store.List(ctx, owner, after, limit) }); fault != nil {
		return nil, fault
	}
	return records, err
}

func (s *faultyStore) Revoke(ctx context.Context, r session.Revocation) (err error) {
	if fault := s.around(ctx, "Revoke", func() { err = s.Store.Revoke(ctx, r) }); fault != nil {
		return fault
	}
	return err
}
