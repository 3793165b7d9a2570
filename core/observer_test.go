package jwtgate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// outcomes records outcomes as text. It is safe for concurrent use.
type outcomes struct {
	mu    sync.Mutex
	lines []string
}

// observe is an option: it has the outcomes recorded.
func (o *outcomes) observe(c *jwtgate.Config) {
	c.Observers = append(c.Observers, jwtgate.Observer{Outcome: o.add})
}

func (o *outcomes) add(_ context.Context, got jwtgate.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	subject := "-"
	if got.Identity != nil {
		subject = got.Identity.Subject()
	}
	if got.Duration <= 0 {
		subject += " without a duration"
	}
	line := fmt.Sprint(got.Endpoint, " ", got.Status, " ", got.Code, " ", got.Judged, " ", subject)
	o.lines = append(o.lines, strings.Join(strings.Fields(line), " "))
}

// taken returns the outcomes since the last call.
func (o *outcomes) taken() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := strings.Join(o.lines, ", ")
	o.lines = nil
	return all
}

// TestOutcomes checks that each request has one outcome: the endpoint, the status, the code,
// how the token was judged, and the subject.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	o := &outcomes{}
	s := newTestServer(t, withCookies, o.observe)
	tokens := s.login("alice")
	get := func(access string) jwtgate.Request {
		return withToken(jwtgate.Request{Method: http.MethodGet, Path: "/"}, access)
	}
	admin := jwtgate.Role("admin")
	ended := s.login("alice")
	s.logout(ended.Refresh)
	browser, over := browserWith(s.signIn("carol")), s.signIn("eve")
	s.logout(over.Refresh)
	o.taken()
	for _, row := range []struct {
		name string
		do   func()
		want string
	}{
		{"first use", func() { s.guarded(get(tokens.Access)) }, "0 cold alice"},
		{"second use", func() { s.guarded(get(tokens.Access)) }, "0 cold alice"},
		{"third use", func() { s.guarded(get(tokens.Access)) }, "0 cached alice"},
		{"missing role", func() { s.guarded(get(tokens.Access), admin) }, "403 insufficient_scope cached alice"},
		{"nobody", func() { s.guarded(jwtgate.Request{Method: "GET"}) }, "401 token_missing -"},
		{"nobody, optional", func() { s.guarded(jwtgate.Request{Method: "GET"}, jwtgate.Optional()) }, "0 -"},
		{"garbage", func() { s.guarded(get("garbage")) }, "401 token_invalid cold -"},
		{"too long a lifetime", func() {
			s.guarded(get(s.mint("", 48*time.Hour, map[string]any{"exp": s.clock.Now().Add(time.Hour).Unix()})))
		}, "401 token_invalid cold -"},
		{"no token", func() { s.guarded(get("")) }, "400 malformed_credentials -"},
		{"session is over", func() { s.guarded(get(ended.Access)) }, "401 token_revoked cold alice"},
		{"stacked", func() { s.stacked(get(tokens.Access)) }, "0 cached alice"},
		{"stacked, the inner one refuses", func() { s.stacked(get(tokens.Access), admin) }, "403 insufficient_scope cached alice"},
		{"stacked, nobody", func() { s.stacked(jwtgate.Request{Method: "GET"}, jwtgate.Optional()) }, "0 -"},
		{"stacked, nobody, the inner one refuses", func() { s.stacked(jwtgate.Request{Method: "GET"}) }, "401 token_missing -"},
		{"stacked, the session of the browser is over", func() { s.stacked(browserWith(over).request(http.MethodGet)) }, "401 token_revoked cold eve"},
		{"login", func() { s.login("bob") }, "token 200 bob"},
		{"browser's login", func() { s.send(s.loginEndpoint(), formRequest("username", "bob", "password", "wonderland")) }, "login 200 bob"},
		{"wrong password", func() { s.send(s.tokenEndpoint(), formRequest("username", "bob", "password", "x")) }, "token 401 invalid_credentials -"},
		{"wrong method", func() { s.send(s.Refresh, get("")) }, "refresh 405 method_not_allowed -"},
		{"bad refresh token", func() { s.refresh("x") }, "refresh 401 refresh_invalid -"},
		{"refresh", func() { tokens = s.mustRefresh(tokens.Refresh) }, "refresh 200 alice"},
		{"list", func() { s.listSessions(tokens.Access) }, "list_sessions 200 cold alice"},
		{"list, nobody", func() { s.send(s.ListSessions, jwtgate.Request{Method: "GET"}) }, "list_sessions 401 token_missing -"},
		{"delete", func() { s.deleteSession(tokens.Access, "/x") }, "delete_session 404 not_found cold alice"},
		{"list behind a guard", func() {
			req := get(tokens.Access)
			s.send(func(ctx context.Context, req jwtgate.Request) jwtgate.Response {
				d := s.Decide(ctx, req)
				defer d.Done()
				return s.ListSessions(d.Context, req)
			}, req)
		}, "list_sessions 200 cached alice"},
		{"list behind a guard that is done", func() {
			d := s.Decide(t.Context(), get(tokens.Access))
			d.Done()
			s.ListSessions(d.Context, get(tokens.Access))
		}, "0 cached alice"},
		{"logout", func() { s.logout(tokens.Refresh) }, "logout 204 -"},
		{"logout from everywhere", func() { s.send(s.LogoutAll, withToken(formRequest(), s.login("dora").Access)) }, "token 200 dora, logout_all 204 cold dora"},
		{"logout of others", func() { s.send(s.LogoutOthers, withToken(formRequest(), s.login("finn").Access)) }, "token 200 finn, logout_others 204 cold finn"},
		{"another user inside", func() { s.nested(get(s.mint("", 0, nil)), browser.request(http.MethodGet)) }, "0 cold carol, 0 cold alice"},
		{"nobody, a browser inside", func() { s.nested(jwtgate.Request{Method: "GET"}, browser.request(http.MethodGet)) }, "0 cold carol, 0 -"},
		{"keys", func() { s.JWKS(t.Context(), jwtgate.Request{Method: "GET"}) }, "jwks 200 -"},
		{"readiness", func() { s.Readiness(t.Context(), jwtgate.Request{Method: "GET"}) }, "readiness 200 -"},
		{"metadata", func() { s.ResourceMetadata(t.Context(), jwtgate.Request{Method: "GET"}) }, "resource_metadata 404 not_found -"},
		{"panic", func() {
			defer func() { _ = recover() }()
			s.Auth.Token(func(context.Context, string, string) (string, bool, error) { panic("a mistake") })(t.Context(), formRequest("username", "x", "password", "y"))
		}, "token 500 internal_error -"},
		{"a browser's request", func() { s.guarded(browser.request(http.MethodGet)) }, "0 cached carol"},
		{"renewed", func() { s.clock.Advance(20 * time.Minute); s.guarded(browser.request(http.MethodGet)) }, "0 renewed carol"},
		{"renewed, and refused", func() { s.clock.Advance(20 * time.Minute); s.guarded(browser.request(http.MethodGet), admin) }, "403 insufficient_scope renewed carol"},
		{"not renewed", func() { s.guarded(browserWith(over).request(http.MethodGet)) }, "401 refresh_expired cached eve"},
		{"expired", func() { s.guarded(get(s.mint("", time.Hour, nil))) }, "401 token_expired cold alice"},
	} {
		row.do()
		if got := o.taken(); got != row.want {
			t.Errorf("%s: got outcomes %q; want %q", row.name, got, row.want)
		}
	}
}

