package jwtgate_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// BenchmarkAccept measures requests that are accepted: with a token that is not cached,
// which costs little more than the check of its signature, and with a cached one.
func BenchmarkAccept(b *testing.B) {
	for _, cache := range []struct {
		name string
		size int
	}{{"cold", -1}, {"warm", 0}} {
		cached := func(c *jwtgate.Config) { c.CacheSize, c.Now = cache.size, nil }
		for _, row := range []struct {
			name string
			key  keys.Key
		}{
			{"HS256", keys.HS256(secret)},
			{"RS256", keys.RS256(rsaKey())},
			{"PS256", keys.PS256(rsaKey())},
			{"ES256", keys.ES256(p256Key)},
			{"EdDSA", keys.EdDSA(ed25519Key)},
		} {
			b.Run(cache.name+"/"+row.name, func(b *testing.B) {
				auth := newVerifier(b, row.key, cached)
				token := jwtgatetest.Token(b, auth, "alice", "admin", "user")
				benchmark(b, auth, withBearer(token), accepted)
			})
		}
		b.Run(cache.name+"/HS256 of a ring", func(b *testing.B) {
			ring := keys.NewRing(keys.HS256(secret))
			auth := newVerifier(b, ring, cached)
			token := jwtgatetest.Token(b, auth, "alice", "admin", "user")
			if err := errors.Join(ring.Announce(ringKey(1)), ring.Rotate()); err != nil {
				b.Fatal(err)
			}
			benchmark(b, auth, withBearer(token), accepted)
		})
		b.Run(cache.name+"/HS256 by cookie", func(b *testing.B) {
			auth := newVerifier(b, keys.HS256(secret), withCookies, cached)
			token := jwtgatetest.Token(b, auth, "alice", "admin", "user")
			benchmark(b, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"a=b; __Host-at=" + token}}}, accepted)
		})
	}
}

// BenchmarkObserved is BenchmarkAccept with an observer that counts outcomes.
func BenchmarkObserved(b *testing.B) {
	for name, size := range map[string]int{"cold": -1, "warm": 0} {
		b.Run(name+"/HS256", func(b *testing.B) {
			var count atomic.Int64
			auth := newVerifier(b, keys.HS256(secret), func(c *jwtgate.Config) {
				c.CacheSize, c.Now = size, nil
				c.Observers = []jwtgate.Observer{{Outcome: func(_ context.Context, o jwtgate.Outcome) {
					if o.Code == accepted {
						count.Add(1)
					}
				}}}
			})
			req, ctx := withBearer(jwtgatetest.Token(b, auth, "alice", "admin", "user")), context.Background()
			b.ReportAllocs()
			for b.Loop() {
				d := auth.Decide(ctx, req)
				d.Done()
			}
			if count.Load() == 0 {
				b.Error("got no outcome")
			}
		})
	}
}

// BenchmarkConfigured measures a token that is not cached with the settings for tokens of
// other shapes. The first row has none of them.
func BenchmarkConfigured(b *testing.B) {
	for _, row := range []struct {
		name   string
		change func(*jwtgate.Config)
		header string // the header field of the token
	}{
		{"nothing", func(*jwtgate.Config) {}, "Authorization: Bearer "},
		{"claims elsewhere", func(c *jwtgate.Config) {
			c.SubjectClaim, c.AudienceClaim, c.RoleClaims = "uid", "client_id", []string{"/realm_access/roles", "/resource_access/shop/roles"}
		}, "Authorization: Bearer "},
		{"five audiences", func(c *jwtgate.Config) { c.Audience, c.OtherAudiences = "1", []string{"2", "3", "4", audience} }, "Authorization: Bearer "},
		{"another header field", withTokenFields, "Cf-Access-Jwt-Assertion: "},
	} {
		b.Run(row.name, func(b *testing.B) {
			auth := newVerifier(b, keys.HS256(secret), func(c *jwtgate.Config) { c.CacheSize = -1 }, row.change)
			token := signed(b, claims("roles", `["admin"]`, "uid", `"u1"`, "client_id", strconv.Quote(audience),
				"realm_access", `{"roles":["user"]}`, "resource_access", `{"shop":{"roles":["buyer"]}}`))
			benchmark(b, auth, withLines("GET", row.header+token), accepted)
		})
	}
}

