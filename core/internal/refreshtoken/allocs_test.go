package refreshtoken_test

import "testing"

// Every refresh token is encoded and decoded with the buffers of an earlier one. Each use
// is counted alone, because with the race detector, a sync.Pool loses every fourth object.
func TestAllocations(t *testing.T) {
	codec := newCodec(t, secret(7))
	for _, row := range []struct {
		name string
		use  func()
		want float64
	}{
		{"Encode", func() { codec.Encode(goldToken) }, 1}, // the text
		{"Decode", func() { _, _ = codec.Decode(goldText) }, 0},
	} {
		got := testing.AllocsPerRun(1, row.use)
		for range 100 {
			got = min(got, testing.AllocsPerRun(1, row.use))
		}
		if got != row.want {
			t.Errorf("%s: got %v allocations; want %v", row.name, got, row.want)
		}
	}
}
