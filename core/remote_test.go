package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// Nothing is fetched before the first token of the issuer, which waits; the
// others do not.
func TestRemoteKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		d := &diary{}
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Events = d.write })
		own := withBearer(signed(t, claims()))
		decide(t, auth, own, accepted)
		decide(t, auth, withBearer("garbage"), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a", "iss", `"https://idp.example/"`), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a", "iss", ""), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a", "iss", strconv.Quote(issuer)), jwtgate.CodeTokenInvalid)
		synctest.Wait()
		if got := web.all(); got != "" {
			t.Errorf("got %s fetched without a token of the issuer", got)
		}
		for range 3 {
			got := decide(t, auth, theirs(t, "a"), accepted)
			if got.Identity.Issuer() != provider || got.Identity.Subject() != "alice" {
				t.Errorf("got %s of %s, want alice of %s", got.Identity.Subject(), got.Identity.Issuer(), provider)
			}
		}
		decide(t, auth, theirs(t, ""), accepted) // one key of the algorithm
		decide(t, auth, own, accepted)
		synctest.Wait()
		if got := web.all(); got != providerSet {
			t.Errorf("got %s fetched, want %s once", got, providerSet)
		}
		if got := d.kinds(); got != "keys_changed×1" {
			t.Errorf("got events %s, want one of the keys that are new", got)
		}
		for _, header := range web.seen {
			if header.Get("Cookie")+header.Get("Authorization") != "" || header.Get("Accept") == "" {
				t.Errorf("got a request with %v", header)
			}
		}
	})
}

// A server that signs no tokens has its only keys from elsewhere.
func TestRemoteKeysAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{provider + "/.well-known/openid-configuration": {body: metadata}, providerSet: setOf(t, es256("a"))})
		auth, err := jwtgate.New(jwtgate.Config{Issuer: provider, Audience: audience, Keys: keys.Remote{Transport: web}, Now: jwtgatetest.NewClock(time.Unix(start, 0)).Now})
		if err != nil {
			t.Fatal(err)
		}
		decide(t, auth, theirs(t, "a"), accepted)
		if _, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice"}); err == nil {
			t.Error("got a token signed by a key of someone else")
		}
		auth.Close()

		anyone, err := jwtgate.New(jwtgate.Config{Audience: audience, InsecureAnyIssuer: true, Keys: keys.Remote{URL: providerSet, Transport: web}, Now: jwtgatetest.NewClock(time.Unix(start, 0)).Now})
		if err != nil {
			t.Fatal(err)
		}
		decide(t, anyone, theirs(t, "a", "iss", `"https://who.example"`), accepted)
		decide(t, anyone, theirs(t, "a", "iss", ""), accepted)
		anyone.Close()
	})
}

func TestRemoteMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, issuer string
		keys         keys.Remote
		want         string // in the reason, empty for none
	}{
		{"by discovery", provider, keys.Remote{}, ""},
		{"by discovery, of a tenant", provider + "/tenant/", keys.Remote{}, ""},
		{"by discovery, on this machine", "http://localhost:8080", keys.Remote{}, ""},
		{"by URL", "any name", keys.Remote{URL: providerSet}, ""},
		{"by URL, with a query", "any name", keys.Remote{URL: providerSet + "?p=b2c_1"}, ""},
		{"by URL, IPv4 loopback", "any name", keys.Remote{URL: "http://127.0.0.1/"}, ""},
		{"by URL, IPv6 loopback", "any name", keys.Remote{URL: "http://[::1]:80/"}, ""},
		{"a name that is no URL", "accounts", keys.Remote{}, "not an https URL"},
		{"a name without a host", "https:///x", keys.Remote{}, "not an https URL"},
		{"a name over plain HTTP", "http://idp.example", keys.Remote{}, "not an https URL"},
		{"a name with a query", provider + "?x", keys.Remote{}, "has a query"},
		{"a name with an empty query", provider + "?", keys.Remote{}, "has a query"},
		{"a name with a fragment", provider + "#x", keys.Remote{}, "fragment"},
		{"a name with a user", "https://user:s3cret@idp.example", keys.Remote{}, "user information"},
		{"URL over plain HTTP", provider, keys.Remote{URL: "http://idp.example/keys"}, "not an https URL"},
		{"URL over plain HTTP, to a name like ours", provider, keys.Remote{URL: "http://localhost.example/keys"}, "not an https URL"},
		{"URL of a file", provider, keys.Remote{URL: "file:///etc/keys"}, "not an https URL"},
		{"URL relative", provider, keys.Remote{URL: "/keys"}, "not an https URL"},
		{"URL with a user", provider, keys.Remote{URL: "https://user:s3cret@idp.example/keys"}, "user information"},
		{"URL with a fragment", provider, keys.Remote{URL: providerSet + "#"}, "fragment"},
		{"URL that is too long", provider, keys.Remote{URL: provider + "/" + strings.Repeat("x", 2048)}, "over 2048 bytes"},
		{"URL that is none", provider, keys.Remote{URL: "https://s3cret:%zz"}, "not an https URL"},
		{"URL over plain HTTP, insecure", provider, keys.Remote{URL: "http://keycloak:8080/keys", InsecureHTTP: true}, ""},
		{"URL of a file, insecure", provider, keys.Remote{URL: "file:///etc/keys", InsecureHTTP: true}, "not an https URL"},
		{"URL without a host, insecure", provider, keys.Remote{URL: "http:///keys", InsecureHTTP: true}, "not an https URL"},
		{"URL with a user, insecure", provider, keys.Remote{URL: "http://user:s3cret@idp.example/keys", InsecureHTTP: true}, "user information"},
		{"a name over plain HTTP, insecure", "http://keycloak:8080/realms/x", keys.Remote{InsecureHTTP: true}, ""},
		{"a name that is no URL, insecure", "accounts", keys.Remote{InsecureHTTP: true}, "not an https URL"},
		{"discovery at another address", "any name", keys.Remote{DiscoveryURL: provider + "/metadata?p=b2c_1"}, ""},
		{"discovery over plain HTTP", provider, keys.Remote{DiscoveryURL: "http://keycloak:8080/metadata"}, "DiscoveryURL is not an https URL (http is allowed for this machine, and for others with InsecureHTTP)"},
		{"discovery over plain HTTP, insecure", provider, keys.Remote{DiscoveryURL: "http://keycloak:8080/metadata", InsecureHTTP: true}, ""},
		{"discovery with a user", provider, keys.Remote{DiscoveryURL: "https://user:s3cret@idp.example/metadata"}, "user information"},
		{"discovery and URL", provider, keys.Remote{DiscoveryURL: provider + "/metadata", URL: providerSet}, "has a URL and a DiscoveryURL: set one of them"},
		{"Timeout negative", provider, keys.Remote{Timeout: -1}, "Timeout is"},
		{"Cooldown negative", provider, keys.Remote{Cooldown: -1}, "Cooldown is"},
		{"MaxStale negative", provider, keys.Remote{MaxStale: -1}, "MaxStale is"},
	} {
		_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret), Trusted: []jwtgate.TrustedIssuer{{Name: row.issuer, Keys: row.keys}}})
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%s: got %v", row.name, err)
		case row.want != "" && (!slices.Equal(fields(err), []string{"Trusted[0].Keys"}) || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: got %v, want a mistake in Trusted[0].Keys with %q", row.name, err, row.want)
		case row.want != "" && strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%s: got a secret in %v", row.name, err)
		}
	}
	_, err := jwtgate.New(jwtgate.Config{InsecureAnyIssuer: true, Audience: audience, Keys: keys.Remote{}})
	if !slices.Equal(fields(err), []string{"Keys"}) {
		t.Errorf("no name to find keys by: got %v, want a mistake in Keys", err)
	}
	_, err = jwtgate.New(jwtgate.Config{InsecureAnyIssuer: true, Audience: audience, Keys: keys.Remote{DiscoveryURL: provider}})
	if !slices.Equal(fields(err), []string{"Keys"}) || !strings.Contains(err.Error(), "no issuer's name that the document must have") {
		t.Errorf("discovery without a name: got %v, want a mistake in Keys", err)
	}
	_, err = jwtgate.New(jwtgate.Config{Issuer: provider, Audience: audience, Keys: keys.Remote{}, Sessions: &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }}})
	if !slices.Contains(fields(err), "Keys") {
		t.Errorf("Sessions without a key that signs: got %v, want a mistake in Keys", err)
	}
}

