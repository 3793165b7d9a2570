package jwtgatetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// patience is how long a test waits for a feed, which takes that long only if
// it is broken.
const patience = 20 * time.Second

// A follower calls Feed, and records what it announces.
type follower struct {
	t      *testing.T
	stop   func() error // ends the feed and returns its error
	mu     sync.Mutex
	heard  []session.Revocation
	known  []int         // for each call of upToDate, the number of revocations heard before
	times  []time.Time   // for each call of upToDate, its time
	more   chan struct{} // closed at the next call
	inside atomic.Int32  // how many calls of the feed are running
}

// follow returns a new follower of the store. Its feed runs until the test ends.
func (s *sessions) follow() *follower {
	f := &follower{t: s.t, more: make(chan struct{})}
	ctx, cancel := context.WithCancel(s.ctx)
	result := make(chan error, 1)
	go func() { result <- s.Store.Feed(ctx, f.hear, f.upToDate) }()
	f.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-result:
			f.inside.Add(1) // a later call of the feed is an error
			return err
		case <-time.After(patience):
			return errors.New("the feed does not end")
		}
	})
	s.t.Cleanup(func() { _ = f.stop() })
	return f
}

func (f *follower) hear(r session.Revocation) {
	f.called(func() { f.heard = append(f.heard, r) })
}

func (f *follower) upToDate() {
	f.called(func() { f.known, f.times = append(f.known, len(f.heard)), append(f.times, time.Now()) })
}

// called runs note for a call of the feed.
func (f *follower) called(note func()) {
	if f.inside.Add(1) != 1 {
		f.t.Errorf("the feed makes a call during another call, or after it has returned")
	}
	defer f.inside.Add(-1)
	f.mu.Lock()
	defer f.mu.Unlock()
	note()
	close(f.more)
	f.more = make(chan struct{})
}

// beats waits until the feed has called upToDate n times. It returns how many
// revocations the feed had announced before the first of these calls.
func (f *follower) beats(n int) int {
	f.t.Helper()
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		known, more := f.known, f.more
		f.mu.Unlock()
		if len(known) >= n {
			return known[0]
		}
		select {
		case <-more:
		case <-timeout:
			f.t.Fatalf("the feed called upToDate %d times within %v, want %d", len(known), patience, n)
		}
	}
}

// find waits until a wanted revocation is announced, and returns the first one.
func (f *follower) find(wanted func(session.Revocation) bool) session.Revocation {
	f.t.Helper()
	r, err := f.await(wanted)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// await is find, but returns an error instead of ending the test.
func (f *follower) await(wanted func(session.Revocation) bool) (session.Revocation, error) {
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		i, more := slices.IndexFunc(f.heard, wanted), f.more
		if i >= 0 {
			defer f.mu.Unlock()
			return f.heard[i], nil
		}
		f.mu.Unlock()
		select {
		case <-more:
		case <-timeout:
			return session.Revocation{}, fmt.Errorf("not announced within %v", patience)
		}
	}
}

// all returns the wanted revocations that were announced until now, without
// duplicates.
func (f *follower) all(wanted func(session.Revocation) bool) []session.Revocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []session.Revocation
	for _, r := range f.heard {
		if wanted(r) && !slices.ContainsFunc(all, func(other session.Revocation) bool { return sameRevocation(r, other) }) {
			all = append(all, r)
		}
	}
	return all
}

// hadHeard reports whether the revocation of token was announced before the first
// call of upToDate after the time at.
func (f *follower) hadHeard(token string, at time.Time) bool {
	f.t.Helper()
	for n := 1; ; n++ {
		f.beats(n)
		f.mu.Lock()
		known, time := f.known[n-1], f.times[n-1]
		f.mu.Unlock()
		if time.After(at) {
			return slices.ContainsFunc(f.heardUntil(known), func(r session.Revocation) bool { return r.Token == token })
		}
	}
}

// heardUntil returns the first n revocations that were announced.
func (f *follower) heardUntil(n int) []session.Revocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard[:n])
}

// sameRevocation reports whether a and b are equal, with times compared to the
// millisecond.
func sameRevocation(a, b session.Revocation) bool {
	for _, r := range []*session.Revocation{&a, &b} {
		r.From, r.Until = time.UnixMilli(r.From.UnixMilli()), time.UnixMilli(r.Until.UnixMilli())
	}
	return a == b
}
