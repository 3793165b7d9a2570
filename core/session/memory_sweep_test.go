package session_test

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// TestMemoryRoomOfNone checks that a Create that adds no session takes no room.
func TestMemoryRoomOfNone(t *testing.T) {
	t.Parallel()
	refuse := session.Bound{Max: 1, Refuse: true}
	for _, row := range []struct {
		name   string
		create func(m *session.Memory, n session.New) error
		want   error
	}{
		{"the same session again", func(m *session.Memory, n session.New) error {
			_, err := m.Create(t.Context(), n, refuse)
			return err
		}, nil},
		{"one too many", func(m *session.Memory, _ session.New) error {
			_, err := create(t, m, "alice", refuse)
			return err
		}, session.ErrTooMany},
	} {
		m, _ := newMemory(2)
		n, _ := newSession("alice")
		if _, err := m.Create(t.Context(), n, refuse); err != nil {
			t.Fatal(err)
		}
		if err := row.create(m, n); !errors.Is(err, row.want) {
			t.Errorf("%s: got %v; want %v", row.name, err, row.want)
		}
		if _, err := create(t, m, "bob", refuse); err != nil {
			t.Errorf("%s: then got %v; want room for another session", row.name, err)
		}
	}
}

// TestMemoryBoundExpired checks that expired sessions that are still in memory do not
// count for a bound.
func TestMemoryBoundExpired(t *testing.T) {
	t.Parallel()
	m, clock := newMemory(0)
	for range 20 {
		if _, err := create(t, m, "alice", session.Bound{}); err != nil {
			t.Fatal(err)
		}
	}
	clock.Advance(time.Hour)
	for i, want := range []error{nil, nil, session.ErrTooMany} {
		if _, err := create(t, m, "alice", session.Bound{Max: 2, Refuse: true}); !errors.Is(err, want) {
			t.Errorf("session %d: got %v; want %v", i, err, want)
		}
	}
}

// TestMemoryConsistent makes many random calls for owners of one shard, and checks after
// each that the maps, lists and heaps of the Memory have the same sessions.
func TestMemoryConsistent(t *testing.T) {
	t.Parallel()
	policy := session.Policy{Idle: 30 * time.Minute, Remember: 10 * time.Minute}
	var subjects []string
	for i := range 10 {
		subjects = append(subjects, neighbour(i))
	}
	random := rand.New(rand.NewPCG(1, 2)) // the same calls in each run
	m, clock := newMemory(50)
	for i := range 5000 {
		subject := subjects[min(random.IntN(10), random.IntN(10))] // some have many sessions
		list := listed(t, m, subject)
		switch call := random.IntN(20); {
		case call < 12 || len(list) == 0:
			if _, err := create(t, m, subject, session.Bound{Max: 20}); err != nil && !errors.Is(err, session.ErrFull) {
				t.Fatal(err)
			}
		case call < 16:
			if live, err := m.End(t.Context(), list[random.IntN(len(list))].ID, policy.Remember); !live || err != nil {
				t.Fatalf("call %d: End got %v, %v; want a live session", i, live, err)
			}
		case call < 19:
			r := list[random.IntN(len(list))]
			presented := session.Presented{ID: r.ID, NonceHash: r.NonceHash, Generation: r.Generation}
			if _, verdict, err := m.Advance(t.Context(), presented, policy); !verdict.Good() || err != nil {
				t.Fatalf("call %d: Advance got verdict %v, %v; want a good one", i, verdict, err)
			}
		default:
			clock.Advance(time.Duration(random.IntN(10)) * time.Minute)
		}
		if err := m.Check(); err != nil {
			t.Fatalf("after call %d: %v", i, err)
		}
	}
}

// TestMemoryLastRace checks two concurrent calls of Create on a full Memory in which an
// owner has one session too many: only one call may take its place.
func TestMemoryLastRace(t *testing.T) {
	t.Parallel()
	subject := "mallory" // in the first shard, so that all others are looked at after it
	for ownerOf(subject).Slot()%session.MemoryShards != 0 {
		subject += "-"
	}
	for range 2000 { // the calls overlap in few of them
		m, _ := newMemory(2)
		for range 2 {
			if _, err := create(t, m, subject, session.Bound{}); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		var errs [2]error
		var ready atomic.Int32
		for i, other := range []string{"alice", "bob"} {
			wg.Go(func() {
				ready.Add(1)
				for ready.Load() < 2 {
					runtime.Gosched()
				}
				_, errs[i] = create(t, m, other, session.Bound{})
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("got %v and %v; want one error", errs[0], errs[1])
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
	}
}
