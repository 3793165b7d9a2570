package jwtgate_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// ringKey returns the nth key of a test. Its kid is n.
func ringKey(n int) keys.Key { return keys.HS256(ringSecret(n)).WithID(fmt.Sprint(n)) }

func ringSecret(n int) []byte { return fmt.Appendf(nil, "%032d of the secrets for rings", n) }

// elsewhere returns a token that is signed with the nth key, but not by a ring.
func elsewhere(tb testing.TB, n, expires int) string {
	tb.Helper()
	return jwtgatetest.Sign(tb, "HS256", ringSecret(n), fmt.Sprintf(`{"alg":"HS256","kid":"%d"}`, n), claims("exp", at(expires)))
}

// withClock sets the clock of an Auth.
func withClock(clock *jwtgatetest.Clock) func(*jwtgate.Config) {
	return func(c *jwtgate.Config) { c.Now = clock.Now }
}

// checkRing compares the description of ring with want.
func checkRing(t *testing.T, ring *keys.Ring, want string) {
	t.Helper()
	if got := strings.NewReplacer("HS256 key ", "", "2027-01-15T", "", "Z", "").Replace(ring.String()); got != want {
		t.Errorf("got the keys %s; want %s", got, want)
	}
}

// do ends the test if err, the result of a change of a ring, is not nil.
func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rotateTo announces key and makes it the active one.
func rotateTo(t *testing.T, ring *keys.Ring, key keys.Key) {
	t.Helper()
	do(t, ring.Announce(key))
	do(t, ring.Rotate())
}

// Replace adds and removes keys. The first key that can sign signs.
func TestKeyRingReplace(t *testing.T) {
	t.Parallel()
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, ring)
	for _, step := range []struct {
		keys  []keys.Key
		held  string
		wants [4]jwtgate.Code // of tokens by the keys 0 to 3
	}{
		{nil, "1 signs", [4]jwtgate.Code{jwtgate.CodeTokenInvalid, accepted, jwtgate.CodeTokenInvalid, jwtgate.CodeTokenInvalid}},
		{[]keys.Key{ringKey(1), ringKey(2)}, "1 signs, 2 verifies", [4]jwtgate.Code{jwtgate.CodeTokenInvalid, accepted, accepted, jwtgate.CodeTokenInvalid}},
		{[]keys.Key{ringKey(2), ringKey(1)}, "2 signs, 1 verifies", [4]jwtgate.Code{jwtgate.CodeTokenInvalid, accepted, accepted, jwtgate.CodeTokenInvalid}},
		{[]keys.Key{ringKey(2)}, "2 signs", [4]jwtgate.Code{jwtgate.CodeTokenInvalid, jwtgate.CodeTokenInvalid, accepted, jwtgate.CodeTokenInvalid}},
		{[]keys.Key{keys.ES256(&p256Key.PublicKey).WithID("es"), ringKey(1)}, "1 signs, ES256 key es verifies", [4]jwtgate.Code{jwtgate.CodeTokenInvalid, accepted, jwtgate.CodeTokenInvalid, jwtgate.CodeTokenInvalid}},
		{[]keys.Key{ringKey(3), ringKey(0)}, "3 signs, 0 verifies", [4]jwtgate.Code{accepted, jwtgate.CodeTokenInvalid, jwtgate.CodeTokenInvalid, accepted}},
	} {
		if step.keys != nil {
			do(t, ring.Announce(ringKey(7))) // Replace removes it, because it is not listed
			do(t, ring.Replace(step.keys...))
		}
		checkRing(t, ring, step.held)
		for n, want := range step.wants {
			decide(t, auth, withBearer(elsewhere(t, n, 900)), want)
		}
		signer, _, _ := strings.Cut(step.held, " ")
		if got := segment(t, jwtgatetest.Token(t, auth, "alice"), 0)["kid"]; got != signer {
			t.Errorf("got a token by %v; want one by %s", got, signer)
		}
	}
}

