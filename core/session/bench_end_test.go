package session_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// BenchmarkMemoryEndAll ends 200,000 sessions of a subject, and reports how long the
// longest refresh of another subject of the same shard takes meanwhile.
func BenchmarkMemoryEndAll(b *testing.B) {
	const size = 200_000
	var longest time.Duration
	for b.Loop() {
		b.StopTimer()
		m := session.NewMemory(0, nil)
		for range size {
			if _, err := create(b, m, "alice", session.Bound{}); err != nil {
				b.Fatal(err)
			}
		}
		other, err := create(b, m, neighbour(0), session.Bound{})
		if err != nil {
			b.Fatal(err)
		}
		var done atomic.Bool
		var wg sync.WaitGroup
		wg.Go(func() {
			for !done.Load() {
				begin := time.Now()
				r, _, err := m.Advance(b.Context(), other.Presented(), everyTime)
				if err != nil {
					b.Error(err)
					return
				}
				longest = max(longest, time.Since(begin))
				other.Generation = r.Generation
			}
		})
		b.StartTimer()
		if ended, _, err := m.EndAll(b.Context(), session.Ending{Owner: ownerOf("alice"), Remember: time.Minute, Revoke: time.Minute}); len(ended) != size || err != nil {
			b.Errorf("ended %d sessions, error %v, want %d", len(ended), err, size)
		}
		done.Store(true)
		wg.Wait()
	}
	b.ReportMetric(float64(longest)/1e6, "max-ms/Advance")
}