// BenchmarkManyTokens measures requests with more valid tokens than the cache holds, and
// requests with one token in use among them.
func BenchmarkManyTokens(b *testing.B) {
	auth := newVerifier(b, keys.HS256(secret), func(c *jwtgate.Config) { c.CacheSize = 2 << 20 })
	flood := make([]jwtgate.Request, 1<<14)
	for i := range flood {
		flood[i] = withBearer(jwtgatetest.Token(b, auth, strconv.Itoa(i)))
	}
	ctx := context.Background()
	i := 0
	next := func() {
		if d := auth.Decide(ctx, flood[i%len(flood)]); d.Identity == nil {
			b.Fatal(d.Refusal)
		}
		i++
	}
	b.Run("each", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next()
		}
	})
	b.Run("one in use", func(b *testing.B) {
		req := withBearer(jwtgatetest.Token(b, auth, "alice"))
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			next()
			b.StartTimer()
			if d := auth.Decide(ctx, req); d.Identity == nil {
				b.Fatal(d.Refusal)
			}
		}
	})
}

// BenchmarkRefuse measures requests that an attacker can send.
func BenchmarkRefuse(b *testing.B) {
	auth := newVerifier(b, keys.ES256(p256Key).WithID("k"))
	good := signedES256(b, claims())
	for _, row := range []struct {
		name, token string
		want        jwtgate.Code
	}{
		{"garbage", "garbage", jwtgate.CodeTokenInvalid},
		{"bad signature", good[:len(good)-4] + "AAAA", jwtgate.CodeTokenInvalid},
		{"unknown kid", jwtgatetest.Sign(b, "ES256", p256Key, `{"alg":"ES256","kid":"x"}`, claims()), jwtgate.CodeTokenInvalid},
		{"expired", signedES256(b, claims("exp", at(-1))), jwtgate.CodeTokenExpired},
		{"8 KB of garbage", strings.Repeat("x", 8192), jwtgate.CodeTokenInvalid},
		{"8 KB, bad signature", "eyJhbGciOiJFUzI1NiJ9." + strings.Repeat("x", 8000) + "." + strings.Repeat("A", 86), jwtgate.CodeTokenInvalid},
		{"over 8 KB", strings.Repeat("x", 8193), jwtgate.CodeMalformedCredentials},
	} {
		b.Run(row.name, func(b *testing.B) { benchmark(b, auth, withBearer(row.token), row.want) })
	}
}

// BenchmarkRevoked measures the check for revocation, which every request needs, by the
// number of revocations in memory.
func BenchmarkRevoked(b *testing.B) {
	for _, held := range []int{0, 1000, 1_000_000} {
		b.Run(strconv.Itoa(held), func(b *testing.B) {
			s := newTestServer(b, withoutRecorder, func(c *jwtgate.Config) { c.Sessions.Store = session.NewMemory(0, c.Now) })
			for range held {
				if err := s.EndSession(b.Context(), session.NewID(ownerOf("bob")).String()); err != nil {
					b.Fatal(err)
				}
			}
			ctx, now := context.Background(), s.clock.Now()
			id := s.Decide(ctx, withToken(jwtgate.Request{Method: "GET", Path: "/"}, s.login("alice").Access)).Identity
			b.ReportAllocs()
			for b.Loop() {
				if s.CheckRevoked(ctx, id, now) {
					b.Fatal("revoked")
				}
			}
		})
	}
}

func benchmark(b *testing.B, auth *jwtgate.Auth, req jwtgate.Request, want jwtgate.Code) {
	b.ReportAllocs()
	ctx := context.Background()
	for b.Loop() {
		d := auth.Decide(ctx, req)
		if want == accepted && d.Identity == nil || want != accepted && (d.Refusal == nil || d.Refusal.Code != want) {
			b.Fatalf("got %v, want %q", d.Refusal, want)
		}
	}
}
