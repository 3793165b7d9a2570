package redisstore_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
)

// BenchmarkEndAll ends all sessions of a subject with very many. It reports how long the
// longest refresh of another subject takes meanwhile, and how long the longest script
// blocks the server. A short run uses few sessions.
func BenchmarkEndAll(b *testing.B) {
	size := 100_000
	if testing.Short() {
		size = 1000
	}
	b.Run("sessions="+strconv.Itoa(size), func(b *testing.B) {
		client := startServer(b).client()
		store, err := redisstore.New(client, redisstore.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := client.ConfigSet(b.Context(), "latency-tracking-info-percentiles", "100").Err(); err != nil {
			b.Fatal(err)
		}
		var longest, total time.Duration
		for b.Loop() {
			b.StopTimer()
			signInMany(b, store, "mallory", size)
			_ = client.ConfigResetStat(b.Context())
			b.StartTimer()
			begin := time.Now()
			longest = max(longest, whileAdvancing(b, store, func() {
				ended, _, err := store.EndAll(b.Context(), all("mallory"))
				if err != nil || len(ended) != size {
					b.Errorf("ended %d sessions, error %v, want %d", len(ended), err, size)
				}
			}))
			total += time.Since(begin)
		}
		stats := client.InfoMap(b.Context(), "latencystats").Val()["Latencystats"]
		_, microseconds, _ := strings.Cut(stats["latency_percentiles_usec_evalsha"], "p100=")
		blocked, _ := strconv.ParseFloat(microseconds, 64)
		b.ReportMetric(blocked/1e3, "max-ms/script")
		b.ReportMetric(float64(longest)/1e6, "max-ms/Advance")
		b.ReportMetric(float64(total)/float64(b.N*size), "ns/session")
	})
}

// signInMany creates n sessions of subject.
func signInMany(b *testing.B, store *redisstore.Store, subject string, n int) {
	b.Helper()
	var wg sync.WaitGroup
	const goroutines = 20
	for range goroutines {
		wg.Go(func() {
			for range n / goroutines {
				s, _ := newSession(subject)
				if _, err := store.Create(b.Context(), s, session.Bound{}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// whileAdvancing runs do, and returns how long the longest call of Advance for another
// subject takes meanwhile.
func whileAdvancing(b *testing.B, store *redisstore.Store, do func()) (longest time.Duration) {
	b.Helper()
	s, p := newSession("alice")
	if _, err := store.Create(b.Context(), s, session.Bound{}); err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for over := false; !over; {
			select {
			case <-done:
				over = true
			default:
			}
			begin := time.Now()
			r, _, err := store.Advance(context.Background(), p, singleUse)
			if err != nil {
				b.Error(err)
				return
			}
			p.Generation = r.Generation
			longest = max(longest, time.Since(begin))
		}
	})
	do()
	close(done)
	wg.Wait()
	return longest
}
