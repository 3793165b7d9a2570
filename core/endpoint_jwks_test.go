package jwtgate_test

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// The set has the public keys, and never a secret.
func TestJWKS(t *testing.T) {
	t.Parallel()
	set := keys.Set{keys.HS256(secret), keys.RS256(rsaKey()), keys.ES256(p256Key), keys.ES512(&p521Key.PublicKey), keys.EdDSA(ed25519Key)}
	auth := newVerifier(t, set)
	res := auth.JWKS(t.Context(), jwtgate.Request{Method: "GET"})
	if got := field(res, "Content-Type"); res.Status != 200 || got != "application/jwk-set+json" {
		t.Errorf("got status %d and type %s, want 200 and application/jwk-set+json", res.Status, got)
	}
	var got struct{ Keys []map[string]string }
	if err := json.Unmarshal(res.Body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Keys) != 4 {
		t.Fatalf("got %d keys, want the 4 public ones, in %s", len(got.Keys), res.Body)
	}
	for i, want := range []struct{ alg, kty, crv string }{
		{"RS256", "RSA", ""}, {"ES256", "EC", "P-256"}, {"ES512", "EC", "P-521"}, {"EdDSA", "OKP", "Ed25519"},
	} {
		k := got.Keys[i]
		if k["alg"] != want.alg || k["kty"] != want.kty || k["crv"] != want.crv || k["use"] != "sig" || k["kid"] != set[i+1].ID() {
			t.Errorf("got %v, want %v", k, want)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if k[private] != "" {
				t.Errorf("got %s in the public key %v", private, k)
			}
		}
	}
	checkNoSecret(t, string(res.Body))

	none := newVerifier(t, keys.HS256(secret)).JWKS(t.Context(), jwtgate.Request{Method: "HEAD"})
	if string(none.Body) != `{"keys":[]}` {
		t.Errorf("got %s for secrets only, want no keys", none.Body)
	}
	if res := auth.JWKS(t.Context(), jwtgate.Request{Method: "POST"}); res.Status != 405 || field(res, "Allow") != "GET, HEAD" {
		t.Errorf("got status %d to a POST, want 405", res.Status)
	}
}

// A coordinate is published in full size, also if it begins with a zero (RFC 7518
// §6.2.1.2).
func TestJWKCoordinates(t *testing.T) {
	t.Parallel()
	short := shortP256()
	var got struct{ Keys []struct{ X, Y string } }
	res := newVerifier(t, keys.ES256(short)).JWKS(t.Context(), jwtgate.Request{Method: "GET"})
	if err := json.Unmarshal(res.Body, &got); err != nil {
		t.Fatal(err)
	}
	x, y := must(base64.RawURLEncoding.DecodeString(got.Keys[0].X)), must(base64.RawURLEncoding.DecodeString(got.Keys[0].Y))
	if len(x) != 32 || len(y) != 32 || new(big.Int).SetBytes(x).Cmp(short.X) != 0 || new(big.Int).SetBytes(y).Cmp(short.Y) != 0 {
		t.Errorf("got %x and %x, want %x and %x in 32 bytes each", x, y, short.X, short.Y)
	}
}

// A client that already has the set gets 304 (RFC 9110 §13.1.2).
func TestJWKSNotModified(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.ES256(p256Key))
	full := auth.JWKS(t.Context(), jwtgate.Request{Method: "GET"})
	etag := field(full, "ETag")
	if len(etag) != 45 || full.Status != 200 {
		t.Fatalf("got status %d and ETag %s", full.Status, etag)
	}
	bare := strings.Trim(etag, `"`)
	for _, row := range []struct {
		name, field string
		status      int
	}{
		{"none", ``, 200},
		{"the tag", etag, 304},
		{"the tag, weak", `W/` + etag, 304},
		{"any", `*`, 304},
		{"any, with spaces", " * \t", 304},
		{"first of a list", etag + `, "b"`, 304},
		{"last of a list", `"a",W/"b" , ` + etag, 304},
		{"after one with a comma in it", `"a,b", ` + etag, 304},
		{"after one that is empty", `"", ` + etag, 304},
		{"after empty elements", ", ,\t" + etag + ` ,`, 304},
		{"after obs-text", "\"\xe9\", " + etag, 304},
		{"another", `"a"`, 200},
		{"a part of the tag", etag[:20] + `"`, 200},
		{"the tag and more", strings.TrimSuffix(etag, `"`) + `a"`, 200},
		{"in another case", strings.ToUpper(etag), 200},
		{"in another tag", `"a, ` + bare + `"`, 200},
		{"between two tags", `"a"` + bare + `"b"`, 200},
		{"no quotes", bare, 200},
		{"one quote", `"` + bare, 200},
		{"the other quote", bare + `"`, 200},
		{"lower-case weakness", `w/` + etag, 200},
		{"weakness apart", `W/ ` + etag, 200},
		{"weak twice", `W/W/` + etag, 200},
		{"any in a list", `"a", *`, 200},
		{"after a space in a tag", `"a b", ` + etag, 200},
		{"after a control character", "\"a\x7f\", " + etag, 200},
		{"after what is no tag", `a, ` + etag, 200},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			got := auth.JWKS(t.Context(), jwtgate.Request{Method: method, Header: http.Header{"If-None-Match": {row.field}}})
			if got.Status != row.status || field(got, "ETag") != etag || field(got, "Cache-Control") != "public, max-age=300" {
				t.Errorf("%s, %s: got status %d and %v; want %d", row.name, method, got.Status, got.Header, row.status)
			}
			// RFC 9110 §15.4.5: a 304 has no body, and so no type.
			if not := row.status == 304; (len(got.Body) == 0) != not || (field(got, "Content-Type") == "") != not {
				t.Errorf("%s, %s: got type %q and %d bytes with status %d", row.name, method, field(got, "Content-Type"), len(got.Body), got.Status)
			}
		}
	}
	if res := auth.JWKS(t.Context(), jwtgate.Request{Method: "POST", Header: http.Header{"If-None-Match": {"*"}}}); res.Status != 405 {
		t.Errorf("got status %d to a POST, want 405", res.Status)
	}
}

