package jwtgate_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// BenchmarkWatch measures a watch among 100,000 others, and the memory of each.
func BenchmarkWatch(b *testing.B) {
	const others = 100_000
	s := newTestServer(b, withoutRecorder)
	identity := func(subject string) *jwtgate.Identity {
		d := s.Auth.Decide(context.Background(), withToken(jwtgate.Request{Method: "GET"}, jwtgatetest.Token(b, s.Auth, subject)))
		return d.Identity
	}
	ids := make([]*jwtgate.Identity, others)
	for i := range ids {
		ids[i] = identity(fmt.Sprint("user ", i))
	}
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	for _, id := range ids {
		_, cancel := s.Watch(context.Background(), id)
		defer cancel()
	}
	size := float64(heap()-before) / others
	alice := identity("alice")
	b.ReportAllocs()
	for b.Loop() {
		_, cancel := s.Watch(context.Background(), alice)
		cancel()
	}
	b.ReportMetric(size, "bytes/other")
}
