package sqltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// benchStores runs a benchmark with every store that has a server or a file. The
// databases do not wait for the disk.
func benchStores(b *testing.B, bench func(b *testing.B, store session.Store)) {
	b.Run("redis", func(b *testing.B) {
		store, err := redisstore.New(startRedis(b), redisstore.Config{})
		if err != nil {
			b.Fatal(err)
		}
		bench(b, store)
	})
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			store, _ := d.newStore(b)
			bench(b, store)
		})
	}
}

// BenchmarkEnd compares the end of a session with a rotation: how many times as long one
// takes. The two take turns, so that other load on the machine slows both down. The result
// is the median of the comparisons.
func BenchmarkEnd(b *testing.B) {
	benchStores(b, func(b *testing.B, store session.Store) {
		const each = 10
		var ratios []float64
		for b.Loop() {
			tokens := make([]session.Presented, each)
			for i := range tokens {
				tokens[i] = create(b, store, "user "+strconv.Itoa(i))
			}
			rotations := took(each, func(i int) { advance(b, store, tokens[i], singleUse, session.Rotated, 1) })
			ends := took(each, func(i int) { end(b, store, tokens[i].ID) })
			ratios = append(ratios, ends/rotations)
		}
		reportMedian(b, ratios)
	})
}

// BenchmarkList compares the list of a subject with 100 sessions with a rotation, like
// BenchmarkEnd.
func BenchmarkList(b *testing.B) {
	benchStores(b, func(b *testing.B, store session.Store) {
		const sessions, each = 100, 10
		for range sessions {
			create(b, store, "alice")
		}
		p := create(b, store, "bob")
		var ratios []float64
		for b.Loop() {
			rotations := took(each, func(int) {
				advance(b, store, p, singleUse, session.Rotated, p.Generation+1)
				p.Generation++
			})
			lists := took(each, func(int) {
				if list, err := store.List(b.Context(), ownerOf("alice"), session.Cursor{}, sessions); len(list) != sessions || err != nil {
					b.Fatalf("got %d sessions, error %v; want %d", len(list), err, sessions)
				}
			})
			ratios = append(ratios, lists/rotations)
		}
		reportMedian(b, ratios)
	})
}

// took returns how long n calls of op take.
func took(n int, op func(i int)) float64 {
	start := time.Now()
	for i := range n {
		op(i)
	}
	return time.Since(start).Seconds()
}

func reportMedian(b *testing.B, ratios []float64) {
	b.Helper()
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op") // of both kinds
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
}

// BenchmarkStart measures how long a process that starts takes to learn what was revoked. A
// short run has few revocations.
func BenchmarkStart(b *testing.B) {
	n := 100_000
	if testing.Short() {
		n = 1000
	}
	b.Run(fmt.Sprintf("revocations=%d", n), func(b *testing.B) {
		benchStores(b, func(b *testing.B, store session.Store) {
			revokeMany(b, store, n)
			b.ResetTimer()
			for b.Loop() {
				announced := 0
				ctx, stop := context.WithCancel(b.Context())
				err := store.Feed(ctx, func(session.Revocation) { announced++ }, stop)
				if announced < n || !errors.Is(err, context.Canceled) {
					b.Fatalf("got %d revocations, error %v; want %d", announced, err, n)
				}
			}
		})
	})
}

// revokeMany revokes n tokens.
func revokeMany(b *testing.B, store session.Store, n int) {
	b.Helper()
	const goroutines = 10
	var wg sync.WaitGroup
	for goroutine := range goroutines {
		wg.Go(func() {
			for i := goroutine; i < n; i += goroutines {
				if err := store.Revoke(b.Context(), tokenRevoked(fmt.Sprintf("https://auth.example.com %032d", i))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
