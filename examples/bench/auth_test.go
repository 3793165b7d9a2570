package bench_test

import jwtgate "github.com/jwtgate/jwtgate/core"

// coldAuth verifies every token as if it had never seen it.
func coldAuth(k *key, change ...func(*jwtgate.Config)) *jwtgate.Auth {
	return newAuth(k, append(change, func(c *jwtgate.Config) { c.CacheSize = -1 }))
}

// warmAuth is one with all defaults: the token that a benchmark sends again and
// again, it may know.
func warmAuth(k *key, change ...func(*jwtgate.Config)) *jwtgate.Auth {
	return newAuth(k, change)
}

// roomyAuth may know n tokens, each when it has come twice.
func roomyAuth(k *key, n int) *jwtgate.Auth {
	return newAuth(k, []func(*jwtgate.Config){func(c *jwtgate.Config) { c.CacheSize = 2 * n }})
}

func newAuth(k *key, change []func(*jwtgate.Config)) *jwtgate.Auth {
	config := jwtgate.Config{Issuer: issuer, Audience: audience, Keys: k.own}
	for _, f := range change {
		f(&config)
	}
	return must(jwtgate.New(config))
}
