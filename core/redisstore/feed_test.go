package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// If there are more past revocations than fit in a page, all of them are
// announced before the feed is up to date.
func TestFeedOfManyPages(t *testing.T) {
	const many = 2500
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	pipe := server.client().Pipeline()
	key := store.Slots()[0] + ":revocations"
	for i := range many {
		pipe.Do(t.Context(), "XADD", key, "*", "token", fmt.Sprint(i), "generation", "0", "from", "0", "until", "99999999999999")
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	heard := map[string]bool{}
	err := store.Feed(ctx, func(r session.Revocation) { heard[r.Token] = true }, cancel)
	if !errors.Is(err, context.Canceled) || len(heard) != many {
		t.Errorf("heard %d when it was up to date, error %v, want %d", len(heard), err, many)
	}
}

// The feed ends with an error when an entry of a stream is not valid.
func TestFeedOfGarbage(t *testing.T) {
	for _, row := range []struct {
		name  string
		entry []any
	}{
		{"no session", []any{"session", "alice", "generation", "0", "from", "0", "until", "1"}},
		{"no number", []any{"token", "x", "generation", "0", "from", "0", "until", "soon"}},
		{"nothing known", []any{"colour", "blue"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := startServer(t)
			store := newStore(t, server.client(), redisstore.Config{})
			server.do(append([]any{"XADD", store.Slots()[3] + ":revocations", "*"}, row.entry...)...)
			err := store.Feed(t.Context(), func(session.Revocation) {}, func() { t.Error("up to date") })
			if err == nil || !strings.Contains(err.Error(), "entry") {
				t.Errorf("got error %v, want one about an entry", err)
			}
		})
	}
}

// The feed also ends if the server was a replica for a moment while no read was
// waiting.
func TestDemotedUnseen(t *testing.T) {
	server := startServer(t)
	store := newStore(t, server.client(), redisstore.Config{})
	revoke(t, store, tokenRevoked("first"))
	var once bool
	err := store.Feed(t.Context(), func(session.Revocation) {
		if once {
			return
		}
		once = true
		revoke(t, store, tokenRevoked("second")) // the reader reads it, but cannot pass it on now
		await(t, "no read waits", func() bool {
			return strings.Contains(server.client().Info(t.Context(), "clients").Val(), "blocked_clients:0")
		})
		server.do("REPLICAOF", "127.0.0.1", "1")
		server.do("REPLICAOF", "NO", "ONE")
	}, func() {})
	if err == nil || !strings.Contains(err.Error(), "not a master") {
		t.Errorf("got error %v, want one that says the server is not the same master", err)
	}
}

// When a feed has ended, its goroutines end soon, in a cluster too.
func TestFeedEnds(t *testing.T) {
	single, nodes := startServer(t), startCluster(t)
	for name, newStore := range map[string]func(t *testing.T) session.Store{
		"single":  func(t *testing.T) session.Store { return newStore(t, single.client(), redisstore.Config{}) },
		"cluster": func(t *testing.T) session.Store { return newStore(t, clusterClient(t, nodes), redisstore.Config{}) },
	} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t)
			if !followed(t, store) {
				t.Fatal("the feed is not up to date")
			}
			before := runtime.NumGoroutine() // includes those of the client
			ctx, cancel := context.WithCancel(t.Context())
			start := make(chan struct{})
			var stopped time.Time
			go func() { <-start; stopped = time.Now(); cancel() }()
			heard := false
			err := store.Feed(ctx, func(session.Revocation) {}, func() {
				if !heard {
					heard = true
					close(start)
				}
			})
			if took := time.Since(stopped); !errors.Is(err, context.Canceled) || took > slack/4 {
				t.Errorf("got error %v after %v, want %v at once", err, took, context.Canceled)
			}
			await(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}
