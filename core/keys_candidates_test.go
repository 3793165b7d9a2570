package jwtgate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// numbered returns the nth secret of a test.
func numbered(n int) []byte { return []byte(strings.Repeat(strconv.Itoa(n), 40) + "secret") }

// unnamed returns the HS256 keys of the secrets from first to last, without kids.
func unnamed(first, last int) keys.Set {
	var set keys.Set
	for n := first; n <= last; n++ {
		set = append(set, keys.HS256(numbered(n)))
	}
	return set
}

// withCookie returns a request of a browser with the access token.
func withCookie(token string) jwtgate.Request {
	return jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {"__Host-at=" + token}}}
}

// TestCandidates checks which keys are tried for a token, and what a token means in a
// cookie: one that no key of the server signed counts as absent if its kid is not
// held, and is refused if its kid is held or if it has none.
func TestCandidates(t *testing.T) {
	t.Parallel()
	const missing, invalid = jwtgate.CodeTokenMissing, jwtgate.CodeTokenInvalid
	named := keys.Set{keys.HS256(numbered(1)).WithID("a"), keys.HS256(numbered(2)).WithID("b"), keys.ES256(p256Key).WithID("a")}
	both := keys.Set{keys.HS256(numbered(1)).WithID("a"), keys.HS256(numbered(2)), keys.HS256(numbered(3))}
	for _, row := range []struct {
		name   string
		keys   keys.Source
		signer int    // the number of the secret that signs
		kid    string // in the token, empty for none
		want   jwtgate.Code
		checks int64
	}{
		{"a key without a kid, any kid", unnamed(1, 1), 1, "any", accepted, 1},
		{"a key without a kid, no kid", unnamed(1, 1), 1, "", accepted, 1},
		{"a key without a kid, its default kid", unnamed(1, 1), 1, keys.HS256(numbered(1)).ID(), accepted, 1},
		{"a key without a kid, which did not sign, any kid", unnamed(1, 1), 9, "any", missing, 1},
		{"a key without a kid, which did not sign, no kid", unnamed(1, 1), 9, "", invalid, 1},
		{"a key without a kid, which did not sign, its default kid", unnamed(1, 1), 9, keys.HS256(numbered(1)).ID(), invalid, 1},
		{"the last of four keys without kids", unnamed(1, 4), 4, "any", accepted, 4},
		{"the last of five keys without kids", unnamed(1, 5), 5, "any", missing, 4},
		{"the last of five keys without kids, no kid", unnamed(1, 5), 5, "", invalid, 4},
		{"the last of five keys without kids, its default kid", unnamed(1, 5), 5, keys.HS256(numbered(5)).ID(), accepted, 1},
		{"none of nine keys without kids", unnamed(1, 8), 9, "any", missing, 4},

		{"kids, the first", named, 1, "a", accepted, 1},
		{"kids, another", named, 2, "b", accepted, 1},
		{"kids, one that did not sign", named, 2, "a", invalid, 1},
		{"kids, one that is unknown", named, 1, "any", missing, 0},
		{"kids, none in the token", named, 2, "", accepted, 2},
		{"kids, in another case", named, 1, "A", missing, 0},

		{"both, the kid of a key that signed", both, 1, "a", accepted, 1},
		{"both, the kid of a key that did not sign", both, 2, "a", invalid, 1},
		{"both, any kid, signed with the key with a kid", both, 1, "any", missing, 2},
		{"both, any kid, signed with a key without a kid", both, 3, "any", accepted, 2},
		{"both, no kid", both, 3, "", accepted, 3},

		{"sources, in order", keys.Sources{named, unnamed(3, 3)}, 3, "any", accepted, 1},
		{"sources, the kid of a key of another source", keys.Sources{named, unnamed(3, 3)}, 3, "a", invalid, 1},
		{"sources with one kid", keys.Sources{named, keys.HS256(numbered(3)).WithID("a")}, 3, "a", accepted, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var checks atomic.Int64
			auth := newVerifier(t, counted(row.keys, &checks), withCookies)
			header := `{"alg":"HS256"}`
			if row.kid != "" {
				header = `{"alg":"HS256","kid":` + strconv.Quote(row.kid) + `}`
			}
			token := jwtgatetest.Sign(t, "HS256", numbered(row.signer), header, claims())
			decide(t, auth, withCookie(token), row.want)
			if got := checks.Load(); got != row.checks {
				t.Errorf("got %d signatures checked, want %d", got, row.checks)
			}
			want := row.want
			if want == missing {
				want = invalid
			}
			decide(t, auth, withBearer(token), want)
		})
	}
}

