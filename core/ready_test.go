package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// newReadiness returns an Auth whose store can fail, with the clock of the synctest bubble,
// and a function that returns the answer to a readiness probe.
func newReadiness(t *testing.T, changes ...func(*jwtgate.Config)) (*testServer, func() string) {
	t.Helper()
	store := &faultyStore{Store: session.NewMemory(0, nil)}
	s := newTestServer(t, append([]func(*jwtgate.Config){func(c *jwtgate.Config) {
		c.Now, c.Sessions.Store = nil, store
	}}, changes...)...)
	s.store = store
	return s, func() string {
		t.Helper()
		time.Sleep(time.Second) // the result of a probe is used for a moment
		res := s.Readiness(t.Context(), jwtgate.Request{Method: http.MethodGet, Path: "/readyz"})
		_, detail, _ := strings.Cut(string(res.Body), `"detail":"`)
		detail, _, _ = strings.Cut(detail, `",`)
		return strings.TrimSpace(fmt.Sprint(res.Status, " ", detail))
	}
}

// TestReadinessOfSlowStore checks that a probe, which waits for a moment only, does not make
// requests fail that wait for longer.
func TestReadinessOfSlowStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, probe := newReadiness(t, func(c *jwtgate.Config) { c.Sessions.Timeout = 2 * time.Second })
		tokens := s.login("alice")
		s.store.hook(func(ctx context.Context, _ string) error {
			select {
			case <-time.After(600 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, nil)
		if got, want := probe(), "503 The session store cannot be reached."; got != want {
			t.Errorf("got %s; want %s", got, want)
		}
		if got := s.refresh(tokens.Refresh).text; got != "200" {
			t.Errorf("refresh: got %s; want 200", got)
		}
		s.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		s, probe := newReadiness(t, func(c *jwtgate.Config) { c.Sessions.Timeout = time.Second })
		s.store.hangs("Find")
		if _ = probe(); s.warnings("the session store hangs") != 1 {
			t.Error("half of Timeout: got no line that the store hangs")
		}
		s.Close()
	})
}

// TestReadiness checks what a readiness probe says about each failure, and after it.
func TestReadiness(t *testing.T) {
	t.Parallel()
	const ready = "200"
	for _, row := range []struct {
		name   string
		breaks func(*testServer)
		want   string
	}{
		{"nothing", func(*testServer) {}, ready},
		{"the store cannot be read", func(s *testServer) { s.store.breaks("Find", false) }, "503 The session store cannot be reached."},
		{"the store cannot be written to", func(s *testServer) { s.store.breaks("Create", false) }, "503 The session store cannot be written to."},
		{"the store hangs", func(s *testServer) { s.store.hangs("Find") }, "503 The session store cannot be reached."},
		{"writing hangs", func(s *testServer) { s.store.hangs("Create") }, "503 The session store cannot be reached."},
		{"the store is full", func(s *testServer) {
			s.store.hook(func(_ context.Context, call string) error {
				if call == "Create" {
					return session.ErrFull
				}
				return nil
			}, nil)
		}, "503 The session store is full."},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, probe := newReadiness(t)
				if got := probe(); got != ready {
					t.Errorf("before: got %s", got)
				}
				row.breaks(s)
				begin := time.Now()
				if got := probe(); got != row.want {
					t.Errorf("got %s; want %s", got, row.want)
				}
				if took := time.Since(begin); took > 2*time.Second {
					t.Errorf("the probe took %v", took-time.Second)
				}
				s.store.mend()
				if got := probe(); got != ready {
					t.Errorf("afterwards: got %s", got)
				}
				s.Drain()
				if got := probe(); got != "503 This process is shutting down." {
					t.Errorf("drained: got %s", got)
				}
				if got := s.authenticate(s.login("alice").Access); got != "alice" {
					t.Errorf("drained: got %s; want that all else goes on", got)
				}
				s.Close()
			})
		})
	}
}

