package redisstore_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// plainScript is the baseline: the least that a rotation can cost. It only
// compares and swaps a number.
const plainScript = `
local g = redis.call('HGET', KEYS[1], 'g')
if g == ARGV[1] then
  redis.call('HSET', KEYS[1], 'g', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1
end
return 0`

// at runs op in that many goroutines, and passes each its number.
func at(b *testing.B, goroutines int, op func(goroutine, i int) error) {
	b.Helper()
	b.ReportAllocs()
	var wg sync.WaitGroup
	var next atomic.Int64
	b.ResetTimer()
	for goroutine := range goroutines {
		wg.Go(func() {
			for i := 0; next.Add(1) <= int64(b.N); i++ {
				if err := op(goroutine, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func BenchmarkStore(b *testing.B) {
	client := startServer(b).client()
	store, err := redisstore.New(client, redisstore.Config{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	tokens := make([]session.Presented, 64)
	for i := range tokens {
		n, p := newSession("user " + strconv.Itoa(i))
		n.UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
		if _, err := store.Create(ctx, n, session.Bound{}); err != nil {
			b.Fatal(err)
		}
		tokens[i] = p
		if err := client.HSet(ctx, "plain:"+strconv.Itoa(i), "g", 0).Err(); err != nil {
			b.Fatal(err)
		}
	}
	plain := redis.NewScript(plainScript)
	rows := []struct {
		name string
		op   func(goroutine, i int) error
	}{
		{"Ping", func(int, int) error { return client.Ping(ctx).Err() }},
		{"PlainScript", func(goroutine, i int) error {
			key := "plain:" + strconv.Itoa(goroutine)
			if i == 0 {
				_ = client.HSet(ctx, key, "g", 0).Err()
			}
			return plain.Run(ctx, client, []string{key}, i, i+1, 3600000).Err()
		}},
		{"Rotation", func(goroutine, _ int) error {
			r, _, err := store.Advance(ctx, tokens[goroutine], singleUse)
			tokens[goroutine].Generation = r.Generation
			return err
		}},
		{"Repeated", func(goroutine, _ int) error {
			_, _, err := store.Advance(ctx, tokens[goroutine], openWindow)
			return err
		}},
		{"Find", func(goroutine, _ int) error { _, _, err := store.Find(ctx, tokens[goroutine].ID); return err }},
	}
	for _, row := range rows {
		for _, goroutines := range []int{1, 64} {
			b.Run(row.name+"/"+strconv.Itoa(goroutines), func(b *testing.B) { at(b, goroutines, row.op) })
		}
	}
}

// BenchmarkAnnouncement measures the time until a process receives a revocation.
func BenchmarkAnnouncement(b *testing.B) {
	store, err := redisstore.New(startServer(b).client(), redisstore.Config{})
	if err != nil {
		b.Fatal(err)
	}
	heard := make(chan string, 1)
	go func() {
		_ = store.Feed(b.Context(), func(r session.Revocation) {
			select {
			case heard <- r.Token:
			case <-b.Context().Done():
			}
		}, func() {})
	}()
	for i := 0; b.Loop(); i++ {
		r := tokenRevoked(strconv.Itoa(i))
		if err := store.Revoke(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		for <-heard != r.Token { // some revocations are announced twice
		}
	}
}
