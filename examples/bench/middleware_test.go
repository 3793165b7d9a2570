package bench_test

import (
	"net/http"
	"slices"
	"testing"
)

// BenchmarkMiddleware measures a whole request in process, with a good token. The
// cost of a contender is its difference to the bare handler. The check of the signature
// alone is measured beside them, because the speed of a machine can change in seconds.
func BenchmarkMiddleware(b *testing.B) {
	for _, rivals := range contenders {
		for _, algorithm := range algorithms {
			for _, c := range rivals {
				if c.name == cold {
					b.Run(c.framework+"/"+algorithm+"/signature", func(b *testing.B) { benchmarkSignature(b, keyOf(algorithm)) })
				}
				b.Run(c.framework+"/"+algorithm+"/"+c.name, func(b *testing.B) {
					k := keyOf(algorithm)
					measure(b, c.open(k).client(k.token(b, 0)), http.StatusNoContent)
				})
			}
		}
	}
}

// BenchmarkParallel is like BenchmarkMiddleware, on as many cores as -cpu says.
func BenchmarkParallel(b *testing.B) {
	k := keyOf("HS256")
	for _, c := range slices.Concat(contenders...) {
		b.Run(c.framework+"/"+c.name, func(b *testing.B) {
			app := c.open(k)
			token := k.token(b, 0)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				send := app.client(token)
				for pb.Next() {
					if got := send(); got != http.StatusNoContent {
						b.Errorf("got status %d", got)
						return
					}
				}
			})
		})
	}
}

// measure sends requests and checks that each is answered with status.
func measure(b *testing.B, send func() (status int), status int) {
	b.Helper()
	loop(b, func(_ int) {
		if got := send(); got != status {
			b.Fatalf("got status %d; want %d", got, status)
		}
	})
}

// TestContenders checks that the comparison is fair: every contender accepts the
// good token, passes its claims to the handler, and refuses bad tokens.
func TestContenders(t *testing.T) {
	for _, c := range without(slices.Concat(contenders...), bare, handOn) {
		for _, algorithm := range algorithms {
			t.Run(c.framework+"/"+algorithm+"/"+c.name, func(t *testing.T) {
				k := keyOf(algorithm)
				app := c.open(k)
				if got := app.client(k.token(t, 0))(); got != http.StatusNoContent {
					t.Errorf("a good token: got status %d; want 204", got)
				}
				for _, bad := range badTokens(t, k) {
					if got := app.client(bad.token)(); got != http.StatusUnauthorized {
						t.Errorf("%s: got status %d; want 401", bad.name, got)
					}
				}
			})
		}
	}
}

// TestAllocations checks the maximum number of allocations that this project
// promises. It does not check times, which are left to the benchmarks.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector drops items from sync.Pool, which adds allocations")
	}
	atMost := map[string]map[string]float64{
		"nethttp": {cold: 3, warm: 1, warmClaims: 4},
		"echo":    {cold: 4, warm: 2, warmClaims: 5},
		"echo5":   {cold: 3, warm: 1, warmClaims: 4},
		"gin":     {cold: 3, warm: 1, warmClaims: 4},
		"fiber":   {cold: 2, warm: 0, warmClaims: 3},
		"fiber3":  {cold: 2, warm: 0, warmClaims: 3},
	}
	k := keyOf("HS256")
	for _, rivals := range contenders {
		var without float64
		for _, c := range rivals {
			send := c.open(k).client(k.token(t, 0))
			got := testing.AllocsPerRun(100, func() { send() })
			if c.name == bare {
				without = got
			}
			if most, promised := atMost[c.framework][c.name]; promised && got-without > most {
				t.Errorf("%s/%s: got %v allocations more than without a guard; want at most %v", c.framework, c.name, got-without, most)
			}
		}
	}
}