// guarded passes req through a guard with rules.
func (s *testServer) guarded(req jwtgate.Request, rules ...jwtgate.Rule) {
	d := s.Decide(s.tb.Context(), req, rules...)
	d.Done()
	d.Done() // has no effect
}

// stacked passes req through a guard that accepts anyone, and one with rules.
func (s *testServer) stacked(req jwtgate.Request, rules ...jwtgate.Rule) {
	s.nested(req, req, rules...)
}

// nested passes outer through a guard that accepts anyone, and inner, with the context of
// outer, through one with rules.
func (s *testServer) nested(outer, inner jwtgate.Request, rules ...jwtgate.Rule) {
	first := s.Decide(s.tb.Context(), outer, jwtgate.Optional())
	second := s.Decide(first.Context, inner, rules...)
	second.Done()
	first.Done()
}

// TestOutcomeIssuer checks that an outcome names the issuer of the token if it is configured,
// or accepted by a Match function, and no other.
func TestOutcomeIssuer(t *testing.T) {
	t.Parallel()
	withMatch := func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Match: func(string) bool { return true }, Keys: keys.ES256(p256Key)}}
	}
	anyone := func(c *jwtgate.Config) { c.Issuer, c.InsecureAnyIssuer = "", true }
	for _, row := range []struct {
		name   string
		change func(*jwtgate.Config)
		token  string
		want   string
	}{
		{"our own", withMatch, signed(t, claims()), issuer},
		{"accepted by Match", withMatch, signedES256(t, claims("iss", `"https://tenant.example"`)), "https://tenant.example"},
		{"any issuer", anyone, signed(t, claims("iss", `"https://tenant.example"`)), ""},
	} {
		var got []string
		auth := newVerifier(t, keys.HS256(secret), row.change, func(c *jwtgate.Config) {
			c.Observers = []jwtgate.Observer{{Outcome: func(_ context.Context, o jwtgate.Outcome) { got = append(got, o.Issuer) }}}
		})
		d := decide(t, auth, withBearer(row.token), accepted)
		d.Done()
		if want := []string{row.want}; !slices.Equal(got, want) {
			t.Errorf("%s: got issuers %q; want %q", row.name, got, want)
		}
	}
}

