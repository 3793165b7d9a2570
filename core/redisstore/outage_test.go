package redisstore_test

import (
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// The reply to a rotation can be lost when the server goes down. A client that
// repeats the request when the server is up again is not treated as a thief,
// however long the outage was. A client with an older token than that still is.
func TestOutageLongerThanTheWindow(t *testing.T) {
	const window = time.Second
	short := session.Policy{Idle: time.Hour, ReuseWindow: window, Remember: time.Minute}
	once := session.Policy{Idle: time.Hour, Remember: time.Minute}
	server := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
	store := newStore(t, server.client(), redisstore.Config{})
	honest, old, single := create(t, store, "alice"), create(t, store, "alice"), create(t, store, "alice")
	advance(t, store, old, once, session.Rotated, 1)
	oldNext := old
	oldNext.Generation = 1
	advance(t, store, oldNext, once, session.Rotated, 2)
	advance(t, store, single, once, session.Rotated, 1)
	advance(t, store, honest, short, session.Rotated, 1)
	server.kill()
	time.Sleep(window)
	server.start()
	recovers(t, store, honest)

	for range 2 { // such as requests in parallel
		advance(t, store, honest, short, session.Reissued, 1)
	}
	next := honest
	next.Generation = 1
	advance(t, store, next, short, session.Repeated, 1)
	advance(t, store, old, short, session.Stolen, 2)
	advance(t, store, single, once, session.Reissued, 1)
}