// TestReadinessIsCheap checks that many probes at once use the store once.
func TestReadinessIsCheap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, probe := newReadiness(t)
		_ = probe()
		time.Sleep(time.Second)
		s.store.taken()
		for range 100 {
			go func() { _ = s.Ready(t.Context()) }()
		}
		synctest.Wait()
		if got := s.store.taken(); got != "Find Create" {
			t.Errorf("got store calls %s; want Find Create", got)
		}
		time.Sleep(250 * time.Millisecond)
		_ = s.Ready(t.Context())
		if got := s.store.taken(); got != "Find Create" {
			t.Errorf("a quarter of a second later: got store calls %s; want Find Create", got)
		}
		s.Close()
	})
}

// TestReadinessOfTheFeed checks that an Auth that does not know the revocations is not ready.
func TestReadinessOfTheFeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		s, probe := newReadiness(t, onFeed(feed), func(c *jwtgate.Config) { c.Sessions.MaxLag = 10 * time.Second })
		if got := probe(); got != "200" {
			t.Errorf("got %s; want 200", got)
		}
		feed.set(feedHangs)
		time.Sleep(5 * time.Second)
		if got := probe(); got != "200" {
			t.Errorf("below the limit: got %s; want 200", got)
		}
		if age := s.Stats().FeedAge; age < 5*time.Second || age > 7*time.Second {
			t.Errorf("got feed of age %v; want about 6s", age)
		}
		time.Sleep(6 * time.Second)
		if got := probe(); !strings.HasPrefix(got, "503 The revocations have been unknown for 1") || !strings.HasSuffix(got, "and the limit is 10s.") {
			t.Errorf("got %s; want that the revocations are unknown", got)
		}
		s.Close()
	})
}

// TestStoreEmptied checks that a probe notices that the store has lost its data.
func TestStoreEmptied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, probe := newReadiness(t)
		for range 3 {
			if got := probe(); got != "200" {
				t.Fatalf("got %s", got)
			}
		}
		s.store.Store = session.NewMemory(0, nil)
		for range 3 {
			if got := probe(); got != "200" {
				t.Errorf("emptied: got %s", got)
			}
		}
		if got := s.countEvents(jwtgate.EventStoreEmptied); got != 1 || s.warnings("has lost its data") != 1 {
			t.Errorf("got %d events and %d lines; want one of each", got, s.warnings("has lost its data"))
		}
		for _, after := range []time.Duration{29 * time.Second, 90 * time.Second} { // the session of the last probe may be over
			time.Sleep(after)
			s.store.Store = session.NewMemory(0, nil)
			_ = probe()
			if got := s.countEvents(jwtgate.EventStoreEmptied); got != 1 {
				t.Errorf("%v later: got %d events; want 1", after, got)
			}
		}
		s.Close()
	})
}

// TestReadinessSession checks the session that a probe creates: it is short-lived, and
// nobody can guess its nonce.
func TestReadinessSession(t *testing.T) {
	t.Parallel()
	store := &seenStore{Store: session.NewMemory(0, nil)}
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Store = store })
	_ = s.Ready(t.Context())
	n := store.created
	if n.NonceHash == [len(n.NonceHash)]byte{} || n.Idle != time.Minute || n.Limit != time.Minute {
		t.Errorf("got a session of %v, at most %v, with the nonce %x; want a minute, and a random nonce", n.Idle, n.Limit, n.NonceHash)
	}
}

// TestReadinessMethods checks the methods of the endpoint.
func TestReadinessMethods(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.authenticate(s.login("alice").Access) // waits until the revocations are known
	for method, want := range map[string]string{"GET": "200 ", "HEAD": "200 ", "POST": "405 GET, HEAD", "": "405 GET, HEAD"} {
		res := s.Readiness(t.Context(), jwtgate.Request{Method: method, Path: "/readyz"})
		if got := fmt.Sprint(res.Status, " ", field(res, "Allow")); got != want {
			t.Errorf("%q: got %s; want %s", method, got, want)
		}
	}
}

// TestReadinessOfOwnKeys checks that the keys of Config.Issuer are required.
func TestReadinessOfOwnKeys(t *testing.T) {
	t.Parallel()
	web := newWeb(map[string]page{providerSet: {err: errBroken}})
	auth := newVerifier(t, keys.Remote{URL: providerSet, Transport: web})
	defer auth.Close()
	if want, err := `jwtgate: not ready: the keys of the issuer "`+issuer+`" are missing`, auth.Ready(t.Context()); err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
}

