package redisstore_test

import (
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// The answer to a rotation can be lost with the server that had made it. Whoever
// comes back for it when the server is up again is no thief, however long that
// took; whoever has a token from before that one still is.
func TestOutageLongerThanTheWindow(t *testing.T) {
	const window = time.Second
	short := session.Policy{Idle: time.Hour, ReuseWindow: window, Remember: time.Minute}
	once := session.Policy{Idle: time.Hour, Remember: time.Minute}
	server := startServer(t, "--appendonly", "yes", "--appendfsync", "always")
	store := newStore(t, server.client(), redisstore.Config{})
	honest, old, single, steady := create(t, store, "alice"), create(t, store, "alice"), create(t, store, "alice"), create(t, store, "alice")
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

	for range 2 { // in parallel, say
		advance(t, store, honest, short, session.Reissued, 1)
	}
	next := honest
	next.Generation = 1
	advance(t, store, next, short, session.Repeated, 1)
	advance(t, store, old, short, session.Stolen, 2)
	advance(t, store, single, once, session.Stolen, 1)

	// A rotation since then has the window that it always had.
	time.Sleep(time.Second)
	advance(t, store, steady, short, session.Rotated, 1)
	time.Sleep(window)
	advance(t, store, steady, short, session.Stolen, 1)
}