// TestStoreUses checks that each use of the store is observed, with its error.
func TestStoreUses(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var uses []string
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Observers = append(c.Observers, jwtgate.Observer{StoreUse: func(_ context.Context, u jwtgate.StoreUse) {
			mu.Lock()
			defer mu.Unlock()
			if u.Duration <= 0 {
				t.Errorf("%s: got duration %v", u.Operation, u.Duration)
			}
			if use := u.Operation; u.Err == nil && use != "confirm" { // which comes at any time
				uses = append(uses, use)
			} else if u.Err != nil && use != "feed" {
				uses = append(uses, use+" failed: "+u.Err.Error())
			} else if errors.Is(u.Err, context.Canceled) { // by Close
				uses = append(uses, "feed ended")
			}
		}})
	})
	tokens := s.login("alice")
	tokens = s.mustRefresh(tokens.Refresh)
	s.listSessions(tokens.Access)
	s.send(s.LogoutAll, withToken(formRequest(), tokens.Access))
	s.logout(s.login("bob").Refresh)
	s.send(s.Logout, withToken(formRequest(), s.mint("", 0, nil)))
	s.store.breaks("Create", true)
	if _, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice"); !errors.Is(err, errBroken) {
		t.Errorf("got %v; want %v", err, errBroken)
	}
	s.Close()
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"feed ended", "create", "find", "advance", "list", "endall", "end", "revoke", "create failed: broken by the test"} {
		if !slices.Contains(uses, want) {
			t.Errorf("got uses %q; want %q among them", uses, want)
		}
	}
}

// TestStoreUseAtBound checks that the refusal of a login at the bound is no failure of the
// store.
func TestStoreUseAtBound(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Sessions.MaxSessions, c.Sessions.RefuseAtMax = 1, true
		c.Observers = append(c.Observers, jwtgate.Observer{StoreUse: func(_ context.Context, u jwtgate.StoreUse) {
			if u.Operation == "create" && u.Err != nil {
				t.Errorf("got %v; want no error", u.Err)
			}
		}})
	})
	s.login("alice")
	if _, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice"); !errors.Is(err, session.ErrTooMany) {
		t.Errorf("got %v; want %v", err, session.ErrTooMany)
	}
}

// TestKeyFetches checks that each fetch of keys is observed, with its error, and that the
// outcome of a request that waited for it names the issuer.
func TestKeyFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: {err: errBroken}})
		var fetches, issuers []string
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) {
			c.Observers = []jwtgate.Observer{{
				KeyFetch: func(_ context.Context, f jwtgate.KeyFetch) {
					fetches = append(fetches, fmt.Sprint(f.Issuer, " ", f.Err))
				},
				Outcome: func(_ context.Context, o jwtgate.Outcome) { issuers = append(issuers, string(o.Code)+" "+o.Issuer) },
			}}
		})
		decide(t, auth, theirs(t, "a"), jwtgate.CodeUnavailable)
		web.set(providerSet, setOf(t, es256("a")))
		time.Sleep(10 * time.Second)
		d := decide(t, auth, theirs(t, "a"), accepted)
		d.Done()
		synctest.Wait()
		if got, want := strings.Join(fetches, "; "), provider+" keys: broken by the test, at "+providerSet+"; "+provider+" <nil>"; got != want {
			t.Errorf("got fetches %q; want %q", got, want)
		}
		if got, want := strings.Join(issuers, ", "), "unavailable "+provider+",  "+provider; got != want {
			t.Errorf("got issuers %q; want %q", got, want)
		}
	})
}

// TestObserversAreCheap checks that an observer costs one allocation for a cached token at
// most, which a request with a context of its own costs anyway, and that without an
// observer, other requests cost none.
func TestObserversAreCheap(t *testing.T) { //nolint:paralleltest // it counts allocations
	one := []jwtgate.Observer{{Outcome: func(context.Context, jwtgate.Outcome) {}}}
	for _, row := range []struct {
		name      string
		observers []jwtgate.Observer
		ctx       context.Context
		want      float64
	}{
		{"no observer", nil, context.Background(), 0},
		{"no observer, own context", nil, t.Context(), 1},
		{"observer", one, context.Background(), 1},
		{"observer, own context", one, t.Context(), 1},
	} {
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Observers = row.observers })
		req := withBearer(jwtgatetest.Token(t, auth, "alice"))
		for range 3 {
			auth.Decide(row.ctx, req)
		}
		if got := testing.AllocsPerRun(100, func() { d := auth.Decide(row.ctx, req); d.Done() }); got != row.want {
			t.Errorf("%s: got %v allocations; want %v", row.name, got, row.want)
		}
	}
}

// TestDefaultLogger checks that failures are logged by slog.Default if there is no Logger.
func TestDefaultLogger(t *testing.T) { //nolint:paralleltest // it changes the default
	before := slog.Default()
	defer slog.SetDefault(before)
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	s := newTestServer(t, func(c *jwtgate.Config) { c.Logger = nil })
	slog.SetDefault(before)
	s.store.breaks("Create", false)
	if _, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice"); err == nil {
		t.Error("got no error")
	}
	if got := log.String(); !strings.Contains(got, "level=ERROR") {
		t.Errorf("got log %q; want the error of the store", got)
	}
}