// An error leaves the keys of the ring unchanged.
func TestKeyRingRefuses(t *testing.T) {
	t.Parallel()
	public := keys.ES256(&p256Key.PublicKey)
	for _, row := range []struct {
		name   string
		change func(*keys.Ring) error
		reason string // a part of it
	}{
		{"nothing", func(r *keys.Ring) error { return r.Replace() }, "is empty"},
		{"the zero Key", func(r *keys.Ring) error { return r.Replace(ringKey(3), keys.Key{}) }, "key 1 is the zero Key"},
		{"a short secret", func(r *keys.Ring) error { return r.Replace(ringKey(3), keys.HS256(secret[:31])) }, "31 bytes"},
		{"a short secret by the kid of the active one", func(r *keys.Ring) error { return r.Replace(keys.HS256(secret[:31]).WithID("1")) }, "31 bytes"},
		{"two mistakes", func(r *keys.Ring) error { return r.Replace(keys.HS256(nil), keys.HS256(secret[:31])) }, "0 bytes: HS256 needs at least 32 (RFC 7518 §3.2), such as the output of openssl rand -hex 32; key 1: the secret has 31 bytes"},
		{"one kid twice", func(r *keys.Ring) error { return r.Replace(ringKey(3), ringKey(4).WithID("3")) }, `two keys have the kid "3"`},
		{"no key that signs", func(r *keys.Ring) error { return r.Replace(public) }, "none of the keys can sign"},
		{"another key by the kid of the active one", func(r *keys.Ring) error { return r.Replace(ringKey(4).WithID("1")) }, `the kid "1" already names another HS256 key`},
		{"another key by the kid of the next one", func(r *keys.Ring) error { return r.Replace(ringKey(4).WithID("2")) }, `the kid "2" already names another HS256 key`},
		{"another public key by the kid of one", func(r *keys.Ring) error {
			return r.Replace(ringKey(1), keys.ES256(&must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey).WithID("es"))
		}, `the kid "es" already names another ES256 key`},
		{"announce the zero Key", func(r *keys.Ring) error { return r.Announce(keys.Key{}) }, "zero Key"},
		{"announce a public key", func(r *keys.Ring) error { return r.Announce(public) }, "can sign"},
		{"announce the active key", func(r *keys.Ring) error { return r.Announce(ringKey(1)) }, "already the active one"},
		{"announce another key by the kid of the active one", func(r *keys.Ring) error { return r.Announce(ringKey(4).WithID("1")) }, `the kid "1" already names another HS256 key`},
		{"rotate twice", func(r *keys.Ring) error { return errors.Join(r.Rotate(), r.Rotate()) }, "no key is announced"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ring := keys.NewRing(ringKey(1), public.WithID("es"))
			do(t, ring.Announce(ringKey(2)))
			want := "1 signs, 2 is next, ES256 key es verifies"
			if row.reason == "no key is announced" {
				want = "2 signs, ES256 key es verifies"
			}
			err := row.change(ring)
			if err == nil || !strings.HasPrefix(err.Error(), "keys: Ring: ") || !strings.Contains(err.Error(), row.reason) {
				t.Errorf("got error %v; want one with %q", err, row.reason)
			}
			checkNoSecret(t, fmt.Sprint(err))
			checkRing(t, ring, want)
		})
	}
}