// All who come while the keys are fetched wait for that one fetch; who goes away
// leaves at once, and the fetch goes on.
func TestRemoteFirstFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		good.after = 3 * time.Second
		web := newWeb(map[string]page{providerSet: good})
		auth := trusting(t, web, keys.Remote{})
		token := theirs(t, "a")
		impatient, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		var left jwtgate.Decision
		if got := took(func() { left = auth.Decide(impatient, token) }); got != time.Second || left.Refusal == nil || left.Refusal.Code != jwtgate.CodeUnavailable {
			t.Errorf("who has a second: got %v after %v, want unavailable after 1 s", left.Refusal, got)
		}
		var waiting sync.WaitGroup
		for range 100 {
			waiting.Go(func() { decide(t, auth, token, accepted) })
		}
		if got := took(waiting.Wait); got != 2*time.Second || web.fetches(providerSet) != 1 {
			t.Errorf("got %d fetches after %v more, want the first one after 2 s", web.fetches(providerSet), got)
		}
	})
}

// The requests that wait for a slow issuer are bounded: for its first keys, and for
// those that may have changed while nobody came.
func TestRemoteCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		good.after = 3 * time.Second
		auth := trusting(t, newWeb(map[string]page{providerSet: good}), keys.Remote{})
		token := theirs(t, "a")
		for _, idle := range []time.Duration{0, 2 * time.Hour} {
			time.Sleep(idle)
			var waiting sync.WaitGroup
			for range 10_000 {
				waiting.Go(func() { decide(t, auth, token, accepted) })
			}
			synctest.Wait()
			if got := took(func() { decide(t, auth, token, jwtgate.CodeUnavailable) }); got != 0 {
				t.Errorf("got a wait of %v for one more, idle for %v before", got, idle)
			}
			waiting.Wait()
		}
	})
}

// Who hangs up waits no more: a flood of such takes nobody's place.
func TestRemoteCrowdLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		good.after = 3 * time.Second
		auth := trusting(t, newWeb(map[string]page{providerSet: good}), keys.Remote{})
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		unknown := theirs(t, "unknown")
		for range 10_000 {
			auth.Decide(gone, unknown)
		}
		decide(t, auth, theirs(t, "a"), accepted)
	})
}

