package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// One owner with very many sessions does not keep others from signing in.
func TestMemoryFullFair(t *testing.T) {
	t.Parallel()
	const size = 100
	type step struct {
		subject string
		want    error
	}
	for _, row := range []struct {
		name                 string
		mallory, ended, each int // the sessions of mallory, how many of them are ended, and those of each other subject
		steps                []step
		left                 int // the live sessions that mallory has afterwards
	}{
		{"one has all", size, 0, 1, []step{{"mallory", session.ErrFull}, {"alice", nil}, {"bob", nil}, {"mallory", session.ErrFull}, {"alice", nil}}, size - 3},
		{"ended ones first", size, 10, 1, []step{{"alice", nil}, {"bob", nil}}, size - 10},
		{"then live ones", size, 1, 1, []step{{"alice", nil}, {"bob", nil}, {"carol", nil}}, size - 3},
		{"one has half", size / 2, 0, 1, []step{{"alice", nil}, {"mallory", session.ErrFull}, {"user-0", nil}}, size/2 - 2},
		{"one more than others", 2, 0, 1, []step{{"alice", nil}, {"bob", session.ErrFull}, {"mallory", session.ErrFull}}, 1},
		{"two each, one without", 2, 0, 2, []step{{"user-0", session.ErrFull}, {"alice", nil}}, -1},
		{"all the same", 1, 0, 1, []step{{"alice", session.ErrFull}, {"mallory", session.ErrFull}}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, _ := newMemory(size)
			for i := range row.mallory {
				token, err := create(t, m, "mallory", session.Bound{})
				if err != nil {
					t.Fatal(err)
				}
				if i < row.ended {
					if _, err := m.End(t.Context(), token.ID, time.Minute); err != nil {
						t.Fatal(err)
					}
				}
			}
			for i := range size - row.mallory {
				if _, err := create(t, m, fmt.Sprintf("user-%d", i/row.each), session.Bound{}); err != nil {
					t.Fatal(err)
				}
			}
			live := func() map[session.ID]bool {
				all := map[session.ID]bool{}
				for _, r := range listed(t, m, "mallory") {
					all[r.ID] = true
				}
				return all
			}
			before := live()
			told := len(heard(t, m))
			for i, s := range row.steps {
				token, err := create(t, m, s.subject, session.Bound{Max: size + 1, Refuse: true})
				if !errors.Is(err, s.want) {
					t.Errorf("step %d: %s got error %v, want %v", i, s.subject, err, s.want)
				}
				if _, found, _ := m.Find(t.Context(), token.ID); found != (s.want == nil) {
					t.Errorf("step %d: found the session of %s: %v", i, s.subject, found)
				}
			}
			if sessions, _, due, _ := m.Held(); sessions != size || due != size {
				t.Errorf("got %d sessions, %d due, want %d", sessions, due, size)
			}
			if row.left < 0 {
				return // another subject may have lost one
			}
			after := live()
			if len(after) != row.left {
				t.Errorf("mallory has %d live sessions left, want %d", len(after), row.left)
			}
			// The end of a live session is announced.
			for _, r := range heard(t, m)[told:] {
				delete(before, r.Session)
			}
			if len(before) != len(after) {
				t.Errorf("the ends of %d sessions of mallory are not announced", len(before)-len(after))
			}
		})
	}
}

// A Create that creates no session takes no room from others, although the Memory is full.
func TestMemoryFullUnchanged(t *testing.T) {
	t.Parallel()
	const size = 20
	for _, row := range []struct {
		name  string
		again func(alice *session.New) // changes the session of alice for another Create
		bound session.Bound
		want  error
	}{
		{"at a bound that refuses", func(alice *session.New) { *alice, _ = newSession("alice") }, session.Bound{Max: 1, Refuse: true}, session.ErrTooMany},
		{"with the ID of another session", func(alice *session.New) { alice.NonceHash[0]++ }, session.Bound{}, session.ErrTaken},
		{"repeated", func(*session.New) {}, session.Bound{}, nil},
		{"repeated, at a bound that refuses", func(*session.New) {}, session.Bound{Max: 1, Refuse: true}, nil},
	} {
		m, _ := newMemory(size)
		alice, _ := newSession("alice")
		if _, err := m.Create(t.Context(), alice, session.Bound{}); err != nil {
			t.Fatal(err)
		}
		for range size - 1 {
			if _, err := create(t, m, "mallory", session.Bound{}); err != nil {
				t.Fatal(err)
			}
		}
		row.again(&alice)
		if _, err := m.Create(t.Context(), alice, row.bound); !errors.Is(err, row.want) {
			t.Errorf("%s: got error %v; want %v", row.name, err, row.want)
		}
		if got := len(listed(t, m, "mallory")); got != size-1 {
			t.Errorf("%s: mallory has %d sessions left; want %d", row.name, got, size-1)
		}
	}
}

