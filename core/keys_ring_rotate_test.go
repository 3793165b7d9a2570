package jwtgate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A retired key verifies exactly until the last token that the ring signed with it has
// expired, even if another token by the same key expires later.
func TestKeyRingRotate(t *testing.T) {
	t.Parallel()
	for _, leeway := range []time.Duration{0, time.Minute} {
		clock := jwtgatetest.NewClock(time.Unix(start, 0))
		ring := keys.NewRing(ringKey(1))
		auth := newVerifier(t, ring, withClock(clock), func(c *jwtgate.Config) { c.Leeway = leeway })
		long := elsewhere(t, 1, 3600) // by a thief of the key

		do(t, ring.Announce(ringKey(2)))
		checkRing(t, ring, "1 signs, 2 is next")
		decide(t, auth, withBearer(elsewhere(t, 2, 900)), accepted)

		jwtgatetest.Token(t, auth, "alice") // not the last one
		clock.Advance(10 * time.Second)
		first := jwtgatetest.Token(t, auth, "alice")
		do(t, ring.Rotate())
		checkRing(t, ring, "2 signs, 1 verifies until 08:15:10")
		second := jwtgatetest.Token(t, auth, "alice")

		clock.Advance(15*time.Minute + leeway - 1)
		decide(t, auth, withBearer(first), accepted)
		decide(t, auth, withBearer(long), accepted)
		clock.Advance(1)
		// The key is gone, so a browser with this token in a cookie would be renewed.
		if d := decide(t, auth, withBearer(long), jwtgate.CodeTokenInvalid); !strings.Contains(d.Refusal.Error(), "no key with the token's kid") {
			t.Errorf("got %v for a token by a key that is gone", d.Refusal)
		}
		decide(t, auth, withBearer(second), jwtgate.CodeTokenExpired) // its key is not retired
	}
}

// A key that has signed no token is removed when it is replaced.
func TestKeyRingRotateUnused(t *testing.T) {
	t.Parallel()
	ring := keys.NewRing(ringKey(1))
	do(t, ring.Announce(ringKey(2)))
	do(t, ring.Announce(ringKey(3))) // replaces key 2
	checkRing(t, ring, "1 signs, 3 is next")
	do(t, ring.Rotate())
	checkRing(t, ring, "3 signs")
}

// A retired key that has expired no longer keeps the keys without kids from tokens with
// its kid.
func TestKeyRingRetiredKeyID(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1), keys.HS256(ringSecret(2)))
	auth := newVerifier(t, ring, withClock(clock))
	token := jwtgatetest.Sign(t, "HS256", ringSecret(2), `{"alg":"HS256","kid":"1"}`, claims("exp", at(3600)))
	jwtgatetest.Token(t, auth, "alice")
	rotateTo(t, ring, ringKey(3))
	clock.Advance(15*time.Minute - 1)
	decide(t, auth, withBearer(token), jwtgate.CodeTokenInvalid)
	clock.Advance(1)
	decide(t, auth, withBearer(token), accepted)
}

// If several Auths share a ring, the longest AccessTTL decides how long a retired key
// verifies. Each Auth adds its own Leeway.
func TestKeyRingShared(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(keys.EdDSA(ed25519Key).WithID("ed"))
	long := newVerifier(t, ring, withClock(clock), func(c *jwtgate.Config) { c.AccessTTL = time.Hour })
	short := newVerifier(t, ring, withClock(clock), func(c *jwtgate.Config) { c.AccessTTL, c.Leeway = time.Minute, time.Minute })
	stolen := jwtgatetest.Sign(t, "EdDSA", ed25519Key, `{"alg":"EdDSA","kid":"ed"}`, claims("exp", at(7200)))
	token := jwtgatetest.Token(t, long, "alice")
	jwtgatetest.Token(t, short, "alice") // issued later, expires sooner
	rotateTo(t, ring, ringKey(2))
	clock.Advance(time.Hour - 1)
	decide(t, long, withBearer(token), accepted)
	clock.Advance(1)
	decide(t, long, withBearer(stolen), jwtgate.CodeTokenInvalid)
	decide(t, short, withBearer(stolen), accepted)
	for _, auth := range []*jwtgate.Auth{long, short, long, short} { // each Auth publishes the keys that verify there
		if got, want := len(keyIDs(t, auth)) == 1, auth == short; got != want {
			t.Errorf("got %v published; want the retired key where it is held", keyIDs(t, auth))
		}
	}
	clock.Advance(time.Minute)
	decide(t, short, withBearer(stolen), jwtgate.CodeTokenInvalid)
}

// A retired key can become active again. When it is retired again, the tokens that it
// signed before count too.
func TestKeyRingComesBack(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, ring, withClock(clock))
	jwtgatetest.Token(t, auth, "alice")
	rotateTo(t, ring, ringKey(2))
	checkRing(t, ring, "2 signs, 1 verifies until 08:15:00")
	do(t, ring.Announce(ringKey(1)))
	checkRing(t, ring, "2 signs, 1 is next")
	do(t, ring.Announce(ringKey(1))) // again
	checkRing(t, ring, "2 signs, 1 is next")
	do(t, ring.Announce(ringKey(3))) // replaces key 1
	checkRing(t, ring, "2 signs, 3 is next, 1 verifies until 08:15:00")
	if err := ring.Replace(ringKey(4).WithID("1")); err == nil {
		t.Error("the kid of a retired key names another one")
	}
	rotateTo(t, ring, ringKey(1))
	rotateTo(t, ring, ringKey(3))
	checkRing(t, ring, "3 signs, 1 verifies until 08:15:00")

	do(t, ring.Replace(ringKey(5)))
	decide(t, auth, withBearer(elsewhere(t, 1, 900)), jwtgate.CodeTokenInvalid) // retired or not
	do(t, ring.Replace(ringKey(1), ringKey(5)))
	rotateTo(t, ring, ringKey(5))
	checkRing(t, ring, "5 signs, 1 verifies until 08:15:00")
}

