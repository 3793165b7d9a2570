package jwtgate_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// While the issuer is down, the keys of the last successful fetch stay in use for up to
// MaxStale. Without keys, the tokens of that issuer are refused with 503.
func TestRemoteDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := page{err: errors.New("connection refused")}
		web := newWeb(map[string]page{providerSet: down})
		d := &diary{}
		var log strings.Builder
		auth := trusting(t, web, keys.Remote{MaxStale: time.Hour}, func(c *jwtgate.Config) { c.Observers, c.Logger = observing(d.write), debugLogger(&log) })
		own := withBearer(signed(t, claims()))

		// The issuer is down at the start.
		for range 100 {
			refused := decide(t, auth, theirs(t, "a"), jwtgate.CodeUnavailable)
			if got := field(refused.Response, "Retry-After"); got != "10" {
				t.Errorf("got Retry-After %s, want 10, when the next fetch may be", got)
			}
			decide(t, auth, own, accepted)
		}
		synctest.Wait()
		if got := d.kinds(); got != "keys_down×1" || web.fetches(providerSet) != 1 {
			t.Errorf("got %d fetches and events %s, want one of each", web.fetches(providerSet), got)
		}
		if got := strings.Count(log.String(), "level=ERROR"); got != 1 || !strings.Contains(log.String(), "connection refused") {
			t.Errorf("got %d errors in the log, want one with its cause, in %.500s", got, log.String())
		}

		// The issuer is up again.
		web.set(providerSet, setOf(t, es256("a")))
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "a"), accepted)
		synctest.Wait()
		if got := strings.Count(log.String(), "keys can be fetched again"); got != 1 {
			t.Errorf("got %d lines that the issuer is up again, want one, in %.500s", got, log.String())
		}

		// The issuer is down later. Only tokens with unknown keys notice it.
		web.set(providerSet, down)
		for range 59 {
			time.Sleep(time.Minute)
			decide(t, auth, theirs(t, "a"), accepted)
			decide(t, auth, own, accepted)
		}
		decide(t, auth, theirs(t, "new"), jwtgate.CodeUnavailable)
		decide(t, auth, theirs(t, "a"), accepted)
		time.Sleep(time.Minute + time.Nanosecond)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeUnavailable)
		decide(t, auth, own, accepted)
		web.set(providerSet, setOf(t, es256("a")))
		time.Sleep(time.Minute)
		decide(t, auth, theirs(t, "a"), accepted)
	})
}

// Keys are held up to and including the age MaxStale.
func TestRemoteMaxStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, "a"), accepted)
		web.set(providerSet, page{status: 500})
		time.Sleep(24 * time.Hour)
		decide(t, auth, theirs(t, "a"), accepted)
		if got := auth.Stats().Keys[0]; got != (jwtgate.KeyStats{Issuer: provider, Held: true, Age: 24 * time.Hour}) {
			t.Errorf("got %+v; want keys of a day", got)
		}
		time.Sleep(time.Nanosecond)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeUnavailable)
		if got := auth.Stats().Keys[0]; got != (jwtgate.KeyStats{Issuer: provider}) {
			t.Errorf("got %+v; want no keys", got)
		}
	})
}

// After failures in a row, the pause between fetches grows up to a minute.
func TestRemoteBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{})
		auth := trusting(t, web, keys.Remote{})
		var at []time.Duration
		start := time.Now()
		for last := 0; time.Since(start) < 5*time.Minute; time.Sleep(time.Second) {
			decide(t, auth, theirs(t, "a"), jwtgate.CodeUnavailable)
			if n := web.fetches(providerSet); n != last {
				at, last = append(at, time.Since(start)), n
			}
		}
		web.set(providerSet, setOf(t, es256("a")))
		time.Sleep(time.Minute)
		decide(t, auth, theirs(t, "a"), accepted)
		web.set(providerSet, page{status: 500})
		d := decide(t, auth, theirs(t, "b"), jwtgate.CodeUnavailable)
		if got := field(d.Response, "Retry-After"); got != "10" {
			t.Errorf("got Retry-After %s for the first failure after a success, want 10", got)
		}
		if got, want := fmt.Sprint(at), "[0s 10s 30s 1m10s 2m10s 3m10s 4m10s]"; got != want {
			t.Errorf("got fetches at %s, want them at %s", got, want)
		}
	})
}

// A failure of the issuer does not delete the cookies of a browser.
func TestRemoteDownWithCookies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		auth := trusting(t, newWeb(map[string]page{}), keys.Remote{}, withCookies)
		req := theirs(t, "a")
		token := strings.TrimPrefix(req.First("Authorization"), "Bearer ")
		for _, rules := range [][]jwtgate.Rule{nil, {jwtgate.Optional()}} {
			d := decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + token}}}, jwtgate.CodeUnavailable, rules...)
			if got := field(d.Response, "Set-Cookie"); got != "" {
				t.Errorf("got Set-Cookie %s with 503", got)
			}
		}
	})
}
