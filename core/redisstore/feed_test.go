package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"syscall"
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
		pipe.Do(t.Context(), "XADD", key, "*", "version", "1", "until", "99999999999999", "from", "0", "token", fmt.Sprint(i))
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

// An entry of a stream that this version cannot read is passed over, with one warning.
// The entries after it are announced.
func TestFeedOfGarbage(t *testing.T) {
	for _, row := range []struct {
		name  string
		entry []any
		cause string // in the warning
	}{
		{"a later version", []any{"version", "2", "until", "9999999999999", "from", "0", "device", "x"}, "its version is"},
		{"a later version of a token", []any{"version", "2", "until", "9999999999999", "from", "0", "token", "x"}, "its version is"},
		{"no session", []any{"version", "1", "until", "9999999999999", "from", "0", "session", "alice"}, "no valid session ID in the field session"},
		{"no number", []any{"version", "1", "until", "soon", "from", "0", "token", "x"}, "no valid number in the field until"},
		{"no generation", []any{"version", "1", "until", "9999999999999", "from", "0", "session", session.ID{}.String(), "generation", "-1"}, "no valid number in the field generation"},
		{"nothing named", []any{"version", "1", "until", "9999999999999", "from", "0"}, "neither a session, a token nor a subject"},
		{"nothing known", []any{"colour", "blue"}, "its version is"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := startServer(t)
			var log strings.Builder
			store := newStore(t, server.client(), redisstore.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			var ended []session.ID
			end := func() {
				p := create(t, store, "alice")
				if _, err := store.End(t.Context(), p.ID, remember); err != nil {
					t.Fatal(err)
				}
				ended = append(ended, p.ID)
			}
			end()
			for range 2 {
				server.do(append([]any{"XADD", store.Slots()[ownerOf("alice").Slot()%16] + ":revocations", "*"}, row.entry...)...)
			}
			end()
			ctx, cancel := context.WithCancel(t.Context())
			var heard []session.ID
			err := store.Feed(ctx, func(r session.Revocation) { heard = append(heard, r.Session) }, cancel)
			if !errors.Is(err, context.Canceled) || !slices.Equal(heard, ended) {
				t.Errorf("heard of %v when it was up to date, error %v, want only %v", heard, err, ended)
			}
			if got := strings.Count(log.String(), "cannot be read"); got != 1 || !strings.Contains(log.String(), row.cause) {
				t.Errorf("got %d warnings, want 1 with %q, in %q", got, row.cause, &log)
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

// In a cluster, a feed is up to date only as long as all of its servers answer.
func TestFeedOfSilentNode(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	f := follow(t, newStore(t, clusterClient(t, nodes), redisstore.Config{}))
	nodes[0].signal(syscall.SIGSTOP)
	t.Cleanup(func() { nodes[0].signal(syscall.SIGCONT) })
	before := f.beat()
	_ = f.ends(3 * slack)
	// The last replies of the node may have been on their way.
	if got := f.beat() - before; got > 1 {
		t.Errorf("got told %d times that the feed is up to date; want once at most", got)
	}
}
