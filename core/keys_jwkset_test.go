package jwtgate_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"math/big"
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

// jwk returns key as a JWK with changes, which are pairs of a member's name and its
// value in JSON. An empty value removes the member.
func jwk(tb testing.TB, key keys.Key, changes ...string) string {
	tb.Helper()
	tb.Helper()
	var set struct{ Keys []map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(setOf(tb, key).body), &set); err != nil {
		tb.Fatal(err)
	}
	k := set.Keys[0]
	for i := 0; i < len(changes); i += 2 {
		if k[changes[i]] = json.RawMessage(changes[i+1]); changes[i+1] == "" {
			delete(k, changes[i])
		}
	}
	text, err := json.Marshal(k)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// number returns n as a member of a JWK, encoded from size bytes.
func number(n *big.Int, size int) string {
	return strconv.Quote(encode(n.FillBytes(make([]byte, size))))
}

// Each key of a set is read independently. A key that cannot be used is reported,
// unless it is for another use than signatures, and the other keys are used.
func TestJWKSet(t *testing.T) {
	const skipped, other = "key_skipped×1", ""
	es, rs, ed := es256("k"), keys.RS256(&rsaKey().PublicKey).WithID("k"), keys.EdDSA(ed25519Key.Public().(ed25519.PublicKey)).WithID("k")
	x, y, n := p256Key.X, p256Key.Y, rsaKey().N
	low := strings.Repeat("A", 43)
	stranger := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	stranger2 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for _, row := range []struct {
		name, jwk, alg string
		want           jwtgate.Code
		told           string
	}{
		{"EC", jwk(t, es), "ES256", accepted, ""},
		{"EC, P-384", jwk(t, keys.ES384(p384Key).WithID("k")), "ES384", accepted, ""},
		{"EC, P-521", jwk(t, keys.ES512(p521Key).WithID("k")), "ES512", accepted, ""},
		{"EC, no alg", jwk(t, es, "alg", ""), "ES256", accepted, ""},
		{"EC, alg of another curve", jwk(t, es, "alg", `"ES384"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, alg of another type", jwk(t, es, "alg", `"RS256"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, alg in another case", jwk(t, es, "alg", `"es256"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, alg none", jwk(t, es, "alg", `"none"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, alg of HMAC", jwk(t, es, "alg", `"HS256"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, alg a number", jwk(t, es, "alg", `1`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, another curve", jwk(t, es, "crv", `"P-384"`, "alg", ""), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, unknown curve", jwk(t, es, "crv", `"secp256k1"`, "alg", ""), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, no curve", jwk(t, es, "crv", ""), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, coordinate too short", jwk(t, es, "x", number(big.NewInt(1), 31)), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, x of 33 octets", jwk(t, es, "x", number(x, 33)), "ES256", accepted, ""},
		{"EC, y of 33 octets", jwk(t, es, "y", number(y, 33)), "ES256", accepted, ""},
		{"EC, x of 33 octets, the first not zero", jwk(t, es, "x", number(new(big.Int).SetBit(new(big.Int).Set(x), 256, 1), 33)), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, x of 31 octets", jwk(t, keys.ES256(&shortP256().PublicKey).WithID("k"), "x", number(shortP256().X, 31)), "ES256 of 31 octets", accepted, ""},
		{"EC, not on the curve", jwk(t, es, "y", number(x, 32)), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, no y", jwk(t, es, "y", ""), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, x with padding", jwk(t, es, "x", strings.TrimSuffix(number(x, 32), `"`)+`="`), "ES256", accepted, ""},
		{"EC, x with padding too long", jwk(t, es, "x", strings.TrimSuffix(number(x, 32), `"`)+`=="`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, x a number", jwk(t, es, "x", x.String()), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, x empty", jwk(t, es, "x", `""`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, x null", jwk(t, es, "x", `null`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, private", jwk(t, es, "d", number(p256Key.D, 32)), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, private part null", jwk(t, es, "d", `null`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"EC, private part in another case", jwk(t, es, "D", number(p256Key.D, 32)), "ES256", jwtgate.CodeTokenInvalid, skipped},

		{"RSA", jwk(t, rs), "RS256", accepted, ""},
		{"RSA, for PS512", jwk(t, rs, "alg", `"PS512"`), "PS512", accepted, ""},
		{"RSA, for PS256, and a token of RS256", jwk(t, rs, "alg", `"PS256"`), "RS256", jwtgate.CodeTokenInvalid, ""},
		{"RSA, no alg", jwk(t, rs, "alg", ""), "RS256", accepted, ""},
		{"RSA, no alg, and a token of RS384", jwk(t, rs, "alg", ""), "RS384", accepted, ""},
		{"RSA, no alg, and a token of RS512", jwk(t, rs, "alg", ""), "RS512", accepted, ""},
		{"RSA, no alg, and a token of PS256", jwk(t, rs, "alg", ""), "PS256", accepted, ""},
		{"RSA, no alg, and a token of PS384", jwk(t, rs, "alg", ""), "PS384", accepted, ""},
		{"RSA, no alg, and a token of PS512", jwk(t, rs, "alg", ""), "PS512", accepted, ""},
		{"RSA, no alg, and a token of ES256", jwk(t, rs, "alg", ""), "ES256", jwtgate.CodeTokenInvalid, ""},
		{"RSA, no alg, and a token of HS256", jwk(t, rs, "alg", ""), "HS256", jwtgate.CodeTokenInvalid, ""},
		{"RSA, n and e with padding", jwk(t, rs, "n", strings.TrimSuffix(number(n, 256), `"`)+`=="`, "e", `"AAEAAQ=="`), "RS256", accepted, ""},
		{"RSA, alg of encryption", jwk(t, rs, "alg", `"RSA-OAEP"`), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, alg of HMAC", jwk(t, rs, "alg", `"HS256"`), "HS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, a zero before n, as Java has it", jwk(t, rs, "n", number(n, 257)), "RS256", accepted, ""},
		{"RSA, exponent of 31 bits, which did not sign", jwk(t, rs, "e", number(big.NewInt(1<<31-1), 4)), "RS256", jwtgate.CodeTokenInvalid, ""},
		{"RSA, 1024 bits", jwk(t, rs, "n", number(new(big.Int).Rsh(n, 1024), 128)), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, 8200 bits", jwk(t, rs, "n", number(new(big.Int).Lsh(n, 6152), 1025)), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, n even", jwk(t, rs, "n", number(new(big.Int).Lsh(n, 1), 257)), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, no n", jwk(t, rs, "n", ""), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, no e", jwk(t, rs, "e", ""), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, e of 1", jwk(t, rs, "e", `"AQ"`), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, e even", jwk(t, rs, "e", `"AQAC"`), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, e beyond its type", jwk(t, rs, "e", number(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(65537)), 9)), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, e of 2³²+1", jwk(t, rs, "e", `"AQAAAAE"`), "RS256", jwtgate.CodeTokenInvalid, skipped},
		{"RSA, private", jwk(t, rs, "p", `"AQ"`), "RS256", jwtgate.CodeTokenInvalid, skipped},

		{"Ed25519", jwk(t, ed), "EdDSA", accepted, ""},
		{"Ed25519 by its other name", jwk(t, ed, "alg", `"Ed25519"`), "EdDSA", accepted, ""},
		{"Ed25519, no alg", jwk(t, ed, "alg", ""), "EdDSA", accepted, ""},
		{"Ed25519, too short", jwk(t, ed, "x", `"AAAA"`), "EdDSA", jwtgate.CodeTokenInvalid, skipped},
		{"Ed25519, low order", jwk(t, ed, "x", strconv.Quote(low)), "EdDSA", jwtgate.CodeTokenInvalid, skipped},
		{"X25519", jwk(t, ed, "crv", `"X25519"`, "alg", ""), "EdDSA", jwtgate.CodeTokenInvalid, skipped},

		{"for signatures", jwk(t, es, "use", `"sig"`), "ES256", accepted, ""},
		{"no use", jwk(t, es, "use", ""), "ES256", accepted, ""},
		{"for encryption", jwk(t, es, "use", `"enc"`), "ES256", jwtgate.CodeTokenInvalid, other},
		{"use in another case", jwk(t, es, "use", `"SIG"`), "ES256", jwtgate.CodeTokenInvalid, other},
		{"key_ops to verify", jwk(t, es, "key_ops", `["sign","verify"]`), "ES256", accepted, ""},
		{"key_ops to encrypt", jwk(t, es, "key_ops", `["encrypt"]`), "ES256", jwtgate.CodeTokenInvalid, other},
		{"key_ops for nothing", jwk(t, es, "key_ops", `[]`), "ES256", jwtgate.CodeTokenInvalid, other},
		{"key_ops a string", jwk(t, es, "key_ops", `"verify"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"key_ops with a number", jwk(t, es, "key_ops", `["verify",1]`), "ES256", jwtgate.CodeTokenInvalid, skipped},

		{"kid empty", jwk(t, es, "kid", `""`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"kid a number", jwk(t, es, "kid", `1`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"kid too long", jwk(t, es, "kid", strconv.Quote(strings.Repeat("k", 257))), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"kid of a line end", jwk(t, es, "kid", `"k\n"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"kid twice", strings.Replace(jwk(t, es), "{", `{"kid":"k",`, 1), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"kid in another case", jwk(t, es, "Kid", `"j"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"members that say nothing to us", jwk(t, es, "x5c", `["!"]`, "x5t#S256", `1`, "ext", `true`, "nbf", `{"a":[]}`), "ES256", accepted, ""},
		{"half a surrogate pair", jwk(t, es, "note", `"\ud800"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"nested too deeply", jwk(t, es, "note", strings.Repeat("[", 40)+strings.Repeat("]", 40)), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"secret", `{"kty":"oct","kid":"k","alg":"HS256","k":` + strconv.Quote(encode(secret)) + `}`, "HS256", jwtgate.CodeTokenInvalid, skipped},
		{"secret without its part", `{"kty":"oct","kid":"k","alg":"HS256"}`, "HS256", jwtgate.CodeTokenInvalid, skipped},
		{"unknown type", jwk(t, es, "kty", `"AKP"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"no type", jwk(t, es, "kty", ""), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"type in another case", jwk(t, es, "kty", `"ec"`), "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"null", `null`, "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"a string", `"k"`, "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"an array", `[]`, "ES256", jwtgate.CodeTokenInvalid, skipped},
		{"empty", `{}`, "ES256", jwtgate.CodeTokenInvalid, skipped},

		{"twice the same", jwk(t, es) + "," + jwk(t, es), "ES256", accepted, ""},
		{"twice the same, written otherwise", jwk(t, es) + "," + jwk(t, es, "alg", "", "x5c", `[]`), "ES256", accepted, ""},
		{"one kid for two types (RFC 7517 §4.5)", jwk(t, es) + "," + jwk(t, rs), "ES256", accepted, ""},
		{"one kid for two types, the other one", jwk(t, es) + "," + jwk(t, rs), "RS256", accepted, ""},
		{"one kid for two types, no alg", jwk(t, es, "alg", "") + "," + jwk(t, rs, "alg", ""), "PS256", accepted, ""},
		{"one kid for three types", jwk(t, es) + "," + jwk(t, rs) + "," + jwk(t, ed), "EdDSA", accepted, ""},
		{"one kid for two algorithms of a key", jwk(t, rs) + "," + jwk(t, rs, "alg", `"PS256"`), "RS256", accepted, ""},
		{"one kid for two algorithms of a key, the other one", jwk(t, rs) + "," + jwk(t, rs, "alg", `"PS256"`), "PS256", accepted, ""},
		{"one kid for two algorithms, and a token of a third", jwk(t, rs) + "," + jwk(t, rs, "alg", `"PS256"`), "RS512", jwtgate.CodeTokenInvalid, ""},
		{"one kid for two keys of an algorithm", jwk(t, es) + "," + jwk(t, keys.ES256(stranger).WithID("k")), "ES256", accepted, ""},
		{"one kid for two keys of an algorithm, the last of which signed", jwk(t, keys.ES256(stranger).WithID("k")) + "," + jwk(t, es), "ES256", accepted, ""},
		{"one kid for two keys of an algorithm, neither of which signed", jwk(t, keys.ES256(stranger).WithID("k")) + "," + jwk(t, keys.ES256(stranger2).WithID("k")), "ES256", jwtgate.CodeTokenInvalid, ""},
		{"no kid, and a token with one", jwk(t, es, "kid", ""), "ES256", accepted, ""},
		{"no kid and no alg, and a token with a kid", jwk(t, rs, "kid", "", "alg", ""), "PS384", accepted, ""},
		{"no kid, beside a key with the kid of the token", jwk(t, es, "kid", "") + "," + jwk(t, keys.ES256(stranger).WithID("k")), "ES256", jwtgate.CodeTokenInvalid, ""},
		{"no kid, beside a key of another algorithm with the kid", jwk(t, es, "kid", "") + "," + jwk(t, rs), "ES256", accepted, ""},
		{"one with the kid of one for encryption", jwk(t, es) + "," + jwk(t, rs, "use", `"enc"`), "ES256", accepted, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				beside := newEd25519()
				set := jwk(t, keys.EdDSA(beside).WithID("beside"))
				d := &diary{}
				web := newWeb(map[string]page{providerSet: {body: `{"keys":[` + row.jwk + `,` + set + `]}`}})
				auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Observers = observing(d.write) })
				sign := func(alg, kid string, key any) jwtgate.Request {
					return withBearer(jwtgatetest.Sign(t, alg, key, `{"alg":"`+alg+`","kid":"`+kid+`"}`, claims("iss", strconv.Quote(provider))))
				}
				decide(t, auth, sign("EdDSA", "beside", beside), accepted)
				alg, _, _ := strings.Cut(row.alg, " ")
				decide(t, auth, sign(alg, "k", privateKey(row.alg)), row.want)
				synctest.Wait()
				if got, want := d.kinds(), strings.TrimSpace(row.told+" keys_changed×1"); got != want {
					t.Errorf("got events %s, want %s", got, want)
				}
				for _, e := range d.events {
					if e.Err != nil {
						checkNoSecret(t, e.Err.Error())
					}
				}
			})
		})
	}
}

// shortP256 is a key whose x begins with a zero.
var shortP256 = sync.OnceValue(func() *ecdsa.PrivateKey {
	key := p256Key
	for key.X.BitLen() > 248 {
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	return key
})

// privateKey returns the private key or secret of these tests for alg.
func privateKey(alg string) any {
	switch alg {
	case "ES256 of 31 octets":
		return shortP256()
	case "ES256":
		return p256Key
	case "ES384":
		return p384Key
	case "ES512":
		return p521Key
	case "EdDSA":
		return ed25519Key
	case "HS256":
		return secret
	}
	return rsaKey()
}

// A key without kid verifies tokens with its thumbprint (RFC 7638) as kid, with any
// other kid and without kid.
func TestJWKSetWithoutKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := keys.ES256(&p256Key.PublicKey)
		web := newWeb(map[string]page{providerSet: {body: `{"keys":[` + jwk(t, key, "kid", "") + `],"more":[1]}`}})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, key.ID()), accepted)
		decide(t, auth, theirs(t, ""), accepted)
		decide(t, auth, theirs(t, "any"), accepted)
		if got := web.fetches(providerSet); got != 1 {
			t.Errorf("got %d fetches, want one", got)
		}
	})
}

// A key that is skipped is reported once, and again if the cause changes.
func TestJWKSetSkippedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{}
		good := jwk(t, es256("a"))
		web := newWeb(map[string]page{providerSet: {body: `{"keys":[{"kty":"x"},` + good + `]}`}})
		auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Observers = observing(d.write) })
		for _, row := range []struct{ set, want string }{
			{`{"kty":"x"},` + good, "key_skipped×1 keys_changed×1"},
			{`{"kty":"x"},` + good, "key_skipped×1 keys_changed×1"},
			{`{"kty":"x"},{"kty":"y"},` + good, "key_skipped×3 keys_changed×1"},
			{good, "key_skipped×3 keys_changed×1"},
			{`{"kty":"x"},` + good, "key_skipped×4 keys_changed×1"},
		} {
			web.set(providerSet, page{body: `{"keys":[` + row.set + `]}`})
			decide(t, auth, theirs(t, "a"), accepted)
			synctest.Wait()
			if got := d.kinds(); got != row.want {
				t.Errorf("got events %s, want %s", got, row.want)
			}
			time.Sleep(time.Hour)
		}
	})
}
