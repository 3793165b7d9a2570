package jwtgate_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// Unknown kids cause at most one fetch in a cooldown. No request waits until a fetch is
// allowed, and tokens with known keys do not wait at all.
func TestRemoteUnknownKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := setOf(t, es256("a")), setOf(t, es256("a"), es256("b"))
		web := newWeb(map[string]page{providerSet: one})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, "a"), accepted)

		// The issuer signs with a new key as soon as it is published.
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

		// A flood of 100 tokens a second, for a minute and a half.
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

		// A key that is published during a cooldown is unknown until its end.
		decide(t, auth, theirs(t, "c"), jwtgate.CodeTokenInvalid)
		web.set(providerSet, setOf(t, es256("c")))
		if got := took(func() { decide(t, auth, theirs(t, "c"), jwtgate.CodeTokenInvalid) }); got != 0 {
			t.Errorf("got a wait of %v in the cooldown", got)
		}
		time.Sleep(10 * time.Second)
		decide(t, auth, theirs(t, "c"), accepted)
		decide(t, auth, theirs(t, "a"), jwtgate.CodeTokenInvalid) // the last fetch removed the key
	})
}

// A token causes a fetch only if its issuer has fetched keys and none of them has the
// kid of the token.
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

// A token without kid that no key verifies causes a fetch, like an unknown kid.
func TestRemoteWithoutKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := newWeb(map[string]page{providerSet: setOf(t, keys.EdDSA(ed25519Key))})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Keys = keys.EdDSA(newEd25519()) })
		theirs := withBearer(jwtgatetest.Sign(t, "EdDSA", ed25519Key, `{"alg":"EdDSA"}`, claims("iss", strconv.Quote(provider))))
		decide(t, auth, theirs, accepted) // although a key of our own has that algorithm too
		next := newEd25519()
		web.set(providerSet, setOf(t, keys.EdDSA(next)))
		decide(t, auth, withBearer(jwtgatetest.Sign(t, "EdDSA", next, `{"alg":"EdDSA"}`, claims("iss", strconv.Quote(provider)))), accepted)
		decide(t, auth, theirs, jwtgate.CodeTokenInvalid)
		if got := web.fetches(providerSet); got != 2 {
			t.Errorf("got %d fetches, want 2", got)
		}
	})
}

// A token in a cookie counts as absent if no issuer has a key with its kid, whatever
// its claims are.
func TestRemoteUnknownKidInCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		auth := trusting(t, newWeb(map[string]page{providerSet: setOf(t, es256("a"))}), keys.Remote{}, withCookies)
		for _, payload := range []string{claims(), claims("iss", strconv.Quote(provider)), claims("nonce", `"n"`), `{}`, `no JSON`} {
			token := jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256","kid":"old"}`, payload)
			decide(t, auth, jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + token}}}, jwtgate.CodeTokenMissing)
		}
	})
}
