package jwtgate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
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