// One kid can name a key of each algorithm, and each is retired for itself.
func TestKeyRingOfOneKid(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	es, hs := keys.ES256(p256Key).WithID("k"), keys.HS256(secret).WithID("k")
	ring := keys.NewRing(es)
	auth := newVerifier(t, ring, withClock(clock))
	first := jwtgatetest.Token(t, auth, "alice")
	do(t, ring.Announce(hs))
	checkRing(t, ring, "ES256 key k signs, k is next")
	do(t, ring.Rotate())
	checkRing(t, ring, "k signs, ES256 key k verifies until 08:15:00")
	second := jwtgatetest.Token(t, auth, "alice")
	decide(t, auth, withBearer(first), accepted)
	decide(t, auth, withBearer(second), accepted)
	clock.Advance(15 * time.Minute)
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "ES256", p256Key, `{"alg":"ES256","kid":"k"}`, claims("exp", at(3600)))), jwtgate.CodeTokenInvalid)
	decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"k"}`, claims("exp", at(3600)))), accepted)
	do(t, ring.Replace(es, hs))
	checkRing(t, ring, "ES256 key k signs, k verifies")
}

// A ring of public keys can be replaced by other public keys, and can begin to sign.
func TestKeyRingOfPublicKeys(t *testing.T) {
	t.Parallel()
	ring := keys.NewRing(keys.ES256(&p256Key.PublicKey).WithID("a"))
	auth := newVerifier(t, ring)
	do(t, ring.Replace(keys.ES256(&p256Key.PublicKey).WithID("b")))
	do(t, ring.Announce(ringKey(1)))
	if _, err := auth.Issue(t.Context(), jwtgate.Grant{Subject: "alice"}); err == nil {
		t.Error("an announced key signed")
	}
	do(t, ring.Rotate())
	decide(t, auth, withBearer(jwtgatetest.Token(t, auth, "alice")), accepted)
	checkRing(t, ring, "1 signs, ES256 key b verifies")
}

// A public key counts as the same key as its private key.
func TestKeyRingHalves(t *testing.T) {
	t.Parallel()
	for _, halves := range [][2]keys.Key{
		{keys.RS256(rsaKey()), keys.RS256(&rsaKey().PublicKey)},
		{keys.ES256(p256Key), keys.ES256(&p256Key.PublicKey)},
		{keys.EdDSA(ed25519Key), keys.EdDSA(ed25519Key.Public().(ed25519.PublicKey))},
	} {
		ring := keys.NewRing(halves[0])
		do(t, ring.Replace(ringKey(1), halves[1]))
		do(t, ring.Announce(halves[0]))
		if got, want := ring.String(), "HS256 key 1 signs, "+halves[0].String()+" is next"; got != want {
			t.Errorf("got %s; want %s", got, want)
		}
	}
}

// A token without kid is checked by all keys of its algorithm that have not expired.
func TestKeyRingWithoutKeyID(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, ring, withClock(clock))
	old := jwtgatetest.Sign(t, "HS256", ringSecret(1), `{"alg":"HS256"}`, claims("exp", at(3600)))
	current := jwtgatetest.Sign(t, "HS256", ringSecret(2), `{"alg":"HS256"}`, claims("exp", at(3600)))
	jwtgatetest.Token(t, auth, "alice")
	decide(t, auth, withBearer(old), accepted)
	do(t, ring.Announce(ringKey(2)))
	decide(t, auth, withBearer(old), accepted)
	decide(t, auth, withBearer(current), accepted)
	do(t, ring.Rotate())
	clock.Advance(15 * time.Minute)
	decide(t, auth, withBearer(old), jwtgate.CodeTokenInvalid)
	decide(t, auth, withBearer(current), accepted)
}

// The active, the next and the retired keys are published as long as they verify. A
// secret is never published.
func TestKeyRingJWKS(t *testing.T) {
	t.Parallel()
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	es, ed := keys.ES256(p256Key).WithID("es"), keys.EdDSA(ed25519Key).WithID("ed")
	ring := keys.NewRing(es, ringKey(1))
	auth := newVerifier(t, ring, withClock(clock))
	check := func(want ...string) {
		t.Helper()
		if got := keyIDs(t, auth); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got the keys %v; want %v", got, want)
		}
	}
	check("es")
	do(t, ring.Announce(ed))
	check("es", "ed")
	jwtgatetest.Token(t, auth, "alice")
	do(t, ring.Rotate())
	check("ed", "es")
	clock.Advance(15*time.Minute - 1)
	check("ed", "es")
	clock.Advance(1)
	check("ed")
	do(t, ring.Replace(ringKey(1)))
	check()
}

// keyIDs returns the kids that auth publishes.
func keyIDs(t *testing.T, auth *jwtgate.Auth) []string {
	t.Helper()
	var set struct{ Keys []struct{ Kid string } }
	res := auth.JWKS(t.Context(), jwtgate.Request{Method: "GET"})
	if err := json.Unmarshal(res.Body, &set); err != nil || res.Status != 200 {
		t.Fatalf("got %d and %s: %v", res.Status, res.Body, err)
	}
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key.Kid)
	}
	return ids
}