// The number of retired keys stays bounded, however often the ring rotates.
func TestKeyRingForgets(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(0))
	auth := newVerifier(t, ring, withClock(clock))
	for n := range 50 {
		jwtgatetest.Token(t, auth, "alice")
		rotateTo(t, ring, ringKey(n+1))
		clock.Advance(5 * time.Minute)
		// AccessTTL is 15 minutes, and Leeway is at most 5 minutes.
		if got := strings.Count(ring.String(), "until"); got > 5 {
			t.Fatalf("after %d rotations: %s", n+1, ring)
		}
	}
}

// A key that becomes active again after its tokens have expired is not kept for them.
func TestKeyRingForgetsTokens(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, ring, withClock(clock))
	jwtgatetest.Token(t, auth, "alice")
	rotateTo(t, ring, ringKey(2))
	clock.Advance(20 * time.Minute) // AccessTTL and the largest Leeway
	jwtgatetest.Token(t, auth, "alice")
	rotateTo(t, ring, ringKey(1))
	rotateTo(t, ring, ringKey(3))
	checkRing(t, ring, "3 signs, 2 verifies until 08:35:00")
}

// A kid cannot name another key as long as an Auth can need the retired key.
func TestKeyRingKeyIDIsFree(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*keys.Ring, keys.Key) error{
		"announce": func(r *keys.Ring, k keys.Key) error { return r.Announce(k) },
		"replace":  func(r *keys.Ring, k keys.Key) error { return r.Replace(k) },
	} {
		clock := jwtgatetest.NewClock(time.Unix(start, 0))
		ring := keys.NewRing(ringKey(1))
		auth := newVerifier(t, ring, withClock(clock))
		jwtgatetest.Token(t, auth, "alice")
		rotateTo(t, ring, ringKey(2))
		clock.Advance(20*time.Minute - time.Second) // AccessTTL and the largest Leeway
		jwtgatetest.Token(t, auth, "alice")
		if err := change(ring, ringKey(3).WithID("1")); err == nil {
			t.Errorf("%s: the kid of a retired key names another", name)
		}
		clock.Advance(time.Second)
		jwtgatetest.Token(t, auth, "alice")
		clock.Advance(-time.Hour) // the clock was wrong, or that of another Auth is behind
		jwtgatetest.Token(t, auth, "alice")
		if err := change(ring, ringKey(3).WithID("1")); err != nil {
			t.Errorf("%s: %v, though the retired key is over", name, err)
		}
	}
}

// Two trusted issuers have the same key. When one of them retires it, the other still
// has it.
func TestKeyRingOfTrustedIssuer(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	tenant := newVerifier(t, ring, withClock(clock))
	auth := newVerifier(t, keys.HS256(secret), withClock(clock), func(c *jwtgate.Config) {
		c.Issuer = "https://we.example"
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://a.example", Keys: ringKey(1)}, {Name: issuer, Keys: ring}}
	})
	jwtgatetest.Token(t, tenant, "alice")
	rotateTo(t, ring, ringKey(2))
	decide(t, auth, withBearer(elsewhere(t, 1, 3600)), accepted)
	clock.Advance(15 * time.Minute)
	decide(t, auth, withBearer(elsewhere(t, 1, 3600)), jwtgate.CodeTokenInvalid)
}

// A retired key of a trusted issuer is held for the Leeway of that issuer, which can be
// longer than that of the configuration.
func TestKeyRingOfTrustedIssuerLeeway(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	tenant := newVerifier(t, ring, withClock(clock))
	auth := newVerifier(t, keys.HS256(secret), withClock(clock), func(c *jwtgate.Config) {
		c.Issuer = "https://we.example"
		c.Trusted = []jwtgate.TrustedIssuer{{Name: issuer, Keys: ring, Leeway: time.Minute}}
	})
	token := withBearer(jwtgatetest.Token(t, tenant, "alice"))
	rotateTo(t, ring, ringKey(2))
	clock.Advance(16*time.Minute - time.Second)
	decide(t, auth, token, accepted)
	clock.Advance(time.Second)
	decide(t, auth, token, jwtgate.CodeTokenInvalid)
}

// Tokens that are signed while the ring changes are valid until they expire.
func TestKeyRingRaces(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(0))
	auth := newVerifier(t, ring, withClock(clock))
	var signers, others sync.WaitGroup
	tokens := make(chan string, 1<<16)
	done := make(chan struct{})
	for range 4 {
		signers.Go(func() {
			for more := true; more; {
				select {
				case <-done:
					more = false
				case tokens <- jwtgatetest.Token(t, auth, "alice"):
				}
			}
		})
	}
	others.Go(func() {
		for range 100 {
			_ = ring.String()
			auth.JWKS(context.Background(), jwtgate.Request{Method: "GET"})
		}
	})
	for n := range 300 {
		do(t, ring.Announce(ringKey(n+1)))
		decide(t, auth, withBearer(jwtgatetest.Token(t, auth, "bob")), accepted)
		do(t, ring.Rotate())
	}
	close(done)
	signers.Wait()
	others.Wait()
	close(tokens)
	clock.Advance(15*time.Minute - 1)
	for token := range tokens {
		decide(t, auth, withBearer(token), accepted)
	}
}
