package jwtgate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// The log gives the cause of a refusal even if no good token of the issuer has come:
// without one the keys of the issuer may never be fetched, and a missing key is not
// what is wrong. In a cookie such a token counts as absent all the same.
func TestCauseOfRefusal(t *testing.T) {
	const noKey = "no key with the token's kid"
	for _, row := range []struct {
		name    string
		issuer  string // as configured
		req     func(t *testing.T) jwtgate.Request
		want    []string
		absent  bool // in a cookie
		fetches int
	}{
		{"iss without the slash", provider + "/", func(t *testing.T) jwtgate.Request { return theirs(t, "a") },
			[]string{`iss is "https://idp.example", which is none of the configured issuers: "https://auth.example.com", "https://idp.example/"`, noKey}, true, 0},
		{"iss with a slash", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "a", "iss", `"https://idp.example/"`) },
			[]string{`iss is "https://idp.example/", which is none of the configured issuers: "https://auth.example.com", "https://idp.example"`}, true, 0},
		{"iss absent", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "a", "iss", "") },
			[]string{`the token has no iss: the configured issuers are "https://auth.example.com", "https://idp.example"`}, true, 0},
		{"iss of another, no kid", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "", "iss", `"x"`) },
			[]string{`iss is "x", which is none`, "no key for the token's kid and algorithm"}, false, 0},
		{"iss with line ends", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "a", "iss", `"x\u2028\" level=ERROR"`) },
			[]string{`iss is "x\u2028\" level=ERROR"`}, true, 0},
		{"iss of 4 KB", provider, func(t *testing.T) jwtgate.Request {
			return theirs(t, "a", "iss", strconv.Quote(strings.Repeat("x", 4096)))
		},
			[]string{`iss is "` + strings.Repeat("x", 100) + `"..., which`}, true, 0},
		{"an ID token", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "a", "at_hash", `"h"`) },
			[]string{"token is an ID token", noKey}, true, 0},
		{"no exp", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "a", "exp", "") },
			[]string{"exp is missing, but must be there", noKey}, true, 0},
		{"exp a string", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "a", "exp", `"soon"`) },
			[]string{`exp is "soon", but must be a number of seconds`, noKey}, true, 0},
		{"another audience", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "a", "aud", `"x"`) },
			[]string{`aud is "x", but must name an audience of the issuer (Audience, OtherAudiences); Config.Trusted[0].Audience is "https://api.example.com"`}, false, 1},
		{"an algorithm of another key type", provider, func(t *testing.T) jwtgate.Request {
			return withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"a"}`, claims("iss", strconv.Quote(provider))))
		}, []string{`alg is "HS256", but must be the algorithm of a key in Keys; the keys in Config.Trusted[0].Keys are ES256 "a", EdDSA "e": a public key never verifies`}, false, 1},
		{"an algorithm and a kid of nobody", provider, func(t *testing.T) jwtgate.Request {
			return withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"ES256K","kid":"x"}`, claims("iss", strconv.Quote(provider))))
		}, []string{`alg is "ES256K", but must be the algorithm of a key in Keys; the keys in Config.Trusted[0].Keys are ES256 "a", EdDSA "e"`}, true, 1},
		{"an unknown kid", provider, func(t *testing.T) jwtgate.Request { return theirs(t, "x") },
			[]string{noKey + ` "x"; the keys in Config.Trusted[0].Keys are ES256 "a", EdDSA "e", fetched from the issuer`}, true, 1},
		{"another key", provider, func(t *testing.T) jwtgate.Request {
			return withBearer(jwtgatetest.Sign(t, "EdDSA", newEd25519(), `{"alg":"EdDSA","kid":"e"}`, claims("iss", strconv.Quote(provider))))
		}, []string{`the signature does not match: none of the keys for kid "e" and alg "EdDSA" made it; the keys in Config.Trusted[0].Keys`}, false, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				web := newWeb(map[string]page{providerSet: setOf(t, es256("a"), keys.EdDSA(ed25519Key).WithID("e"))})
				auth := trusting(t, web, keys.Remote{}, withCookies, func(c *jwtgate.Config) {
					c.Trusted[0].Name, c.Logger = row.issuer, debugLogger(&log)
				})
				req := row.req(t)
				d := decide(t, auth, req, jwtgate.CodeTokenInvalid)
				synctest.Wait() // the fetch is logged after the request
				for _, want := range row.want {
					if !strings.Contains(d.Refusal.Error(), want) {
						t.Errorf("got %v, want %q", d.Refusal, want)
					}
					if quoted := strings.Trim(strconv.Quote(want), `"`); !strings.Contains(log.String(), quoted) {
						t.Errorf("got no %q in the log: %s", quoted, &log)
					}
				}
				if got := strings.Count(log.String(), "request refused"); got != 1 || strings.Count(log.String(), "\n") > 2 {
					t.Errorf("got %d refusals in the log, want one, on one line: %s", got, &log)
				}
				synctest.Wait()
				if got := web.fetches(providerSet); got != row.fetches {
					t.Errorf("got %d fetches, want %d", got, row.fetches)
				}
				want := jwtgate.CodeTokenInvalid
				if row.absent {
					want = jwtgate.CodeTokenMissing
				}
				decide(t, auth, withCookie(strings.TrimPrefix(req.First("Authorization"), "Bearer ")), want)
			})
		})
	}
}

