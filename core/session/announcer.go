package session

import (
	"context"
	"sync"
	"time"
)

// announcer is the feed of a [Memory]: it tells followers of revocations, and
// remembers those that still matter for followers to come.
type announcer struct {
	mu        sync.Mutex
	past      []Revocation
	purgeAt   int // the length of past at which to look for what is over
	followers map[*func(Revocation)]bool
}

func (a *announcer) announce(r Revocation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.past) >= max(a.purgeAt, 1024) {
		a.purge(r.From)
	}
	a.past = append(a.past, r)
	for follower := range a.followers {
		(*follower)(r)
	}
}

// follow implements Feed of [Store].
func (a *announcer) follow(ctx context.Context, now func() time.Time, announce func(Revocation)) error {
	a.mu.Lock()
	a.purge(now())
	for _, r := range a.past {
		announce(r)
	}
	if a.followers == nil {
		a.followers = make(map[*func(Revocation)]bool)
	}
	a.followers[&announce] = true
	a.mu.Unlock()

	<-ctx.Done()

	a.mu.Lock()
	delete(a.followers, &announce)
	a.mu.Unlock()
	return ctx.Err()
}

// purge drops what is over at now. It runs each time past has doubled, so its
// cost is spread over the announcements between.
func (a *announcer) purge(now time.Time) {
	kept := a.past[:0]
	for _, r := range a.past {
		if now.Before(r.Until) {
			kept = append(kept, r)
		}
	}
	clear(a.past[len(kept):])
	a.past = kept
	a.purgeAt = 2 * len(kept)
}
