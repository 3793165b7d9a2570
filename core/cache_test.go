package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// verifyUntilCached sends req until its token is cached: checks, which counts the
// signatures that are checked, no longer grows.
func verifyUntilCached(t *testing.T, auth *jwtgate.Auth, req jwtgate.Request, checks *atomic.Int64) {
	t.Helper()
	for _, want := range []int64{1, 1, 0, 0} {
		checks.Store(0)
		decide(t, auth, req, accepted)
		if got := checks.Load(); got != want {
			t.Fatalf("got %d signatures checked, want %d", got, want)
		}
	}
}

// A change after a token was cached has the same effect as for a token that is not
// cached: expiry, revocation, an unreachable store, changed keys.
func TestCacheSeesChanges(t *testing.T) {
	t.Parallel()
	const expired, invalid, unavailable = "401 token_expired", "401 token_invalid", "503 unavailable"
	type fixture struct {
		*testServer

		ring   *keys.Ring
		feed   *switchedFeed
		tokens reply
	}
	for _, row := range []struct {
		name   string
		change func(*jwtgate.Config)
		after  func(t *testing.T, h fixture)
		want   string
	}{
		{"nothing", nil, func(*testing.T, fixture) {}, "alice"},
		{"a second before exp", nil, func(_ *testing.T, h fixture) { h.clock.Advance(15*time.Minute - time.Second) }, "alice"},
		{"exp", nil, func(_ *testing.T, h fixture) { h.clock.Advance(15 * time.Minute) }, expired},
		{"exp, within Leeway", func(c *jwtgate.Config) { c.Leeway = time.Minute }, func(_ *testing.T, h fixture) { h.clock.Advance(16*time.Minute - time.Second) }, "alice"},
		{"exp, past Leeway", func(c *jwtgate.Config) { c.Leeway = time.Minute }, func(_ *testing.T, h fixture) { h.clock.Advance(16 * time.Minute) }, expired},
		{"the clock is set back before iat", nil, func(_ *testing.T, h fixture) { h.clock.Advance(-2 * time.Minute) }, invalid},
		{"logout", nil, func(_ *testing.T, h fixture) { h.logout(h.tokens.Refresh) }, revoked},
		{"logout by another process", nil, func(t *testing.T, h fixture) {
			do(t, h.another().EndSession(t.Context(), sidOf(t, h.tokens.Access)))
		}, revoked},
		{"logout of the token alone", nil, func(_ *testing.T, h fixture) {
			h.send(h.Logout, withToken(jwtgate.Request{Method: http.MethodPost}, h.tokens.Access))
		}, revoked},
		{"logout of all of the subject", nil, func(t *testing.T, h fixture) { do(t, h.EndSessions(t.Context(), "alice")) }, revoked},
		{"logout of someone else", nil, func(t *testing.T, h fixture) { do(t, h.EndSessions(t.Context(), "bob")) }, "alice"},
		{"a refresh, within the window", func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true },
			func(_ *testing.T, h fixture) { h.mustRefresh(h.tokens.Refresh) }, "alice"},
		{"a refresh, past the window", func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true },
			func(_ *testing.T, h fixture) {
				next := h.mustRefresh(h.tokens.Refresh)
				h.mustRefresh(next.Refresh) // uses it
				h.clock.Advance(10 * time.Second)
			}, revoked},
		{"a refresh, past the window, unused", func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true },
			func(_ *testing.T, h fixture) { h.mustRefresh(h.tokens.Refresh); h.clock.Advance(10 * time.Second) }, "alice"},
		{"the session is gone from the store", func(c *jwtgate.Config) { c.Sessions.AllowList = true }, func(t *testing.T, h fixture) {
			id, _ := session.ParseID(sidOf(t, h.tokens.Access))
			if _, err := h.store.End(t.Context(), id, time.Hour); err != nil {
				t.Fatal(err)
			}
		}, revoked},
		{"the store cannot be asked", func(c *jwtgate.Config) { c.Sessions.AllowList = true },
			func(_ *testing.T, h fixture) { h.store.breaks("Find", false) }, unavailable},
		{"the feed is silent for MaxLag", nil, func(_ *testing.T, h fixture) { h.feed.set(feedFails); time.Sleep(30 * time.Second) }, unavailable},
		{"a key is announced", nil, func(t *testing.T, h fixture) { do(t, h.ring.Announce(ringKey(2))) }, "alice"},
		{"another key signs", nil, func(t *testing.T, h fixture) { do(t, h.ring.Announce(ringKey(2))); do(t, h.ring.Rotate()) }, "alice"},
		{"the key is taken out", nil, func(t *testing.T, h fixture) { do(t, h.ring.Replace(ringKey(2))) }, invalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := fixture{feed: &switchedFeed{}}
				var checks atomic.Int64
				h.ring = keys.NewRing(ringKey(1))
				h.testServer = newTestServer(t, func(c *jwtgate.Config) {
					c.Keys = counted(h.ring, &checks)
					c.Sessions = &jwtgate.SessionConfig{Store: c.Sessions.Store, Keys: c.Sessions.Keys, Subject: c.Sessions.Subject}
					h.feed.Store, c.Sessions.Store = c.Sessions.Store, h.feed
					if row.change != nil {
						row.change(c)
					}
				})
				synctest.Wait()
				h.tokens = h.login("alice")
				verifyUntilCached(t, h.Auth, withToken(jwtgate.Request{}, h.tokens.Access), &checks)
				row.after(t, h)
				synctest.Wait()
				for range 3 {
					if got := h.authenticate(h.tokens.Access); got != row.want {
						t.Errorf("got %s; want %s", got, row.want)
					}
				}
			})
		})
	}
}

