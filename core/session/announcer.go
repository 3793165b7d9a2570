package session

import (
	"context"
	"slices"
	"sync"
	"time"
)

// An announcer is the feed of a [Memory]. It passes new revocations to its
// followers, which are the running calls of Feed, and keeps them for later
// followers until they are over.
type announcer struct {
	mu        sync.Mutex
	past      []*announced
	followers map[*func(Revocation)]bool
}

// announced is a block of past revocations. A block is removed as a whole, so
// that removal is fast even if there are very many revocations.
type announced struct {
	revocations []Revocation
	until       time.Time // when all of them are over
}

// announcedSize is the number of revocations in a block.
const announcedSize = 1024

// heartbeat is the time between two calls of upToDate.
const heartbeat = 250 * time.Millisecond

// announce passes r to the followers, and keeps it.
func (a *announcer) announce(r Revocation, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if last := len(a.past) - 1; last < 0 || len(a.past[last].revocations) == announcedSize {
		a.past = slices.DeleteFunc(a.past, func(part *announced) bool { return !now.Before(part.until) })
		a.past = append(a.past, &announced{})
	}
	part := a.past[len(a.past)-1]
	part.revocations = append(part.revocations, r)
	if part.until.Before(r.Until) {
		part.until = r.Until
	}
	for follower := range a.followers {
		(*follower)(r)
	}
}

// follow implements the method Feed of [Store].
func (a *announcer) follow(ctx context.Context, now func() time.Time, announce func(Revocation), upToDate func()) error {
	a.mu.Lock()
	start := now()
	for _, part := range a.past {
		for _, r := range part.revocations {
			if start.Before(r.Until) {
				announce(r)
			}
		}
	}
	if a.followers == nil {
		a.followers = make(map[*func(Revocation)]bool)
	}
	a.followers[&announce] = true
	upToDate()
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.followers, &announce)
		a.mu.Unlock()
	}()

	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			a.mu.Lock() // one callback at a time
			upToDate()
			a.mu.Unlock()
		}
	}
}
