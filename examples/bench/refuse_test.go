package bench_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

type badToken struct{ name, token string }

// badTokens returns tokens that an attacker or a client with an old token sends.
func badTokens(tb testing.TB, k *key) []badToken {
	tb.Helper()
	good := k.token(tb, 0)
	return []badToken{
		{"garbage", strings.Repeat("x", len(good))},
		{"forged", forge(good)},
		{"expired", k.sign(tb, 0, began.Add(time.Second), `"scope":"notes:read notes:write"`)},
		{"8KB", forge(k.sign(tb, 0, began.Add(time.Hour), `"filler":"`+strings.Repeat("x", 5400)+`"`))},
	}
}

// BenchmarkRefuse measures a whole request in process with a bad token. Anyone can
// send such requests, so they must be cheap.
func BenchmarkRefuse(b *testing.B) {
	k := keyOf("HS256")
	for _, rivals := range contenders {
		for _, bad := range badTokens(b, k) {
			for _, c := range without(rivals, bare, handOn, cold, coldClaims, warmClaims) {
				b.Run(c.framework+"/"+bad.name+"/"+c.name, func(b *testing.B) {
					app := c.open(k)
					app.client(k.token(b, 0))() // let the contender parse a good token first
					measure(b, app.client(bad.token), http.StatusUnauthorized)
				})
			}
		}
	}
}
