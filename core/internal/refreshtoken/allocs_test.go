package refreshtoken_test

import "testing"

// Every refresh token is decoded with the buffers of an earlier one.
func TestAllocations(t *testing.T) {
	codec := newCodec(t, secret(7))
	// With the race detector, a sync.Pool loses every fourth object.
	const most = 3
	for name, use := range map[string]func(){
		"Encode": func() { codec.Encode(goldToken) },
		"Decode": func() { _, _ = codec.Decode(goldText) },
	} {
		if got := testing.AllocsPerRun(100, use); got > most {
			t.Errorf("%s: got %v allocations; want at most %d", name, got, most)
		}
	}
}
