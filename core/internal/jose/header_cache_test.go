package jose_test

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// A header from the cache equals the header in the token, and takes no allocation.
func TestHeaders(t *testing.T) {
	headers := jose.NewHeaders()
	for i := range 1000 {
		text := compact(fmt.Sprintf(`{"alg":"HS256","kid":"k%d","typ":"JWT"}`, i%500), goodPayload)
		want, err := jose.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := headers.Parse(text, nil); got != want || err != nil {
			t.Fatalf("got %+v and error %v; want %+v", got, err, want)
		}
		headers.Remember(&want)
		if got, err := headers.Parse(text, nil); got != want || err != nil {
			t.Fatalf("got %+v and error %v after Remember; want %+v", got, err, want)
		}
		if n := testing.AllocsPerRun(10, func() { _, _ = headers.Parse(text, nil) }); n != 0 {
			t.Fatalf("got %v allocations after Remember; want none", n)
		}
	}
}

// The text of a token may be in a buffer that the server reuses for the next request.
func TestHeadersCopy(t *testing.T) {
	headers := jose.NewHeaders()
	text := compact(goodHeader, goodPayload)
	buffer := []byte(text)
	token, err := headers.Parse(unsafe.String(&buffer[0], len(buffer)), nil)
	if err != nil {
		t.Fatal(err)
	}
	headers.Remember(&token)
	clear(buffer)
	want, err := jose.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var got jose.Token
	if n := testing.AllocsPerRun(10, func() { got, err = headers.Parse(text, nil) }); n != 0 {
		t.Errorf("got %v allocations; want the header to be remembered", n)
	}
	if got != want || err != nil {
		t.Errorf("got %+v and error %v; want %+v", got, err, want)
	}
}
