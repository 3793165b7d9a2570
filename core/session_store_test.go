package jwtgate_test

import (
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestStoreArguments checks the durations and the bound that a store gets, which follow
// from the configuration.
func TestStoreArguments(t *testing.T) {
	t.Parallel()
	const day, skew = 24 * time.Hour, time.Minute
	for _, row := range []struct {
		name                   string
		change                 func(*jwtgate.Config)
		idle, remember, revoke time.Duration
		bound                  int
	}{
		{"defaults", func(*jwtgate.Config) {}, 7 * day, 15*time.Minute + skew, day + skew, 100},
		{"Leeway", func(c *jwtgate.Config) { c.Leeway = 5 * time.Second }, 7 * day, 15*time.Minute + 5*time.Second + skew, day + 5*time.Second + skew, 100},
		{"ReissueRefresh", func(c *jwtgate.Config) { withCookies(c); c.Cookies.ReissueRefresh = true }, 7*day + 15*time.Minute, 15*time.Minute + skew, day + skew, 100},
		{"no bound", func(c *jwtgate.Config) { c.Sessions.MaxSessions = -1 }, 7 * day, 15*time.Minute + skew, day + skew, 0},
	} {
		store := &seenStore{}
		s := newTestServer(t, row.change, func(c *jwtgate.Config) { store.Store, c.Sessions.Store = c.Sessions.Store, store })
		tokens := s.login("alice")
		s.mustRefresh(tokens.Refresh)
		created := store.created
		_ = s.EndSession(t.Context(), sidOf(t, tokens.Access))
		_ = s.EndSessions(t.Context(), "alice")
		if created.Idle != row.idle || store.policy.Idle != row.idle || store.remember != row.remember || store.ending.Revoke != row.revoke || store.bound.Max != row.bound {
			t.Errorf("%s: got idle %v and %v, remember %v, revoke %v, bound %d; want %v, %v, %v, %d", row.name,
				created.Idle, store.policy.Idle, store.remember, store.ending.Revoke, store.bound.Max, row.idle, row.remember, row.revoke, row.bound)
		}
		_ = s.EndSession(t.Context(), session.NewID(ownerOf("alice")).String())
		if now := s.clock.Now(); !store.revoked.From.Equal(now) || !store.revoked.Until.Equal(now.Add(row.remember)) {
			t.Errorf("%s: got a revocation from %v until %v; want %v until %v later", row.name, store.revoked.From, store.revoked.Until, now, row.remember)
		}
	}
}
