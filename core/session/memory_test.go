package session_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

var memoryBegin = time.Date(2030, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

func TestMemory(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest {
		clock := jwtgatetest.NewClock(memoryBegin)
		return jwtgatetest.StoreUnderTest{Store: session.NewMemory(0, clock.Now), Pass: clock.Advance}
	})
}

// TestMemoryRealClock runs the suite with a clock that the tests cannot set,
// which is the case for a store on a server.
func TestMemoryRealClock(t *testing.T) {
	t.Parallel()
	jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest {
		return jwtgatetest.StoreUnderTest{Store: session.NewMemory(0, nil)}
	})
}

func newMemory(size int) (*session.Memory, *jwtgatetest.Clock) {
	clock := jwtgatetest.NewClock(memoryBegin)
	return session.NewMemory(size, clock.Now), clock
}

// ownerOf returns the owner of the sessions of subject.
func ownerOf(subject string) session.Owner {
	return session.Owner{Issuer: "https://auth.example", Audience: "https://api.example", Subject: subject}
}

// newSession returns a session of subject that expires after an hour unless it
// is rotated, and its token.
func newSession(subject string) (session.New, refreshtoken.Token) {
	owner := ownerOf(subject)
	token := refreshtoken.Token{ID: session.NewID(owner), Nonce: refreshtoken.NewNonce()}
	return session.New{
		ID: token.ID, Owner: owner, NonceHash: token.Nonce.Hash(),
		Idle: time.Hour, Limit: 24 * time.Hour, Remember: time.Minute,
	}, token
}

func create(tb testing.TB, m *session.Memory, subject string, bound session.Bound) (refreshtoken.Token, error) {
	tb.Helper()
	n, token := newSession(subject)
	_, err := m.Create(tb.Context(), n, bound)
	return token, err
}

// fillUp creates size sessions, each of another subject.
func fillUp(t *testing.T, m *session.Memory, size int) (tokens []refreshtoken.Token) {
	t.Helper()
	for i := range size {
		token, err := create(t, m, fmt.Sprintf("user-%d", i), session.Bound{})
		if err != nil {
			t.Fatalf("create session %d of %d: %v", i, size, err)
		}
		tokens = append(tokens, token)
	}
	return tokens
}

func TestMemoryFull(t *testing.T) {
	t.Parallel()
	const size = 200
	bounded := session.Bound{Max: 1}
	for _, row := range []struct {
		name  string
		do    func(m *session.Memory, clock *jwtgatetest.Clock, alice refreshtoken.Token)
		bound session.Bound
		want  error
	}{
		{"full", func(*session.Memory, *jwtgatetest.Clock, refreshtoken.Token) {}, session.Bound{}, session.ErrFull},
		{"full, at the bound", func(*session.Memory, *jwtgatetest.Clock, refreshtoken.Token) {}, bounded, session.ErrFull},
		{"full, at a bound that refuses", func(*session.Memory, *jwtgatetest.Clock, refreshtoken.Token) {}, session.Bound{Max: 1, Refuse: true}, session.ErrTooMany},
		{"one ended", func(m *session.Memory, _ *jwtgatetest.Clock, alice refreshtoken.Token) {
			_, _ = m.End(t.Context(), alice.ID, time.Minute)
		}, bounded, session.ErrFull},
		{"one forgotten", func(m *session.Memory, clock *jwtgatetest.Clock, alice refreshtoken.Token) {
			_, _ = m.End(t.Context(), alice.ID, time.Minute)
			clock.Advance(time.Minute)
		}, bounded, nil},
		{"just before all expire", func(_ *session.Memory, clock *jwtgatetest.Clock, _ refreshtoken.Token) {
			clock.Advance(time.Hour - time.Millisecond)
		}, bounded, session.ErrFull},
		{"all expired", func(_ *session.Memory, clock *jwtgatetest.Clock, _ refreshtoken.Token) { clock.Advance(time.Hour) }, bounded, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, clock := newMemory(size)
			fillUp(t, m, size-1)
			alice, err := create(t, m, "alice", session.Bound{})
			if err != nil {
				t.Fatalf("create the last one: %v", err)
			}
			row.do(m, clock, alice)
			before, _, _ := m.Find(t.Context(), alice.ID)
			if _, err := create(t, m, "alice", row.bound); !errors.Is(err, row.want) {
				t.Errorf("got error %v, want %v", err, row.want)
			}
			if after, _, _ := m.Find(t.Context(), alice.ID); after != before {
				t.Errorf("got record\n%+v of the one before, want\n%+v", after, before)
			}
		})
	}
}

