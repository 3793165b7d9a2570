package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
	"github.com/redis/go-redis/v9"
)

const callers = 64

// slice is how long one part of a measurement takes. The parts alternate, so that
// other load on the machine slows both kinds of operations down.
const slice = 100 * time.Millisecond

// measure calls op in that many goroutines for the duration of a slice. It passes each
// its number, and returns how many calls there were, and how long they took.
func measure(b *testing.B, goroutines int, op func(goroutine int) error) (calls float64, took time.Duration) {
	b.Helper()
	var wg sync.WaitGroup
	var n atomic.Int64
	start := time.Now()
	for goroutine := range goroutines {
		wg.Go(func() {
			for time.Since(start) < slice {
				if err := op(goroutine); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()), time.Since(start)
}

// BenchmarkAdvance measures rotations on every store, for one caller and for 64 with
// a session each, beside the least that a server can do: an update of one row.
func BenchmarkAdvance(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchAdvance(b, session.NewMemory(0, nil), nil) })
	b.Run("redis", func(b *testing.B) {
		client := startRedis(b)
		store, err := redisstore.New(client, redisstore.Config{})
		if err != nil {
			b.Fatal(err)
		}
		benchAdvance(b, store, func(ctx context.Context, caller int) error {
			return client.HIncrBy(ctx, "plain:"+strconv.Itoa(caller), "g", 1).Err()
		})
	})
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			store, db := d.alone(b).newStore(b)
			benchAdvance(b, store, plainUpdate(b, d, db))
		})
	}
	b.Run("sqlite, synchronous=FULL", func(b *testing.B) {
		d := databases[0]
		source := strings.Replace(d.source(b), "NORMAL", "FULL", 1)
		d.source = func(testing.TB) string { return source }
		store, db := d.newStore(b)
		benchAdvance(b, store, plainUpdate(b, d, db))
	})
}

func benchAdvance(b *testing.B, store session.Store, plain func(ctx context.Context, caller int) error) {
	tokens := make([]session.Presented, callers)
	for i := range tokens {
		tokens[i] = create(b, store, "user "+strconv.Itoa(i))
	}
	for _, n := range []int{1, callers} {
		b.Run(fmt.Sprintf("callers=%d", n), func(b *testing.B) {
			var updates, advances float64
			var updating, advancing time.Duration
			for b.Loop() {
				if plain != nil {
					calls, took := measure(b, n, func(caller int) error { return plain(b.Context(), caller) })
					updates, updating = updates+calls, updating+took
				}
				calls, took := measure(b, n, func(caller int) error {
					r, verdict, err := store.Advance(b.Context(), tokens[caller], singleUse)
					if err == nil && verdict != session.Rotated {
						err = fmt.Errorf("got verdict %d, want %d", verdict, session.Rotated)
					}
					tokens[caller].Generation = r.Generation
					return err
				})
				advances, advancing = advances+calls, advancing+took
			}
			b.ReportMetric(0, "ns/op") // the duration of the slices
			b.ReportMetric(advances/advancing.Seconds(), "advances/s")
			if plain != nil {
				b.ReportMetric(updates/updating.Seconds(), "updates/s")
				b.ReportMetric(advances/advancing.Seconds()/(updates/updating.Seconds()), "ratio")
			}
		})
	}
}

// plainUpdate returns a function that updates the row of a caller in a table of
// numbers.
func plainUpdate(b *testing.B, d database, db *sql.DB) func(ctx context.Context, caller int) error {
	b.Helper()
	table := newPrefix() + "plain"
	do(b, db, "CREATE TABLE %s (id INT PRIMARY KEY, g INT NOT NULL)", table)
	for i := range callers {
		do(b, db, "INSERT INTO %s VALUES (%d, 0)", table, i)
	}
	statement := "UPDATE " + table + " SET g = g + 1 WHERE id = ?"
	if d.driver == "pgx" {
		statement = strings.Replace(statement, "?", "$1", 1)
	}
	var turn sync.Mutex // without it, callers of SQLite find the database busy
	return func(ctx context.Context, caller int) error {
		if d.start == nil {
			turn.Lock()
			defer turn.Unlock()
		}
		_, err := db.ExecContext(ctx, statement, caller)
		return err
	}
}

// BenchmarkSize measures how much room a session takes, with its part of the indexes.
func BenchmarkSize(b *testing.B) {
	const many = 10_000
	fill := func(b *testing.B, store session.Store) {
		b.Helper()
		for i := range many {
			n, _ := newSession(fmt.Sprintf("user-%07d", i))
			n.UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
			if _, err := store.Create(b.Context(), n, session.Bound{Max: 100}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("redis", func(b *testing.B) {
		for b.Loop() {
			client := startRedis(b)
			used := func() (n int64) {
				_, value, _ := strings.Cut(client.Info(b.Context(), "memory").Val(), "used_memory:")
				_, _ = fmt.Sscan(value, &n)
				return n
			}
			store, err := redisstore.New(client, redisstore.Config{})
			if err != nil {
				b.Fatal(err)
			}
			before := used()
			fill(b, store)
			b.ReportMetric(float64(used()-before)/many, "B/session")
		}
	})
	sizes := map[string]string{
		"sqlite":   "SELECT (SELECT * FROM pragma_page_count) * (SELECT * FROM pragma_page_size)",
		"postgres": "SELECT pg_total_relation_size('PREFIXsessions')",
		"mariadb":  "SELECT data_length + index_length FROM information_schema.tables WHERE table_name = 'PREFIXsessions'",
	}
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			for b.Loop() {
				db, prefix := d.open(b), newPrefix()
				fill(b, d.storeIn(b, db, sqlstore.Config{Prefix: prefix}))
				if d.name == "mariadb" {
					do(b, db, "ANALYZE TABLE %ssessions", prefix)
				}
				var size int64
				if err := db.QueryRow(strings.Replace(sizes[d.name], "PREFIX", prefix, 1)).Scan(&size); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(size)/many, "B/session")
			}
		})
	}
}

// startRedis starts a Redis server that keeps its data as well as the databases do.
func startRedis(b *testing.B) *redis.Client {
	b.Helper()
	port := freePort(b)
	cmd := exec.Command(installed(b, "redis-server"), "--bind", "127.0.0.1", "--port", port, "--dir", b.TempDir(), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := redis.NewClient(&redis.Options{Addr: net.JoinHostPort("127.0.0.1", port), ContextTimeoutEnabled: true})
	b.Cleanup(func() { client.Close() })
	await(b, "Redis answers", func() bool { return client.Ping(b.Context()).Err() == nil })
	return client
}
