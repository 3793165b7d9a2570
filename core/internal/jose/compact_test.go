package jose_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

const (
	goodHeader  = `{"alg":"HS256","kid":"k1","typ":"at+jwt"}`
	goodPayload = `{"iss":"https://auth.example.com","sub":"alice","aud":"api","exp":1800000900}`
)

// compact returns a token of header and payload. Its signature consists of four
// arbitrary bytes, because this package does not check it.
func compact(header, payload string) string {
	return jose.Compact(jose.Encode([]byte(header), []byte(payload)), []byte{1, 2, 3, 4})
}

func TestParse(t *testing.T) {
	t.Parallel()
	token, err := jose.Parse(compact(goodHeader, goodPayload))
	if err != nil {
		t.Fatalf("got error %v; want a token", err)
	}
	if want := (jose.Header{Algorithm: "HS256", KeyID: "k1", Type: "at+jwt"}); token.Header != want {
		t.Errorf("got header %+v; want %+v", token.Header, want)
	}
	if got, err := token.Payload(nil); string(got) != goodPayload || err != nil {
		t.Errorf("got payload %q and error %v; want %q", got, err, goodPayload)
	}
	if got, err := token.Signature([]byte("before")); string(got) != "before\x01\x02\x03\x04" || err != nil {
		t.Errorf("got signature %q and error %v; want it after what was there", got, err)
	}
	if got, want := token.SigningInput, jose.Encode([]byte(goodHeader), []byte(goodPayload)); got != want {
		t.Errorf("got signing input %q; want %q", got, want)
	}
}

// whole parses token and decodes all its segments.
func whole(token string) error {
	parsed, err := jose.Parse(token)
	if err != nil {
		return err
	}
	if _, err := parsed.Signature(nil); err != nil {
		return err
	}
	_, err = parsed.Payload(nil)
	return err
}

func TestParseRefusesShapes(t *testing.T) {
	t.Parallel()
	good := compact(goodHeader, goodPayload)
	header, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	if err := whole(good); err != nil {
		t.Fatalf("got error %v for the token that all rows derive from", err)
	}
	for _, row := range []struct{ name, token string }{
		{"nothing", ""},
		{"one segment", header},
		{"two segments", header + "." + payload},
		{"four segments", good + "." + signature},
		{"five segments, as a JWE has", good + "." + payload + "." + signature},
		{"dots only", ".."},
		{"a dot only", "."},
		{"empty header", "." + payload + "." + signature},
		{"empty payload", header + ".." + signature},
		{"empty signature", header + "." + payload + "."},
		{"trailing dot", good + "."},
		{"two dots before the signature", header + "." + payload + ".." + signature},
		{"leading dot", "." + good},
		{"padded header", header + "=." + payload + "." + signature},
		{"padded payload", header + "." + payload + "=." + signature},
		{"padded signature", good + "=="},
		{"standard alphabet, plus", header + "." + payload + ".AQ+D"},
		{"standard alphabet, slash", header + "." + payload + ".AQ/D"},
		{"one character too many", header + "." + payload + ".AQIDA"},
		{"line end in the header", header[:4] + "\n" + header[4:] + "." + payload + "." + signature},
		{"carriage return in the header", header[:4] + "\r" + header[4:] + "." + payload + "." + signature},
		{"line end in the payload", header + "." + payload[:4] + "\n" + payload[4:] + "." + signature},
		{"carriage return in the payload", header + "." + payload[:4] + "\r" + payload[4:] + "." + signature},
		{"line end in the signature", header + "." + payload + "." + signature[:2] + "\n" + signature[2:]},
		{"line end after the signature", good + "\r\n"},
		{"space in the payload", header + "." + payload[:4] + " " + payload[4:] + "." + signature},
		{"tab in the signature", header + "." + payload + "." + signature[:2] + "\t" + signature[2:]},
		{"NUL in the signature", header + "." + payload + "." + signature + "\x00"},
		{"letters outside ASCII", header + "." + payload + ".AQIDé"},
		// 01 02 03 04 is AQIDBA: the last four bits of A are unused.
		{"unused bits that are set", header + "." + payload + ".AQIDBB"},
	} {
		if err := whole(row.token); err == nil {
			t.Errorf("%s: got no error for %q", row.name, row.token)
		}
		// The number of segments is checked before anything is decoded.
		if _, err := jose.Parse(row.token); err == nil && strings.Count(row.token, ".") != 2 {
			t.Errorf("%s: got no error from Parse for %q", row.name, row.token)
		}
	}
}

