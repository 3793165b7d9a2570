package bench_test

import (
	"testing"

	"github.com/jwtgate/jwtgate/core"
)

// coldAuth verifies every token as if it had never seen it. This is the place
// that turns a cache of verified tokens off.
func coldAuth(tb testing.TB, k *key) *core.Auth { return newAuth(tb, configOf(k)) }

// warmAuth is one with all defaults: the token that a benchmark sends again and
// again, it may know.
func warmAuth(tb testing.TB, k *key) *core.Auth { return newAuth(tb, configOf(k)) }

func configOf(k *key) core.Config {
	return core.Config{Issuer: issuer, Audience: audience, Keys: k.own}
}

func newAuth(tb testing.TB, config core.Config) *core.Auth {
	tb.Helper()
	auth, err := core.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(auth.Close)
	return auth
}