// A kid that is not held is worth one fetch a cooldown. Nobody waits for leave to
// fetch, and tokens by the keys held do not wait for anything.
func TestRemoteUnknownKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := setOf(t, es256("a")), setOf(t, es256("a"), es256("b"))
		web := newWeb(map[string]page{providerSet: one})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, "a"), accepted)

		// Used as soon as it is published.
		two.after = time.Second
		web.set(providerSet, two)
		var waiting sync.WaitGroup
		for range 10 {
			waiting.Go(func() {
				if got := took(func() { decide(t, auth, theirs(t, "b"), accepted) }); got != time.Second {
					t.Errorf("got a wait of %v for a new key, want that of its fetch, 1 s", got)
				}
			})
			waiting.Go(func() {
				if got := took(func() { decide(t, auth, theirs(t, "a"), accepted) }); got != 0 {
					t.Errorf("got a wait of %v for a key that is held", got)
				}
			})
		}
		waiting.Wait()
		if got := web.fetches(providerSet); got != 2 {
			t.Errorf("got %d fetches, want the first and one for the new key", got)
		}

		// A flood: 10,000 a second, for a minute and a half.
		one.after = 0
		web.set(providerSet, two)
		before := web.fetches(providerSet)
		for second := range 90 {
			for range 100 {
				kid := fmt.Sprintf("unknown %d", second)
				waited := took(func() { decide(t, auth, theirs(t, kid), jwtgate.CodeTokenInvalid) })
				if waited > time.Second {
					t.Fatalf("got a wait of %v", waited)
				}
			}
			time.Sleep(time.Second)
		}
		if got := web.fetches(providerSet) - before; got > 10 {
			t.Errorf("got %d fetches in 100 s of unknown kids, want at most one in 10 s", got)
		}

		// In a cooldown, a key that was published meanwhile is unknown: that is the price.
		decide(t, auth, theirs(t, "c"), jwtgate.CodeTokenInvalid)
		web.set(providerSet, setOf(t, es256("c")))
		if got := took(func() { decide(t, auth, theirs(t, "c"), jwtgate.CodeTokenInvalid) }); got != 0 {
			t.Errorf("got a wait of %v in the cooldown", got)
		}
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "c"), accepted)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeTokenInvalid) // removed: gone with that fetch
	})
}

// What a token says cannot make a fetch, unless it is of an issuer whose keys
// are fetched, and by a key that is not held.
func TestRemoteFetchesOnlyForItsIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) {
			c.Trusted = append(c.Trusted, jwtgate.TrustedIssuer{Name: "https://static.example", Keys: keys.ES256(&p256Key.PublicKey).WithID("s")})
		})
		known := theirs(t, "a")
		decide(t, auth, known, accepted)
		good := known.First("Authorization")
		for _, row := range []struct {
			name string
			req  jwtgate.Request
		}{
			{"of us", theirs(t, "x", "iss", strconv.Quote(issuer))},
			{"of an issuer whose keys are given", theirs(t, "x", "iss", `"https://static.example"`)},
			{"of an issuer that is not trusted", theirs(t, "x", "iss", `"https://x.example"`)},
			{"of an issuer spelt otherwise", theirs(t, "x", "iss", `"https://IDP.example"`)},
			{"of two issuers", theirs(t, "x", "iss", `"https://idp.example","iss":"https://idp.example"`)},
			{"of no issuer", theirs(t, "x", "iss", "")},
			{"an ID token", theirs(t, "x", "nonce", `"n"`)},
			{"a bad signature by a key that is held", jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {good[:len(good)-8] + "AAAAAAAA"}}}},
			{"another algorithm for a kid that is held", withBearer(jwtgatetest.Sign(t, "RS256", rsaKey(), `{"alg":"RS256","kid":"s"}`, claims("iss", `"https://static.example"`)))},
		} {
			decide(t, auth, row.req, jwtgate.CodeTokenInvalid)
			if got := web.fetches(providerSet); got != 1 {
				t.Errorf("%s: got %d fetches, want the first alone", row.name, got)
			}
		}
	})
}

// A token without kid is by the one key of its algorithm. Where that is another
// one by now, it is fetched as for a kid that is unknown.
func TestRemoteWithoutKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, keys.EdDSA(ed25519Key))})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Keys = keys.EdDSA(newEd25519()) })
		theirs := withBearer(jwtgatetest.Sign(t, "EdDSA", ed25519Key, `{"alg":"EdDSA"}`, claims("iss", strconv.Quote(provider))))
		decide(t, auth, theirs, accepted) // though a key of ours is for that algorithm too
		next := newEd25519()
		web.set(providerSet, setOf(t, keys.EdDSA(next)))
		decide(t, auth, withBearer(jwtgatetest.Sign(t, "EdDSA", next, `{"alg":"EdDSA"}`, claims("iss", strconv.Quote(provider)))), accepted)
		decide(t, auth, theirs, jwtgate.CodeTokenInvalid)
		if got := web.fetches(providerSet); got != 2 {
			t.Errorf("got %d fetches, want 2", got)
		}
	})
}

