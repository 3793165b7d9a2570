package refreshtoken_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/session"
)

const (
	testIssuer   = "https://auth.example"
	testAudience = "https://api.example"
)

func secret(b byte) []byte { return bytes.Repeat([]byte{b}, refreshtoken.MinKeySize) }

func newCodec(tb testing.TB, secrets ...[]byte) *refreshtoken.Codec {
	tb.Helper()
	codec, err := refreshtoken.New(testIssuer, testAudience, secrets...)
	if err != nil {
		tb.Fatalf("make a codec: %v", err)
	}
	return codec
}

// goldToken is what goldText says under secret(7).
var goldToken = refreshtoken.Token{
	ID:         session.ID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18},
	Nonce:      refreshtoken.Nonce{0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff},
	Generation: 0x01020304,
}

const goldText = "jgr1_mCv76gECAwQFBgcICQoLDA0ODxAREvDx8vP09fb3-Pn6-_z9_v8BAgMEyGkosD4NB19fiqEHMJKU15Y5HorK1MiAfycvZZMZ0GU"

// Tokens and nonces outlive the program that made them: this test may never
// have other words.
func TestCodecForever(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, secret(7))
	if got := codec.Encode(goldToken); got != goldText {
		t.Errorf("got token %q, want %q", got, goldText)
	}
	const want = "129bf4298c505a61adf10de9d08055a5"
	if got := codec.DerivedNonce(goldToken.ID); hex.EncodeToString(got[:]) != want {
		t.Errorf("got nonce %x, want %s", got, want)
	}
}

// A token is refused for every other issuer and audience, also if both names together
// are the same.
func TestCodecApplications(t *testing.T) {
	t.Parallel()
	own := newCodec(t, secret(1))
	token := own.Encode(goldToken)
	for _, row := range []struct{ name, issuer, audience string }{
		{"another issuer", "https://auth.example.org", testAudience},
		{"another audience", testIssuer, testAudience + "/v2"},
		{"exchanged", testAudience, testIssuer},
		{"split elsewhere", testIssuer + "h", testAudience[1:]},
		{"all issuer", testIssuer + testAudience, ""},
		{"all audience", "", testIssuer + testAudience},
		{"lengths", "20 " + testIssuer, testAudience},
		{"none", "", ""},
	} {
		other, err := refreshtoken.New(row.issuer, row.audience, secret(1))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.Decode(token); !errors.Is(err, refreshtoken.ErrInvalid) {
			t.Errorf("%s: got %+v, error %v, want %v", row.name, got, err, refreshtoken.ErrInvalid)
		}
		if other.DerivedNonce(goldToken.ID) == own.DerivedNonce(goldToken.ID) {
			t.Errorf("%s: got the same derived nonce", row.name)
		}
	}
}

func TestCodecRoundTrip(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, secret(1))
	seen := map[string]bool{}
	for _, token := range []refreshtoken.Token{
		{},
		goldToken,
		{ID: goldToken.ID, Nonce: goldToken.Nonce},
		{ID: goldToken.ID, Nonce: goldToken.Nonce, Generation: math.MaxUint32},
		{ID: goldToken.ID, Generation: 7},
		{Nonce: goldToken.Nonce, Generation: 7},
		{ID: session.NewID(session.Owner{Subject: "alice"}), Nonce: refreshtoken.NewNonce(), Generation: 1},
		{ID: session.NewID(session.Owner{Subject: "alice"}), Nonce: refreshtoken.NewNonce(), Generation: 1},
	} {
		text := codec.Encode(token)
		if again := codec.Encode(token); again != text || seen[text] {
			t.Errorf("%+v: got token %q, then %q, want one of its own", token, text, again)
		}
		seen[text] = true
		if got, err := codec.Decode(text); got != token || err != nil {
			t.Errorf("got %+v, %v parsed, want %+v", got, err, token)
		}
	}
}

