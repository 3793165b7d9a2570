package jose_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

func TestParseJWK(t *testing.T) {
	t.Parallel()
	got, err := jose.ParseJWK(` {"kty":"EC","crv":"P-256","alg":"ES256","kid":"k\u0031","use":"sig","key_ops":["verify"],"x":"AQID","y":"BA","n":"BQ","e":"AQAB","x5c":[{}]} `)
	want := jose.JWK{
		Type: "EC", Curve: "P-256", Algorithm: "ES256", KeyID: "k1", Use: "sig", Operations: []string{"verify"},
		X: []byte{1, 2, 3}, Y: []byte{4}, N: []byte{5}, E: []byte{1, 0, 1},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v and error %v, want %+v", got, err, want)
	}
	got, err = jose.ParseJWK(`{"n":"AQID","e":"AQ==","x":"AQI="}`)
	want = jose.JWK{N: []byte{1, 2, 3}, E: []byte{1}, X: []byte{1, 2}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v and error %v with padding, want %+v", got, err, want)
	}
	if got, err := jose.ParseJWK(`{"key_ops":[]}`); err != nil || got.Operations == nil {
		t.Errorf("got %+v and error %v, want key_ops that are empty, not absent", got, err)
	}
}

func TestParseJWKRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text string }{
		{"nothing", ``},
		{"null", `null`},
		{"a string", `"kty"`},
		{"an array", `[{"kty":"EC"}]`},
		{"something after it", `{"kty":"EC"}x`},
		{"no opening bracket", `"kty":"EC"}`},
		{"cut short", `{"kty":"EC"`},
		{"a member twice", `{"kty":"EC","kty":"EC"}`},
		{"a member twice, but for case", `{"x5c":1,"X5C":1}`},
		{"a member twice, further in", `{"x5c":{"a":1,"a":1}}`},
		{"a number beyond every type", `{"x5c":1e999}`},
		{"kty a number", `{"kty":1}`},
		{"kty with a line end", `{"kty":"E\nC"}`},
		{"crv null", `{"crv":null}`},
		{"alg an array", `{"alg":["ES256"]}`},
		{"use a number", `{"use":1}`},
		{"kid empty", `{"kid":""}`},
		{"kid beyond ASCII", `{"kid":"ключ"}`},
		{"kid of 257 characters", `{"kid":"` + strings.Repeat("k", 257) + `"}`},
		{"key_ops a string", `{"key_ops":"verify"}`},
		{"key_ops of numbers", `{"key_ops":[1]}`},
		{"n empty", `{"n":""}`},
		{"n a number", `{"n":1}`},
		{"n with padding too short", `{"n":"AQ="}`},
		{"n with padding too long", `{"n":"AQI=="}`},
		{"n with padding that is not needed", `{"n":"AQID===="}`},
		{"n with padding in it", `{"n":"AQ==AQ=="}`},
		{"n of padding alone", `{"n":"===="}`},
		{"n in the standard alphabet", `{"n":"+/+/"}`},
		{"n with bits left over", `{"n":"AR"}`},
		{"n with a line end", `{"n":"AQ\nID"}`},
		{"n of five characters", `{"n":"AQIDB"}`},
	} {
		if got, err := jose.ParseJWK(row.text); err == nil {
			t.Errorf("%s: got %+v for %s, want an error", row.name, got, row.text)
		}
	}
	// What is private is refused whatever it is, and every name in any case.
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		for _, value := range []string{`"AQ"`, `""`, `null`, `[]`} {
			if _, err := jose.ParseJWK(`{"` + name + `":` + value + `}`); err == nil {
				t.Errorf("got no error for %s of %s", name, value)
			}
		}
	}
	for _, name := range []string{"kty", "crv", "alg", "use", "kid", "key_ops", "n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, err := jose.ParseJWK(`{"` + strings.ToUpper(name) + `":"AQ"}`); err == nil {
			t.Errorf("got no error for %s in upper case", name)
		}
	}
}

func TestSplitJWKSet(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"two keys", `{"keys":[{"a":1}, {"a":1,"a":2}]}`, `{"a":1}|{"a":1,"a":2}`},
		{"things that are no keys", `{"keys":[1,null,"x",[2]]}`, `1|null|"x"|[2]`},
		{"other members", ` {"more":{"keys":[1]},"keys":[{}],"KEYS":[2]} `, `{}`},
		{"no keys", `{"keys":[]}`, ``},
		{"nothing", ``, `error`},
		{"null", `null`, `error`},
		{"an array", `[{"keys":[]}]`, `error`},
		{"no keys member", `{}`, `error`},
		{"an array of a name and keys", `["keys",[]]`, `error`},
		{"keys null", `{"keys":null}`, `error`},
		{"keys null, and keys", `{"keys":null,"keys":[]}`, `error`},
		{"keys a string", `{"keys":"x"}`, `error`},
		{"keys twice", `{"keys":[],"keys":[]}`, `error`},
		{"cut short", `{"keys":[]`, `error`},
		{"cut short in a key", `{"keys":[{"a"`, `error`},
		{"no JSON in another member", `{"x":!,"keys":[]}`, `error`},
		{"something after it", `{"keys":[]}x`, `error`},
		{"another after it", `{"keys":[]}{}`, `error`},
	} {
		got, err := jose.SplitJWKSet(row.text)
		if text := strings.Join(got, "|"); err == nil && text != row.want || (err != nil) != (row.want == "error") {
			t.Errorf("%s: got %q and error %v, want %s", row.name, text, err, row.want)
		}
	}
}

// FuzzJWK looks for sets and keys that encoding/json reads in another way.
func FuzzJWK(f *testing.F) {
	f.Add(`{"kty":"EC","crv":"P-256","alg":"ES256","kid":"k","use":"sig","key_ops":["verify"],"x":"AQID","y":"BA"}`)
	f.Add(`{"kty":"RSA","n":"AQID","e":"AQAB","kid":"\u006b","x5c":["a"]}`)
	f.Add(`{"kty":"oct","k":"AQID"}`)
	f.Add(`{"kty":"EC","KTY":"RSA"}`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := jose.SplitJWKSet(`{"keys":[` + text + `]}`)
		var second struct{ Keys []json.RawMessage }
		if secondErr := json.Unmarshal([]byte(`{"keys":[`+text+`]}`), &second); err == nil && (secondErr != nil || len(keys) < len(second.Keys)) {
			t.Fatalf("got %d keys, encoding/json has %d and error %v, in %s", len(keys), len(second.Keys), secondErr, text)
		}
		k, err := jose.ParseJWK(text)
		if err != nil {
			return
		}
		checkUnique(t, text)
		members := decode(t, text)
		for name, got := range map[string]string{"kty": k.Type, "crv": k.Curve, "alg": k.Algorithm, "kid": k.KeyID, "use": k.Use} {
			if want, _ := members[name].(string); got != want {
				t.Errorf("got %s %q, want %q, in %s", name, got, want, text)
			}
		}
		for name, got := range map[string][]byte{"n": k.N, "e": k.E, "x": k.X, "y": k.Y} {
			text, _ := members[name].(string)
			if want, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "=")); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got %s %x, want %x, in %s", name, got, want, text)
			}
		}
		if members["d"] != nil || members["k"] != nil {
			t.Errorf("got no error for a private key in %s", text)
		}
	})
}
