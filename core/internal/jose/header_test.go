package jose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

func TestParseHeader(t *testing.T) {
	t.Parallel()
	type header = jose.Header
	for _, row := range []struct {
		name, text string
		want       header
	}{
		{"alg alone", `{"alg":"HS256"}`, header{"HS256", "", ""}},
		{"space wherever JSON has it", "\t{ \"alg\" :\r\n\"HS256\" , \"typ\" : \"JWT\" } ", header{"HS256", "", "jwt"}},
		{"escaped, but the same", `{"\u0061lg":"HS\u0032\u0035\u0036"}`, header{"HS256", "", ""}},
		{"alg is not folded", `{"alg":"hs256"}`, header{"hs256", "", ""}},
		{"typ is folded", `{"alg":"HS256","typ":"AT+JWT"}`, header{"HS256", "", "at+jwt"}},
		{"typ in full", `{"alg":"HS256","typ":"application/at+jwt"}`, header{"HS256", "", "at+jwt"}},
		{"typ in full and folded", `{"alg":"HS256","typ":"Application/JWT"}`, header{"HS256", "", "jwt"}},
		{"typ of another kind", `{"alg":"HS256","typ":"text/jwt"}`, header{"HS256", "", "text/jwt"}},
		{"typ with two slashes", `{"alg":"HS256","typ":"application/a/jwt"}`, header{"HS256", "", "application/a/jwt"}},
		{"longest kid", `{"alg":"HS256","kid":"` + strings.Repeat("k", 256) + `"}`, header{"HS256", strings.Repeat("k", 256), ""}},
		{"kid empty, as if absent", `{"alg":"HS256","kid":""}`, header{"HS256", "", ""}},
		{"kid of printable signs", `{"alg":"HS256","kid":" ~\"/|;'"}`, header{"HS256", ` ~"/|;'`, ""}},
		{"members without a say", `{"alg":"HS256","x5t":"x","jku":"https://evil.example","jwk":{"kty":"oct"},"x5c":["a"],"n":1}`, header{"HS256", "", ""}},
		{"two other members that differ only in case", `{"alg":"HS256","n":1,"N":1}`, header{"HS256", "", ""}},
		{"32 members", wide(32), header{"HS256", "", ""}},
	} {
		token, err := jose.Parse(compact(row.text, goodPayload))
		if err != nil || token.Header != row.want {
			t.Errorf("%s: got %+v and error %v; want %+v", row.name, token.Header, err, row.want)
		}
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text string }{
		{"null", `null`},
		{"an array", `["alg","HS256"]`},
		{"half an array", `["alg":"HS256"}`},
		{"no opening bracket", `"alg":"HS256"}`},
		{"a string", `"alg"`},
		{"a number", `1`},
		{"nothing but space", ` `},
		{"an empty object", `{}`},
		{"cut short", `{"alg":"HS256"`},
		{"something after it", `{"alg":"HS256"}x`},
		{"two objects", `{"alg":"HS256"}{"alg":"HS256"}`},
		{"a byte order mark before it", "\ufeff" + `{"alg":"HS256"}`},
		{"alg absent", `{"typ":"JWT"}`},
		{"alg empty", `{"alg":""}`},
		{"alg null", `{"alg":null}`},
		{"alg true", `{"alg":true}`},
		{"alg a number", `{"alg":256}`},
		{"alg an array", `{"alg":["HS256"]}`},
		{"alg an object", `{"alg":{"alg":"HS256"}}`},
		{"alg with a NUL", `{"alg":"HS256\u0000"}`},
		{"alg twice", `{"alg":"none","alg":"HS256"}`},
		{"alg twice, once escaped", `{"alg":"none","\u0061lg":"HS256"}`},
		{"alg twice but for case", `{"alg":"HS256","ALG":"none"}`},
		{"alg in another case first", `{"ALG":"none","alg":"HS256"}`},
		{"alg in another case only", `{"ALG":"HS256"}`},
		{"kid in another case", `{"alg":"HS256","Kid":"k1"}`},
		// encoding/json folds U+212A (Kelvin sign) to k, and U+017F (long s) to s.
		{"kid with a Kelvin sign", `{"alg":"HS256","` + "\u212a" + `id":"k1"}`},
		{"typ in another case", `{"alg":"HS256","TYP":"JWT"}`},
		{"crit in another case", `{"alg":"HS256","CRIT":["b64"]}`},
		{"b64 in another case", `{"alg":"HS256","B64":false}`},
		{"zip in another case", `{"alg":"HS256","ZIP":"DEF"}`},
		{"cty in another case", `{"alg":"HS256","Cty":"JWT"}`},
		{"enc in another case", `{"alg":"HS256","Enc":"A128GCM"}`},
		{"an unknown member twice", `{"alg":"HS256","x":1,"x":2}`},
		{"an unknown member twice with a long s", `{"alg":"HS256","x5s":1,"x5` + "\u017f" + `":2}`},
		{"crit of an unknown extension", `{"alg":"HS256","crit":["foo"],"foo":1}`},
		{"crit empty", `{"alg":"HS256","crit":[]}`},
		{"crit a string", `{"alg":"HS256","crit":"exp"}`},
		{"crit null", `{"alg":"HS256","crit":null}`},
		{"crit of a registered name", `{"alg":"HS256","crit":["alg"]}`},
		{"crit of a name twice", `{"alg":"HS256","crit":["foo","foo"],"foo":1}`},
		{"crit of a name that is absent", `{"alg":"HS256","crit":["exp"]}`},
		{"b64 false (RFC 7797)", `{"alg":"HS256","b64":false,"crit":["b64"]}`},
		{"b64 false without crit", `{"alg":"HS256","b64":false}`},
		{"b64 true", `{"alg":"HS256","b64":true}`},
		{"zip", `{"alg":"HS256","zip":"DEF"}`},
		{"cty, a nested token", `{"alg":"HS256","cty":"JWT"}`},
		{"enc, an encrypted token", `{"alg":"dir","enc":"A128GCM"}`},
		{"typ a number", `{"alg":"HS256","typ":1}`},
		{"typ null", `{"alg":"HS256","typ":null}`},
		{"typ an array", `{"alg":"HS256","typ":["JWT"]}`},
		{"typ empty", `{"alg":"HS256","typ":""}`},
		{"typ with nothing after the slash", `{"alg":"HS256","typ":"application/"}`},
		{"typ with a line end", `{"alg":"HS256","typ":"JWT\n"}`},
		{"kid null", `{"alg":"HS256","kid":null}`},
		{"kid a number", `{"alg":"HS256","kid":1}`},
		{"kid an array", `{"alg":"HS256","kid":[]}`},
		{"kid an object", `{"alg":"HS256","kid":{}}`},
		{"kid with line ends", `{"alg":"HS256","kid":"k1\r\nSet-Cookie: a=b"}`},
		{"kid with a NUL", `{"alg":"HS256","kid":"k1\u0000"}`},
		{"kid with DEL", `{"alg":"HS256","kid":"k1` + "\x7f" + `"}`},
		{"kid outside ASCII", `{"alg":"HS256","kid":"k` + "\u00e9" + `"}`},
		{"kid of 257 bytes", `{"alg":"HS256","kid":"` + strings.Repeat("k", 257) + `"}`},
		{"33 members", wide(33)},
	} {
		if token, err := jose.Parse(compact(row.text, goodPayload)); err == nil {
			t.Errorf("%s: got %+v and no error for %s", row.name, token.Header, row.text)
		}
	}
}

// wide returns a header of n members.
func wide(n int) string {
	var b strings.Builder
	b.WriteString(`{"alg":"HS256"`)
	for i := range n - 1 {
		fmt.Fprintf(&b, `,"x%d":%d`, i, i)
	}
	b.WriteString("}")
	return b.String()
}

func TestValidKeyID(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		id   string
		want bool
	}{
		{"a", true},
		{" ", true},
		{"~", true},
		{strings.Repeat("k", 256), true},
		{"", false},
		{strings.Repeat("k", 257), false},
		{"a\x1f", false},
		{"a\x7f", false},
		{"\u00e9", false},
	} {
		if got := jose.ValidKeyID(row.id); got != row.want {
			t.Errorf("ValidKeyID(%q): got %v; want %v", row.id, got, row.want)
		}
	}
}
