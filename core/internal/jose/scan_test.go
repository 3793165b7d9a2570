package jose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// readMember parses value as a member of a header and of claims. Both must give the
// same result.
func readMember(t *testing.T, name, value string) error {
	t.Helper()
	_, inHeader := jose.Parse(compact(`{"alg":"HS256","x":`+value+`}`, goodPayload))
	_, inClaims := jose.ParseClaims(`{"exp":1800000900,"x":`+value+`}`, nil)
	if (inHeader == nil) != (inClaims == nil) {
		t.Errorf("%s: got error %v in a header and %v in claims; want both or none", name, inHeader, inClaims)
	}
	return inClaims
}

func TestJSONValues(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, value string }{
		{"null", `null`},
		{"true", `true`},
		{"false", `false`},
		{"empty string", `""`},
		{"every short escape", `"\"\\\/\b\f\n\r\t"`},
		{"long escape", `"\u00e9\u00E9"`},
		{"a surrogate pair", `"\ud83d\ude00"`},
		{"letters outside ASCII", `"é😀"`},
		{"DEL", "\"\x7f\""},
		{"zero", `0`},
		{"minus zero", `-0`},
		{"fraction", `-10.05`},
		{"exponents", `[1e5,1E+5,1.5e-5,0e0]`},
		{"largest float64", `1.7976931348623157e308`},
		{"smaller than every float64", `1e-400`},
		{"number of 128 digits", strings.Repeat("9", 128)},
		{"empty array", `[ ]`},
		{"empty object", `{ }`},
		{"array", `[1,"a",null,true,[],{}]`},
		{"space wherever JSON has it", " { \"a\" :\t[ 1 ,\r\n2 ] } "},
		{"names that differ", `{"a":1,"b":{"a":1},"aa":[{"a":1},{"a":1}]}`},
		{"an empty name", `{"":1}`},
		{"20 names", object(20)},
		{"as deep as it may be", nested(32)},
	} {
		if err := readMember(t, row.name, row.value); err != nil {
			t.Errorf("%s: got error %v for %s; want none", row.name, err, row.value)
		}
	}
}

func TestJSONValuesRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, value string }{
		{"nothing", ``},
		{"a word", `yes`},
		{"True", `True`},
		{"half a word", `tru`},
		{"a word and a half", `nullnull`},
		{"NaN", `NaN`},
		{"Infinity", `Infinity`},
		{"minus Infinity", `-Infinity`},
		{"a comment", `1/**/`},
		{"two values", `1 2`},
		{"space that JSON does not have", "\v1"},
		{"leading zero", `01`},
		{"leading zero and minus", `-01`},
		{"plus", `+1`},
		{"minus alone", `-`},
		{"no whole part", `.5`},
		{"no fraction", `1.`},
		{"no exponent", `1e`},
		{"no exponent but a sign", `1e+`},
		{"hexadecimal", `0x10`},
		{"underscore", `1_0`},
		{"larger than every float64", `1e400`},
		{"less than every float64", `-1e400`},
		{"number of 129 digits", strings.Repeat("9", 129)},
		{"long fraction", "0." + strings.Repeat("1", 127)},
		{"no end of the string", `"a`},
		{"single quotes", `'a'`},
		{"line end in a string", "\"a\nb\""},
		{"tab in a string", "\"a\tb\""},
		{"NUL in a string", "\"a\x00b\""},
		{"unit separator in a string", "\"a\x1fb\""},
		{"unknown escape", `"\x41"`},
		{"unknown escape among more than eight characters", `"a4\xbbbbb"`},
		{"capital U escape", `"\U0041"`},
		{"short long escape", `"\u41"`},
		{"short long escape at the end", `"\u4"`},
		{"long escape of other letters", `"\u00g0"`},
		{"long escape with a sign", `"\u+041"`},
		{"high surrogate alone", `"\ud800"`},
		{"low surrogate alone", `"\udc00"`},
		{"surrogates the wrong way round", `"\udc00\ud800"`},
		{"high surrogate before a letter", `"\ud800a"`},
		{"high surrogate before the digits of a low one", `"\ud800--dc00"`},
		{"high surrogate before another escape", `"\ud800\u0041"`},
		{"high surrogate before an escape that is cut short", `"\ud800\udc"`},
		{"a byte that is not UTF-8", "\"\xff\""},
		{"UTF-8 that is cut short", "\"\xe2\x82\""},
		{"UTF-8 of a surrogate", "\"\xed\xa0\x80\""},
		{"UTF-8 that is longer than it need be", "\"\xc0\xaf\""},
		{"trailing comma in an array", `[1,]`},
		{"leading comma in an array", `[,1]`},
		{"no comma in an array", `[1 2]`},
		{"no value in an array", `[`},
		{"no end of an array", `[1`},
		{"an array ended as an object", `[1}`},
		{"trailing comma in an object", `{"a":1,}`},
		{"leading comma in an object", `{,"a":1}`},
		{"no comma in an object", `{"a":1 "b":2}`},
		{"a semicolon in an object", `{"a":1;"b":2}`},
		{"no colon", `{"a" 1}`},
		{"an equals sign for a colon", `{"a"=1}`},
		{"no value", `{"a":}`},
		{"no quotes around the name", `{a:1}`},
		{"number for a name", `{1:1}`},
		{"no end of an object", `{"a":1`},
		{"an object ended as an array", `{"a":1]`},
		{"a name twice", `{"a":1,"a":1}`},
		{"a name twice, once escaped", `{"a":1,"\u0061":1}`},
		{"the empty name twice", `{"":1,"":1}`},
		{"a name twice among others", `{"a":1,"b":1,"c":1,"a":1}`},
		{"the first of 20 names again", object(20, "x0")},
		{"the last of 20 names again", object(20, "x19")},
		{"the twelfth name again", object(12, "x11")},
		{"the thirteenth name again", object(13, "x12")},
		{"a name twice further in", `[[{"b":{"a":1,"a":1}}]]`},
		{"a name twice in an object without an end", `{"a":1,"b":1,"b":1`},
		{"deeper than it may be", nested(33)},
		{"objects deeper than they may be", strings.Repeat(`{"a":`, 32) + "1" + strings.Repeat("}", 32)},
		{"deep enough for a stack to overflow", nested(3000)},
	} {
		if err := readMember(t, row.name, row.value); err == nil {
			t.Errorf("%s: got no error for %s", row.name, row.value)
		}
	}
}

// TestNamesThatDifferInCase checks that they count as one name among the claims, and as
// two further in.
func TestNamesThatDifferInCase(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, object string }{
		{"two", `{"a":1,"A":1}`},
		{"the Kelvin sign", `{"k":1,"` + "\u212a" + `":1}`},
		{"the Kelvin sign first", `{"` + "\u212a" + `":1,"k":1}`},
		{"sigma's three forms", `{"` + "\u03c3" + `":1,"` + "\u03c2" + `":1}`},
		{"the first of 20", object(20, "X0")},
		{"the last of 20", object(20, "X19")},
		{"both escaped", `{"\u0061":1,"\u0041":1}`},
		{"a long name", object(0, strings.Repeat("k", 100), strings.Repeat("k", 99)+"K")},
		{"the Kelvin sign in a long name", object(0, strings.Repeat("k", 100), strings.Repeat("k", 99)+"\u212a")},
		{"the Kelvin sign after 20", object(20, "k", "\u212a")},
		{"the Kelvin sign after 20, in a name of 100 letters", object(20, strings.Repeat("k", 100), strings.Repeat("k", 99)+"\u212a")},
		{"a long name after 20", object(20, strings.Repeat("k", 100), strings.Repeat("k", 99)+"K")},
		{"sigma's forms after 20", object(20, "\u03c3", "\u03c2")},
	} {
		if _, err := jose.ParseClaims(row.object, nil); err == nil {
			t.Errorf("%s: got no error for the claims %s", row.name, row.object)
		}
		if err := readMember(t, row.name, row.object); err != nil {
			t.Errorf("%s: got error %v further in, want none, for %s", row.name, err, row.object)
		}
	}
}

// TestNamesThatDiffer checks names that differ by the bit 0x20 in a character that is not a
// letter: they are different names.
func TestNamesThatDiffer(t *testing.T) {
	t.Parallel()
	for _, text := range []string{object(20, "x[", "x{"), object(20, "x@", "x`"), object(20, "x^", "x~")} {
		if _, err := jose.ParseClaims(text, nil); err != nil {
			t.Errorf("got error %v for the claims %s; want none", err, text)
		}
	}
}

