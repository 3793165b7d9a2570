package jwtgate_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// All requests that need the keys wait for the same fetch. A cancelled request returns
// at once, and the fetch continues.
func TestRemoteFirstFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		good.after = 3 * time.Second
		web := newWeb(map[string]page{providerSet: good})
		auth := trusting(t, web, keys.Remote{})
		token := theirs(t, "a")
		impatient, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		var left jwtgate.Decision
		if got := took(func() { left = auth.Decide(impatient, token) }); got != time.Second || left.Refusal == nil || left.Refusal.Code != jwtgate.CodeUnavailable {
			t.Errorf("who has a second: got %v after %v, want unavailable after 1 s", left.Refusal, got)
		}
		var waiting sync.WaitGroup
		for range 100 {
			waiting.Go(func() { decide(t, auth, token, accepted) })
		}
		if got := took(waiting.Wait); got != 2*time.Second || web.fetches(providerSet) != 1 {
			t.Errorf("got %d fetches after %v more, want the first one after 2 s", web.fetches(providerSet), got)
		}
	})
}

// The number of requests that wait for a slow issuer is bounded, both for the first
// fetch and for the fetch after an idle time.
func TestRemoteCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		good.after = 3 * time.Second
		auth := trusting(t, newWeb(map[string]page{providerSet: good}), keys.Remote{})
		token := theirs(t, "a")
		for _, idle := range []time.Duration{0, 2 * time.Hour} {
			time.Sleep(idle)
			var waiting sync.WaitGroup
			for range 10_000 {
				waiting.Go(func() { decide(t, auth, token, accepted) })
			}
			synctest.Wait()
			if got := took(func() { decide(t, auth, token, jwtgate.CodeUnavailable) }); got != 0 {
				t.Errorf("got a wait of %v for one more, idle for %v before", got, idle)
			}
			waiting.Wait()
		}
	})
}

// Cancelled requests no longer count as waiting.
func TestRemoteCrowdLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		good.after = 3 * time.Second
		auth := trusting(t, newWeb(map[string]page{providerSet: good}), keys.Remote{})
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		unknown := theirs(t, "unknown")
		for range 10_000 {
			auth.Decide(gone, unknown)
		}
		decide(t, auth, theirs(t, "a"), accepted)
	})
}

// If no token came for a long time, the next request waits for a fetch, so that a key
// that the issuer has removed in the meantime does not verify it.
func TestRemoteIdle(t *testing.T) {
	removed := setOf(t, es256("b"))
	for _, row := range []struct {
		name string
		idle time.Duration
		then page
		want jwtgate.Code
		wait time.Duration
	}{
		{"a quarter of an hour", 15 * time.Minute, removed, accepted, 0}, // it starts the fetch that removes the key
		{"an hour", time.Hour, removed, accepted, 0},
		{"more than an hour", time.Hour + time.Minute, removed, jwtgate.CodeTokenInvalid, 2 * time.Second}, // one fetch removes the key, one looks for the unknown kid
		{"almost a day", 24*time.Hour - time.Second, removed, jwtgate.CodeTokenInvalid, 2 * time.Second},
		{"almost a day, not removed", 24*time.Hour - time.Minute, setOf(t, es256("a")), accepted, time.Second},
		{"almost a day, issuer down", 24*time.Hour - time.Minute, page{status: 500}, accepted, time.Second},
	} {
		idle := func(t *testing.T, token func(t *testing.T) jwtgate.Request) {
			synctest.Test(t, func(t *testing.T) {
				web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
				auth := trusting(t, web, keys.Remote{})
				for range 3 { // until it is cached
					decide(t, auth, token(t), accepted)
				}
				row.then.after = time.Second
				web.set(providerSet, row.then)
				time.Sleep(row.idle)
				var waiting sync.WaitGroup
				for range 10 {
					waiting.Go(func() {
						if got := took(func() { decide(t, auth, token(t), row.want) }); got != row.wait {
							t.Errorf("got a wait of %v, want %v", got, row.wait)
						}
					})
				}
				waiting.Wait()
				synctest.Wait()
				if got, want := web.fetches(providerSet), 1+max(1, int(row.wait/time.Second)); got != want {
					t.Errorf("got %d fetches, want %d, however many wait", got, want)
				}
				time.Sleep(10 * time.Second) // until the issuer may be asked again after a failure
				if row.want == accepted && row.wait > 0 {
					if got := took(func() { decide(t, auth, theirs(t, "a"), accepted) }); got != 0 {
						t.Errorf("got a wait of %v for the next one", got)
					}
				}
			})
		}
		t.Run(row.name, func(t *testing.T) {
			idle(t, func(t *testing.T) jwtgate.Request { return theirs(t, "a") })
		})
		known := theirs(t, "a")
		t.Run(row.name+", known", func(t *testing.T) {
			idle(t, func(*testing.T) jwtgate.Request { return known })
		})
	}
}

// A request that is cancelled while it waits is refused.
func TestRemoteIdleCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		web := newWeb(map[string]page{providerSet: good})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, "a"), accepted)
		good.after = time.Second
		web.set(providerSet, good)
		time.Sleep(2 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if d := auth.Decide(ctx, theirs(t, "a")); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeUnavailable {
			t.Errorf("got %v, want %s", d.Refusal, jwtgate.CodeUnavailable)
		}
		decide(t, auth, theirs(t, "a"), accepted)
	})
}

// Close ends the fetch in progress and prevents others. The keys stay in use.
func TestRemoteClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		web := newWeb(map[string]page{providerSet: good})
		d, observed := &diary{}, 0
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) {
			c.Observers = append(observing(d.write), jwtgate.Observer{KeyFetch: func(context.Context, jwtgate.KeyFetch) { observed++ }})
		})
		decide(t, auth, theirs(t, "a"), accepted)
		good.after = time.Hour
		web.set(providerSet, good)
		time.Sleep(time.Hour)
		decide(t, auth, theirs(t, "a"), accepted) // starts a fetch
		synctest.Wait()
		web.lag = time.Second
		if got := took(auth.Close); got != time.Second || web.fetches(providerSet) != 2 || web.live.Load() != 0 {
			t.Errorf("got %d fetches, of which %d go on after Close, which took %v; want it to end the second", web.fetches(providerSet), web.live.Load(), got)
		}
		auth.Close()
		time.Sleep(20 * time.Minute)
		decide(t, auth, theirs(t, "a"), accepted)
		decide(t, auth, theirs(t, "b"), jwtgate.CodeUnavailable)
		synctest.Wait()
		if got := web.fetches(providerSet); got != 2 {
			t.Errorf("got %d fetches, want none after Close", got)
		}
		if got := d.kinds(); got != "keys_changed×1" || observed != 1 {
			t.Errorf("got events %s and %d observed fetches, want none of the fetch that Close ended", got, observed)
		}
	})
}

// No goroutine is left after Close.
func TestRemoteGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 50 {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
			c.Trusted = []jwtgate.TrustedIssuer{{Name: provider, Keys: keys.Remote{URL: providerSet, Transport: web}}}
		})
		decide(t, auth, theirs(t, "a"), accepted)
		auth.Close()
	}
	// A goroutine that Close has waited for may still have to return.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %d goroutines; want the %d of before", runtime.NumGoroutine(), before)
		}
	}
}