// The set is encoded when the keys change, not for every request, and its ETag
// changes with it.
func TestJWKSIsKept(t *testing.T) { // not in parallel: it counts allocations
	clock := jwtgatetest.NewClock(time.Unix(start, 0))
	ring := keys.NewRing(keys.ES256(p256Key))
	auth := newVerifier(t, ring, withClock(clock))
	ask := func() jwtgate.Response { return auth.JWKS(t.Context(), jwtgate.Request{Method: "GET"}) }
	last, tags := ask(), map[string]bool{}
	check := func(when string, changes bool) {
		t.Helper()
		got := ask()
		if changed := field(got, "ETag") != field(last, "ETag"); changed != changes || changed != (&got.Body[0] != &last.Body[0]) {
			t.Errorf("%s: a new tag: %v; want %v", when, changed, changes)
		}
		if tags[field(got, "ETag")] && changes {
			t.Errorf("%s: got a tag that other keys had", when)
		}
		tags[field(got, "ETag")], last = true, got
	}
	check("asked again", false)
	jwtgatetest.Token(t, auth, "alice")
	do(t, ring.Announce(keys.EdDSA(ed25519Key)))
	check("announced", true)
	do(t, ring.Rotate())
	check("rotated", true)
	clock.Advance(15*time.Minute - 1)
	check("not over", false)
	clock.Advance(1)
	check("over", true)
	check("asked once more", false)
	if allocs := testing.AllocsPerRun(10, func() { ask() }); allocs > 0 {
		t.Errorf("got %v allocations a request; want none", allocs)
	}
}

// FuzzIfNoneMatch compares the answer with that of net/http to the same field. They
// differ only for a * in a list, which RFC 9110 §13.1.2 does not allow.
func FuzzIfNoneMatch(f *testing.F) {
	auth := newVerifier(f, keys.EdDSA(ed25519Key))
	full := auth.JWKS(f.Context(), jwtgate.Request{Method: "GET"})
	etag := field(full, "ETag")
	for _, seed := range []string{"", "*", etag, "W/" + etag, `"a", ` + etag, `"a,b",,` + etag, `"a` + etag, etag[:9], `"a b", ` + etag, `"a",*`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r\n\x00") {
			t.Skip("not a value of a field")
		}
		got := auth.JWKS(t.Context(), jwtgate.Request{Method: "GET", Header: http.Header{"If-None-Match": {text}}}).Status
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("If-None-Match", text)
		w := httptest.NewRecorder()
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("x"))
		if got != w.Code && (got == 304 || !strings.Contains(text, "*")) {
			t.Errorf("got %d for %q; net/http answers %d", got, text, w.Code)
		}
	})
}

// TestJWKSOfChangedSet checks that a change of a keys.Set after New publishes no other keys.
func TestJWKSOfChangedSet(t *testing.T) {
	t.Parallel()
	set := keys.Set{keys.ES256(p256Key).WithID("first")}
	auth := newVerifier(t, set)
	set[0] = keys.ES256(p256Key).WithID("changed")
	if got := string(auth.JWKS(t.Context(), jwtgate.Request{Method: http.MethodGet}).Body); !strings.Contains(got, `"first"`) {
		t.Errorf("got %s; want the key that New was given", got)
	}
}
