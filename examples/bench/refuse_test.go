package bench_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

type badToken struct{ name, token string }

// badTokens returns tokens that an attacker or a client with an old token sends.
func badTokens(tb testing.TB, k *key) []badToken {
	tb.Helper()
	good := k.token(tb, 0)
	names := manyNames(tb, k)
	filler := strings.Repeat("x", (len(names)-tokenSize)*3/4)
	return []badToken{
		{"garbage", strings.Repeat("x", len(good))},
		{"forged", forge(good)},
		{"expired", k.sign(tb, 0, began.Add(time.Second), `"scope":"notes:read notes:write"`)},
		{"names", names},
		{"4KB", forge(k.sign(tb, 0, began.Add(time.Hour), `"filler":"`+filler+`"`))},
		{"8KB", forge(k.sign(tb, 0, began.Add(time.Hour), `"filler":"`+strings.Repeat("x", 5400)+`"`))},
	}
}

// manyNames returns a token whose header has as many and as long names as a header may
// have, but no alg.
func manyNames(tb testing.TB, k *key) string {
	tb.Helper()
	var members []string
	for i := range 31 {
		members = append(members, fmt.Sprintf(`"%s%02d":1`, strings.Repeat("n", 118), i))
	}
	return jwtgatetest.Sign(tb, k.algorithm, k.private, "{"+strings.Join(members, ",")+"}", `{}`)
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
