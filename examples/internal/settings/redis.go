package settings

import (
	"context"
	"log/slog"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// redis returns the store at the URL in REDIS_URL.
func (e *environment) redis(value string, logger *slog.Logger) session.Store {
	options, err := redis.ParseURL(value)
	if err != nil { // its text may contain the password
		e.wrong("REDIS_URL", "is not a Redis URL: use redis://host:port/db, or rediss:// for TLS")
		return nil
	}
	options.ContextTimeoutEnabled = true
	logging.Disable() // callers log the errors that they get
	store, err := redisstore.New(redis.NewClient(options), redisstore.Config{Logger: logger})
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		err = store.Check(ctx)
	}
	if err != nil {
		e.wrong("REDIS_URL", "names a server that cannot be used (%v): start that server and check the password, or unset REDIS_URL to keep sessions in memory", err)
	}
	return store
}
