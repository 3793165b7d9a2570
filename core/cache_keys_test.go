package jwtgate_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A retired key stops verifying when the last token that this server signed with it
// expires, even if a cached token has a later exp.
func TestCacheRetiredKey(t *testing.T) {
	t.Parallel()
	var checks atomic.Int64
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, counted(ring, &checks), withClock(clock))
	jwtgatetest.Token(t, auth, "alice")
	rotateTo(t, ring, ringKey(2))
	long := withBearer(elsewhere(t, 1, 3600))
	verifyUntilCached(t, auth, long, &checks)
	clock.Advance(15*time.Minute - 1)
	decide(t, auth, long, accepted)
	clock.Advance(1)
	decide(t, auth, long, jwtgate.CodeTokenInvalid)
}

// Requests with cached tokens also cause remote keys to be fetched again. A cached
// token is refused once its key is removed or has become too old.
func TestCacheRemoteKeys(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		page func(testing.TB) page
		wait time.Duration
		want jwtgate.Code
	}{
		{"as before", func(tb testing.TB) page { return setOf(tb, es256("a")) }, time.Second, accepted},
		{"removed", func(tb testing.TB) page { return setOf(tb, es256("b")) }, time.Second, jwtgate.CodeTokenInvalid},
		{"out of reach for long", func(testing.TB) page { return page{err: errBroken} }, 48 * time.Hour, jwtgate.CodeUnavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
				auth := trusting(t, web, keys.Remote{})
				req := theirs(t, "a")
				for range 3 {
					decide(t, auth, req, accepted)
				}
				web.set(providerSet, row.page(t))
				time.Sleep(15 * time.Minute)
				decide(t, auth, req, accepted) // starts the fetch
				time.Sleep(row.wait)
				synctest.Wait()
				for range 3 {
					decide(t, auth, req, row.want)
				}
			})
		})
	}
}

// While keys change concurrently, no token is accepted with a key that was removed.
func TestCacheRaces(t *testing.T) {
	t.Parallel()
	ring := keys.NewRing(ringKey(0))
	auth := newVerifier(t, ring, func(c *jwtgate.Config) { c.CacheSize = 8 })
	var tokens []jwtgate.Request
	for n := range 4 {
		tokens = append(tokens, withBearer(elsewhere(t, n, 900)))
	}
	var change atomic.Int64 // the number of the last change, -1 while there is one
	var group sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				n := int64(i % len(tokens))
				before := change.Load()
				good := auth.Decide(context.Background(), tokens[n]).Refusal == nil
				if after := change.Load(); before == after && before >= 0 && good != (n == before%4) {
					t.Errorf("by key %d, got a token of key %d accepted: %v", before%4, n, good)
					return
				}
			}
		})
	}
	for i := range 300 {
		change.Store(-1)
		do(t, ring.Replace(ringKey(i%4)))
		change.Store(int64(i))
		for range 3 {
			auth.Decide(context.Background(), tokens[i%4])
		}
	}
	close(done)
	group.Wait()
}
