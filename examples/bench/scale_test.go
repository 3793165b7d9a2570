package bench_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// upTo returns the sizes to measure, up to size or, in short mode, up to 10,000.
func upTo(size int) []int {
	sizes := []int{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000}
	if testing.Short() {
		size = min(size, 10_000)
	}
	return slices.DeleteFunc(sizes, func(n int) bool { return n > size })
}

// BenchmarkTokens measures a decision without HTTP, with each of n tokens in turn.
func BenchmarkTokens(b *testing.B) {
	for _, n := range upTo(1_000_000)[3:] {
		b.Run(fmt.Sprintf("tokens=%d", n), func(b *testing.B) {
			k := keyOf("HS256")
			auth := roomyAuth(k, n)
			lines := authorizations(b, k, n)
			value := make([]string, 1)
			req := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": value}}
			use := func(i int) {
				value[0] = lines[i]
				decide(b, auth, req)
			}
			for i := range 2 * n {
				use(i / 2)
			}
			loop(b, func(i int) {
				use(i % n)
			})
		})
	}
}

// authorizations returns the Authorization header of each of n tokens.
func authorizations(b *testing.B, k *key, n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = "Bearer " + k.token(b, i)
	}
	return lines
}

// BenchmarkRotation measures the work of the memory store for a refresh, with each of
// n sessions in turn: find the session and rotate it.
func BenchmarkRotation(b *testing.B) {
	for _, n := range upTo(1_000_000)[3:] {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			store := session.NewMemory(n, nil)
			refresh := signInAll(b, store, n)
			policy := session.Policy{Idle: time.Hour, Remember: time.Minute} // no window: every step rotates
			loop(b, func(i int) {
				token := &refresh[i%n]
				if _, found, err := store.Find(b.Context(), token.ID); !found || err != nil {
					b.Fatal(found, err)
				}
				record, verdict, err := store.Advance(b.Context(), *token, policy)
				if verdict != session.Rotated || err != nil {
					b.Fatal(verdict, err)
				}
				token.Generation = record.Generation
			})
		})
	}
}

// signInAll creates n sessions of n subjects and returns their refresh tokens.
func signInAll(b *testing.B, store *session.Memory, n int) []session.Presented {
	refresh := make([]session.Presented, n)
	for i := range refresh {
		subject := fmt.Sprintf("user-%07d", i)
		token := session.Presented{ID: session.NewID(session.Owner{Subject: subject}), NonceHash: sha256.Sum256([]byte(subject))}
		if _, err := store.Create(b.Context(), session.New{
			ID:        token.ID,
			Owner:     session.Owner{Subject: subject},
			NonceHash: token.NonceHash,
			Idle:      time.Hour,
			Limit:     24 * time.Hour,
		}, session.Bound{}); err != nil {
			b.Fatal(err)
		}
		refresh[i] = token
	}
	return refresh
}

// BenchmarkKeys measures a decision without HTTP, with a token signed by the last
// of n keys.
func BenchmarkKeys(b *testing.B) {
	for _, n := range upTo(1_000) {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			k := keyOf("HS256")
			var set keys.Set
			for i := range n - 1 {
				set = append(set, keys.HS256(fmt.Appendf(nil, "%064d", i)).WithID(fmt.Sprint("key-", i)))
			}
			auth := coldAuth(k, func(c *jwtgate.Config) { c.Keys = append(set, k.own) })
			req := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + k.token(b, 0)}}}
			loop(b, func(_ int) {
				decide(b, auth, req)
			})
		})
	}
}

// BenchmarkRoles measures a decision without HTTP that requires the last of n
// roles.
func BenchmarkRoles(b *testing.B) {
	for _, row := range []struct {
		name string
		open func(k *key, change ...func(*jwtgate.Config)) *jwtgate.Auth
	}{{cold, coldAuth}, {warm, warmAuth}} {
		for _, n := range upTo(1_000) {
			b.Run(fmt.Sprintf("%s/roles=%d", row.name, n), func(b *testing.B) {
				k := keyOf("HS256")
				roles := make([]string, n)
				for i := range roles {
					roles[i] = fmt.Sprintf("%q", fmt.Sprint("role-", i))
				}
				auth := row.open(k, func(c *jwtgate.Config) {
					c.RoleClaims = []string{"app_roles"}
					c.MaxTokenSize = 64 << 10
				})
				token := k.sign(b, 0, began.Add(time.Hour), `"app_roles":[`+strings.Join(roles, ",")+`]`)
				req := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + token}}}
				needed := jwtgate.Role(fmt.Sprint("role-", n-1))
				loop(b, func(_ int) {
					decide(b, auth, req, needed)
				})
			})
		}
	}
}

// BenchmarkHeap reports the heap size of a cached token, of a session and of a
// revocation. The size of a revocation is the sum of the process and its store.
func BenchmarkHeap(b *testing.B) { benchmarkHeap(b, 100_000) }

// BenchmarkHeapOfMillion shows that the size of each does not grow with their number.
func BenchmarkHeapOfMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("takes long to set up")
	}
	benchmarkHeap(b, 1_000_000)
}

func benchmarkHeap(b *testing.B, n int) {
	each := func(before float64) float64 { return max(heap()-before, 0) / float64(n) }
	b.Run("token", func(b *testing.B) {
		k := keyOf("HS256")
		lines := authorizations(b, k, n)
		for b.Loop() {
			before := heap()
			auth := roomyAuth(k, n)
			value := make([]string, 1)
			req := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": value}}
			for i := range 2 * n {
				value[0] = lines[i/2]
				decide(b, auth, req)
			}
			b.ReportMetric(each(before), "B/token")
			runtime.KeepAlive(auth)
		}
		runtime.KeepAlive(lines)
	})
	b.Run("session", func(b *testing.B) {
		for b.Loop() {
			before := heap()
			store := session.NewMemory(n, nil)
			signInAll(b, store, n)
			b.ReportMetric(each(before), "B/session")
			runtime.KeepAlive(store)
		}
	})
	b.Run("revocation", func(b *testing.B) {
		for b.Loop() {
			clock := jwtgatetest.NewClock(time.Now())
			store := session.NewMemory(2*n, clock.Now)
			auth := warmAuth(keyOf("HS256"), withSessions(clock, store))
			tokens := must(auth.SignIn(b.Context(), jwtgate.Request{}, "alice"))
			req := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + tokens.Access.Token}}}
			decide(b, auth, req)
			before := heap()
			revokeOthers(b, store, clock, n)
			b.ReportMetric(each(before), "B/revocation")
			decide(b, auth, req)
			auth.Close()
		}
	})
}

// heap returns the number of heap bytes in use.
func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
