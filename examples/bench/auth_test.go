package bench_test

import "github.com/jwtgate/jwtgate/core"

// coldAuth verifies every token as if it had never seen it.
func coldAuth(k *key, change ...func(*core.Config)) *core.Auth {
	return newAuth(k, append(change, func(c *core.Config) { c.CacheSize = -1 }))
}

// warmAuth is one with all defaults: the token that a benchmark sends again and
// again, it may know.
func warmAuth(k *key, change ...func(*core.Config)) *core.Auth {
	return newAuth(k, change)
}

// roomyAuth may know n tokens, each when it has come twice.
func roomyAuth(k *key, n int) *core.Auth {
	return newAuth(k, []func(*core.Config){func(c *core.Config) { c.CacheSize = 2 * n }})
}

func newAuth(k *key, change []func(*core.Config)) *core.Auth {
	config := core.Config{Issuer: issuer, Audience: audience, Keys: k.own}
	for _, f := range change {
		f(&config)
	}
	return must(core.New(config))
}