// The keys of each issuer are tried for its tokens, and no keys of other issuers, however
// many issuers there are and whatever their kids are.
func TestCandidatesOfIssuers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		keys int64 // of each issuer
		key  func(n int) keys.Source
	}{
		{"one kid", 1, func(n int) keys.Source { return keys.HS256(numbered(n)).WithID("k") }},
		{"no kids", 1, func(n int) keys.Source { return keys.HS256(numbered(n)) }},
		{"kids and no kids", 2, func(n int) keys.Source {
			return keys.Set{keys.HS256(numbered(n)), keys.HS256(numbered(n + 10)).WithID("k")}
		}},
	} {
		var checks atomic.Int64
		auth := newVerifier(t, counted(unnamed(1, 9), &checks), func(c *jwtgate.Config) {
			for n := range 9 {
				c.Trusted = append(c.Trusted, jwtgate.TrustedIssuer{Name: "https://" + strconv.Itoa(n), Keys: counted(row.key(n), &checks)})
			}
		})
		for n := range 9 {
			for _, header := range []string{`{"alg":"HS256"}`, `{"alg":"HS256","kid":"k"}`, `{"alg":"HS256","kid":"j"}`} {
				want := accepted
				if row.name == "kids and no kids" && strings.Contains(header, `"k"`) || row.name == "one kid" && strings.Contains(header, `"j"`) {
					want = jwtgate.CodeTokenInvalid // the kid is that of another key
				}
				iss := strconv.Quote("https://" + strconv.Itoa(n))
				for signer, want := range map[int]jwtgate.Code{n: want, 99: jwtgate.CodeTokenInvalid} {
					checks.Store(0)
					decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", numbered(signer), header, claims("iss", iss))), want)
					if got := checks.Load(); got > row.keys {
						t.Errorf("%s: got %d signatures checked for %s of issuer %d, want %d at most", row.name, got, header, n, row.keys)
					}
				}
			}
		}
	}
}

// A flood of tokens with unknown kids costs at most four checks for each token and one
// fetch in a cooldown, whatever keys the issuer has, and delays nobody.
func TestFloodOfUnknownKids(t *testing.T) {
	published := func(t *testing.T, n int, kid bool) page {
		var text []string
		for i := range n {
			key := keys.ES256(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))).WithID(strconv.Itoa(i))
			changes := []string{"kid", ""}
			if kid {
				changes = nil
			}
			text = append(text, jwk(t, key, changes...), jwk(t, key, changes...)) // listed twice
		}
		return page{body: `{"keys":[` + strings.Join(text, ",") + `]}`}
	}
	for _, row := range []struct {
		name   string
		n      int
		kid    bool
		checks int64 // for each token
	}{
		{"five keys with kids", 5, true, 0},
		{"one key without kid", 1, false, 1},
		{"three keys without kids", 3, false, 3},
		{"five keys without kids", 5, false, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var checks atomic.Int64
				web := newWeb(map[string]page{providerSet: published(t, row.n, row.kid)})
				auth := trusting(t, web, keys.Remote{}, func(c *jwtgate.Config) {
					c.Trusted[0].Keys = counted(c.Trusted[0].Keys, &checks)
				})
				decide(t, auth, theirs(t, "first"), jwtgate.CodeTokenInvalid) // fetches
				for i := range 1000 {
					checks.Store(0)
					decide(t, auth, theirs(t, fmt.Sprintf("unknown %d", i)), jwtgate.CodeTokenInvalid)
					if got := checks.Load(); got != row.checks {
						t.Fatalf("got %d signatures checked, want %d", got, row.checks)
					}
				}
				if got := web.fetches(providerSet); got > 2 {
					t.Errorf("got %d fetches in a cooldown, want 2 at most", got)
				}
			})
		})
	}
}

// A key of a fetch is tried even if the keys of the fetch before were tried in vain.
func TestCandidatesOfNextFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stranger := func(kid string) keys.Key {
			return keys.ES256(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))).WithID(kid)
		}
		old := jwk(t, stranger("1")) + "," + jwk(t, stranger("2")) + "," + jwk(t, stranger("3"))
		web := newWeb(map[string]page{providerSet: {body: `{"keys":[` + old + `]}`}})
		auth := trusting(t, web, keys.Remote{})
		decide(t, auth, theirs(t, ""), jwtgate.CodeTokenInvalid)
		web.set(providerSet, page{body: `{"keys":[` + old + "," + jwk(t, es256("4")) + `]}`})
		decide(t, auth, theirs(t, ""), accepted)
	})
}