// TestErrors checks what errors say, and which of them HeaderDecoded tells apart.
func TestErrors(t *testing.T) {
	t.Parallel()
	if jose.HeaderDecoded(nil) {
		t.Error("got a decoded header for no error; want false")
	}
	header := func(text string) string { return compact(text, goodPayload) }
	for _, row := range []struct {
		name, token, want string
		decoded           bool
	}{
		{"one segment", "e30", "three non-empty segments", false},
		{"a large header", header(object(1000)), "more than 4096 bytes", false},
		{"a header in another alphabet", "e3+.e30.AQ", "not canonical base64url", false},
		{"no JSON", header("x"), "not JSON", true},
		{"a surrogate pair and no end of the string", header(`{"\ud83d\ude00`), "not JSON", true},
		{"no exponent", header(`{"n":1e}`), "not JSON", true},
		{"alg absent", header(`{}`), "no alg", true},
		{"typ a number", header(`{"typ":1}`), "wrong type", true},
		{"typ empty", header(`{"typ":""}`), "typ is empty", true},
	} {
		_, err := jose.Parse(row.token)
		if err == nil || !strings.Contains(err.Error(), row.want) || jose.HeaderDecoded(err) != row.decoded {
			t.Errorf("%s: got error %v, about a decoded header: %v; want %q and %v", row.name, err, jose.HeaderDecoded(err), row.want, row.decoded)
		}
	}
	for _, exp := range []string{`"1"`, `true`, `[1]`} {
		if _, err := jose.ParseClaims(`{"exp":`+exp+`}`, nil); err == nil || !strings.Contains(err.Error(), "wrong type") {
			t.Errorf("exp %s: got error %v; want one of the type", exp, err)
		}
	}
	if _, err := jose.ParseJWK(`{"n":1}`); err == nil || !strings.Contains(err.Error(), "wrong type") {
		t.Errorf("n a number: got error %v; want one of the type", err)
	}
}

func TestHeaderSize(t *testing.T) {
	t.Parallel()
	sized := func(size int) string {
		const frame = `{"alg":"HS256","x":""}`
		return `{"alg":"HS256","x":"` + strings.Repeat("x", size-len(frame)) + `"}`
	}
	if _, err := jose.Parse(compact(sized(4096), goodPayload)); err != nil {
		t.Errorf("got error %v for a header of 4096 bytes; want none", err)
	}
	if _, err := jose.Parse(compact(sized(4097), goodPayload)); err == nil {
		t.Error("got no error for a header of 4097 bytes")
	}
}

// Some servers reuse the memory of a request for the next one.
func TestParseKeepsNothing(t *testing.T) {
	t.Parallel()
	buffer := []byte(compact(goodHeader, goodPayload))
	token, err := jose.Parse(unsafe.String(&buffer[0], len(buffer)))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := token.Payload(nil)
	if err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	if want := (jose.Header{Algorithm: "HS256", KeyID: "k1", Type: "at+jwt"}); token.Header != want {
		t.Errorf("got header %+v after the memory of the token was overwritten; want %+v", token.Header, want)
	}
	if string(payload) != goodPayload {
		t.Errorf("got payload %q after the memory of the token was overwritten; want %q", payload, goodPayload)
	}
}
