package jose_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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
			if got, err := headers.Parse(text); got != want || !errors.Is(err, wantErr) {
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
	claims, err := jose.ParseClaims(text, []string{"roles"})
	if err != nil {
		return
	}
	checkUnique(t, text)
	second := decode(t, text)
	for name, got := range map[string]string{"iss": claims.Issuer, "sub": claims.Subject, "jti": claims.ID, "sid": claims.SessionID} {
		want, _ := second[name].(string)
		if got != want {
			t.Errorf("got %s %q; want %q, in %s", name, got, want, text)
		}
	}
	for name, got := range map[string]int64{"exp": claims.Expires, "nbf": claims.NotBefore, "iat": claims.IssuedAt, "auth_time": claims.AuthTime} {
		// A float64 cannot represent every whole number above 2⁵³.
		want, _ := second[name].(float64)
		if want = math.Floor(want); float64(got) != want {
			t.Errorf("got %s %d; want %v, in %s", name, got, want, text)
		}
	}
	if roles, ok := second["roles"].([]any); ok && len(claims.Roles()) > 0 {
		want := []any{}
		for _, role := range roles {
			if role != "" {
				want = append(want, role)
			}
		}
		if got, want := fmt.Sprintf("%q", claims.Roles()), fmt.Sprintf("%q", want); got != want {
			t.Errorf("got roles %s; want %s, in %s", got, want, text)
		}
	} else if len(claims.Roles()) > 0 {
		t.Errorf("got roles %q; want none, in %s", claims.Roles(), text)
	}
	if aud, ok := second["aud"].(string); ok && !claims.HasAudience(aud) {
		t.Errorf("got no audience %q in %s", aud, text)
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil || members == nil {
		t.Fatalf("encoding/json does not decode %s: %v", text, err)
	}
	return members
}

// checkUnique fails if an object in text has two members whose names are equal or
// differ only in case.
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
					if strings.EqualFold(name, token.(string)) {
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
