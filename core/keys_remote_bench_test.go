package jwtgate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// BenchmarkRemote measures tokens that are verified by fetched keys. A token with an
// unknown kid costs a signature check for each key without a kid, at most four.
func BenchmarkRemote(b *testing.B) {
	web := newWeb(map[string]page{providerSet: setOf(b, es256("a"))})
	auth := trusting(b, web, keys.Remote{Cooldown: time.Hour})
	req := theirs(b, "a")
	if d := auth.Decide(b.Context(), req); d.Refusal != nil { // fetches
		b.Fatal(d.Refusal)
	}
	auth.Decide(b.Context(), theirs(b, "x")) // begins the cooldown
	b.Run("held", func(b *testing.B) { benchmark(b, auth, req, accepted) })
	b.Run("unknown kid", func(b *testing.B) { benchmark(b, auth, theirs(b, "x"), jwtgate.CodeTokenInvalid) })
	for _, unnamed := range []int{1, 4, 8} {
		var text []string
		for range unnamed {
			text = append(text, jwk(b, keys.ES256(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))), "kid", ""))
		}
		web := newWeb(map[string]page{providerSet: {body: `{"keys":[` + strings.Join(text, ",") + `]}`}})
		auth := trusting(b, web, keys.Remote{Cooldown: time.Hour})
		auth.Decide(b.Context(), theirs(b, "x")) // fetches
		auth.Decide(b.Context(), theirs(b, "x")) // begins the cooldown
		b.Run("unknown kid, keys without kids "+strconv.Itoa(unnamed), func(b *testing.B) { benchmark(b, auth, theirs(b, "x"), jwtgate.CodeTokenInvalid) })
	}
	static := newVerifier(b, keys.HS256(secret), func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: provider, Keys: es256("a")}}
	})
	b.Run("given", func(b *testing.B) { benchmark(b, static, req, accepted) })
}

// BenchmarkFlood measures ordinary requests during a flood of 10,000 tokens with unknown
// kids in a second, and the fetches from the issuer.
func BenchmarkFlood(b *testing.B) {
	for _, perSecond := range []int{0, 10_000} {
		b.Run(strconv.Itoa(perSecond)+" a second", func(b *testing.B) {
			set := setOf(b, es256("a"))
			set.after = 20 * time.Millisecond
			web := newWeb(map[string]page{providerSet: set})
			auth := trusting(b, web, keys.Remote{})
			auth.Decide(b.Context(), theirs(b, "a")) // fetches
			unknown := make([]jwtgate.Request, 100)
			for i := range unknown {
				unknown[i] = withBearer(jwtgatetest.Sign(b, "ES256", p256Key, fmt.Sprintf(`{"alg":"ES256","kid":"unknown %d"}`, i), claims("iss", strconv.Quote(provider))))
			}
			ctx, over := context.WithCancel(b.Context())
			var sent atomic.Int64
			var flood sync.WaitGroup
			if perSecond > 0 {
				flood.Go(func() {
					begun := time.Now()
					for ctx.Err() == nil {
						for due := int64(time.Since(begun).Seconds() * float64(perSecond)); sent.Load() < due; {
							flood.Go(func() { auth.Decide(ctx, unknown[int(sent.Load())%len(unknown)]) })
							sent.Add(1)
						}
						time.Sleep(time.Millisecond)
					}
				})
			}
			own := withBearer(signed(b, claims()))
			begun := time.Now()
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				auth.Decide(ctx, own)
				took = append(took, time.Since(start))
			}
			elapsed := time.Since(begun)
			over()
			flood.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
			b.ReportMetric(float64(sent.Load())/elapsed.Seconds(), "unknown/s")
			b.ReportMetric(float64(web.fetches(providerSet)), "fetches")
		})
	}
}