func TestCodecParse(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, secret(7))
	prefix, body := goldText[:5], goldText[5:]
	for _, row := range []struct{ name, text string }{
		{"empty", ""},
		{"prefix alone", prefix},
		{"no prefix", body},
		{"another prefix", "jgr2_" + body},
		{"prefix in capitals", "JGR1_" + body},
		{"prefix twice", prefix + goldText},
		{"short by one", goldText[:len(goldText)-1]},
		{"short by a group", goldText[:len(goldText)-4]},
		{"long by one", goldText + "A"},
		{"long by a group", goldText + "AAAA"},
		{"twice", goldText + body},
		{"padded", goldText + "="},
		{"padding for a character", goldText[:len(goldText)-1] + "="},
		{"standard alphabet", prefix + strings.NewReplacer("-", "+", "_", "/").Replace(body)},
		{"blank before", " " + goldText},
		{"blank behind", goldText + " "},
		{"line break behind", goldText + "\n"},
		{"line break within", goldText[:50] + "\r\n" + goldText[50:]},
		{"line break for a character", goldText[:50] + "\n" + goldText[51:]},
		{"line breaks for a group", goldText[:49] + "\n\n\n\n" + goldText[53:]},
		{"NUL behind", goldText + "\x00"},
		{"quoted", `"` + goldText + `"`},
		{"a JWT", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."},
		{"zeros", prefix + strings.Repeat("A", len(body))},
		{"not ASCII", prefix + strings.Repeat("é", len(body)/2) + "A"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, err := codec.Decode(row.text); err != refreshtoken.ErrInvalid || got != (refreshtoken.Token{}) { //nolint:errorlint // it is to say no more
				t.Errorf("got %+v, %v, want none, %v", got, err, refreshtoken.ErrInvalid)
			}
		})
	}
}

// A token with anything changed in it is none: one character for any other, or
// one bit of what it is the text of.
func TestCodecParseChanged(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, secret(7))
	if _, err := codec.Decode(goldText); err != nil {
		t.Fatalf("got error %v for the token itself", err)
	}
	text := []byte(goldText)
	for i, was := range text {
		for b := range 256 {
			if text[i] = byte(b); text[i] == was {
				continue
			}
			if _, err := codec.Decode(string(text)); err == nil {
				t.Errorf("byte %d: %q for %q is good", i, text[i], was)
			}
		}
		text[i] = was
	}
	raw, err := base64.RawURLEncoding.DecodeString(goldText[5:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(raw) {
		raw[i/8] ^= 1 << (i % 8)
		if _, err := codec.Decode(goldText[:5] + base64.RawURLEncoding.EncodeToString(raw)); err == nil {
			t.Errorf("bit %d changed is good", i)
		}
		raw[i/8] ^= 1 << (i % 8)
	}
}

// The last character of a token has two unused bits. A token in which they are set is
// refused, whatever bytes its MAC ends with.
func TestCodecUnusedBits(t *testing.T) {
	t.Parallel()
	codec := newCodec(t, secret(7))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for generation := range uint32(1000) {
		text := codec.Encode(refreshtoken.Token{ID: goldToken.ID, Nonce: goldToken.Nonce, Generation: generation})
		first, last := text[:len(text)-1], strings.IndexByte(alphabet, text[len(text)-1])
		for unused := 1; unused < 4; unused++ {
			changed := first + alphabet[last+unused:][:1]
			if _, err := codec.Decode(changed); !errors.Is(err, refreshtoken.ErrInvalid) {
				t.Errorf("generation %d: got error %v for %q; want %v", generation, err, changed, refreshtoken.ErrInvalid)
			}
		}
	}
}

func TestCodecRing(t *testing.T) {
	t.Parallel()
	a, b, c := secret(1), secret(2), append(secret(1), 1)
	for _, row := range []struct {
		name       string
		made, read [][]byte
		ok         bool
	}{
		{"same", [][]byte{a}, [][]byte{a}, true},
		{"another", [][]byte{a}, [][]byte{b}, false},
		{"longer by a byte", [][]byte{a}, [][]byte{c}, false},
		{"new one in front", [][]byte{a}, [][]byte{b, a}, true},
		{"new one behind", [][]byte{a}, [][]byte{a, b}, true},
		{"the first makes", [][]byte{a, b}, [][]byte{a}, true},
		{"the second does not", [][]byte{a, b}, [][]byte{b}, false},
		{"dropped", [][]byte{a}, [][]byte{b, c}, false},
		{"last of three", [][]byte{a}, [][]byte{b, c, a}, true},
		{"twice", [][]byte{a}, [][]byte{a, a}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			maker, reader := newCodec(t, row.made...), newCodec(t, row.read...)
			if got, err := reader.Decode(maker.Encode(goldToken)); (err == nil) != row.ok || row.ok && got != goldToken {
				t.Errorf("got %+v, %v, want %v", got, err, row.ok)
			}
			nonce := maker.DerivedNonce(goldToken.ID)
			if got, ok := reader.NonceOf(goldToken.ID, nonce.Hash()); ok != row.ok || row.ok && got != nonce {
				t.Errorf("got nonce %x, %v derived, want %v", got, ok, row.ok)
			}
		})
	}
}

