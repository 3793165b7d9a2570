package redisstore

import (
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// NewWithClock is New with scripts that begin with the source clock in place of
// clock.lua, which reads the clock of the server.
func NewWithClock(client redis.UniversalClient, config Config, clock string) (*Store, error) {
	return newStore(client, config, clock)
}

// Slots returns the slots of s: the beginnings of the names of their keys.
func (s *Store) Slots() []string {
	var names []string
	for _, slot := range s.slots {
		names = append(names, string(slot))
	}
	return names
}

// Record decodes a record that a server sent.
func Record(value string) (session.Record, error) { return record(value) }

// Failed is failed, which names a step in front of an error.
var Failed = failed