// TestReadinessOfKeys checks that the keys of a required issuer are fetched by a probe, and
// that an issuer that is not required does not count.
func TestReadinessOfKeys(t *testing.T) {
	t.Parallel()
	for _, required := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			web := newWeb(map[string]page{providerSet: {err: errBroken}})
			auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Now, c.Trusted[0].Required = nil, required })
			err := auth.Ready(t.Context())
			if want := `jwtgate: not ready: the keys of the issuer "https://idp.example" are missing`; required && (err == nil || err.Error() != want || !hasCause(err)) || !required && err != nil {
				t.Errorf("required %t: got %v", required, err)
			}
			if got := auth.Stats().Keys; len(got) != 1 || got[0] != (jwtgate.KeyStats{Issuer: provider}) {
				t.Errorf("got %+v; want no keys of the provider", got)
			}
			web.set(providerSet, setOf(t, es256("a")))
			time.Sleep(10 * time.Second)
			if err := auth.Ready(t.Context()); err != nil {
				t.Errorf("required %t: got %v; want nil", required, err)
			}
			if got := auth.Stats().Keys[0].Held; got != required {
				t.Errorf("required %t: keys are held: %t", required, got)
			}
			before := web.fetches(providerSet)
			time.Sleep(time.Minute)
			if err := auth.Ready(t.Context()); err != nil || web.fetches(providerSet) != before {
				t.Errorf("required %t: got %v, and %d more fetches; want none", required, err, web.fetches(providerSet)-before)
			}
			auth.Close()
			err = auth.Ready(t.Context())
			if err == nil || !strings.Contains(err.Error(), "shutting down") {
				t.Errorf("closed: got %v", err)
			}
			if causes := causesOf(err); len(causes) != 0 {
				t.Errorf("closed: got causes %v; want none", causes)
			}
		})
	}
	none := (*jwtgate.Auth)(nil)
	none.Drain() // does nothing
	if err := none.Ready(t.Context()); err == nil {
		t.Error("nil Auth: got nil; want an error")
	}
}

// causesOf returns the errors that err wraps.
func causesOf(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	return nil
}

// hasCause reports whether err wraps one error that is not nil.
func hasCause(err error) bool {
	causes := causesOf(err)
	return len(causes) == 1 && causes[0] != nil
}

// TestReadyNamesKeys checks that keys of several issuers, which have no single name, are found
// by the field of the configuration.
func TestReadyNamesKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		auth := trusting(t, newWeb(nil), keys.Remote{URL: providerSet}, func(c *jwtgate.Config) {
			c.Now, c.Trusted[0].Required = nil, true
			c.Trusted[0].Name, c.Trusted[0].Match = "", func(string) bool { return true }
		})
		defer auth.Close()
		if err, want := auth.Ready(t.Context()), "jwtgate: not ready: the keys of Config.Trusted[0].Keys are missing"; err == nil || err.Error() != want || !hasCause(err) {
			t.Errorf("got %v; want %s", err, want)
		}
	})
}

// TestReadyNamesNoSecret checks that the causes are found in the error, and are not in its text.
func TestReadyNamesNoSecret(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.store.breaks("Find", false)
	err := s.Ready(t.Context())
	if !errors.Is(err, errBroken) || strings.Contains(err.Error(), errBroken.Error()) {
		t.Errorf("got %v; want an error that wraps %v", err, errBroken)
	}
}

// TestStats checks the figures about the cache and the revocations.
func TestStats(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.CacheSize = 1 })
	s.authenticate(s.login("alice").Access) // of more tokens, one could be taken for another
	tokens := s.login("alice")
	for range 3 {
		s.authenticate(tokens.Access)
	}
	s.logout(tokens.Refresh)
	got := s.Stats()
	cached, _ := s.CachedTokens()
	if got.CacheSize != 8 || got.CacheUsed != cached || got.CacheUsed != 1 || got.Revocations != 1 {
		t.Errorf("got %+v; want one of 8 tokens in the cache, and one revocation", got)
	}
	if got := (*jwtgate.Auth)(nil).Stats(); got.CacheSize != 0 {
		t.Errorf("nil Auth: got %+v", got)
	}
}
