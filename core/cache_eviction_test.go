package jwtgate_test

import (
	"fmt"
	"sort"
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

// Tokens that are used once or twice do not evict tokens in use, and the cache does
// not grow beyond its size.
func TestCacheFlood(t *testing.T) {
	t.Parallel()
	const size, useful = 1024, 256
	var checks atomic.Int64
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	auth := newVerifier(t, counted(keys.HS256(secret), &checks), withClock(clock), func(c *jwtgate.Config) { c.CacheSize = size * 2048 })
	var tokens []jwtgate.Request
	for range useful {
		tokens = append(tokens, withBearer(jwtgatetest.Token(t, auth, "alice")))
	}
	use := func() int64 {
		checks.Store(0)
		for _, req := range tokens {
			decide(t, auth, req, accepted)
		}
		return checks.Load()
	}
	for range 4 {
		use()
	}
	before := use()
	for i := range 20 * size {
		req := withBearer(jwtgatetest.Token(t, auth, "mallory"))
		for range 1 + i%2 {
			decide(t, auth, req, accepted)
		}
		if i%size == 0 {
			clock.Advance(10 * time.Second)
			use()
		}
	}
	// Some of the eight-way sets may have nine useful tokens or more from the beginning.
	if after := use(); before > useful/50 || after > before+useful/20 {
		t.Errorf("of %d useful tokens, got %d verified anew before the flood and %d after it", useful, before, after)
	}
	if got, _ := auth.CachedTokens(); got > size {
		t.Errorf("got %d tokens held, want at most %d", got, size)
	}
}

// The cache bounds the bytes of its tokens, however long they are, and counts them exactly.
func TestCacheBytes(t *testing.T) {
	t.Parallel()
	const size = 64 << 10 // four sets
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.CacheSize = size })
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 100 {
				claims := claims("jti", fmt.Sprintf(`"%d %d"`, worker, i), "filler", `"`+strings.Repeat("x", i*43)+`"`)
				req := withBearer(signed(t, claims))
				for range 3 {
					decide(t, auth, req, accepted)
				}
			}
		})
	}
	all.Wait()
	tokens, bytes := auth.CachedTokens()
	if tokens < 4 || bytes > size || bytes < size/4 {
		t.Errorf("got %d tokens of %d bytes; want at most %d bytes, and most of that", tokens, bytes, size)
	}
	if got := auth.CountedBytes(); got != bytes {
		t.Errorf("counted %d bytes; want %d", got, bytes)
	}
	if got := auth.Stats().CacheUsed; got != tokens {
		t.Errorf("counted %d tokens; want %d", got, tokens)
	}
}

// Cached tokens are evicted when they have expired or are no longer used.
func TestCacheTurnsOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		ttl  time.Duration
		pass time.Duration
	}{
		{"used no more", 15 * time.Minute, 10 * time.Minute},
		{"expired", 15 * time.Minute, time.Hour},
		{"expired at this moment, used until then", time.Minute, time.Minute},
	} {
		var checks atomic.Int64
		clock := jwtgatetest.NewClock(time.Unix(start, 0))
		auth := newVerifier(t, counted(keys.HS256(secret), &checks), withClock(clock), func(c *jwtgate.Config) { c.CacheSize, c.AccessTTL = 8, row.ttl })
		for round := range 3 {
			var tokens []jwtgate.Request
			for range 8 {
				tokens = append(tokens, withBearer(jwtgatetest.Token(t, auth, "alice")))
			}
			for range 20 {
				checks.Store(0)
				for _, req := range tokens {
					decide(t, auth, req, accepted)
				}
			}
			if got := checks.Load(); got > 0 {
				t.Errorf("%s, round %d: got %d of 8 tokens verified anew", row.name, round, got)
			}
			clock.Advance(row.pass)
		}
	}
}

// A token that is longer than its set has room for evicts no other.
func TestCacheLongToken(t *testing.T) {
	t.Parallel()
	var checks atomic.Int64
	auth := newVerifier(t, counted(keys.HS256(secret), &checks), func(c *jwtgate.Config) { c.CacheSize, c.MaxTokenSize = 1, 1<<15 })
	short := withBearer(jwtgatetest.Token(t, auth, "alice"))
	verifyUntilCached(t, auth, short, &checks)
	long := withBearer(signed(t, claims("filler", `"`+strings.Repeat("x", 1<<14)+`"`)))
	for range 3 {
		decide(t, auth, long, accepted)
	}
	checks.Store(0)
	decide(t, auth, short, accepted)
	if got := checks.Load(); got != 0 {
		t.Error("the short token was evicted")
	}
}