// A server with static keys gives the same causes, if its keys have no kids or the kid
// of the token.
func TestCauseOfRefusalByStaticKeys(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		keys keys.Source
		req  jwtgate.Request
		want string
	}{
		{"iss of another", es256("a"), theirs(t, "a"), `iss is "https://idp.example", which is none of the configured issuers: "https://auth.example.com"`},
		{"iss of another, a key without a kid", keys.ES256(p256Key), theirs(t, "x"), `iss is "https://idp.example", which is none of the configured issuers: "https://auth.example.com"`},
		{"an algorithm without a key", keys.RS256(rsaKey()), theirs(t, "a"), `alg is "ES256", for which the issuer has no key (not verified: no key with the token's kid)`},
		{"an unknown kid", es256("b"), theirs(t, "a"), "jwtgate: no key with the token's kid"},
		{"an unknown kid, and a key without a kid that did not sign", keys.ES256(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))), theirs(t, "a"), "jwtgate: no key with the token's kid, and its signature is of none of the keys without a kid"},
	} {
		d := decide(t, newVerifier(t, row.keys), row.req, jwtgate.CodeTokenInvalid)
		if got := errors.Unwrap(d.Refusal); got == nil || !strings.Contains(got.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.name, d.Refusal, row.want)
		}
		if d.Response.Status != http.StatusUnauthorized {
			t.Errorf("%s: got status %d", row.name, d.Response.Status)
		}
	}
}