// A retired key stops verifying when the last token that this server signed with it
// expires, even if a cached token has a later exp.
func TestCacheRetiredKey(t *testing.T) {
	t.Parallel()
	var checks atomic.Int64
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, counted(ring, &checks), withClock(clock))
	jwtgatetest.Token(t, auth, "alice")
	do(t, ring.Announce(ringKey(2)))
	do(t, ring.Rotate())
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

// Only the exact bytes of a cached token hit the cache. The carrier of the token and
// the rules are checked for each request.
func TestCacheHits(t *testing.T) {
	t.Parallel()
	var checks atomic.Int64
	key := counted(keys.HS256(secret), &checks)
	auth := newVerifier(t, key, withCookies)
	elsewhere := newVerifier(t, key, func(c *jwtgate.Config) { c.Audience = "https://other.example" })
	token := jwtgatetest.Token(t, auth, "alice", "user")
	verifyUntilCached(t, auth, withBearer(token), &checks)

	last := token[len(token)-1:]
	cookie := func(method, site string) jwtgate.Request {
		return jwtgate.Request{Method: method, Host: "api.example.com", Header: http.Header{"Sec-Fetch-Site": {site}, "Cookie": {"__Host-at=" + token}}}
	}
	for _, row := range []struct {
		name string
		auth *jwtgate.Auth
		req  jwtgate.Request
		want jwtgate.Code
		rule []jwtgate.Rule
	}{
		{"Bearer", auth, withBearer(token), accepted, nil},
		{"cookie", auth, cookie("POST", "same-origin"), accepted, nil},
		{"cookie from another site", auth, cookie("POST", "cross-site"), jwtgate.CodeCrossSite, nil},
		{"two headers", auth, jwtgate.Request{Header: http.Header{"Authorization": {"Bearer " + token, "Bearer " + token}}}, jwtgate.CodeMalformedCredentials, nil},
		{"two cookies", auth, jwtgate.Request{Header: http.Header{"Cookie": {"__Host-at=" + token + "; __Host-at=" + token}}}, jwtgate.CodeMalformedCredentials, nil},
		{"another scheme", auth, jwtgate.Request{Header: http.Header{"Authorization": {"Token " + token}}}, jwtgate.CodeTokenMissing, nil},
		{"a space behind it", auth, withBearer(token + " "), jwtgate.CodeMalformedCredentials, nil},
		{"padding", auth, withBearer(token + "="), jwtgate.CodeTokenInvalid, nil},
		{"shorter", auth, withBearer(token[:len(token)-1]), jwtgate.CodeTokenInvalid, nil},
		{"another spelling", auth, withBearer(token[:len(token)-1] + nextCharacter(last)), jwtgate.CodeTokenInvalid, nil},
		{"another header", auth, withBearer("x" + token[1:]), jwtgate.CodeTokenInvalid, nil},
		{"a role that it has", auth, withBearer(token), accepted, []jwtgate.Rule{jwtgate.Role("user")}},
		{"a role that it lacks", auth, withBearer(token), jwtgate.CodeInsufficientScope, []jwtgate.Rule{jwtgate.Role("admin")}},
		{"an Auth with another audience", elsewhere, withBearer(token), jwtgate.CodeTokenInvalid, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := decide(t, row.auth, row.req, row.want, row.rule...)
			if got, want := field(d.Response, "Cache-Control") == "private", row.want == accepted && row.req.First("Cookie") != ""; got != want {
				t.Errorf("got %v, want %v for an answer that is private", got, want)
			}
		})
	}
}

