package server

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jwtgate/jwtgate/examples/internal/settings"
)

// reloadKeys reads keys that are from files again at every SIGHUP, until ctx is
// done. Requests go on meanwhile: a token is good if its key is still there.
func reloadKeys(ctx context.Context, config settings.Settings) {
	if config.ReloadKeys == nil {
		return
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGHUP) // for good: one during the shutdown must not end it
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-told:
			}
			if err := config.ReloadKeys(); err != nil {
				config.Auth.Logger.Error("JWT_KEY cannot be read again, so the keys stay as they are", "cause", err)
			} else {
				config.Auth.Logger.Info("JWT_KEY was read again", "keys", config.Auth.Keys)
			}
		}
	}()
}