// A token that names another issuer than that of its key is refused. The error says whether
// the named issuer is configured. If its keys are unavailable, the answer is 503.
func TestCauseOfOtherIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const down, several = "https://down.example", `iss is "x", which is none of the configured issuers: "https://auth.example.com", `
		names := func(n int) []jwtgate.TrustedIssuer {
			trusted := []jwtgate.TrustedIssuer{{Name: provider, Keys: es256("a")}}
			for i := 1; i < n; i++ {
				trusted = append(trusted, jwtgate.TrustedIssuer{Name: strconv.Itoa(i), Keys: keys.HS256(numbered(i))})
			}
			return trusted
		}
		remote := jwtgate.TrustedIssuer{Name: down, Keys: keys.Remote{URL: down, Transport: newWeb(nil)}}
		match := jwtgate.TrustedIssuer{Match: func(iss string) bool { return iss == "y" }, Keys: keys.HS256(numbered(1))}
		for _, row := range []struct {
			name, iss string
			trusted   []jwtgate.TrustedIssuer
			want      jwtgate.Code
			text      string // the end of the error
		}{
			{"known", issuer, names(1), jwtgate.CodeTokenInvalid, ": jwtgate: iss is not the issuer of the key"},
			{"its keys are unavailable", down, append(names(1), remote), jwtgate.CodeUnavailable, "the status is not 200: 404, at https://down.example"},
			{"unknown, a function", "x", append(names(1), match), jwtgate.CodeTokenInvalid, several + `"https://idp.example", those of Config.Trusted[1].Match`},
			{"unknown, of ten", "x", names(9), jwtgate.CodeTokenInvalid, several + `"https://idp.example", "1", "2", "3", "4", "5", "6", "7", "8"`},
			{"unknown, of eleven", "x", names(10), jwtgate.CodeTokenInvalid, several + `"https://idp.example", "1", "2", "3", "4", "5", "6", "7", "8", …`},
		} {
			auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Trusted = row.trusted })
			d := decide(t, auth, theirs(t, "a", "iss", strconv.Quote(row.iss)), row.want)
			if got := d.Refusal.Error(); !strings.HasSuffix(got, row.text) {
				t.Errorf("%s: got %s; want %s at the end", row.name, got, row.text)
			}
			auth.Close()
		}
	})
}

// The event for a key that is skipped says which key of the set it is, and why.
func TestJWKSetCauses(t *testing.T) {
	es, rs, ed := es256("k"), keys.RS256(&rsaKey().PublicKey).WithID("k"), keys.EdDSA(ed25519Key.Public().(ed25519.PublicKey)).WithID("k")
	const kind = "has a kty, crv or alg that is not supported"
	for _, row := range []struct{ name, jwk, want string }{
		{"unknown type", jwk(t, es, "kty", `"AKP"`), kind},
		{"unknown curve", jwk(t, es, "crv", `"secp256k1"`), kind},
		{"unknown algorithm", jwk(t, es, "alg", `"ES257"`), kind},
		{"private", jwk(t, es, "d", number(p256Key.D, 32)), "cannot be used: jose: JWK has the private or secret part of the key"},
		{"x that is no number", jwk(t, es, "x", `"!"`), "cannot be used: jose: JWK has a number that is not canonical base64url"},
		{"not on the curve", jwk(t, es, "y", number(p256Key.X, 32)), "cannot be used: the public key is not a point of its curve"},
		{"too short", jwk(t, rs, "n", number(new(big.Int).Rsh(rsaKey().N, 1024), 128)), "cannot be used: the RSA key has 1024 bits"},
		{"no exponent", jwk(t, rs, "e", ""), "cannot be used: the RSA key has an exponent or a modulus that is not valid"},
		{"exponent of 33 bits", jwk(t, rs, "e", `"AQAAAAE"`), "has an RSA exponent out of range"},
		{"x of 257 bits", jwk(t, es, "x", strconv.Quote(encode(bytes.Repeat([]byte{1}, 33)))), "has a coordinate that is longer than its curve's"},
		{"of low order", jwk(t, ed, "x", strconv.Quote(strings.Repeat("A", 43))), "cannot be used: the public key is a point of low order"},
		{"a string", `"k"`, "cannot be used: jose: text is not JSON"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &diary{}
				web := newWeb(map[string]page{providerSet: {body: `{"keys":[` + jwk(t, es256("a")) + "," + row.jwk + `]}`}})
				auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) { c.Observers = observing(d.write) })
				decide(t, auth, theirs(t, "a"), accepted)
				synctest.Wait()
				for _, e := range d.events {
					if want := "key 1 of the JWK Set " + row.want; e.Kind == jwtgate.EventKeySkipped && !strings.Contains(e.Err.Error(), want) {
						t.Errorf("got %v, want %q", e.Err, want)
					}
				}
				if got, want := d.kinds(), "key_skipped×1 keys_changed×1"; got != want {
					t.Errorf("got events %s, want %s", got, want)
				}
			})
		})
	}
}
