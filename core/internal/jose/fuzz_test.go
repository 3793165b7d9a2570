package jose_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// seeds are the first inputs of two fuzz targets, as header and as payload.
var seeds = []string{
	goodHeader,
	goodPayload,
	`{"alg":"none","alg":"HS256"}`,
	`{"alg":"HS256","kid":"\ud83d\ude00","crit":["b64"],"b64":false}`,
	`{"exp":1800000900,"EXP":1}`,
	`{"exp":1.8e9,"aud":["a",["b"]],"roles":["r"],"scope":"a b"}`,
	`{"exp":1,"` + "\u017f" + `ub":"bob"}`,
	`{"exp":1,"x":{"a":[1,2,{"b":null}]}}`,
	`{"exp":1,"sub":12,"typ":"Bearer","roles":"admin","a":{"roles":{"a":true,"A":{"1":[]},"b":{}}}}`,
	`{"exp":1,"nbf":null,"iat":"1","a":{"Roles":["x"],"roles":["y"]}}`,
	`{"a":"\`,
	`{"a":[1`,
}

// FuzzParse looks for accepted tokens that have another spelling, and for headers that
// encoding/json decodes differently.
func FuzzParse(f *testing.F) {
	for _, text := range seeds {
		f.Add(compact(text, goodPayload))
		f.Add(compact(goodHeader, text))
	}
	f.Add("..")
	f.Add(compact(goodHeader, goodPayload) + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := jose.Parse(text)
		if err != nil {
			return
		}
		header, err := base64.RawURLEncoding.DecodeString(text[:strings.IndexByte(text, '.')])
		if err != nil {
			t.Fatalf("the header of %q was accepted, but it is not base64url", text)
		}
		checkHeader(t, header, token.Header)
		payload, err := token.Payload(nil)
		if err != nil {
			return
		}
		signature, err := token.Signature(nil)
		if err != nil {
			return
		}
		if got := jose.Compact(jose.Encode(header, payload), signature); got != text {
			t.Errorf("got %q when encoded again; want %q: the token can be spelled in two ways", got, text)
		}
		checkClaims(t, string(payload))
	})
}

// FuzzHeaders looks for tokens that are parsed differently if their header, or a
// similar one, is in the cache.
func FuzzHeaders(f *testing.F) {
	for _, text := range seeds {
		f.Add(text, compact(text, goodPayload))
		f.Add(text, compact(goodHeader, text))
		f.Add(goodHeader, compact(goodHeader+" ", text))
	}
	headers := jose.NewHeaders() // shared by all inputs
	f.Fuzz(func(t *testing.T, header, text string) {
		if token, err := jose.Parse(compact(header, goodPayload)); err == nil {
			headers.Remember(&token)
		}
		for _, text := range []string{text, compact(header, text)} {
			want, wantErr := jose.Parse(text)
			if got, err := headers.Parse(text, nil); got != want || !errors.Is(err, wantErr) {
				t.Errorf("got %+v and error %v; want %+v and %v, for %q", got, err, want, wantErr, text)
			}
		}
	})
}

// FuzzJSON is FuzzParse with JSON that is not encoded yet, so that the fuzzer changes
// the JSON itself.
func FuzzJSON(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if token, err := jose.Parse(compact(text, goodPayload)); err == nil {
			checkHeader(t, []byte(text), token.Header)
		}
		checkClaims(t, text)
		if members, err := jose.Strings(text); err == nil {
			checkUnique(t, text)
			second := decode(t, text)
			for name, got := range members {
				if want := second[name]; got != want {
					t.Errorf("got %s %q; want %q, in %s", name, got, want, text)
				}
			}
		}
	})
}

// checkHeader compares header with what encoding/json decodes from text.
func checkHeader(t *testing.T, text []byte, header jose.Header) {
	t.Helper()
	checkUnique(t, string(text))
	// Names in another case must be refused, because encoding/json ignores case.
	var second struct{ Alg, Kid, Typ string }
	if err := json.Unmarshal(text, &second); err != nil {
		t.Fatalf("encoding/json does not decode %s: %v", text, err)
	}
	if header.Algorithm != second.Alg || header.KeyID != second.Kid || header.Type != jose.MediaType(second.Typ) {
		t.Errorf("got header %+v; want %+v, in %s", header, second, text)
	}
}

// checkClaims compares accepted claims with what encoding/json decodes.
func checkClaims(t *testing.T, text string) {
	t.Helper()
	claims, err := jose.ParseLayout(text, layout(t, "", "", "roles", "/a/roles"))
	if err != nil {
		return
	}
	checkUnique(t, text)
	second := decode(t, text)
	for name, got := range map[string]string{"iss": claims.Issuer, "sub": claims.Subject, "jti": claims.ID, "sid": claims.SessionID, "typ": claims.Type, "token_use": claims.TokenUse} {
		want, _ := second[name].(string)
		if n, ok := second[name].(json.Number); ok && name == "sub" && strings.Trim(n.String(), "0123456789") == "" {
			want = n.String()
		}
		if strings.ContainsFunc(want, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			want = ""
		}
		if got != want {
			t.Errorf("got %s %q; want %q, in %s", name, got, want, text)
		}
	}
	for name, got := range map[string]int64{"exp": claims.Expires, "nbf": claims.NotBefore, "iat": claims.IssuedAt, "auth_time": claims.AuthTime} {
		// Beyond 2⁵³ a float64 has no room for the last digits.
		n, _ := second[name].(json.Number)
		want, _ := n.Float64()
		if want = math.Floor(max(want, 0)); float64(got) != want && (name != "auth_time" || got != 0) {
			t.Errorf("got %s %d, want %v, in %s", name, got, want, text)
		}
	}
	if got, want := claims.Roles(), rolesOf(second); !sameWords(got, want) {
		t.Errorf("got roles %q, want %q, in %s", got, want, text)
	}
	if aud, ok := second["aud"].(string); ok && !claims.HasAudience(aud) {
		t.Errorf("got no audience %q in %s", aud, text)
	}
	checkSelect(t, text, second)
}

// checkSelect compares the selected members of text, which has the given members, with
// what is to be selected.
func checkSelect(t *testing.T, text string, members map[string]any) {
	t.Helper()
	few := []string{"Roles", "a", "k", "\u03c3", ""}
	maps.DeleteFunc(members, func(name string, _ any) bool {
		return !slices.ContainsFunc(few, func(other string) bool { return strings.EqualFold(name, other) })
	})
	names := jose.NewNames(few...)
	if got := decode(t, string(jose.Select(text, &names))); !reflect.DeepEqual(got, members) {
		t.Errorf("got the selected members %v; want %v, in %s", got, members, text)
	}
}

// rolesOf returns the roles in members, at "roles" and at "/a/roles".
func rolesOf(members map[string]any) []string {
	var roles []string
	add := func(role string) {
		if role != "" {
			roles = append(roles, role)
		}
	}
	further, _ := members["a"].(map[string]any)
	for _, at := range []any{members["roles"], further["roles"]} {
		switch at := at.(type) {
		case string:
			add(at)
		case []any:
			if slices.ContainsFunc(at, func(v any) bool { _, ok := v.(string); return !ok }) {
				continue
			}
			for _, v := range at {
				add(v.(string))
			}
		case map[string]any:
			for name, v := range at {
				object, _ := v.(map[string]any)
				array, _ := v.([]any)
				if v == true || len(object) > 0 || len(array) > 0 {
					add(name)
				}
			}
		}
	}
	return roles
}

// sameWords reports whether a and b have the same words, in any order and however
// often.
func sameWords(a, b []string) bool {
	a, b = slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b)))
	return slices.Equal(a, b)
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var members map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil || members == nil {
		t.Fatalf("encoding/json does not read %s: %v", text, err)
	}
	return members
}

// checkUnique fails if an object in text names a member twice. In the outermost one,
// names that differ in case are one.
func checkUnique(t *testing.T, text string) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var open [][]string // the names so far in each open object, nil for an array
	var isName bool
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("encoding/json does not decode %s: %v", text, err)
		}
		switch token {
		case json.Delim('{'):
			open, isName = append(open, []string{}), true
			continue
		case json.Delim('['):
			open = append(open, nil)
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			if isName {
				names := open[len(open)-1]
				for _, name := range names {
					if name == token.(string) || len(open) == 1 && strings.EqualFold(name, token.(string)) {
						t.Errorf("got no error for the names %q and %q in %s", name, token, text)
					}
				}
				open[len(open)-1] = append(names, token.(string))
				isName = false
				continue
			}
		}
		isName = len(open) > 0 && open[len(open)-1] != nil
	}
}