// Expired sessions make room in every shard, also in shards without calls and
// between live sessions. A session that was refused takes no room.
func TestMemoryRoom(t *testing.T) {
	t.Parallel()
	const size = 2000
	for _, row := range []struct {
		name    string
		rotated int // after half of their lifetime
		idle    time.Duration
		pass    time.Duration
		room    int
	}{
		{"all expired", 0, time.Hour, 30 * time.Minute, size},
		{"most expired", size / 4, time.Hour, 30 * time.Minute, size - size/4},
		{"few expired", size - size/4, time.Hour, 30 * time.Minute, size / 4},
		{"one expired", size - 1, time.Hour, 30 * time.Minute, 1},
		{"none expired", size, time.Hour, 30 * time.Minute, 0},
		{"some expired early", size / 4, time.Minute, time.Minute, size / 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, clock := newMemory(size)
			tokens := fillUp(t, m, size)
			clock.Advance(30 * time.Minute)
			for _, token := range tokens[:row.rotated] {
				_, verdict, err := m.Advance(t.Context(), token.Presented(), session.Policy{Idle: row.idle})
				if verdict != session.Rotated || err != nil {
					t.Fatalf("got verdict %d, error %v, want %d", verdict, err, session.Rotated)
				}
			}
			for range size {
				if _, err := create(t, m, "alice", session.Bound{}); !errors.Is(err, session.ErrFull) {
					t.Fatalf("got error %v, want %v", err, session.ErrFull)
				}
			}
			clock.Advance(row.pass)
			for i := range row.room {
				if _, err := create(t, m, "alice", session.Bound{}); err != nil {
					t.Fatalf("create session %d of %d: %v", i, row.room, err)
				}
			}
			if _, err := create(t, m, "alice", session.Bound{}); !errors.Is(err, session.ErrFull) {
				t.Errorf("got error %v, want %v", err, session.ErrFull)
			}
		})
	}
}

// A Create that finds a Memory full does not remove all expired sessions.
func TestMemoryRoomAtOnce(t *testing.T) {
	t.Parallel()
	const size = 2000
	m, clock := newMemory(size)
	fillUp(t, m, size)
	clock.Advance(time.Hour)
	if _, err := create(t, m, "alice", session.Bound{}); err != nil {
		t.Fatal(err)
	}
	if sessions, _, _, _ := m.Held(); sessions < size*3/4 {
		t.Errorf("got %d sessions left, want most of %d", sessions, size)
	}
}

func TestMemoryFullRace(t *testing.T) {
	t.Parallel()
	const size = 10
	m, _ := newMemory(size)
	var created, refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			switch _, err := create(t, m, fmt.Sprintf("user-%d", i), session.Bound{}); {
			case err == nil:
				created.Add(1)
			case errors.Is(err, session.ErrFull):
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if created.Load() != size || refused.Load() != 200-size {
		t.Errorf("created %d and refused %d, want %d and %d", created.Load(), refused.Load(), size, 200-size)
	}
}

// Calls for a shard remove its expired sessions completely, whatever happened
// to these sessions before.
func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	const size = 400
	policy := session.Policy{Idle: 30 * time.Minute, Remember: time.Minute, Retire: true}
	writes := map[string]func(*testing.T, *session.Memory, refreshtoken.Token){
		"Create": func(t *testing.T, m *session.Memory, _ refreshtoken.Token) {
			_, _ = create(t, m, "alice", session.Bound{Max: 1, Refuse: true})
		},
		"Advance": func(t *testing.T, m *session.Memory, token refreshtoken.Token) {
			_, _, _ = m.Advance(t.Context(), token.Presented(), session.Policy{Idle: time.Hour, ReuseWindow: time.Hour})
		},
	}
	for _, row := range []struct {
		name   string
		become func(t *testing.T, m *session.Memory, i int, token refreshtoken.Token)
	}{
		{"nothing", func(*testing.T, *session.Memory, int, refreshtoken.Token) {}},
		{"rotated", func(t *testing.T, m *session.Memory, _ int, token refreshtoken.Token) {
			_, _, _ = m.Advance(t.Context(), token.Presented(), policy)
		}},
		{"stolen", func(t *testing.T, m *session.Memory, _ int, token refreshtoken.Token) {
			_, _, _ = m.Advance(t.Context(), token.Presented(), policy)
			_, _, _ = m.Advance(t.Context(), token.Presented(), policy)
		}},
		{"some ended", func(t *testing.T, m *session.Memory, i int, token refreshtoken.Token) {
			if i%3 == 0 {
				_, _ = m.End(t.Context(), token.ID, 30*time.Minute)
			}
		}},
		{"all ended", func(t *testing.T, m *session.Memory, i int, _ refreshtoken.Token) {
			_, _, _ = m.EndAll(t.Context(), session.Ending{Owner: ownerOf(neighbour(i)), Remember: time.Minute})
		}},
	} {
		for name, write := range writes {
			t.Run(row.name+", "+name, func(t *testing.T) {
				m, clock := newMemory(0)
				for i := range size {
					n, token := newSession(neighbour(i))
					n.Limit = 45 * time.Minute
					if _, err := m.Create(t.Context(), n, session.Bound{Max: 7}); err != nil {
						t.Fatalf("create session %d: %v", i, err)
					}
					row.become(t, m, i, token)
					if sessions, _, due, _ := m.Held(); sessions != i+1 || due != i+1 {
						t.Fatalf("got %d sessions, %d due, want %d", sessions, due, i+1)
					}
				}
				clock.Advance(45 * time.Minute)
				token, err := create(t, m, "alice", session.Bound{})
				if err != nil {
					t.Fatal(err)
				}
				for range size / 3 { // each call removes more than one session
					write(t, m, token)
				}
				if sessions, owners, due, _ := m.Held(); sessions != 1 || owners != 1 || due != 1 {
					t.Errorf("got %d sessions, %d owners, %d due, want the last one", sessions, owners, due)
				}
			})
		}
	}
}

