package session

import (
	"context"
	"slices"
	"sync"
	"time"
)

// announcer is the feed of a [Memory]: it tells followers of revocations, and
// remembers those that still matter for followers to come.
type announcer struct {
	mu        sync.Mutex
	past      []*announced
	followers map[*func(Revocation)]bool
}

// announced is a part of the past. It is forgotten as a whole, which takes no
// time to speak of, however long the past is.
type announced struct {
	revocations []Revocation
	until       time.Time // when all of them are over
}

const announcedSize = 1024

// heartbeat is how often followers are told that they are up to date.
const heartbeat = 250 * time.Millisecond

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

// follow implements Feed of [Store].
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
