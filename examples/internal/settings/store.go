package settings

import (
	"log/slog"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// startTimeout is how long the server waits for Redis or the database when it starts.
const startTimeout = 5 * time.Second

// store returns the store that REDIS_URL or DATABASE_URL names. If both are empty,
// store returns nil, and the process keeps its sessions in memory.
func (e *environment) store(logger *slog.Logger) session.Store {
	variable, open := "REDIS_URL", e.redis
	switch redis, database := e.get("REDIS_URL"), e.get("DATABASE_URL"); {
	case redis == "" && database == "":
		return nil
	case redis != "" && database != "":
		e.wrong("DATABASE_URL", "is set, and REDIS_URL is set, too: unset one of them")
		return nil
	case database != "":
		variable, open = "DATABASE_URL", e.database
	}
	if e.get("JWT_KEY") == "" {
		e.wrong("JWT_KEY", "is not set, but %s is: servers that share sessions must share a key, so set the same JWT_KEY for all of them", variable)
	}
	return open(e.get(variable), logger)
}
