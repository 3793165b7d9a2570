package core

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
