package session_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

// everyTime has no reuse window, so that each step is a rotation.
var everyTime = session.Policy{Idle: time.Hour, Remember: time.Minute}

const benchSessions = 1 << 16

// filled returns a Memory with n sessions of n subjects. It calls visit with
// the token of each session.
func filled(b *testing.B, n int, userAgent string, visit func(refreshtoken.Token)) *session.Memory {
	b.Helper()
	m := session.NewMemory(n, nil)
	for i := range n {
		s, token := newSession(fmt.Sprintf("user-%07d", i))
		s.UserAgent = userAgent
		if _, err := m.Create(b.Context(), s, session.Bound{}); err != nil {
			b.Fatal(err)
		}
		visit(token)
	}
	return m
}

func filledWithTokens(b *testing.B) (*session.Memory, []refreshtoken.Token) {
	b.Helper()
	var tokens []refreshtoken.Token
	m := filled(b, benchSessions, "", func(token refreshtoken.Token) { tokens = append(tokens, token) })
	return m, tokens
}

// BenchmarkMemoryCreate creates sessions while others expire at the same rate.
func BenchmarkMemoryCreate(b *testing.B) {
	clock := jwtgatetest.NewClock(memoryBegin)
	m := session.NewMemory(benchSessions+1, clock.Now)
	s, _ := newSession("alice")
	s.Idle = benchSessions * time.Millisecond
	b.ReportAllocs()
	for b.Loop() {
		s.ID = session.NewID(s.Owner)
		clock.Advance(time.Millisecond)
		if _, err := m.Create(b.Context(), s, session.Bound{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemoryFind(b *testing.B) {
	m, tokens := filledWithTokens(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, found, err := m.Find(b.Context(), tokens[i%len(tokens)].ID); !found || err != nil {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkMemoryList(b *testing.B) {
	m := session.NewMemory(0, nil)
	for range 10 {
		if _, err := create(b, m, "alice", session.Bound{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if list, err := m.List(b.Context(), ownerOf("alice"), session.Cursor{}, 100); len(list) != 10 || err != nil {
			b.Fatal(len(list), err)
		}
	}
}

func BenchmarkMemoryAdvance(b *testing.B) {
	advance := func(b *testing.B, m *session.Memory, token *refreshtoken.Token) {
		r, verdict, err := m.Advance(context.Background(), token.Presented(), everyTime)
		if verdict != session.Rotated || err != nil {
			b.Errorf("got verdict %d, error %v", verdict, err)
		}
		token.Generation = r.Generation
	}
	b.Run("goroutines=1", func(b *testing.B) {
		m, tokens := filledWithTokens(b)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			advance(b, m, &tokens[i%len(tokens)])
		}
	})
	b.Run("goroutines=64", func(b *testing.B) {
		m, tokens := filledWithTokens(b)
		procs := runtime.GOMAXPROCS(0)
		b.SetParallelism((64 + procs - 1) / procs)
		share := len(tokens) / (64 + procs)
		var started atomic.Int64
		b.ReportAllocs()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			mine := tokens[int(started.Add(1)-1)*share:][:share]
			for i := 0; pb.Next(); i++ {
				advance(b, m, &mine[i%share])
			}
		})
	})
}

// BenchmarkRotation measures the part of a refresh that this package does: it
// parses the token, finds the session, rotates it, and encodes the next token.
func BenchmarkRotation(b *testing.B) {
	m, tokens := filledWithTokens(b)
	codec, err := refreshtoken.New("", "", make([]byte, refreshtoken.MinKeySize))
	if err != nil {
		b.Fatal(err)
	}
	texts := make([]string, len(tokens))
	for i := range tokens {
		texts[i] = codec.Encode(tokens[i])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		text := &texts[i%len(texts)]
		token, err := codec.Decode(*text)
		if err != nil {
			b.Fatal(err)
		}
		if _, found, err := m.Find(b.Context(), token.ID); !found || err != nil {
			b.Fatal(found, err)
		}
		r, verdict, err := m.Advance(b.Context(), token.Presented(), everyTime)
		if verdict != session.Rotated || err != nil {
			b.Fatal(verdict, err)
		}
		token.Generation = r.Generation
		*text = codec.Encode(token)
	}
}

// BenchmarkMemorySize reports the heap size per live session, if each session
// has another subject.
func BenchmarkMemorySize(b *testing.B) {
	for _, size := range []int{0, 100} {
		b.Run(fmt.Sprintf("userAgent=%d", size), func(b *testing.B) {
			for b.Loop() {
				before := heap()
				m := filled(b, 4*benchSessions, strings.Repeat("a", size), func(refreshtoken.Token) {})
				b.ReportMetric(float64(heap()-before)/(4*benchSessions), "B/session")
				runtime.KeepAlive(m)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkMemoryExpiry does a million steps, lets their results expire, and
// does a million steps again, which remove the results. It reports the duration
// of the longest step, because no caller should wait for the removal. Other
// load on the machine adds to that, so take the lowest of several runs.
func BenchmarkMemoryExpiry(b *testing.B) {
	const n = 1_000_000
	for _, row := range []struct {
		name string
		step func(m *session.Memory, s session.New, now time.Time) error
	}{
		{"sessions", func(m *session.Memory, s session.New, _ time.Time) error {
			_, err := m.Create(context.Background(), s, session.Bound{Max: 5})
			return err
		}},
		{"revocations", func(m *session.Memory, s session.New, now time.Time) error {
			return m.Revoke(context.Background(), session.Revocation{Session: s.ID, From: now, Until: now.Add(s.Idle)})
		}},
	} {
		b.Run(row.name, func(b *testing.B) {
			var longest time.Duration
			for b.Loop() {
				clock := jwtgatetest.NewClock(memoryBegin)
				m := session.NewMemory(n, clock.Now)
				for i := range 2 * n {
					s, _ := newSession(fmt.Sprintf("user-%07d", i))
					now := clock.Now()
					start := time.Now()
					if err := row.step(m, s, now); err != nil {
						b.Fatal(err)
					}
					longest = max(longest, time.Since(start))
					if i == n-1 {
						clock.Advance(2 * s.Idle)
					}
				}
			}
			b.ReportMetric(float64(longest), "max-ns/op")
		})
	}
}
