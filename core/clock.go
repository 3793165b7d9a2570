package jwtgate

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// clockWarnings log that clocks differ by more than is compensated for.
type clockWarnings struct {
	early, store throttle
}

// warnEarly logs that the token of id, which was not issued yet, is genuine: the clock
// of this process is behind, or that of the issuer is ahead.
func (a *Auth) warnEarly(ctx context.Context, id *Identity, now time.Time) {
	if !a.clocks.early.admits(now) {
		return
	}
	ahead := time.Duration(max(id.claims.IssuedAt, id.claims.NotBefore)-now.Unix()) * time.Second
	a.config.Logger.WarnContext(ctx, "an access token was issued in the future: set the clocks of this server and of the issuer by a time server",
		slog.String("issuer", id.claims.Issuer), slog.Duration("ahead", ahead))
}

// compareClock logs that the clock of this process differs by more than maxSkew from
// that of the store. The store's clock showed stored at some time since before.
func (a *Auth) compareClock(ctx context.Context, stored, before time.Time) {
	now := a.config.Now()
	before = before.Truncate(time.Millisecond) // as a store counts
	ahead := time.Duration(0)                  // of this process
	switch {
	case stored.Before(before):
		ahead = before.Sub(stored)
	case stored.After(now):
		ahead = now.Sub(stored)
	}
	a.storeAhead.Store(int64(-ahead))
	if ahead.Abs() <= maxSkew || !a.clocks.store.admits(now) {
		return
	}
	a.config.Logger.WarnContext(ctx, "the clock of this server differs from that of the session store: set both by a time server", slog.Duration("ahead", ahead))
}

// A throttle admits one call a minute. It is safe for concurrent use.
type throttle struct{ last atomic.Int64 } // in Unix seconds; zero before the first

func (t *throttle) admits(now time.Time) bool {
	last, seconds := t.last.Load(), now.Unix()
	if since := seconds - last; last != 0 && -60 < since && since < 60 {
		return false
	}
	return t.last.CompareAndSwap(last, seconds)
}
