package settings

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// startTimeout is how long the server waits for Redis when it starts.
const startTimeout = 5 * time.Second

// store returns the store that REDIS_URL names. If REDIS_URL is empty, store
// returns nil, and the process keeps its sessions in memory.
func (e *environment) store(logger *slog.Logger) session.Store {
	value := e.get("REDIS_URL")
	if value == "" {
		return nil
	}
	if e.get("JWT_KEY") == "" {
		e.wrong("JWT_KEY", "is not set, but REDIS_URL is: servers that share sessions must share a key, so set the same JWT_KEY for all of them")
	}
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
