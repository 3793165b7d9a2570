package server

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jwtgate/jwtgate/examples/internal/settings"
)

// reloadKeys reads the key files again at every SIGHUP, until ctx is done.
// Requests continue meanwhile, and a token stays valid as long as its key does.
func reloadKeys(ctx context.Context, config settings.Settings) {
	if config.ReloadKeys == nil {
		return
	}
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP) // never stopped: a SIGHUP must not interrupt the shutdown
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangUps:
			}
			if err := config.ReloadKeys(); err != nil {
				config.Auth.Logger.Error("JWT_KEY could not be read again: the keys stay as they are", "cause", err)
			} else {
				config.Auth.Logger.Info("JWT_KEY was read again", "keys", config.Auth.Keys)
			}
		}
	}()
}
