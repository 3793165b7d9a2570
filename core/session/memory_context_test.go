package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// doneAfter is a context whose method Err returns nil for a number of calls, and
// context.Canceled after that.
type doneAfter struct {
	context.Context
	calls int
}

func (c *doneAfter) Err() error {
	if c.calls--; c.calls < 0 {
		return context.Canceled
	}
	return nil
}

// TestMemoryContextDone checks that a call with a context that is done returns nothing but
// the error, and announces nothing.
func TestMemoryContextDone(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(0)
	n, token := newSession("alice")
	if _, err := m.Create(t.Context(), n, session.Bound{}); err != nil {
		t.Fatal(err)
	}
	another, _ := newSession("alice")
	for _, row := range []struct {
		name string
		call func(ctx context.Context) (any, error)
		want any
	}{
		{"Create", func(ctx context.Context) (any, error) { return m.Create(ctx, another, session.Bound{}) }, session.Record{}},
		{"Find", func(ctx context.Context) (any, error) { _, found, err := m.Find(ctx, token.ID); return found, err }, false},
		{"End", func(ctx context.Context) (any, error) { return m.End(ctx, token.ID, time.Minute) }, false},
		{"EndAll", func(ctx context.Context) (any, error) {
			_, from, err := m.EndAll(ctx, session.Ending{Owner: n.Owner})
			return from, err
		}, time.Time{}},
		{"EndAll but one", func(ctx context.Context) (any, error) {
			ended, _, err := m.EndAll(ctx, session.Ending{Owner: n.Owner, Except: []session.ID{another.ID}})
			return len(ended), err
		}, 0},
	} {
		if got, err := row.call(&doneAfter{t.Context(), 0}); got != row.want || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, %v; want %v, %v", row.name, got, err, row.want, context.Canceled)
		}
	}
	if got := heard(t, m); len(got) != 0 {
		t.Errorf("heard of %+v; want nothing", got)
	}
}

// TestMemoryCreateInSteps checks that a Create ends very many sessions in steps, and
// returns the error of a context that is done after one of them.
func TestMemoryCreateInSteps(t *testing.T) {
	t.Parallel()
	const size, step = 1000, 256
	m, _ := newMemory(0)
	for range size {
		if _, err := create(t, m, "alice", session.Bound{}); err != nil {
			t.Fatal(err)
		}
	}
	n, _ := newSession("alice")
	r, err := m.Create(&doneAfter{t.Context(), 2}, n, session.Bound{Max: 1})
	if r != (session.Record{}) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v; want %v", r, err, context.Canceled)
	}
	if got := len(listed(t, m, "alice")); got != size-step {
		t.Errorf("got %d live sessions; want %d", got, size-step)
	}
	if _, err := m.Create(t.Context(), n, session.Bound{Max: 1}); err != nil {
		t.Error(err)
	}
	if got := listed(t, m, "alice"); len(got) != 1 || got[0].ID != n.ID {
		t.Errorf("got %d live sessions; want only the new one", len(got))
	}
}

// TestMemoryConfirmEnded checks that a confirmation for a session that was ended announces
// no retirement.
func TestMemoryConfirmEnded(t *testing.T) {
	t.Parallel()
	policy := session.Policy{Idle: time.Hour, Remember: time.Minute, Retire: true}
	m, _ := newMemory(0)
	token, err := create(t, m, "alice", session.Bound{})
	if err != nil {
		t.Fatal(err)
	}
	if _, verdict, err := m.Advance(t.Context(), token.Presented(), policy); verdict != session.Rotated || err != nil {
		t.Fatalf("got verdict %v, %v; want %v", verdict, err, session.Rotated)
	}
	if _, err := m.End(t.Context(), token.ID, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := m.Confirm(t.Context(), []session.Confirmation{{ID: token.ID, Generation: 1}}, policy); err != nil {
		t.Fatal(err)
	}
	if got := heard(t, m); len(got) != 1 || got[0].Generation != 0 {
		t.Errorf("heard of %+v; want only the end of the session", got)
	}
}
