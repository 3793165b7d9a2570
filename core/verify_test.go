package jwtgate_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

func TestHeader(t *testing.T) {
	t.Parallel()
	key := keys.HS256(secret).WithID("Key 1")
	auth := newVerifier(t, key)
	for _, row := range []row{
		{"alg alone", `{"alg":"HS256"}`, accepted},
		{"typ at+jwt (RFC 9068 §2.1)", `{"alg":"HS256","typ":"at+jwt"}`, accepted},
		{"typ in full", `{"alg":"HS256","typ":"application/at+jwt"}`, accepted},
		{"typ in capitals", `{"alg":"HS256","typ":"AT+JWT"}`, accepted},
		{"typ JWT", `{"alg":"HS256","typ":"JWT"}`, accepted},
		{"typ jwt in full", `{"alg":"HS256","typ":"application/jwt"}`, accepted},
		{"typ of a proof (RFC 9449 §4.2)", `{"alg":"HS256","typ":"dpop+jwt"}`, jwtgate.CodeTokenInvalid},
		{"typ of a logout token", `{"alg":"HS256","typ":"logout+jwt"}`, jwtgate.CodeTokenInvalid},
		{"typ of an event (RFC 8417 §2.3)", `{"alg":"HS256","typ":"secevent+jwt"}`, jwtgate.CodeTokenInvalid},
		{"typ of a refresh token", `{"alg":"HS256","typ":"rt+jwt"}`, jwtgate.CodeTokenInvalid},
		{"typ of another media type", `{"alg":"HS256","typ":"text/jwt"}`, jwtgate.CodeTokenInvalid},
		{"typ JOSE+JSON", `{"alg":"HS256","typ":"JOSE+JSON"}`, jwtgate.CodeTokenInvalid},
		{"typ empty", `{"alg":"HS256","typ":""}`, jwtgate.CodeTokenInvalid},
		{"typ with a space", `{"alg":"HS256","typ":"JWT "}`, jwtgate.CodeTokenInvalid},
		{"typ a number", `{"alg":"HS256","typ":1}`, jwtgate.CodeTokenInvalid},
		{"alg none", `{"alg":"none"}`, jwtgate.CodeTokenInvalid},
		{"alg None", `{"alg":"None"}`, jwtgate.CodeTokenInvalid},
		{"alg NONE", `{"alg":"NONE"}`, jwtgate.CodeTokenInvalid},
		{"alg nOnE", `{"alg":"nOnE"}`, jwtgate.CodeTokenInvalid},
		{"alg noNE", `{"alg":"noNE"}`, jwtgate.CodeTokenInvalid},
		{"alg absent", `{"typ":"at+jwt"}`, jwtgate.CodeTokenInvalid},
		{"alg empty", `{"alg":""}`, jwtgate.CodeTokenInvalid},
		{"alg null", `{"alg":null}`, jwtgate.CodeTokenInvalid},
		{"alg in an array", `{"alg":["HS256"]}`, jwtgate.CodeTokenInvalid},
		{"alg a number", `{"alg":256}`, jwtgate.CodeTokenInvalid},
		{"alg in lower case", `{"alg":"hs256"}`, jwtgate.CodeTokenInvalid},
		{"alg with a space", `{"alg":"HS256 "}`, jwtgate.CodeTokenInvalid},
		{"alg of another hash", `{"alg":"HS384"}`, jwtgate.CodeTokenInvalid},
		{"alg twice", `{"alg":"none","alg":"HS256"}`, jwtgate.CodeTokenInvalid},
		{"alg and ALG", `{"alg":"HS256","ALG":"none"}`, jwtgate.CodeTokenInvalid},
		{"kid with a Kelvin sign for its k", `{"alg":"HS256","` + "\u212a" + `id":"x"}`, jwtgate.CodeTokenInvalid},
		{"a member twice but for a long s", `{"alg":"HS256","x5s":1,"x5` + "\u017f" + `":1}`, jwtgate.CodeTokenInvalid},
		{"crit of an unknown extension (RFC 7515 §4.1.11)", `{"alg":"HS256","crit":["foo"],"foo":1}`, jwtgate.CodeTokenInvalid},
		{"crit empty", `{"alg":"HS256","crit":[]}`, jwtgate.CodeTokenInvalid},
		{"crit no array", `{"alg":"HS256","crit":"exp"}`, jwtgate.CodeTokenInvalid},
		{"crit of a name twice", `{"alg":"HS256","crit":["foo","foo"],"foo":1}`, jwtgate.CodeTokenInvalid},
		{"crit of a registered name", `{"alg":"HS256","crit":["alg"]}`, jwtgate.CodeTokenInvalid},
		{"crit of an absent name", `{"alg":"HS256","crit":["exp"]}`, jwtgate.CodeTokenInvalid},
		{"b64 false (RFC 7797 §6)", `{"alg":"HS256","b64":false,"crit":["b64"]}`, jwtgate.CodeTokenInvalid},
		{"b64 false without crit", `{"alg":"HS256","b64":false}`, jwtgate.CodeTokenInvalid},
		{"zip", `{"alg":"HS256","zip":"DEF"}`, jwtgate.CodeTokenInvalid},
		{"cty of a nested token (RFC 7519 §5.2)", `{"alg":"HS256","cty":"JWT"}`, jwtgate.CodeTokenInvalid},
		{"enc of an encrypted token", `{"alg":"dir","enc":"A256GCM"}`, jwtgate.CodeTokenInvalid},
		{"x5c and x5t, which are not looked at", `{"alg":"HS256","x5c":["MIIB"],"x5t":"abc"}`, accepted},
		{"null", `null`, jwtgate.CodeTokenInvalid},
		{"an array", `["HS256"]`, jwtgate.CodeTokenInvalid},
		{"something after it", `{"alg":"HS256"} {}`, jwtgate.CodeTokenInvalid},
		{"cut short in an escape", `{"alg":"\`, jwtgate.CodeTokenInvalid},
		{"cut short in an array", `{"alg":"HS256","x":[1`, jwtgate.CodeTokenInvalid},
		{"over 4 KB", `{"alg":"HS256","x":"` + strings.Repeat("x", 4096) + `"}`, jwtgate.CodeTokenInvalid},

		{"kid", `{"alg":"HS256","kid":"` + key.ID() + `"}`, accepted},
		{"kid unknown", `{"alg":"HS256","kid":"k2"}`, jwtgate.CodeTokenInvalid},
		{"kid in another case", `{"alg":"HS256","kid":"` + strings.ToUpper(key.ID()) + `"}`, jwtgate.CodeTokenInvalid},
		{"kid empty, as if absent", `{"alg":"HS256","kid":""}`, accepted},
		{"kid a number", `{"alg":"HS256","kid":1}`, jwtgate.CodeTokenInvalid},
		{"kid null", `{"alg":"HS256","kid":null}`, jwtgate.CodeTokenInvalid},
		{"kid an array", `{"alg":"HS256","kid":[]}`, jwtgate.CodeTokenInvalid},
		{"kid that walks through folders", `{"alg":"HS256","kid":"../../../../dev/null"}`, jwtgate.CodeTokenInvalid},
		{"kid that is a file", `{"alg":"HS256","kid":"/dev/null"}`, jwtgate.CodeTokenInvalid},
		{"kid that is a command", `{"alg":"HS256","kid":"|sleep 10"}`, jwtgate.CodeTokenInvalid},
		{"kid that is SQL", `{"alg":"HS256","kid":"x' UNION SELECT '1';--"}`, jwtgate.CodeTokenInvalid},
		{"kid with a header field in it", `{"alg":"HS256","kid":"x\r\nSet-Cookie: a=b"}`, jwtgate.CodeTokenInvalid},
		{"kid with a NUL", `{"alg":"HS256","kid":"` + key.ID() + `\u0000"}`, jwtgate.CodeTokenInvalid},
		{"kid of 3 KB", `{"alg":"HS256","kid":"` + strings.Repeat("k", 3000) + `"}`, jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(jwtgatetest.Sign(t, "HS256", secret, row.text, claims())), row.want)
		})
	}
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	good := signed(t, claims())
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	none := encode([]byte(`{"alg":"none"}`))
	for _, row := range []row{
		{"as it was signed", good, accepted},
		{"not a token", "garbage", jwtgate.CodeTokenInvalid},
		{"two segments", header + "." + payload, jwtgate.CodeTokenInvalid},
		{"four segments", good + "." + signature, jwtgate.CodeTokenInvalid},
		{"five segments, an encrypted token", good + "." + payload + "." + signature, jwtgate.CodeTokenInvalid},
		{"dots only", "..", jwtgate.CodeTokenInvalid},
		{"no header", "." + payload + "." + signature, jwtgate.CodeTokenInvalid},
		{"no payload", header + ".." + signature, jwtgate.CodeTokenInvalid},
		{"no signature", header + "." + payload + ".", jwtgate.CodeTokenInvalid},
		{"trailing dot", good + ".", jwtgate.CodeTokenInvalid},
		{"alg none, no signature", none + "." + payload + ".", jwtgate.CodeTokenInvalid},
		{"alg none, no signature and no dot", none + "." + payload, jwtgate.CodeTokenInvalid},
		{"alg none, the signature of another header", none + "." + payload + "." + signature, jwtgate.CodeTokenInvalid},
		{"signature of another payload", header + "." + encode([]byte(claims("sub", `"bob"`))) + "." + signature, jwtgate.CodeTokenInvalid},
		{"signature cut short", good[:len(good)-4], jwtgate.CodeTokenInvalid},
		{"signature and more", good + "AAAA", jwtgate.CodeTokenInvalid},
		{"padding at the end", good + "=", jwtgate.CodeTokenInvalid},
		{"unused bits that are set (RFC 4648 §3.5)", header + "." + payload + "." + respelt(signature), jwtgate.CodeTokenInvalid},
		{"unused bits that are set in the payload, and signed", signedAs(t, header+"."+respelt(payload)), jwtgate.CodeTokenInvalid},
		{"unused bits that are set in the header, and signed", signedAs(t, respelt(encode([]byte(hs256+" ")))+"."+payload), jwtgate.CodeTokenInvalid},
		{"standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace(withMarks(t)), jwtgate.CodeTokenInvalid},
		{"longest that is looked at", sized(t, 8192), accepted},

		{"one byte over that", sized(t, 8193), jwtgate.CodeMalformedCredentials},
		{"8 MB", strings.Repeat("A", 8<<20), jwtgate.CodeMalformedCredentials},
		{"padding inside", header + "=." + payload + "." + signature, jwtgate.CodeMalformedCredentials},
		{"line end inside", header + "." + payload[:8] + "\n" + payload[8:] + "." + signature, jwtgate.CodeMalformedCredentials},
		{"carriage return inside", header + "." + payload[:8] + "\r" + payload[8:] + "." + signature, jwtgate.CodeMalformedCredentials},
		{"line end after it", good + "\n", jwtgate.CodeMalformedCredentials},
		{"space inside", header + "." + payload[:8] + " " + payload[8:] + "." + signature, jwtgate.CodeMalformedCredentials},
		{"tab inside", header + "." + payload[:8] + "\t" + payload[8:] + "." + signature, jwtgate.CodeMalformedCredentials},
		{"space after it", good + " ", jwtgate.CodeMalformedCredentials},
		{"JSON, flattened (RFC 7515 §7.2.2)", `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`, jwtgate.CodeMalformedCredentials},
		{"JSON around it", `{"x":"` + good + `"}`, jwtgate.CodeMalformedCredentials},
		{"quotes around it", `"` + good + `"`, jwtgate.CodeMalformedCredentials},
		{"percent-encoded", strings.ReplaceAll(good, ".", "%2E"), jwtgate.CodeMalformedCredentials},
		{"NUL after it", good + "\x00", jwtgate.CodeMalformedCredentials},
		{"bytes that are not ASCII", good + "\xff", jwtgate.CodeMalformedCredentials},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(row.text), row.want)
		})
	}
}

// respelt returns segment with another last letter that differs only in unused bits,
// so that lax decoders read the same bytes.
func respelt(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(segment) - 1
	next := strings.IndexByte(alphabet, segment[last]) + 1
	other := segment[:last] + alphabet[next:next+1]
	if !bytes.Equal(must(base64.RawURLEncoding.DecodeString(segment)), must(base64.RawURLEncoding.DecodeString(other))) {
		panic("all bits are used in " + segment)
	}
	return other
}

// signedAs signs input, which need not be well-formed, and returns the token.
func signedAs(t *testing.T, input string) string {
	t.Helper()
	signature, err := jwt.SigningMethodHS256.Sign(input, secret)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + encode(signature)
}

// withMarks returns a valid token with one of the characters in which base64url differs
// from base64.
func withMarks(t *testing.T) string {
	t.Helper()
	for i := range 100 {
		token := signed(t, claims("n", strconv.Itoa(i)))
		if strings.ContainsAny(token, "-_") {
			return token
		}
	}
	t.Fatal("found no token with a - or _")
	return ""
}

// sized returns a valid token of size bytes.
func sized(t *testing.T, size int) string {
	t.Helper()
	// The lengths of the three headers differ by one, so that every size can be reached.
	for _, header := range []string{hs256, hs256 + " ", hs256 + "  "} {
		for n := size*3/4 - 400; n < size*3/4; n++ {
			token := jwtgatetest.Sign(t, "HS256", secret, header, claims("x", strconv.Quote(strings.Repeat("x", n))))
			if len(token) == size {
				return token
			}
		}
	}
	t.Fatalf("found no token of %d bytes", size)
	return ""
}

func TestPayload(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret))
	for _, row := range []row{
		{"claims", claims(), accepted},
		{"claims that mean nothing here", claims("act", `{"sub":"bob"}`, "x", `[1,{"y":null}]`), accepted},
		{"letters outside ASCII", claims("sub", `"álïce😀"`), accepted},
		{"text that runs from right to left", claims("sub", `"a`+"\u202e"+`b"`), accepted},
		{"depth of 32", claims("x", strings.Repeat("[", 32)+strings.Repeat("]", 32)), accepted},
		{"depth of 33", claims("x", strings.Repeat("[", 33)+strings.Repeat("]", 33)), jwtgate.CodeTokenInvalid},
		{"depth of 2900", claims("x", strings.Repeat("[", 2900)+strings.Repeat("]", 2900)), jwtgate.CodeTokenInvalid},
		{"400 claims", claims("x", many(400)), accepted},
		{"null", `null`, jwtgate.CodeTokenInvalid},
		{"an array", `[` + claims() + `]`, jwtgate.CodeTokenInvalid},
		{"a string", `"alice"`, jwtgate.CodeTokenInvalid},
		{"a number", `1`, jwtgate.CodeTokenInvalid},
		{"not JSON", `alice`, jwtgate.CodeTokenInvalid},
		{"something after it", claims() + `{}`, jwtgate.CodeTokenInvalid},
		{"a byte order mark before it", "\ufeff" + claims(), jwtgate.CodeTokenInvalid},
		{"not UTF-8", claims("sub", "\"a\xff\""), jwtgate.CodeTokenInvalid},
		{"half a surrogate pair", claims("sub", `"a\ud800"`), jwtgate.CodeTokenInvalid},
		{"NUL in sub", claims("sub", `"a\u0000"`), jwtgate.CodeTokenInvalid},
		{"line end in sub", claims("sub", `"a\n"`), jwtgate.CodeTokenInvalid},
		{"a claim twice", claims("x", `1,"x":2`), jwtgate.CodeTokenInvalid},
		{"exp twice, past and future", claims("exp", at(-1)+`,"exp":`+at(900)), jwtgate.CodeTokenInvalid},
		{"exp and EXP, past and future", claims("exp", at(-1), "EXP", at(900)), jwtgate.CodeTokenInvalid},
		{"sub and Sub", claims("Sub", `"bob"`), jwtgate.CodeTokenInvalid},
		{"sub and a sub with a long s", claims("\u017fub", `"bob"`), jwtgate.CodeTokenInvalid},
		{"a claim twice, further in", claims("x", `{"y":1,"y":2}`), jwtgate.CodeTokenInvalid},
		{"a number beyond every type", claims("x", `1e400`), jwtgate.CodeTokenInvalid},
		{"a number of 1000 digits", claims("x", strings.Repeat("9", 1000)), jwtgate.CodeTokenInvalid},
		{"NaN", claims("x", `NaN`), jwtgate.CodeTokenInvalid},
		{"cut short", strings.TrimSuffix(claims(), "}"), jwtgate.CodeTokenInvalid},
		{"cut short in an escape", `{"iss":"\`, jwtgate.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, row.text)), row.want)
		})
	}
}

// many returns an object of n members.
func many(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"x%d":%d`, i, i)
	}
	return "{" + strings.Join(members, ",") + "}"
}
