package jose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/internal/jose"
)

// typical are the claims that this project's own tokens have.
const typical = `{"aud":"https://api.example.com","auth_time":1800000000,"exp":1800000900,"iat":1800000000,` +
	`"iss":"https://auth.example.com","jti":"PDP3XNZKSYQLT7VH4ZKJ5QF2QI","nbf":1800000000,` +
	`"roles":["admin","user"],"sid":"c2Vzc2lvbg.MTIzNDU2Nzg5MDEyMzQ1Ng","sub":"alice"}`

func BenchmarkRead(b *testing.B) {
	roles := jose.NewLayout(nil, nil, jose.Path{"roles"})
	for _, row := range []struct{ name, token string }{
		{"typical", compact(`{"alg":"HS256","kid":"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs","typ":"at+jwt"}`, typical)},
		{"40 claims", compact(goodHeader, `{"exp":1,`+object(40)[1:])},
		{"6 KB", compact(goodHeader, `{"exp":1,"x":"`+strings.Repeat("x", 4500)+`"}`)},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(row.token)))
			for b.Loop() {
				token, err := jose.Parse(row.token)
				if err != nil {
					b.Fatal(err)
				}
				payload, err := token.Payload(nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := jose.ParseLayout(string(payload), roles); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRefuse(b *testing.B) {
	for _, row := range []struct{ name, token string }{
		{"no dots", strings.Repeat("x", 500)},
		{"not JSON", compact("garbage", goodPayload)},
		{"8 KB of brackets", strings.Repeat("W1tb", 1366) + ".e30.AA"},
		{"4 KB of names", compact(object(400), goodPayload)},
		{"30 long names", compact(longNames(30, 95), goodPayload)},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jose.Parse(row.token); err == nil {
					b.Fatal("got no error")
				}
			}
		})
	}
}

// longNames returns a header without alg whose n names have size letters.
func longNames(n, size int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"%s%02d":1`, strings.Repeat("n", size-2), i))
	}
	return "{" + strings.Join(members, ",") + "}"
}
