package jose_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// TestDecode compares decode with encoding/base64 for every byte at every place of
// segments of up to three iterations of the loop. Only line ends are treated differently.
func TestDecode(t *testing.T) {
	t.Parallel()
	strict := base64.RawURLEncoding.Strict()
	before := []byte("before")
	for size := range 26 {
		segment := []byte(strings.Repeat("QWxpY2Uh", 4)[:size])
		for place := range segment {
			kept := segment[place]
			for c := range 256 {
				segment[place] = byte(c)
				want, wantErr := strict.AppendDecode(before, segment)
				lineEnd := c == '\n' || c == '\r'
				got, err := jose.Decode(before, string(segment))
				switch {
				case (err != nil) != (wantErr != nil || lineEnd):
					t.Errorf("%q: got error %v; want %v", segment, err, wantErr)
				case err == nil && !bytes.Equal(got, want):
					t.Errorf("%q: got %x; want %x", segment, got, want)
				case err != nil && !bytes.Equal(got, before):
					t.Errorf("%q: got %x with error %v; want what was there", segment, got, err)
				}
			}
			segment[place] = kept
		}
	}
}

// FuzzDecode compares decode with encoding/base64 for segments with several wrong bytes.
func FuzzDecode(f *testing.F) {
	strict := base64.RawURLEncoding.Strict()
	f.Add("", []byte(nil))
	f.Add("QWxpY2U", []byte("before"))
	f.Add("QWxpY2UhQWxpY2VR\n", []byte("before"))
	f.Fuzz(func(t *testing.T, segment string, before []byte) {
		want, wantErr := strict.AppendDecode(bytes.Clone(before), []byte(segment))
		refused := wantErr != nil || strings.ContainsAny(segment, "\r\n")
		got, err := jose.Decode(before, segment)
		if refused != (err != nil) || !refused && !bytes.Equal(got, want) {
			t.Errorf("%q after %q: got %q and error %v; want %q and %v", segment, before, got, err, want, wantErr)
		}
	})
}
