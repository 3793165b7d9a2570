package refreshtoken_test

import (
	"strings"
	"testing"
)

func BenchmarkEncode(b *testing.B) {
	codec := newCodec(b, secret(7))
	b.ReportAllocs()
	for b.Loop() {
		codec.Encode(goldToken)
	}
}

func BenchmarkDecode(b *testing.B) {
	codec := newCodec(b, secret(7))
	for _, row := range []struct {
		name, token string
		ok          bool
	}{
		{"good", goldText, true},
		{"forged", goldText[:50] + "A" + goldText[51:], false},
		{"another key", "jgr1_" + strings.Repeat("A", len(goldText)-5), false},
		{"garbage", strings.Repeat("x", 4000), false},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codec.Decode(row.token); (err == nil) != row.ok {
					b.Fatal(err)
				}
			}
		})
	}
}
