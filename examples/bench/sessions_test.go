package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/nethttp"
)

// After each tick of the clock, access tokens have expired and the reuse window
// is over, so that the next refresh rotates.
const (
	accessTTL = 10 * time.Second
	tick      = accessTTL + time.Second
)

// withSessions enables sign-in, with sessions that outlive every benchmark.
func withSessions(clock *jwtgatetest.Clock, store session.Store) func(*jwtgate.Config) {
	return func(c *jwtgate.Config) {
		c.AccessTTL = accessTTL
		c.Cookies = &jwtgate.CookieConfig{}
		c.Now = clock.Now
		c.Sessions = &jwtgate.SessionConfig{
			Subject: func(context.Context, string) (jwtgate.Grant, error) {
				return jwtgate.Grant{Roles: []string{"admin", "user"}, Scopes: []string{"notes:read", "notes:write"}}, nil
			},
			SessionTTL: 10 * 365 * 24 * time.Hour,
			Store:      store,
		}
	}
}

// BenchmarkRefresh measures the refresh endpoint without HTTP: read the form, check
// the refresh token, find the session, load the subject, sign an access token,
// rotate the refresh token, and answer.
func BenchmarkRefresh(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(algorithm, func(b *testing.B) {
			clock := jwtgatetest.NewClock(time.Now())
			auth := warmAuth(keyOf(algorithm), withSessions(clock, session.NewMemory(0, clock.Now)))
			b.Cleanup(auth.Close)
			refresh := must(auth.SignIn(b.Context(), jwtgate.Request{}, "alice")).Refresh
			header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
			loop(b, func(_ int) {
				clock.Advance(tick)
				res := auth.Refresh(b.Context(), jwtgate.Request{
					Method: http.MethodPost,
					Header: header,
					Body:   strings.NewReader("refresh_token=" + refresh),
				})
				_, after, found := strings.Cut(string(res.Body), `"refresh_token":"`)
				if !found {
					b.Fatalf("got %d %s", res.Status, res.Body)
				}
				refresh, _, _ = strings.Cut(after, `"`)
			})
		})
	}
}

// BenchmarkRenewal measures a browser's request whose access token has expired:
// the guard renews the cookies, and the handler serves the request.
func BenchmarkRenewal(b *testing.B) {
	for _, algorithm := range algorithms {
		b.Run(algorithm, func(b *testing.B) {
			clock := jwtgatetest.NewClock(time.Now())
			auth := warmAuth(keyOf(algorithm), withSessions(clock, session.NewMemory(0, clock.Now)))
			b.Cleanup(auth.Close)
			handler := nethttp.Protect(auth)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				id, _ := nethttp.Identity(r)
				w.WriteHeader(answer(id.Subject(), id.HasRole("admin")))
			}))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Cookie", jwtgatetest.Cookie(b, auth, "alice"))
			w := &discard{header: http.Header{}}
			loop(b, func(_ int) {
				clock.Advance(tick)
				clear(w.header)
				handler.ServeHTTP(w, r)
				cookies := w.header["Set-Cookie"]
				if w.status != http.StatusNoContent || len(cookies) != 2 {
					b.Fatalf("got status %d with %d cookies", w.status, len(cookies))
				}
				access, _, _ := strings.Cut(cookies[0], ";")
				refresh, _, _ := strings.Cut(cookies[1], ";")
				r.Header["Cookie"][0] = access + "; " + refresh
			})
		})
	}
}

// BenchmarkRevoked measures a decision about a good token while n other sessions
// are revoked.
func BenchmarkRevoked(b *testing.B) {
	for _, n := range []int{0, 1_000, 100_000} {
		b.Run(fmt.Sprintf("revoked=%d", n), func(b *testing.B) {
			clock := jwtgatetest.NewClock(time.Now())
			store := session.NewMemory(0, clock.Now)
			auth := warmAuth(keyOf("HS256"), withSessions(clock, store))
			b.Cleanup(auth.Close)
			tokens := must(auth.SignIn(b.Context(), jwtgate.Request{}, "alice"))
			req := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + tokens.Access.Token}}}
			decide(b, auth, req) // waits until the revocation feed is connected
			revokeOthers(b, store, clock, n)
			loop(b, func(_ int) {
				decide(b, auth, req)
			})
		})
	}
}

// revokeOthers revokes n sessions of another subject than alice.
func revokeOthers(b *testing.B, store *session.Memory, clock *jwtgatetest.Clock, n int) {
	for range n {
		r := session.Revocation{Session: session.NewID(session.Owner{Subject: "bob"}), From: clock.Now(), Until: clock.Now().Add(time.Hour)}
		if err := store.Revoke(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// decide fails if req is refused.
func decide(b *testing.B, auth *jwtgate.Auth, req jwtgate.Request, rules ...jwtgate.Rule) {
	if d := auth.Decide(context.Background(), req, rules...); d.Identity == nil {
		b.Fatal(d.Refusal)
	}
}
