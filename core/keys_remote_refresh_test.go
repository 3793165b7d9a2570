package jwtgate_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// Keys are fetched again in the background when their Cache-Control asks for it, within
// bounds, and only while tokens come.
func TestRemoteRefresh(t *testing.T) {
	for _, row := range []struct {
		name   string
		header http.Header
		want   time.Duration
	}{
		{"nothing said", nil, 15 * time.Minute},
		{"max-age", http.Header{"Cache-Control": {"public, max-age=600"}}, 10 * time.Minute},
		{"max-age in quotes, upper case", http.Header{"Cache-Control": {`MAX-AGE="600"`}}, 10 * time.Minute},
		{"max-age on a second line", http.Header{"Cache-Control": {"public", "max-age=600"}}, 10 * time.Minute},
		{"max-age, some of it over", http.Header{"Cache-Control": {"max-age=600"}, "Age": {"240"}}, 6 * time.Minute},
		{"max-age, more than over", http.Header{"Cache-Control": {"max-age=600"}, "Age": {"700"}}, time.Minute},
		{"max-age of a day", http.Header{"Cache-Control": {"max-age=86400"}}, time.Hour},
		{"max-age beyond numbers", http.Header{"Cache-Control": {"max-age=99999999999999999999"}}, time.Hour},
		{"max-age of nothing", http.Header{"Cache-Control": {"max-age=0"}}, time.Minute},
		{"max-age that is none", http.Header{"Cache-Control": {"max-age=soon"}}, time.Minute},
		{"max-age that is none, and one more", http.Header{"Cache-Control": {"max-age=soon, max-age=600"}}, time.Minute},
		{"Age alone", http.Header{"Age": {"240"}}, 15 * time.Minute},
		{"no-store", http.Header{"Cache-Control": {"no-store"}}, time.Minute},
		{"no-cache beside max-age", http.Header{"Cache-Control": {"no-cache, max-age=600"}}, time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := setOf(t, es256("a"))
				good.header = row.header
				web := newWeb(map[string]page{providerSet: good})
				auth := trusting(t, web, keys.Remote{})
				decide(t, auth, theirs(t, "a"), accepted)
				good.after = 2 * time.Second
				web.set(providerSet, good)
				time.Sleep(row.want - time.Nanosecond)
				decide(t, auth, theirs(t, "a"), accepted)
				synctest.Wait()
				if got := web.fetches(providerSet); got != 1 {
					t.Fatalf("got %d fetches before %v, want one", got, row.want)
				}
				time.Sleep(time.Nanosecond)
				for range 10 {
					if got := took(func() { decide(t, auth, theirs(t, "a"), accepted) }); got != 0 {
						t.Errorf("got a wait of %v for a fetch in the background", got)
					}
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := web.fetches(providerSet); got != 2 {
					t.Errorf("got %d fetches after %v, want two", got, row.want)
				}
				time.Sleep(24 * time.Hour)
				if got := web.fetches(providerSet); got != 2 {
					t.Errorf("got %d fetches, want none while no token comes", got)
				}
			})
		})
	}
}

// With a short MaxStale, keys are fetched before they become too old.
func TestRemoteShortMaxStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		good.after = time.Second
		web := newWeb(map[string]page{providerSet: good})
		auth := trusting(t, web, keys.Remote{MaxStale: 10 * time.Second})
		decide(t, auth, theirs(t, "a"), accepted)
		for range 60 {
			if got := took(func() { decide(t, auth, theirs(t, "a"), accepted) }); got != 0 {
				t.Fatalf("got a wait of %v", got)
			}
			time.Sleep(time.Second)
		}
	})
}

// The next fetch removes a key that the issuer has removed, or replaced under the same
// kid.
func TestRemoteRemovedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"), keys.ES384(p384Key).WithID("b"))})
		d := &diary{}
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Observers = observing(d.write) })
		other := withBearer(jwtgatetest.Sign(t, "ES384", p384Key, `{"alg":"ES384","kid":"b"}`, claims("iss", strconv.Quote(provider))))
		decide(t, auth, theirs(t, "a"), accepted)
		decide(t, auth, other, accepted)
		web.set(providerSet, setOf(t, es256("b")))
		time.Sleep(15 * time.Minute)
		decide(t, auth, other, accepted) // it starts the fetch that removes the key
		synctest.Wait()
		decide(t, auth, other, jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "b"), accepted)
		if got := d.kinds(); got != "keys_changed×2" {
			t.Errorf("got events %s, want one for each change", got)
		}
	})
}

// The log names the keys that a fetch added and removed, sorted, and those that it skipped.
func TestRemoteChangeLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		web := newWeb(map[string]page{providerSet: setOf(t, es256("b"), es256("a"))})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Logger = debugLogger(&log) })
		decide(t, auth, theirs(t, "a"), accepted)
		synctest.Wait()
		next := setOf(t, es256("c"))
		next.body = strings.Replace(next.body, "[", `[{"kty":"x"},`, 1)
		web.set(providerSet, next)
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "c"), accepted)
		synctest.Wait()
		for _, want := range []string{
			`level=INFO msg="keys have changed" issuer=https://idp.example added="a b" removed=""`,
			`level=INFO msg="keys have changed" issuer=https://idp.example added=c removed="a b"`,
			`level=WARN msg="a key of a JWK Set is skipped" issuer=https://idp.example cause="keys: key 0 of the JWK Set has a kty`,
		} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("got the log %s; want %s", &log, want)
			}
		}
	})
}

// The age of keys does not depend on Config.Now.
func TestRemoteClockSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		clock := jwtgatetest.NewClock(time.Unix(start, 0))
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Now = clock.Now })
		decide(t, auth, theirs(t, "a"), accepted)
		for _, step := range []time.Duration{-time.Hour, 365 * 24 * time.Hour, -2 * 365 * 24 * time.Hour} {
			clock.Advance(step)
			now := clock.Now().Unix()
			decide(t, auth, theirs(t, "a", "exp", strconv.FormatInt(now+60, 10)), accepted)
			decide(t, auth, theirs(t, "x", "exp", strconv.FormatInt(now+60, 10)), jwtgate.CodeTokenInvalid)
		}
		if got := web.fetches(providerSet); got != 2 {
			t.Errorf("got %d fetches, want the first and one for the unknown kid", got)
		}
	})
}
