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

// startPatience is how long Redis may take to answer before the server gives up.
const startPatience = 5 * time.Second

// store returns the store that REDIS_URL names, nil if it names none: then
// sessions are kept in the memory of the process.
func (e *environment) store(logger *slog.Logger) session.Store {
	value := e.get("REDIS_URL")
	if value == "" {
		return nil
	}
	if e.get("JWT_KEY") == "" {
		e.wrong("JWT_KEY", "is not set: servers that share sessions need one key, or each refuses the tokens of the others")
	}
	options, err := redis.ParseURL(value)
	if err != nil { // whose text may have the password
		e.wrong("REDIS_URL", "is not the address of a Redis server: use redis://host:port/db, or rediss:// for TLS")
		return nil
	}
	options.ContextTimeoutEnabled = true
	logging.Disable() // what fails is in the log of whoever asked for it
	store, err := redisstore.New(redis.NewClient(options), redisstore.Config{Logger: logger})
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startPatience)
		defer cancel()
		err = store.Check(ctx)
	}
	if err != nil {
		e.wrong("REDIS_URL", "%v: name a server that runs and lets this one in, or leave it unset to keep sessions in memory", err)
	}
	return store
}