// tokenOfSize returns a token that takes size bytes in a cache.
func tokenOfSize(t *testing.T, size int) string {
	t.Helper()
	try := func(filler, padding int) (token string, over int) {
		payload := claims("filler", `"`+strings.Repeat("x", filler)+`"`)
		token = jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","x":"`+strings.Repeat("x", padding)+`"}`, payload)
		return token, int(jwtgate.CachedSize(token, payload)) - size
	}
	filler := sort.Search(size, func(n int) bool { _, over := try(n+1, 0); return over > 0 })
	_, over := try(filler, 0) // at most 2 bytes are missing
	token, over := try(filler, -over)
	if over != 0 {
		t.Fatalf("got a token with %d bytes more than %d", over, size)
	}
	return token
}

// TestCacheLongestToken checks that a token is cached if it takes all bytes of its set, but
// not if it takes one more.
func TestCacheLongestToken(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ size, tokens int }{{16 << 10, 1}, {16<<10 + 1, 0}} {
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.CacheSize, c.MaxTokenSize = 1, 1<<15 })
		req := withBearer(tokenOfSize(t, row.size))
		for range 2 {
			decide(t, auth, req, accepted)
		}
		if got, size := auth.CachedTokens(); got != row.tokens || size != int64(row.size*row.tokens) {
			t.Errorf("a token of %d bytes: got %d tokens cached, of %d bytes; want %d", row.size, got, size, row.tokens)
		}
	}
}

// TestCacheEvictsLeastUsed checks that a new token replaces the one that is used least, even
// if all tokens are used often.
func TestCacheEvictsLeastUsed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		held int
		over int // how many bytes the new token has more than are free
	}{
		{"a slot is needed", 8, -1000},
		{"bytes are needed", 7, 1},
	} {
		const leastUsed = 3
		var checks atomic.Int64
		auth := newVerifier(t, counted(keys.HS256(secret), &checks), func(c *jwtgate.Config) { c.CacheSize, c.MaxTokenSize = 1, 1<<15 })
		use := func(token string, times int) (checked int64) {
			checks.Store(0)
			for range times {
				decide(t, auth, withBearer(token), accepted)
			}
			return checks.Load()
		}
		var held []string
		for i := range row.held {
			held = append(held, signed(t, claims("jti", strconv.Quote(strconv.Itoa(i)))))
			times := 20
			if i == leastUsed {
				times = 10
			}
			use(held[i], times)
		}
		_, size := auth.CachedTokens()
		added := tokenOfSize(t, 16<<10-int(size)+row.over)
		use(added, 2)
		if got := use(added, 1); got != 0 {
			t.Errorf("%s: the new token is not cached", row.name)
		}
		for i := range held {
			if evicted := use(held[i], 1) > 0; evicted != (i == leastUsed) {
				t.Errorf("%s: token %d: got evicted: %t; want the opposite", row.name, i, evicted)
			}
		}
	}
}

// TestCacheVerifiesAgain checks that a token takes the same slot when it is verified again
// because its key was removed and came back.
func TestCacheVerifiesAgain(t *testing.T) {
	t.Parallel()
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, ring)
	req := withBearer(elsewhere(t, 1, 900))
	for range 2 {
		for range 3 {
			decide(t, auth, req, accepted)
		}
		do(t, ring.Replace(ringKey(2)))
		do(t, ring.Replace(ringKey(1)))
	}
	if got, _ := auth.CachedTokens(); got != 1 {
		t.Errorf("got %d tokens cached; want 1", got)
	}
}

func TestCacheSize(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ size, checks int }{{-1, 10}, {0, 2}, {1, 2}, {1000, 2}, {1 << 20, 2}} {
		var checks atomic.Int64
		auth := newVerifier(t, counted(keys.HS256(secret), &checks), func(c *jwtgate.Config) { c.CacheSize = row.size })
		token := withBearer(jwtgatetest.Token(t, auth, "alice"))
		for range 10 {
			decide(t, auth, token, accepted)
		}
		if got := int(checks.Load()); got != row.checks {
			t.Errorf("CacheSize %d: got %d signatures checked, want %d", row.size, got, row.checks)
		}
	}
}