// TestSelect selects members by names that are equal but for case.
func TestSelect(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ names, object, want string }{
		{"a", ` { "a" : 1 , "b" : 2 } `, `{"a" : 1}`},
		{"a c", `{"a":1,"b":2,"C":[3]}`, `{"a":1,"C":[3]}`},
		{"k", `{"` + "\u212a" + `":1}`, `{"` + "\u212a" + `":1}`},
		{"\u212a", `{"k":1,"x":2}`, `{"k":1}`},
		{"\u03c3", `{"` + "\u03c2" + `":1,"s":2}`, `{"` + "\u03c2" + `":1}`},
	} {
		names := jose.NewNames(strings.Fields(row.names)...)
		if got := string(jose.Select(row.object, &names)); got != row.want {
			t.Errorf("%s of %s: got %s; want %s", row.names, row.object, got, row.want)
		}
	}
}

// A text that ends too early must be refused wherever it ends, and without
// looking past its end.
func TestJSONCutShort(t *testing.T) {
	t.Parallel()
	const text = `{"alg":"HS256","exp":1800000900,"x":{"\ud83d\ude00\n":[-1.5e+3,true,null,{"a":[""]}]}}`
	if _, err := jose.Parse(compact(text, goodPayload)); err != nil {
		t.Fatalf("got error %v for the whole text", err)
	}
	for n := range text {
		if _, err := jose.Parse(compact(text[:n], goodPayload)); err == nil {
			t.Errorf("got no error for a header cut to %s", text[:n])
		}
		if _, err := jose.ParseClaims(text[:n], []string{"x"}); err == nil {
			t.Errorf("got no error for claims cut to %s", text[:n])
		}
	}
}

// object returns an object with n members x0, x1 …, followed by members named more.
func object(n int, more ...string) string {
	members := make([]string, 0, n+len(more))
	for i := range n {
		members = append(members, fmt.Sprintf(`"x%d":0`, i))
	}
	for _, name := range more {
		members = append(members, fmt.Sprintf("%q:0", name))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// nested returns n nested arrays.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestStrings(t *testing.T) {
	t.Parallel()
	got, err := jose.Strings(`{"username":"alice","password":"won\u0064er","remember":true,"n":1,"o":{"p":"q"}}`)
	if err != nil || len(got) != 2 || got["username"] != "alice" || got["password"] != "wonder" {
		t.Errorf("got %q and error %v; want the two strings", got, err)
	}
	for _, row := range []struct{ name, text string }{
		{"nothing", ``},
		{"an array", `["a"]`},
		{"no opening bracket", `"a":"b"}`},
		{"a name twice", `{"a":"b","a":"c"}`},
		{"a name twice but for case", `{"a":"b","A":"c"}`},
		{"something after it", `{"a":"b"} {}`},
		{"cut short", `{"a":"b"`},
		{"not UTF-8", "{\"a\":\"\xff\"}"},
	} {
		if got, err := jose.Strings(row.text); err == nil {
			t.Errorf("%s: got %q and no error for %s", row.name, got, row.text)
		}
	}
}

// A string is read eight bytes at a time. At each of the eight places, every byte must
// be recognized as plain or not plain.
func TestEveryByteOfStrings(t *testing.T) {
	t.Parallel()
	for size := range 20 {
		content := []byte(strings.Repeat("a", size))
		for place := range content {
			for c := range 256 {
				content[place] = byte(c)
				text := `{"exp":1,"sub":"` + string(content) + `"}`
				valid := json.Valid([]byte(text)) && utf8.ValidString(text)
				got, err := jose.Strings(text)
				if valid != (err == nil) || valid && got["sub"] != string(content) {
					t.Errorf("got %q and error %v for %q", got["sub"], err, text)
				}
				// What is printable without a closer look has no DEL in it.
				want := ""
				if valid && c != 0x7f {
					want = string(content)
				}
				if claims, err := jose.ParseClaims(text, nil); (err == nil) != valid || claims.Subject != want {
					t.Errorf("got subject %q and error %v for the claims %q", claims.Subject, err, text)
				}
			}
			content[place] = 'a'
		}
	}
}