// The session that an owner loses is its oldest one.
func TestMemoryFullOldest(t *testing.T) {
	t.Parallel()
	const size = 20
	m, clock := newMemory(size)
	var tokens []session.ID
	for range size {
		token, err := create(t, m, "mallory", session.Bound{})
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token.ID)
		clock.Advance(time.Millisecond)
	}
	for i := range size / 2 {
		if _, err := create(t, m, fmt.Sprintf("user-%d", i), session.Bound{}); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range tokens {
		if _, found, _ := m.Find(t.Context(), id); found != (i >= size/2) {
			t.Errorf("found session %d, counted from the oldest: %v", i, found)
		}
	}
}

// If many sign in at the same time, none of them is refused, and each takes a session of
// the one who has filled the Memory.
func TestMemoryFullFairRace(t *testing.T) {
	t.Parallel()
	const size, others = 1000, 200
	m, _ := newMemory(size)
	for range size {
		if _, err := create(t, m, "mallory", session.Bound{}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i := range others {
		wg.Go(func() {
			if _, err := create(t, m, fmt.Sprintf("user-%d", i), session.Bound{}); err != nil {
				t.Errorf("user %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := len(listed(t, m, "mallory")); got != size-others {
		t.Errorf("mallory has %d sessions left, want %d", got, size-others)
	}
}

// EndAll ends few sessions under one lock, so that it does not block other owners.
func TestMemoryEndAllInSteps(t *testing.T) {
	t.Parallel()
	const size = 5000
	m, _ := newMemory(0)
	for range size {
		if _, err := create(t, m, "mallory", session.Bound{}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	following, stop := context.WithCancel(t.Context())
	up, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		_ = m.Feed(following, func(r session.Revocation) {
			if r.Session != (session.ID{}) {
				cancel()
			}
		}, func() {
			select {
			case up <- struct{}{}:
			default:
			}
		})
	}()
	defer func() { stop(); <-over }()
	select {
	case <-up:
	case <-time.After(10 * time.Second):
		t.Fatal("the feed is not up to date")
	}
	ended, from, err := m.EndAll(ctx, session.Ending{Owner: ownerOf("mallory"), Remember: time.Minute, Revoke: time.Minute})
	if !errors.Is(err, context.Canceled) || len(ended) == 0 || len(ended) > 300 || from.IsZero() {
		t.Errorf("ended %d sessions from %v, error %v, want a step of few, because the context is done then", len(ended), from, err)
	}
	rest, _, err := m.EndAll(t.Context(), session.Ending{Owner: ownerOf("mallory"), Remember: time.Minute, Revoke: time.Minute})
	if err != nil || len(ended)+len(rest) != size {
		t.Errorf("ended %d sessions afterwards, error %v, want %d", len(rest), err, size-len(ended))
	}
}

// If the clock is set back, sessions are still listed by Created, and EndAll ends all of
// them.
func TestMemoryClockSetBack(t *testing.T) {
	t.Parallel()
	m, clock := newMemory(0)
	for _, step := range []time.Duration{0, time.Second, -30 * time.Second, time.Second, 10 * time.Second} {
		clock.Advance(step)
		if _, err := create(t, m, "alice", session.Bound{}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Advance(-time.Minute)
	list := listed(t, m, "alice")
	for i := 1; i < len(list); i++ {
		if list[i].Created.Before(list[i-1].Created) {
			t.Errorf("listed a session of %v after one of %v", list[i].Created, list[i-1].Created)
		}
	}
	if ended, _, err := m.EndAll(t.Context(), session.Ending{Owner: ownerOf("alice")}); len(ended) != 5 || err != nil {
		t.Errorf("ended %d sessions, error %v, want 5", len(ended), err)
	}
}

func listed(t *testing.T, m *session.Memory, subject string) []session.Record {
	t.Helper()
	list, err := m.List(t.Context(), ownerOf(subject), session.Cursor{}, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
