package jwtgate_test

import (
	"context"
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

// byProvider returns a token of the provider that is signed with secret.
func byProvider(tb testing.TB, header string) jwtgate.Request {
	tb.Helper()
	return withBearer(jwtgatetest.Sign(tb, "HS256", unknownSecret, header, claims("iss", strconv.Quote(provider))))
}

// An issuer moves from a secret to a JWK Set. Both verify, and the secret does so even
// while the set is unavailable.
func TestSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: {status: 500}})
		remote := keys.Remote{URL: providerSet, Transport: web}
		auth := trusting(t, web, remote, func(c *jwtgate.Config) {
			c.Trusted[0].Keys = keys.Sources{keys.HS256(unknownSecret), remote}
		})
		old, oldWithKid := byProvider(t, `{"alg":"HS256"}`), byProvider(t, `{"alg":"HS256","kid":"a"}`)
		decide(t, auth, old, accepted)
		decide(t, auth, oldWithKid, accepted)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeUnavailable)
		web.set(providerSet, setOf(t, es256("a")))
		time.Sleep(10 * time.Second)
		for range 3 {
			decide(t, auth, theirs(t, "a"), accepted)
			decide(t, auth, old, accepted)
			decide(t, auth, oldWithKid, accepted)
		}
		forged := jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"x"}`, claims("iss", strconv.Quote(provider)))
		decide(t, auth, withBearer(forged), jwtgate.CodeTokenInvalid)

		// The set changes.
		web.set(providerSet, setOf(t, es256("b")))
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "b"), accepted)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeTokenInvalid)
		decide(t, auth, old, accepted)

		// The issuer is down for longer than its keys may be used.
		web.set(providerSet, page{status: 500})
		time.Sleep(25 * time.Hour)
		decide(t, auth, theirs(t, "b"), jwtgate.CodeUnavailable)
		decide(t, auth, old, accepted)

		before := web.fetches(providerSet)
		auth.Close()
		time.Sleep(time.Hour)
		decide(t, auth, theirs(t, "b"), jwtgate.CodeUnavailable)
		decide(t, auth, old, accepted)
		if got := web.fetches(providerSet); got != before {
			t.Errorf("got %d fetches after Close", got-before)
		}
	})
}

// The keys of two fetched sets are both found, also while one of the sets is
// unavailable, and the tokens that the other could have signed are not refused.
func TestSourcesOfTwoSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const otherSet = "https://other.example/keys"
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a")), otherSet: {status: 500}})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) {
			c.Trusted[0].Keys = keys.Sources{
				keys.Sources{keys.Remote{URL: otherSet, Transport: web}},
				keys.Remote{URL: providerSet, Transport: web},
			}
		})
		decide(t, auth, theirs(t, "a"), accepted)
		decide(t, auth, theirs(t, "b"), jwtgate.CodeUnavailable)
		web.set(otherSet, setOf(t, es256("b")))
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "b"), accepted)
		decide(t, auth, theirs(t, "a"), accepted)
		decide(t, auth, theirs(t, "c"), jwtgate.CodeTokenInvalid)
	})
}

// A request after an idle time waits until the keys of all remote sources are fetched. It
// is refused if its context is cancelled meanwhile.
func TestSourcesIdle(t *testing.T) {
	const otherSet = "https://other.example/keys"
	idp, down := keys.Remote{URL: providerSet}, keys.Remote{URL: otherSet}
	for _, row := range []struct {
		name   string
		remote []keys.Remote
		uses   int // from three on, the token is cached
	}{
		{"one", []keys.Remote{idp}, 1},
		{"one, cached", []keys.Remote{idp}, 3},
		{"the first of two", []keys.Remote{idp, down}, 1},
		{"the second of two, cached", []keys.Remote{down, idp}, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			good, removed := setOf(t, es256("a")), setOf(t, es256("b"))
			good.after, removed.after = time.Second, time.Second
			web := newWeb(map[string]page{providerSet: good, otherSet: {status: 500}})
			auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) {
				source := keys.Sources{keys.HS256(unknownSecret)}
				for _, remote := range row.remote {
					remote.Transport = web
					source = append(source, remote)
				}
				c.Trusted[0].Keys = source
			})
			token := theirs(t, "a")
			for range row.uses {
				decide(t, auth, token, accepted)
			}
			time.Sleep(2 * time.Hour)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if d := auth.Decide(ctx, token); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeUnavailable {
				t.Errorf("%s, cancelled: got %v; want %s", row.name, d.Refusal, jwtgate.CodeUnavailable)
			}
			decide(t, auth, token, accepted)
			web.set(providerSet, removed)
			time.Sleep(2 * time.Hour)
			d := auth.Decide(t.Context(), token)
			if want := map[int]jwtgate.Code{1: jwtgate.CodeTokenInvalid, 2: jwtgate.CodeUnavailable}[len(row.remote)]; d.Refusal == nil || d.Refusal.Code != want {
				t.Errorf("%s, the key was removed: got %v; want %s", row.name, d.Refusal, want)
			}
		})
	}
}

// The age of the keys of several remote sources is that of the oldest set. If one of the
// sets is missing, Stats reports no keys. Keys that are not fetched have no age.
func TestSourcesAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const otherSet = "https://other.example/keys"
		web := newWeb(map[string]page{providerSet: setOf(t, es256("a"))})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) {
			c.Keys = keys.Sources{keys.HS256(secret)}
			c.Trusted[0].Keys = keys.Sources{keys.Remote{URL: providerSet, Transport: web}, keys.Remote{URL: otherSet, Transport: web}}
		})
		check := func(want jwtgate.KeyStats) {
			t.Helper()
			want.Issuer = provider
			if got := auth.Stats().Keys; len(got) != 1 || got[0] != want {
				t.Errorf("got %+v; want %+v", got, want)
			}
		}
		decide(t, auth, theirs(t, "a"), accepted)
		synctest.Wait()
		check(jwtgate.KeyStats{})
		other := setOf(t, es256("b"))
		other.header = http.Header{"Cache-Control": {"max-age=60"}}
		web.set(otherSet, other)
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "b"), accepted) // fetches both
		time.Sleep(2 * time.Minute)
		decide(t, auth, theirs(t, "b"), accepted) // fetches the second again
		synctest.Wait()
		check(jwtgate.KeyStats{Held: true, Age: 2 * time.Minute})
	})
}

// The first source that can sign signs, and a ring among the sources can change.
func TestSourcesSign(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	for _, row := range []struct {
		name   string
		source keys.Sources
		kid    string // of the key that signs, empty for none
	}{
		{"the first", keys.Sources{ringKey(7), ring}, "7"},
		{"the first that can", keys.Sources{es256("public"), keys.InsecureHS256(secret, clock.Now().Add(time.Hour)), ring, ringKey(7)}, "1"},
		{"none", keys.Sources{es256("public"), keys.InsecureHS256(secret, clock.Now().Add(time.Hour))}, ""},
	} {
		auth := newVerifier(t, row.source, withClock(clock))
		token, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice"})
		if (err == nil) != (row.kid != "") {
			t.Errorf("%s: got error %v from Issue", row.name, err)
		}
		if err == nil {
			if got := segment(t, token.Token, 0)["kid"]; got != row.kid {
				t.Errorf("%s: got a token with kid %v, want %s", row.name, got, row.kid)
			}
		}
	}

	auth := newVerifier(t, keys.Sources{ring, es256("es")}, withClock(clock))
	first := withBearer(jwtgatetest.Token(t, auth, "alice"))
	for range 3 { // until it is cached
		decide(t, auth, first, accepted)
	}
	rotateTo(t, ring, ringKey(2))
	decide(t, auth, first, accepted)
	if got := segment(t, jwtgatetest.Token(t, auth, "alice"), 0)["kid"]; got != "2" {
		t.Errorf("got a token with kid %v after the rotation, want 2", got)
	}
	do(t, ring.Replace(ringKey(2)))
	decide(t, auth, first, jwtgate.CodeTokenInvalid)
	if got := strings.Join(keyIDs(t, auth), " "); got != "es" {
		t.Errorf("got the keys %s published, want es", got)
	}
}

func TestSourcesMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		source keys.Source
		want   []string // parts of the problems
	}{
		{"no sources", keys.Sources{}, []string{"Keys: is empty: give at least one source"}},
		{"a nil source", keys.Sources{keys.HS256(secret), nil}, []string{"Keys: source 1 is nil"}},
		{"a short secret and no address", keys.Sources{keys.HS256(secret[:31]), keys.Remote{URL: "x"}}, []string{"Keys: source 0: the secret has 31 bytes", "Keys: source 1: URL is not an https URL"}},
		{"sources in sources", keys.Sources{keys.Sources{keys.Set{}}}, []string{"Keys: source 0: source 0: is empty"}},
	} {
		_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: row.source})
		if got := strings.Split(errText(err), "\n"); len(got) != len(row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		for _, want := range row.want {
			if !strings.Contains(errText(err), want) {
				t.Errorf("%s: got %v, want %q", row.name, err, want)
			}
		}
	}
}

// errText returns the text of err, empty for nil.
func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
