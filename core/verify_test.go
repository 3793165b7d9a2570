package core_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/coretest"
)

func TestHeader(t *testing.T) {
	t.Parallel()
	key := core.HS256(secret)
	auth := newVerifier(t, key)
	for _, row := range []row{
		{"alg alone", `{"alg":"HS256"}`, accepted},
		{"typ at+jwt (RFC 9068 §2.1)", `{"alg":"HS256","typ":"at+jwt"}`, accepted},
		{"typ in full", `{"alg":"HS256","typ":"application/at+jwt"}`, accepted},
		{"typ in capitals", `{"alg":"HS256","typ":"AT+JWT"}`, accepted},
		{"typ JWT", `{"alg":"HS256","typ":"JWT"}`, accepted},
		{"typ jwt in full", `{"alg":"HS256","typ":"application/jwt"}`, accepted},
		{"typ of a proof (RFC 9449 §4.2)", `{"alg":"HS256","typ":"dpop+jwt"}`, core.CodeTokenInvalid},
		{"typ of a logout token", `{"alg":"HS256","typ":"logout+jwt"}`, core.CodeTokenInvalid},
		{"typ of an event (RFC 8417 §2.3)", `{"alg":"HS256","typ":"secevent+jwt"}`, core.CodeTokenInvalid},
		{"typ of a refresh token", `{"alg":"HS256","typ":"rt+jwt"}`, core.CodeTokenInvalid},
		{"typ of another media type", `{"alg":"HS256","typ":"text/jwt"}`, core.CodeTokenInvalid},
		{"typ JOSE+JSON", `{"alg":"HS256","typ":"JOSE+JSON"}`, core.CodeTokenInvalid},
		{"typ empty", `{"alg":"HS256","typ":""}`, core.CodeTokenInvalid},
		{"typ with a space", `{"alg":"HS256","typ":"JWT "}`, core.CodeTokenInvalid},
		{"typ a number", `{"alg":"HS256","typ":1}`, core.CodeTokenInvalid},
		{"alg none", `{"alg":"none"}`, core.CodeTokenInvalid},
		{"alg None", `{"alg":"None"}`, core.CodeTokenInvalid},
		{"alg NONE", `{"alg":"NONE"}`, core.CodeTokenInvalid},
		{"alg nOnE", `{"alg":"nOnE"}`, core.CodeTokenInvalid},
		{"alg noNE", `{"alg":"noNE"}`, core.CodeTokenInvalid},
		{"alg absent", `{"typ":"at+jwt"}`, core.CodeTokenInvalid},
		{"alg empty", `{"alg":""}`, core.CodeTokenInvalid},
		{"alg null", `{"alg":null}`, core.CodeTokenInvalid},
		{"alg in an array", `{"alg":["HS256"]}`, core.CodeTokenInvalid},
		{"alg a number", `{"alg":256}`, core.CodeTokenInvalid},
		{"alg in lower case", `{"alg":"hs256"}`, core.CodeTokenInvalid},
		{"alg with a space", `{"alg":"HS256 "}`, core.CodeTokenInvalid},
		{"alg of another hash", `{"alg":"HS384"}`, core.CodeTokenInvalid},
		{"alg twice", `{"alg":"none","alg":"HS256"}`, core.CodeTokenInvalid},
		{"alg and ALG", `{"alg":"HS256","ALG":"none"}`, core.CodeTokenInvalid},
		{"kid with a Kelvin sign for its k", `{"alg":"HS256","` + "\u212a" + `id":"x"}`, core.CodeTokenInvalid},
		{"a member twice but for a long s", `{"alg":"HS256","x5s":1,"x5` + "\u017f" + `":1}`, core.CodeTokenInvalid},
		{"crit of an unknown extension (RFC 7515 §4.1.11)", `{"alg":"HS256","crit":["foo"],"foo":1}`, core.CodeTokenInvalid},
		{"crit empty", `{"alg":"HS256","crit":[]}`, core.CodeTokenInvalid},
		{"crit no array", `{"alg":"HS256","crit":"exp"}`, core.CodeTokenInvalid},
		{"crit of a name twice", `{"alg":"HS256","crit":["foo","foo"],"foo":1}`, core.CodeTokenInvalid},
		{"crit of a registered name", `{"alg":"HS256","crit":["alg"]}`, core.CodeTokenInvalid},
		{"crit of an absent name", `{"alg":"HS256","crit":["exp"]}`, core.CodeTokenInvalid},
		{"b64 false (RFC 7797 §6)", `{"alg":"HS256","b64":false,"crit":["b64"]}`, core.CodeTokenInvalid},
		{"b64 false without crit", `{"alg":"HS256","b64":false}`, core.CodeTokenInvalid},
		{"zip", `{"alg":"HS256","zip":"DEF"}`, core.CodeTokenInvalid},
		{"cty of a nested token (RFC 7519 §5.2)", `{"alg":"HS256","cty":"JWT"}`, core.CodeTokenInvalid},
		{"enc of an encrypted token", `{"alg":"dir","enc":"A256GCM"}`, core.CodeTokenInvalid},
		{"x5c and x5t, which are not looked at", `{"alg":"HS256","x5c":["MIIB"],"x5t":"abc"}`, accepted},
		{"null", `null`, core.CodeTokenInvalid},
		{"an array", `["HS256"]`, core.CodeTokenInvalid},
		{"something after it", `{"alg":"HS256"} {}`, core.CodeTokenInvalid},
		{"cut short in an escape", `{"alg":"\`, core.CodeTokenInvalid},
		{"cut short in an array", `{"alg":"HS256","x":[1`, core.CodeTokenInvalid},
		{"over 4 KB", `{"alg":"HS256","x":"` + strings.Repeat("x", 4096) + `"}`, core.CodeTokenInvalid},

		{"kid", `{"alg":"HS256","kid":"` + key.ID() + `"}`, accepted},
		{"kid unknown", `{"alg":"HS256","kid":"k2"}`, core.CodeTokenInvalid},
		{"kid in another case", `{"alg":"HS256","kid":"` + strings.ToUpper(key.ID()) + `"}`, core.CodeTokenInvalid},
		{"kid empty", `{"alg":"HS256","kid":""}`, core.CodeTokenInvalid},
		{"kid a number", `{"alg":"HS256","kid":1}`, core.CodeTokenInvalid},
		{"kid null", `{"alg":"HS256","kid":null}`, core.CodeTokenInvalid},
		{"kid an array", `{"alg":"HS256","kid":[]}`, core.CodeTokenInvalid},
		{"kid that walks through folders", `{"alg":"HS256","kid":"../../../../dev/null"}`, core.CodeTokenInvalid},
		{"kid that is a file", `{"alg":"HS256","kid":"/dev/null"}`, core.CodeTokenInvalid},
		{"kid that is a command", `{"alg":"HS256","kid":"|sleep 10"}`, core.CodeTokenInvalid},
		{"kid that is SQL", `{"alg":"HS256","kid":"x' UNION SELECT '1';--"}`, core.CodeTokenInvalid},
		{"kid with a header field in it", `{"alg":"HS256","kid":"x\r\nSet-Cookie: a=b"}`, core.CodeTokenInvalid},
		{"kid with a NUL", `{"alg":"HS256","kid":"` + key.ID() + `\u0000"}`, core.CodeTokenInvalid},
		{"kid of 3 KB", `{"alg":"HS256","kid":"` + strings.Repeat("k", 3000) + `"}`, core.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(coretest.Sign(t, "HS256", secret, row.text, claims())), row.want)
		})
	}
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	good := signed(t, claims())
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	none := encode([]byte(`{"alg":"none"}`))
	for _, row := range []row{
		{"as it was signed", good, accepted},
		{"not a token", "garbage", core.CodeTokenInvalid},
		{"two segments", header + "." + payload, core.CodeTokenInvalid},
		{"four segments", good + "." + signature, core.CodeTokenInvalid},
		{"five segments, an encrypted token", good + "." + payload + "." + signature, core.CodeTokenInvalid},
		{"dots only", "..", core.CodeTokenInvalid},
		{"no header", "." + payload + "." + signature, core.CodeTokenInvalid},
		{"no payload", header + ".." + signature, core.CodeTokenInvalid},
		{"no signature", header + "." + payload + ".", core.CodeTokenInvalid},
		{"trailing dot", good + ".", core.CodeTokenInvalid},
		{"alg none, no signature", none + "." + payload + ".", core.CodeTokenInvalid},
		{"alg none, no signature and no dot", none + "." + payload, core.CodeTokenInvalid},
		{"alg none, the signature of another header", none + "." + payload + "." + signature, core.CodeTokenInvalid},
		{"signature of another payload", header + "." + encode([]byte(claims("sub", `"bob"`))) + "." + signature, core.CodeTokenInvalid},
		{"signature cut short", good[:len(good)-4], core.CodeTokenInvalid},
		{"signature and more", good + "AAAA", core.CodeTokenInvalid},
		{"padding at the end", good + "=", core.CodeTokenInvalid},
		{"unused bits that are set (RFC 4648 §3.5)", header + "." + payload + "." + respelt(signature), core.CodeTokenInvalid},
		{"unused bits that are set in the payload, and signed", signedAs(t, header+"."+respelt(payload)), core.CodeTokenInvalid},
		{"unused bits that are set in the header, and signed", signedAs(t, respelt(encode([]byte(hs256+" ")))+"."+payload), core.CodeTokenInvalid},
		{"standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace(withMarks(t)), core.CodeTokenInvalid},
		{"longest that is looked at", sized(t, 8192), accepted},

		{"one byte over that", sized(t, 8193), core.CodeMalformedCredentials},
		{"8 MB", strings.Repeat("A", 8<<20), core.CodeMalformedCredentials},
		{"padding inside", header + "=." + payload + "." + signature, core.CodeMalformedCredentials},
		{"line end inside", header + "." + payload[:8] + "\n" + payload[8:] + "." + signature, core.CodeMalformedCredentials},
		{"carriage return inside", header + "." + payload[:8] + "\r" + payload[8:] + "." + signature, core.CodeMalformedCredentials},
		{"line end after it", good + "\n", core.CodeMalformedCredentials},
		{"space inside", header + "." + payload[:8] + " " + payload[8:] + "." + signature, core.CodeMalformedCredentials},
		{"tab inside", header + "." + payload[:8] + "\t" + payload[8:] + "." + signature, core.CodeMalformedCredentials},
		{"space after it", good + " ", core.CodeMalformedCredentials},
		{"JSON, flattened (RFC 7515 §7.2.2)", `{"payload":"` + payload + `","protected":"` + header + `","signature":"` + signature + `"}`, core.CodeMalformedCredentials},
		{"JSON around it", `{"x":"` + good + `"}`, core.CodeMalformedCredentials},
		{"quotes around it", `"` + good + `"`, core.CodeMalformedCredentials},
		{"percent-encoded", strings.ReplaceAll(good, ".", "%2E"), core.CodeMalformedCredentials},
		{"NUL after it", good + "\x00", core.CodeMalformedCredentials},
		{"bytes that are not ASCII", good + "\xff", core.CodeMalformedCredentials},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(row.text), row.want)
		})
	}
}

// respelt returns segment with another last letter, which lax decoders read as
// the same bytes: it differs only in bits that are not used.
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

// signedAs returns the token of input as it is.
func signedAs(t *testing.T, input string) string {
	t.Helper()
	signature, err := jwt.SigningMethodHS256.Sign(input, secret)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + encode(signature)
}

// withMarks returns a good token with a letter that base64url and base64 differ in.
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

// sized returns a good token of size bytes.
func sized(t *testing.T, size int) string {
	t.Helper()
	// Three headers, whose lengths differ by one, reach each length that there is.
	for _, header := range []string{hs256, hs256 + " ", hs256 + "  "} {
		for n := size*3/4 - 400; n < size*3/4; n++ {
			token := coretest.Sign(t, "HS256", secret, header, claims("x", strconv.Quote(strings.Repeat("x", n))))
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
	auth := newVerifier(t, core.HS256(secret))
	for _, row := range []row{
		{"claims", claims(), accepted},
		{"claims that mean nothing here", claims("act", `{"sub":"bob"}`, "x", `[1,{"y":null}]`), accepted},
		{"letters outside ASCII", claims("sub", `"álïce😀"`), accepted},
		{"text that runs from right to left", claims("sub", `"a`+"\u202e"+`b"`), accepted},
		{"depth of 32", claims("x", strings.Repeat("[", 32)+strings.Repeat("]", 32)), accepted},
		{"depth of 33", claims("x", strings.Repeat("[", 33)+strings.Repeat("]", 33)), core.CodeTokenInvalid},
		{"depth of 2900", claims("x", strings.Repeat("[", 2900)+strings.Repeat("]", 2900)), core.CodeTokenInvalid},
		{"400 claims", claims("x", many(400)), accepted},
		{"null", `null`, core.CodeTokenInvalid},
		{"an array", `[` + claims() + `]`, core.CodeTokenInvalid},
		{"a string", `"alice"`, core.CodeTokenInvalid},
		{"a number", `1`, core.CodeTokenInvalid},
		{"not JSON", `alice`, core.CodeTokenInvalid},
		{"something after it", claims() + `{}`, core.CodeTokenInvalid},
		{"a byte order mark before it", "\ufeff" + claims(), core.CodeTokenInvalid},
		{"not UTF-8", claims("sub", "\"a\xff\""), core.CodeTokenInvalid},
		{"half a surrogate pair", claims("sub", `"a\ud800"`), core.CodeTokenInvalid},
		{"NUL in sub", claims("sub", `"a\u0000"`), core.CodeTokenInvalid},
		{"line end in sub", claims("sub", `"a\n"`), core.CodeTokenInvalid},
		{"a claim twice", claims("x", `1,"x":2`), core.CodeTokenInvalid},
		{"exp twice, past and future", claims("exp", at(-1)+`,"exp":`+at(900)), core.CodeTokenInvalid},
		{"exp and EXP, past and future", claims("exp", at(-1), "EXP", at(900)), core.CodeTokenInvalid},
		{"sub and Sub", claims("Sub", `"bob"`), core.CodeTokenInvalid},
		{"sub and a sub with a long s", claims("\u017fub", `"bob"`), core.CodeTokenInvalid},
		{"a claim twice, further in", claims("x", `{"y":1,"y":2}`), core.CodeTokenInvalid},
		{"a number beyond every type", claims("x", `1e400`), core.CodeTokenInvalid},
		{"a number of 1000 digits", claims("x", strings.Repeat("9", 1000)), core.CodeTokenInvalid},
		{"NaN", claims("x", `NaN`), core.CodeTokenInvalid},
		{"cut short", strings.TrimSuffix(claims(), "}"), core.CodeTokenInvalid},
		{"cut short in an escape", `{"iss":"\`, core.CodeTokenInvalid},
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

func TestTimes(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	for _, row := range []row{
		{"exp a second ahead", claims("exp", at(1)), accepted},
		{"exp a fraction, rounded down", claims("exp", at(1)+".9"), accepted},
		{"exp as an exponent", claims("exp", "1.8000009e9"), accepted},
		{"exp now (RFC 7519 §4.1.4: on or after)", claims("exp", at(0)), core.CodeTokenExpired},
		{"exp now and a fraction", claims("exp", at(0)+".9"), core.CodeTokenExpired},
		{"exp a second ago", claims("exp", at(-1)), core.CodeTokenExpired},
		{"exp long ago", claims("exp", "1"), core.CodeTokenExpired},
		{"exp absent", claims("exp", ""), core.CodeTokenInvalid},
		{"exp null", claims("exp", "null"), core.CodeTokenInvalid},
		{"exp a string", claims("exp", strconv.Quote(at(900))), core.CodeTokenInvalid},
		{"exp true", claims("exp", "true"), core.CodeTokenInvalid},
		{"exp an array", claims("exp", "["+at(900)+"]"), core.CodeTokenInvalid},
		{"exp an object", claims("exp", "{}"), core.CodeTokenInvalid},
		{"exp zero", claims("exp", "0"), core.CodeTokenInvalid},
		{"exp negative", claims("exp", "-1"), core.CodeTokenInvalid},
		{"exp hugely negative", claims("exp", "-1e300"), core.CodeTokenInvalid},
		{"exp 1e300", claims("exp", "1e300"), core.CodeTokenInvalid},
		{"exp beyond an int64", claims("exp", "9.3e18"), core.CodeTokenInvalid},
		{"exp 9e18", claims("exp", "9000000000000000000"), core.CodeTokenInvalid},
		{"exp 1e18", claims("exp", "1e18"), core.CodeTokenInvalid},
		{"exp the largest int64", claims("exp", "9223372036854775807"), core.CodeTokenInvalid},
		{"exp NaN", claims("exp", "NaN"), core.CodeTokenInvalid},
		{"exp Infinity", claims("exp", "Infinity"), core.CodeTokenInvalid},
		{"exp in milliseconds", claims("exp", at(900)+"000"), core.CodeTokenInvalid},

		{"a lifetime of a day", claims("exp", at(86400)), accepted},
		{"a lifetime of a day and a second", claims("exp", at(86401)), core.CodeTokenInvalid},
		{"a lifetime of a day from iat", claims("iat", at(-86399), "exp", at(1)), accepted},
		{"a lifetime of a day and a second from iat", claims("iat", at(-86400), "exp", at(1)), core.CodeTokenInvalid},
		{"a lifetime of more than a day, over", claims("iat", at(-86402), "exp", at(-1)), core.CodeTokenInvalid},
		{"a lifetime of a day from iat ahead", claims("iat", at(1), "exp", at(86401)), accepted},

		{"nbf now", claims("nbf", at(0)), accepted},
		{"nbf a second ahead, which is its resolution", claims("nbf", at(1)), accepted},
		{"nbf two seconds ahead", claims("nbf", at(2)), core.CodeTokenInvalid},
		{"nbf a string", claims("nbf", strconv.Quote(at(-1))), core.CodeTokenInvalid},
		{"nbf null", claims("nbf", "null"), core.CodeTokenInvalid},
		{"nbf after exp", claims("nbf", at(1), "exp", at(1)), core.CodeTokenInvalid},
		{"nbf after exp, both over", claims("nbf", at(-1), "exp", at(-2)), core.CodeTokenInvalid},
		{"iat now", claims("iat", at(0)), accepted},
		{"iat a second ahead, which is its resolution", claims("iat", at(1)), accepted},
		{"iat two seconds ahead", claims("iat", at(2)), core.CodeTokenInvalid},
		{"iat a string", claims("iat", strconv.Quote(at(-1))), core.CodeTokenInvalid},
		{"iat after exp", claims("iat", at(1), "exp", at(1)), core.CodeTokenInvalid},
		{"iat after exp, both over", claims("iat", at(-1), "exp", at(-2)), core.CodeTokenInvalid},
		{"auth_time a string", claims("auth_time", `"1"`), core.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, row.text)), row.want)
		})
	}
}

func TestLeeway(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret), func(c *core.Config) {
		c.Leeway = 30 * time.Second
		c.MaxLifetime = time.Hour
	})
	for _, row := range []row{
		{"exp 29 seconds ago", claims("exp", at(-29)), accepted},
		{"exp 30 seconds ago", claims("exp", at(-30)), core.CodeTokenExpired},
		{"nbf 30 seconds ahead", claims("nbf", at(30)), accepted},
		{"nbf 31 seconds ahead", claims("nbf", at(31)), core.CodeTokenInvalid},
		{"iat 30 seconds ahead", claims("iat", at(30)), accepted},
		{"iat 31 seconds ahead", claims("iat", at(31)), core.CodeTokenInvalid},
		{"a lifetime of an hour", claims("exp", at(3600)), accepted},
		{"a lifetime of an hour and a second", claims("exp", at(3601)), core.CodeTokenInvalid},
		{"a lifetime of an hour from iat", claims("iat", at(30), "exp", at(3630)), accepted},
		{"exp the largest int64", claims("exp", "9223372036854775807"), core.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, row.text)), row.want)
		})
	}
}