// Keys are fetched anew in the background, as their Cache-Control asks, within
// bounds, and as long as tokens come.
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

// Keys that may not be old are fetched before they are.
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

// A key that the issuer removed is gone with the next fetch, one that it changed
// under the same kid too.
func TestRemoteRemovedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"), keys.ES384(p384Key).WithID("b"))})
		d := &diary{}
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Events = d.write })
		other := withBearer(jwtgatetest.Sign(t, "ES384", p384Key, `{"alg":"ES384","kid":"b"}`, claims("iss", strconv.Quote(provider))))
		decide(t, auth, theirs(t, "a"), accepted)
		decide(t, auth, other, accepted)
		web.set(providerSet, setOf(t, es256("b")))
		time.Sleep(15 * time.Minute)
		decide(t, auth, other, accepted) // the last time: it starts the fetch
		synctest.Wait()
		decide(t, auth, other, jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeTokenInvalid)
		decide(t, auth, theirs(t, "b"), accepted)
		if got := d.kinds(); got != "keys_changed×2" {
			t.Errorf("got events %s, want one for each change", got)
		}
	})
}

// Where no token came for long, nobody asked whether keys were removed: the next
// one waits for that, and is not taken by a key that is gone.
func TestRemoteIdle(t *testing.T) {
	removed := setOf(t, es256("b"))
	for _, row := range []struct {
		name string
		idle time.Duration
		then page
		want jwtgate.Code
		wait time.Duration
	}{
		{"a quarter of an hour", 15 * time.Minute, removed, accepted, 0}, // the last time: it starts the fetch
		{"an hour", time.Hour, removed, accepted, 0},
		{"more than an hour", time.Hour + time.Minute, removed, jwtgate.CodeTokenInvalid, 2 * time.Second}, // then its kid is unknown
		{"almost a day", 24*time.Hour - time.Second, removed, jwtgate.CodeTokenInvalid, 2 * time.Second},
		{"almost a day, not removed", 24*time.Hour - time.Minute, setOf(t, es256("a")), accepted, time.Second},
		{"almost a day, issuer down", 24*time.Hour - time.Minute, page{status: 500}, accepted, time.Second},
	} {
		idle := func(t *testing.T, token func(t *testing.T) jwtgate.Request) {
			synctest.Test(t, func(t *testing.T) {
				web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
				auth := trusting(t, web, keys.Remote{})
				for range 3 { // by then it is known
					decide(t, auth, token(t), accepted)
				}
				row.then.after = time.Second
				web.set(providerSet, row.then)
				time.Sleep(row.idle)
				var waiting sync.WaitGroup
				for range 10 {
					waiting.Go(func() {
						if got := took(func() { decide(t, auth, token(t), row.want) }); got != row.wait {
							t.Errorf("got a wait of %v, want %v", got, row.wait)
						}
					})
				}
				waiting.Wait()
				synctest.Wait()
				if got, want := web.fetches(providerSet), 1+max(1, int(row.wait/time.Second)); got != want {
					t.Errorf("got %d fetches, want %d, however many wait", got, want)
				}
				time.Sleep(10 * time.Second) // of a cooldown, after which one that is down is asked again
				if row.want == accepted && row.wait > 0 {
					if got := took(func() { decide(t, auth, theirs(t, "a"), accepted) }); got != 0 {
						t.Errorf("got a wait of %v for the next one", got)
					}
				}
			})
		}
		t.Run(row.name, func(t *testing.T) {
			idle(t, func(t *testing.T) jwtgate.Request { return theirs(t, "a") })
		})
		known := theirs(t, "a")
		t.Run(row.name+", known", func(t *testing.T) {
			idle(t, func(*testing.T) jwtgate.Request { return known })
		})
	}
}

