package bench_test

import "github.com/jwtgate/jwtgate/core"

// coldAuth verifies every token as if it had never seen it. This is the place
// that turns a cache of verified tokens off.
func coldAuth(k *key, change ...func(*core.Config)) *core.Auth {
	return newAuth(k, change)
}

// warmAuth is one with all defaults: the token that a benchmark sends again and
// again, it may know.
func warmAuth(k *key, change ...func(*core.Config)) *core.Auth {
	return newAuth(k, change)
}

// roomyAuth may know n tokens. This is the place that makes the cache as large.
func roomyAuth(k *key, _ int) *core.Auth {
	return newAuth(k, nil)
}

func newAuth(k *key, change []func(*core.Config)) *core.Auth {
	config := core.Config{Issuer: issuer, Audience: audience, Keys: k.own}
	for _, f := range change {
		f(&config)
	}
	return must(core.New(config))
}
