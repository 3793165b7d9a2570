package jwtgate

import (
	"context"
	"log/slog"

	"github.com/jwtgate/jwtgate/core/session"
)

// Preforked tells a that this process is one of several that serve the same address,
// as with Prefork of Fiber. If sessions are kept in the memory of this process, it logs
// an error once, with [slog.Default] if Config.Logger has no errors: most refreshes
// reach a process that does not know the session. The adapters that can tell call it.
func (a *Auth) Preforked() {
	if a == nil || a.sessions == nil {
		return
	}
	if _, memory := a.sessions.Store.(*observedStore).Store.(*session.Memory); !memory || a.sessions.preforked.Swap(true) {
		return
	}
	logger, ctx := a.config.Logger, context.Background()
	if !logger.Enabled(ctx, slog.LevelError) {
		logger = slog.Default()
	}
	logger.ErrorContext(ctx, "jwtgate: several processes serve (prefork), but sessions are kept in the memory of each, so most refreshes and logouts fail: set Sessions.Store to a store that the processes share, or turn prefork off")
}