// neighbour returns one of ten subjects in the same shard as alice.
func neighbour(i int) string {
	for name := range 1 << 20 {
		subject := fmt.Sprintf("neighbour-%d-%d", i%10, name)
		if ownerOf(subject).Slot()%session.MemoryShards == ownerOf("alice").Slot()%session.MemoryShards {
			return subject
		}
	}
	return "alice"
}

func TestMemoryForgetsRevocations(t *testing.T) {
	t.Parallel()
	const size = 10_000
	m, clock := newMemory(0)
	revoke := func(token string, until time.Duration) {
		now := clock.Now()
		r := session.Revocation{Token: token, From: now.Add(time.Hour), Until: now.Add(until)}
		if err := m.Revoke(t.Context(), r); err != nil {
			t.Fatalf("revoke %s: %v", token, err)
		}
	}
	revoke("kept", 24*time.Hour)
	for i := range size {
		revoke(fmt.Sprintf("past-%d", i), time.Minute)
	}
	clock.Advance(time.Minute - time.Millisecond)
	if got := heard(t, m); len(got) != size+1 {
		t.Errorf("heard of %d just before their time, want %d", len(got), size+1)
	}
	clock.Advance(time.Millisecond)
	if got := heard(t, m); len(got) != 1 || got[0].Token != "kept" {
		t.Errorf("heard %+v after their time, want only one that is kept", got)
	}
	for i := range size {
		revoke(fmt.Sprintf("present-%d", i), time.Minute)
	}
	if got := heard(t, m); len(got) != size+1 {
		t.Errorf("heard of %d, want %d", len(got), size+1)
	}
	if _, _, _, got := m.Held(); got > size+4096 {
		t.Errorf("got %d revocations in memory, want not many more than %d", got, size)
	}
}

// heard returns the past revocations that the feed of m announces.
func heard(t *testing.T, m *session.Memory) []session.Revocation {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var heard []session.Revocation
	if err := m.Feed(ctx, func(r session.Revocation) { heard = append(heard, r) }, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	return heard
}

// A Memory copies strings, because the memory of a request may be used again
// after the request.
func TestMemoryCopies(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(0)
	var buffers [][]byte
	borrow := func(s string) string {
		b := []byte(s)
		buffers = append(buffers, b)
		return unsafe.String(&b[0], len(b))
	}
	n, token := newSession("alice")
	n.Owner = session.Owner{Issuer: borrow(n.Owner.Issuer), Audience: borrow(n.Owner.Audience), Subject: borrow(n.Owner.Subject)}
	n.UserAgent = borrow("a browser")
	if _, err := m.Create(t.Context(), n, session.Bound{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.EndAll(t.Context(), session.Ending{Owner: session.Owner{Issuer: borrow("an issuer"), Subject: borrow("bob")}, Revoke: time.Minute}); err != nil {
		t.Fatal(err)
	}
	for _, r := range []session.Revocation{{Token: borrow("a token")}, {Issuer: borrow("another"), Subject: borrow("carol")}} {
		r.Until = memoryBegin.Add(time.Minute)
		if err := m.Revoke(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range buffers {
		for i := range b {
			b[i] = '!'
		}
	}
	list, err := m.List(t.Context(), ownerOf("alice"), session.Cursor{}, 10)
	if err != nil || len(list) != 1 || list[0].ID != token.ID || list[0].Owner != ownerOf("alice") || list[0].UserAgent != "a browser" {
		t.Errorf("got sessions %+v, %v, want the one", list, err)
	}
	var said string
	for _, r := range heard(t, m) {
		said += r.Issuer + " " + r.Subject + r.Token + ";"
	}
	if want := "an issuer bob; a token;another carol;"; said != want {
		t.Errorf("heard of %q, want %q", said, want)
	}
}

// A Memory starts no goroutines, and Feed returns when its context is done.
func TestMemoryGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := session.NewMemory(-1, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := m.Feed(ctx, func(session.Revocation) {}, func() {}); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
				}
			})
		}
		token, err := create(t, m, "alice", session.Bound{})
		if err != nil {
			t.Fatal(err)
		}
		wg.Wait() // an hour, by the clock of the bubble
		if r, found, err := m.Find(t.Context(), token.ID); found || err != nil {
			t.Errorf("found %+v, %v after an hour, want nothing", r, err)
		}
	})
}