func TestNewCodec(t *testing.T) {
	t.Parallel()
	good, short := secret(1), []byte("s3cret of thirty-one bytes: oops")[:refreshtoken.MinKeySize-1]
	for _, row := range []struct {
		name    string
		secrets [][]byte
		ok      bool
	}{
		{"one", [][]byte{good}, true},
		{"two", [][]byte{good, secret(2)}, true},
		{"long", [][]byte{bytes.Repeat(good, 100)}, true},
		{"none", nil, false},
		{"short", [][]byte{short}, false},
		{"short behind a good one", [][]byte{good, short}, false},
		{"empty behind a good one", [][]byte{good, {}}, false},
		{"nil behind a good one", [][]byte{good, nil}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			codec, err := refreshtoken.New(testIssuer, testAudience, row.secrets...)
			if (err == nil) != row.ok || (codec != nil) != row.ok {
				t.Fatalf("got codec %v, error %v, want it: %v", codec != nil, err, row.ok)
			}
			for _, secret := range row.secrets {
				if err == nil || len(secret) == 0 {
					continue
				}
				for _, form := range []string{"%s", "%q", "%x", "%v"} {
					if text := fmt.Sprintf(form, secret); strings.Contains(err.Error(), text) {
						t.Errorf("error %q has the secret in it", err)
					}
				}
			}
		})
	}
}

// The codec keeps nothing of the caller's.
func TestNewCodecCopies(t *testing.T) {
	t.Parallel()
	key := secret(7)
	codec := newCodec(t, key)
	clear(key)
	if got := codec.Encode(goldToken); got != goldText {
		t.Errorf("got token %q after the secret was wiped, want %q", got, goldText)
	}
}

func TestNonce(t *testing.T) {
	t.Parallel()
	nonce := refreshtoken.NewNonce()
	if again := refreshtoken.NewNonce(); again == nonce {
		t.Errorf("got nonce %x twice", nonce)
	}
	if got, want := nonce.Hash(), sha256.Sum256(nonce[:]); got != want {
		t.Errorf("got hash %x, want %x", got, want)
	}
	token := refreshtoken.Token{ID: goldToken.ID, Nonce: nonce, Generation: 7}
	if got, want := token.Presented(), (session.Presented{ID: goldToken.ID, NonceHash: nonce.Hash(), Generation: 7}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	codec := newCodec(t, secret(1))
	other := session.NewID(session.Owner{Subject: "alice"})
	derived := codec.DerivedNonce(goldToken.ID)
	if codec.DerivedNonce(other) == derived {
		t.Error("got one nonce for two sessions")
	}
	for name, hash := range map[string][32]byte{"random": nonce.Hash(), "none": {}, "another session's": codec.DerivedNonce(other).Hash()} {
		if got, ok := codec.NonceOf(goldToken.ID, hash); ok || got != (refreshtoken.Nonce{}) {
			t.Errorf("%s: got nonce %x, %v derived, want none", name, got, ok)
		}
	}
}

// FuzzParse holds that what is accepted is what was made, to the last bit.
func FuzzParse(f *testing.F) {
	codec := newCodec(f, secret(7))
	f.Add(goldText)
	f.Add(goldText[:len(goldText)-1])
	f.Add(goldText + "\n")
	f.Add(goldText[:50] + "\r" + goldText[51:])
	f.Add("jgr1_" + strings.Repeat("A", len(goldText)-5))
	f.Add(codec.Encode(refreshtoken.Token{}))
	f.Add(codec.Encode(refreshtoken.Token{ID: goldToken.ID, Generation: math.MaxUint32}))
	f.Add(newCodec(f, secret(8)).Encode(goldToken))
	f.Fuzz(func(t *testing.T, text string) {
		token, err := codec.Decode(text)
		switch {
		case err == nil && codec.Encode(token) != text:
			t.Errorf("accepted %q, which is not %q", text, codec.Encode(token))
		case err != nil && (!errors.Is(err, refreshtoken.ErrInvalid) || token != (refreshtoken.Token{})):
			t.Errorf("got %+v, %v, want none, %v", token, err, refreshtoken.ErrInvalid)
		}
		if id, ok := session.ParseID(text); ok && id.String() != text {
			t.Errorf("accepted ID %q, which is not %q", text, id)
		}
	})
}