// Clocks are set back and forth by others.
func TestVerifyClockSteps(t *testing.T) {
	t.Parallel()
	clock := coretest.NewClock(time.Unix(start, 999_999_999))
	auth := newVerifier(t, core.HS256(secret), func(c *core.Config) { c.Now = clock.Now })
	token := coretest.Token(t, auth, "alice")
	for _, step := range []struct {
		by   time.Duration
		want core.Code
	}{
		{0, accepted},
		{-time.Hour, core.CodeTokenInvalid}, // not issued yet
		{time.Hour, accepted},
		{time.Hour, core.CodeTokenExpired},
		{-time.Hour, accepted},
	} {
		clock.Advance(step.by)
		decide(t, auth, withBearer(token), step.want)
	}
}

func TestPurpose(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	for _, row := range []row{
		{"aud in an array", claims("aud", `["`+audience+`"]`), accepted},
		{"aud among others", claims("aud", `["https://x.example.com","`+audience+`"]`), accepted},
		{"aud absent", claims("aud", ""), core.CodeTokenInvalid},
		{"aud null", claims("aud", "null"), core.CodeTokenInvalid},
		{"aud empty", claims("aud", `""`), core.CodeTokenInvalid},
		{"aud an empty array", claims("aud", "[]"), core.CodeTokenInvalid},
		{"aud an array of nothing", claims("aud", `[""]`), core.CodeTokenInvalid},
		{"aud a number", claims("aud", "1"), core.CodeTokenInvalid},
		{"aud in an array in an array", claims("aud", `[["`+audience+`"]]`), core.CodeTokenInvalid},
		{"aud beside a number", claims("aud", `["`+audience+`",1]`), core.CodeTokenInvalid},
		{"aud cut short", claims("aud", `"https://api.example.co"`), core.CodeTokenInvalid},
		{"aud and more", claims("aud", `"`+audience+`.evil.example"`), core.CodeTokenInvalid},
		{"aud with a slash", claims("aud", `"`+audience+`/"`), core.CodeTokenInvalid},
		{"aud in another case", claims("aud", `"https://API.example.com"`), core.CodeTokenInvalid},
		{"aud in a list with spaces", claims("aud", `"x `+audience+`"`), core.CodeTokenInvalid},

		{"iss absent", claims("iss", ""), core.CodeTokenInvalid},
		{"iss empty", claims("iss", `""`), core.CodeTokenInvalid},
		{"iss null", claims("iss", "null"), core.CodeTokenInvalid},
		{"iss in an array", claims("iss", `["`+issuer+`"]`), core.CodeTokenInvalid},
		{"iss of another tenant", claims("iss", `"https://auth.example.com/b"`), core.CodeTokenInvalid},
		{"iss with another scheme", claims("iss", `"http://auth.example.com"`), core.CodeTokenInvalid},
		{"iss with a slash", claims("iss", `"https://auth.example.com/"`), core.CodeTokenInvalid},
		{"iss with a Cyrillic a", claims("iss", `"https://`+"\u0430"+`uth.example.com"`), core.CodeTokenInvalid},

		{"sub absent", claims("sub", ""), core.CodeTokenInvalid},
		{"sub empty", claims("sub", `""`), core.CodeTokenInvalid},
		{"sub null", claims("sub", "null"), core.CodeTokenInvalid},
		{"sub a number", claims("sub", "1"), core.CodeTokenInvalid},
		{"sub an object", claims("sub", "{}"), core.CodeTokenInvalid},

		{"jti a number", claims("jti", "1"), core.CodeTokenInvalid},
		{"sid a number", claims("sid", "1"), core.CodeTokenInvalid},
		{"token_use access", claims("token_use", `"access"`), accepted},
		{"token_use of an ID token", claims("token_use", `"id"`), core.CodeTokenInvalid},
		{"token_use of a password reset", claims("token_use", `"reset"`), core.CodeTokenInvalid},
		{"nonce of an ID token", claims("nonce", `"n"`), core.CodeTokenInvalid},
		{"at_hash of an ID token", claims("at_hash", `"h"`), core.CodeTokenInvalid},
		{"c_hash of an ID token", claims("c_hash", `"h"`), core.CodeTokenInvalid},
		{"cnf without a proof (RFC 9449 §7.2)", claims("cnf", `{"jkt":"h"}`), core.CodeTokenInvalid},

		// Expiry is the one mistake that a client mends by itself, so it is only
		// told of a token that is good otherwise.
		{"expired, of another issuer", claims("exp", at(-1), "iss", `"x"`), core.CodeTokenInvalid},
		{"expired, for another audience", claims("exp", at(-1), "aud", `"x"`), core.CodeTokenInvalid},
		{"expired, without a subject", claims("exp", at(-1), "sub", ""), core.CodeTokenInvalid},
		{"expired, not good yet", claims("exp", at(-1), "nbf", at(9)), core.CodeTokenInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			decide(t, auth, withBearer(signed(t, row.text)), row.want)
		})
	}
}

