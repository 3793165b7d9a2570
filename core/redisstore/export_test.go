package redisstore

import (
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// NewWithClock is New for scripts that begin with clock in place of what has
// them go by the server's.
func NewWithClock(client redis.UniversalClient, config Config, clock string) (*Store, error) {
	return newStore(client, config, clock)
}

// Slots returns the names that all keys of a slot begin with.
func (s *Store) Slots() []string {
	var names []string
	for _, slot := range s.slots {
		names = append(names, string(slot))
	}
	return names
}

// Record reads a record as a server may send it.
func Record(value string) (session.Record, error) { return record(value) }