// nextCharacter returns the character after c. In base64url, it may differ from c only
// in unused bits, so a lax decoder would read the same bytes.
func nextCharacter(c string) string { return string(rune(c[0]) + 1) }

// When the cached access token of a browser expires, its session is renewed.
func TestCacheRenewal(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	tokens := s.signIn("alice")
	req := browserWith(tokens).request(http.MethodGet)
	for range 3 {
		if got := s.decide(req); got != "pass alice" {
			t.Fatalf("got %s", got)
		}
	}
	s.clock.Advance(15 * time.Minute)
	if got := s.decide(req); got != "pass alice new" {
		t.Errorf("got %s, want the session renewed", got)
	}
}

// The context of a Decision is made from the request's own context, also for cached
// tokens.
func TestCacheContext(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withCookies)
	token := jwtgatetest.Token(t, auth, "alice")
	type key struct{}
	for i := range 5 {
		ctx := context.WithValue(context.Background(), key{}, i)
		d := auth.Decide(ctx, withBearer(token))
		if d.Context.Value(key{}) != i {
			t.Errorf("request %d has the context of another", i)
		}
		if d := auth.Decide(context.Background(), withBearer(token)); d.Context.Value(key{}) != nil {
			t.Error("a request without a context has one")
		}
		// That the token came as Bearer before is not remembered for the cookie.
		byCookie := jwtgate.Request{Header: http.Header{"Cookie": {"__Host-at=" + token}}}
		inner := auth.Decide(auth.Decide(context.Background(), byCookie).Context, byCookie, jwtgate.ClaimsOf[[]int]())
		if got := fmt.Sprint(inner.Response.Header); !strings.Contains(got, "Set-Cookie") {
			t.Errorf("got %s of a guard within another, want the cookies cleared as by the outer one", got)
		}
	}
}

// The cache copies tokens: the string of a request may be in a buffer that the
// server reuses for the next request.
func TestCacheCopies(t *testing.T) {
	t.Parallel()
	var checks atomic.Int64
	auth := newVerifier(t, counted(keys.HS256(secret), &checks))
	alice, bobby := jwtgatetest.Token(t, auth, "alice"), jwtgatetest.Token(t, auth, "bobby")
	buffer := []byte("Bearer " + alice)
	req := jwtgate.Request{Header: http.Header{"Authorization": {unsafe.String(&buffer[0], len(buffer))}}}
	verifyUntilCached(t, auth, req, &checks)
	copy(buffer, "Bearer "+bobby)
	if got := decide(t, auth, req, accepted).Identity.Subject(); got != "bobby" {
		t.Errorf("got %s by the token of bobby", got)
	}
	checks.Store(0)
	if got := decide(t, auth, withBearer(alice), accepted).Identity.Subject(); got != "alice" || checks.Load() != 0 {
		t.Errorf("got %s by the token of alice, verified anew: %v", got, checks.Load() != 0)
	}
}

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
}

// Cached tokens are evicted when they have expired or are no longer used.
func TestCacheTurnsOver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		pass time.Duration
	}{
		{"used no more", 10 * time.Minute},
		{"expired", time.Hour},
	} {
		var checks atomic.Int64
		clock := jwtgatetest.NewClock(time.Unix(start, 0))
		auth := newVerifier(t, counted(keys.HS256(secret), &checks), withClock(clock), func(c *jwtgate.Config) { c.CacheSize = 8 })
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