func TestExpiredAndForged(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	expired := claims("exp", at(-1))
	other := append([]byte("not "), secret...)
	decide(t, auth, withBearer(signed(t, expired)), core.CodeTokenExpired)
	decide(t, auth, withBearer(coretest.Sign(t, "HS256", other, hs256, expired)), core.CodeTokenInvalid)
	decide(t, auth, withBearer(coretest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"x"}`, expired)), core.CodeTokenInvalid)
	decide(t, auth, withBearer(coretest.Sign(t, "HS256", secret, `{"alg":"HS256","typ":"x"}`, expired)), core.CodeTokenInvalid)
}

// What a client is told must not tell one failed check from another.
func TestRefusalsLookAlike(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, core.HS256(secret))
	good := signed(t, claims())
	want := decide(t, auth, withBearer(good[:len(good)-4]), core.CodeTokenInvalid).Response
	for _, token := range []string{
		"garbage",
		coretest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"x"}`, claims()),
		coretest.Sign(t, "HS256", append(secret, 'x'), hs256, claims()),
		signed(t, claims("iss", `"x"`)),
		signed(t, claims("aud", `"x"`)),
	} {
		got := decide(t, auth, withBearer(token), core.CodeTokenInvalid).Response
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestGivingUpChecks(t *testing.T) {
	t.Parallel()
	anyIssuer := newVerifier(t, core.HS256(secret), func(c *core.Config) { c.Issuer, c.InsecureAnyIssuer = "", true })
	decide(t, anyIssuer, withBearer(signed(t, claims("iss", `"https://x.example"`))), accepted)
	decide(t, anyIssuer, withBearer(signed(t, claims("iss", ""))), accepted)
	decide(t, anyIssuer, withBearer(signed(t, claims("iss", "1"))), core.CodeTokenInvalid)
	decide(t, anyIssuer, withBearer(signed(t, claims("aud", `"x"`))), core.CodeTokenInvalid)

	anyAudience := newVerifier(t, core.HS256(secret), func(c *core.Config) { c.Audience, c.InsecureAnyAudience = "", true })
	decide(t, anyAudience, withBearer(signed(t, claims("aud", `["x"]`))), accepted)
	decide(t, anyAudience, withBearer(signed(t, claims("aud", ""))), accepted)
	decide(t, anyAudience, withBearer(signed(t, claims("aud", "1"))), core.CodeTokenInvalid)
	decide(t, anyAudience, withBearer(signed(t, claims("iss", `"x"`))), core.CodeTokenInvalid)

	// Set beside a name, the check is given up all the same.
	both := newVerifier(t, core.HS256(secret), func(c *core.Config) { c.InsecureAnyIssuer, c.InsecureAnyAudience = true, true })
	decide(t, both, withBearer(signed(t, claims("iss", `"x"`, "aud", `"x"`))), accepted)
}

func TestNilAuth(t *testing.T) {
	t.Parallel()
	var auth *core.Auth
	decide(t, auth, withBearer(signed(t, claims())), core.CodeUnavailable)
	decide(t, auth, core.Request{}, core.CodeUnavailable, core.Optional())
}
