package redisstore_test

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
func at(b *testing.B, goroutines int, op operation) {
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

// copyScript reads the clock, and reads, writes and returns a string as long as a record:
// the least that a rotation can cost that returns the record. It decides nothing.
const copyScript = `
redis.call('TIME')
local value = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], value, 'PX', ARGV[1])
return value`

// An operation is called by many goroutines, each with its number. i counts the calls of
// a goroutine.
type operation func(goroutine, i int) error

// operations returns operations on a new server, by name. Each of 64 goroutines has a
// session and a key of its own.
func operations(b *testing.B) map[string]operation {
	b.Helper()
	client := startServer(b).client()
	store, err := redisstore.New(client, redisstore.Config{})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	var tokens [64]session.Presented
	var plain [64]int
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
		if err := client.Set(ctx, "copy:"+strconv.Itoa(i), strings.Repeat("x", 300), 0).Err(); err != nil {
			b.Fatal(err)
		}
	}
	script, copied := redis.NewScript(plainScript), redis.NewScript(copyScript)
	return map[string]operation{
		"Ping": func(int, int) error { return client.Ping(ctx).Err() },
		"PlainScript": func(goroutine, _ int) error {
			g := plain[goroutine]
			plain[goroutine]++
			return script.Run(ctx, client, []string{"plain:" + strconv.Itoa(goroutine)}, g, g+1, 3600000).Err()
		},
		"CopyScript": func(goroutine, _ int) error {
			return copied.Run(ctx, client, []string{"copy:" + strconv.Itoa(goroutine)}, 3600000).Err()
		},
		"Rotation": func(goroutine, _ int) error {
			r, _, err := store.Advance(ctx, tokens[goroutine], singleUse)
			tokens[goroutine].Generation = r.Generation
			return err
		},
		"Repeated": func(goroutine, _ int) error {
			_, _, err := store.Advance(ctx, tokens[goroutine], openWindow)
			return err
		},
		"Find": func(goroutine, _ int) error { _, _, err := store.Find(ctx, tokens[goroutine].ID); return err },
	}
}

func BenchmarkStore(b *testing.B) {
	all := operations(b)
	for _, name := range []string{"Ping", "PlainScript", "CopyScript", "Rotation", "Repeated", "Find"} {
		for _, goroutines := range []int{1, 64} {
			b.Run(name+"/"+strconv.Itoa(goroutines), func(b *testing.B) { at(b, goroutines, all[name]) })
		}
	}
}

// BenchmarkBesidePlain compares operations with plainScript: how many of each a server
// executes in the same time. The two take turns, so that other load on the machine slows
// both down. The result is the median of the comparisons.
func BenchmarkBesidePlain(b *testing.B) {
	all := operations(b)
	for _, name := range []string{"Rotation", "CopyScript", "Find"} {
		for _, goroutines := range []int{1, 64} {
			b.Run(name+"/callers="+strconv.Itoa(goroutines), func(b *testing.B) {
				var ratios []float64
				for b.Loop() {
					plain := calls(b, goroutines, all["PlainScript"])
					ratios = append(ratios, calls(b, goroutines, all[name])/plain)
				}
				slices.Sort(ratios)
				b.ReportMetric(0, "ns/op") // the duration of the turns
				b.ReportMetric(ratios[len(ratios)/2], "ratio")
			})
		}
	}
}

// calls runs op in that many goroutines for a turn, and returns how many calls there were
// in a second.
func calls(b *testing.B, goroutines int, op operation) float64 {
	b.Helper()
	const turn = 20 * time.Millisecond
	var wg sync.WaitGroup
	var n atomic.Int64
	start := time.Now()
	for goroutine := range goroutines {
		wg.Go(func() {
			for i := 0; time.Since(start) < turn; i++ {
				if err := op(goroutine, i); err != nil {
					b.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
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
