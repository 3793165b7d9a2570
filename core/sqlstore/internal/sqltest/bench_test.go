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

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

const callers = 64

// at runs op in that many goroutines, and passes each its number.
func at(b *testing.B, goroutines int, op func(goroutine int) error) {
	b.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	b.ResetTimer()
	for goroutine := range goroutines {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := op(goroutine); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
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
}

func benchAdvance(b *testing.B, store session.Store, plain func(ctx context.Context, caller int) error) {
	tokens := make([]session.Presented, callers)
	for i := range tokens {
		tokens[i] = create(b, store, "user "+strconv.Itoa(i))
	}
	for _, n := range []int{1, callers} {
		if plain != nil {
			b.Run(fmt.Sprintf("Update/callers=%d", n), func(b *testing.B) {
				at(b, n, func(caller int) error { return plain(b.Context(), caller) })
			})
		}
		b.Run(fmt.Sprintf("Advance/callers=%d", n), func(b *testing.B) {
			at(b, n, func(caller int) error {
				r, verdict, err := store.Advance(b.Context(), tokens[caller], singleUse)
				if err == nil && verdict != session.Rotated {
					err = fmt.Errorf("got verdict %d, want %d", verdict, session.Rotated)
				}
				tokens[caller].Generation = r.Generation
				return err
			})
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
	var turn sync.Mutex // without it, 64 callers of SQLite find the database busy
	switch d.name {
	case "postgres":
		statement = strings.Replace(statement, "?", "$1", 1)
	case "sqlite":
		return func(ctx context.Context, caller int) error {
			turn.Lock()
			defer turn.Unlock()
			_, err := db.ExecContext(ctx, statement, caller)
			return err
		}
	}
	return func(ctx context.Context, caller int) error {
		_, err := db.ExecContext(ctx, statement, caller)
		return err
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