// Who hangs up while it waits is not let in for it.
func TestRemoteIdleCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		web := newWeb(map[string]page{providerSet: good})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, "a"), accepted)
		good.after = time.Second
		web.set(providerSet, good)
		time.Sleep(2 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if d := auth.Decide(ctx, theirs(t, "a")); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeUnavailable {
			t.Errorf("got %v, want %s", d.Refusal, jwtgate.CodeUnavailable)
		}
		decide(t, auth, theirs(t, "a"), accepted)
	})
}

// While the issuer is down, the last good set serves up to MaxStale; then, and
// before the first, tokens of the issuer are refused with 503, and no others.
func TestRemoteDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := page{err: errors.New("connection refused")}
		web := newWeb(map[string]page{providerSet: down})
		d := &diary{}
		var log strings.Builder
		auth := trusting(t, web, keys.Remote{MaxStale: time.Hour}, func(c *jwtgate.Config) { c.Events, c.Logger = d.write, debugLogger(&log) })
		own := withBearer(signed(t, claims()))

		// Down at the start.
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

		// Up again.
		web.set(providerSet, setOf(t, es256("a")))
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "a"), accepted)

		// Down later: as if nothing were, but for keys that are not held.
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

// After failures in a row, the issuer is left alone for longer, up to a minute.
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

// What a browser holds is not taken from it for the issuer's trouble.
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

// A browser's token by a key that nobody holds any more counts as none, whatever
// else it says: that is unread.
func TestRemoteUnknownKidInCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		auth := trusting(t, newWeb(map[string]page{providerSet: setOf(t, es256("a"))}), keys.Remote{}, withCookies)
		for _, payload := range []string{claims(), claims("iss", strconv.Quote(provider)), claims("nonce", `"n"`), `{}`, `no JSON`} {
			token := jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256","kid":"old"}`, payload)
			decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + token}}}, jwtgate.CodeTokenMissing)
		}
	})
}

// Config.Now may be set to any time: how old keys are does not depend on it.
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

// Close ends a fetch under way and lets none begin; what is held serves on.
func TestRemoteClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := setOf(t, es256("a"))
		web := newWeb(map[string]page{providerSet: good})
		d := &diary{}
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Events = d.write })
		decide(t, auth, theirs(t, "a"), accepted)
		good.after = time.Hour
		web.set(providerSet, good)
		time.Sleep(time.Hour)
		decide(t, auth, theirs(t, "a"), accepted) // starts a fetch
		synctest.Wait()
		web.lag = time.Second
		if got := took(auth.Close); got != time.Second || web.fetches(providerSet) != 2 || web.live.Load() != 0 {
			t.Errorf("got %d fetches, of which %d go on after Close, which took %v; want it to end the second", web.fetches(providerSet), web.live.Load(), got)
		}
		auth.Close()
		time.Sleep(20 * time.Minute)
		decide(t, auth, theirs(t, "a"), accepted)
		decide(t, auth, theirs(t, "b"), jwtgate.CodeUnavailable)
		synctest.Wait()
		if got := web.fetches(providerSet); got != 2 {
			t.Errorf("got %d fetches, want none after Close", got)
		}
		if got := d.kinds(); got != "keys_changed×1" {
			t.Errorf("got events %s, want none of the fetch that Close ended", got)
		}
	})
}

// No goroutine is left, though New alone started none.
func TestRemoteGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 50 {
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
			c.Trusted = []jwtgate.TrustedIssuer{{Name: provider, Keys: keys.Remote{URL: providerSet, Transport: web}}}
		})
		decide(t, auth, theirs(t, "a"), accepted)
		auth.Close()
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("got %d goroutines, want the %d of before", got, before)
	}
}
