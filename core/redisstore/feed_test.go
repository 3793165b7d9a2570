package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// If there are more past revocations than fit in a page, all of them are announced before
// the feed is up to date. Until then, the server answers each read at once. One read is for
// the streams of all slots.
func TestFeedOfManyPages(t *testing.T) {
	const many = 2500
	server := startServer(t)
	proxy := startProxy(t, server.addr)
	var mu sync.Mutex
	var reads []string
	proxy.hears = func(request []byte) {
		if bytes.Contains(request, []byte("xread")) {
			mu.Lock()
			defer mu.Unlock()
			reads = append(reads, fmt.Sprintf("%d,%t", bytes.Count(request, []byte(":revocations")), bytes.Contains(request, []byte("block"))))
		}
	}
	client := proxy.client(t)
	store := newStore(t, client, redisstore.Config{})
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
	upToDate := 0
	err := store.Feed(ctx, func(r session.Revocation) { heard[r.Token] = true }, func() {
		if len(heard) != many {
			t.Errorf("heard %d when it was up to date; want %d", len(heard), many)
		}
		if upToDate++; upToDate == 2 {
			cancel()
		}
		if got := client.PoolStats().TotalConns; got != 1 {
			t.Errorf("got %d connections; want one", got)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v; want %v", err, context.Canceled)
	}
	mu.Lock()
	defer mu.Unlock()
	const want = "16,false 16,false 16,false 16,true"
	if got := strings.Join(reads, " "); !strings.HasPrefix(got, want) {
		t.Errorf("got reads of streams, and whether they wait, %q; want first %q", got, want)
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

// The feed also ends if the server became a replica while no read was waiting, even if it
// is a master again.
func TestDemotedUnseen(t *testing.T) {
	for _, row := range []struct {
		name string
		back bool
	}{{"a replica", false}, {"a master again", true}} {
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
			if row.back {
				server.do("REPLICAOF", "NO", "ONE")
			}
		}, func() {})
		if err == nil || !strings.Contains(err.Error(), "not a master") {
			t.Errorf("%s: got error %v, want one that says the server is not the same master", row.name, err)
		}
	}
}

// A feed that meets a new stream is up to date only when it has read that from its start.
func TestEmptiedUnseen(t *testing.T) {
	server := startServer(t)
	direct := newStore(t, server.client(), redisstore.Config{})
	revoke(t, direct, tokenRevoked("again"))
	for _, slot := range direct.Slots() {
		if server.client().Exists(t.Context(), slot+":revocations").Val() > 0 { // by a clock that is far ahead
			server.do("XADD", slot+":revocations", "99999999999999-0", "version", "1", "until", "99999999999999", "from", "0", "token", "ahead")
		}
	}
	proxy := startProxy(t, server.addr)
	reads := 0
	proxy.hears = func(request []byte) {
		if bytes.Contains(request, []byte("xread")) {
			if reads++; reads == 2 {
				server.do("FLUSHALL")
				revoke(t, direct, tokenRevoked("again"))
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var heard []string
	err := newStore(t, proxy.client(t), redisstore.Config{}).Feed(ctx, func(r session.Revocation) { heard = append(heard, r.Token) }, func() {
		if heard = append(heard, "up to date"); len(heard) >= 5 {
			cancel()
		}
	})
	const want = "again, ahead, up to date, again, up to date"
	if got := strings.Join(heard, ", "); !errors.Is(err, context.Canceled) || got != want {
		t.Errorf("heard %s, error %v; want %s, %v", got, err, want, context.Canceled)
	}
}

// When a feed has ended, its goroutines and connections end soon, in a cluster too, whether
// its context was canceled or one of its connections failed.
func TestFeedEnds(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the garbage collector closes connections that nobody uses
	single, nodes := startServer(t), startCluster(t)
	for _, row := range []struct {
		name   string
		server *server
		client redis.UniversalClient
	}{
		{"single", single, single.client()},
		{"cluster", nodes[0], clusterClient(t, nodes)},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := newStore(t, row.client, redisstore.Config{})
			if !followed(t, store) {
				t.Fatal("the feed is not up to date")
			}
			await(t, "goroutines end", func() bool { return readers() == 0 })
			killer := row.server.client()
			connections := func() int {
				n, err := strconv.Atoi(killer.InfoMap(t.Context(), "clients").Val()["Clients"]["connected_clients"])
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			open := connections()
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
			await(t, "goroutines end", func() bool { return readers() == 0 })
			await(t, "connections end", func() bool { return connections() <= open+1 }) // one is in the pool

			err = store.Feed(t.Context(), func(session.Revocation) {}, func() {
				killer.ClientKillByFilter(t.Context(), "TYPE", "normal")
			})
			if err == nil {
				t.Error("got no error; want that of the connection")
			}
			await(t, "goroutines end after an error", func() bool { return readers() == 0 })
		})
	}
}

// readers returns how many goroutines of feeds run.
func readers() int {
	stacks := make([]byte, 1<<20)
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("redisstore.(*reader).follow("))
}

// A feed ends with the error of its first request: later ones could succeed.
func TestFeedFails(t *testing.T) {
	server := startServer(t)
	proxy := startProxy(t, server.addr)
	proxy.hears = func(request []byte) {
		if bytes.Contains(request, []byte("xread")) {
			server.do("ACL", "SETUSER", "default", "+info")
		}
	}
	server.do("ACL", "SETUSER", "default", "-info")
	for _, row := range []struct {
		name   string
		client redis.UniversalClient
		want   string
	}{
		{"a cluster without servers", nowhereCluster(t), "connection refused"},
		{"not permitted", proxy.client(t), "NOPERM"},
	} {
		err := newStore(t, row.client, redisstore.Config{}).Feed(t.Context(), func(session.Revocation) {}, func() { t.Errorf("%s: up to date", row.name) })
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got error %v; want one with %q", row.name, err, row.want)
		}
	}
}

// In a cluster too, the server may take a beat for the answer to a read, whatever the
// timeout of the client is.
func TestFeedOfImpatientClient(t *testing.T) {
	t.Parallel()
	options := clusterClient(t, startCluster(t)).Options()
	options.ReadTimeout = 400 * time.Millisecond // less than a beat
	client := redis.NewClusterClient(options)
	t.Cleanup(func() { _ = client.Close() })
	f := follow(t, newStore(t, client, redisstore.Config{}))
	await(t, "three beats", func() bool { return f.beat() >= 3 })
	select {
	case err := <-f.ended:
		t.Errorf("the feed ended: %v", err)
	default:
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
