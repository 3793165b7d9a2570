package jwtgate

import (
	"context"
	"time"
)

// HeldRevocations returns how many revocations a has in memory.
func (a *Auth) HeldRevocations() int { return int(a.sessions.revoked.held.Load()) }

// CheckRevoked reports whether a refuses id, found good, all the same.
func (a *Auth) CheckRevoked(ctx context.Context, id *Identity, now time.Time) bool {
	return a.checkRevoked(ctx, id, now) != nil
}

// CachedTokens returns how many tokens a remembers.
func (a *Auth) CachedTokens() int {
	n := 0
	for i := range a.cache.sets {
		for j := range a.cache.sets[i].slots {
			if a.cache.sets[i].slots[j].Load() != nil {
				n++
			}
		}
	}
	return n
}

// Watches returns how many tokens a watches.
func (a *Auth) Watches() int { return len(a.sessions.revoked.watches.all()) }
