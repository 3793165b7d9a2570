package jwtgate_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// RFC 9110 §13.1.2: who has the set already is not sent it again.
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
			// RFC 9110 §15.4.5: what a 304 has no body for, it has no type for.
			if not := row.status == 304; (len(got.Body) == 0) != not || (field(got, "Content-Type") == "") != not {
				t.Errorf("%s, %s: got type %q and %d bytes with status %d", row.name, method, field(got, "Content-Type"), len(got.Body), got.Status)
			}
		}
	}
	if res := auth.JWKS(t.Context(), jwtgate.Request{Method: "POST", Header: http.Header{"If-None-Match": {"*"}}}); res.Status != 405 {
		t.Errorf("got status %d to a POST, want 405", res.Status)
	}
}

// The set is encoded when the keys change, not at every request, and its tag
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

// FuzzIfNoneMatch has net/http read the same field: what is 304 here is 304 there,
// and the other way round but for a * in a list, which is none.
func FuzzIfNoneMatch(f *testing.F) {
	auth := newVerifier(f, keys.EdDSA(ed25519Key))
	full := auth.JWKS(f.Context(), jwtgate.Request{Method: "GET"})
	etag := field(full, "ETag")
	for _, seed := range []string{"", "*", etag, "W/" + etag, `"a", ` + etag, `"a,b",,` + etag, `"a` + etag, etag[:9], `"a b", ` + etag, `"a",*`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r\n\x00") {
			t.Skip("no value of a field")
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
