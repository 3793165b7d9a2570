package bench_test

import jwtgate "github.com/jwtgate/jwtgate/core"

// coldAuth returns an Auth without a cache: it verifies every token in full.
func coldAuth(k *key, change ...func(*jwtgate.Config)) *jwtgate.Auth {
	return newAuth(k, append(change, func(c *jwtgate.Config) { c.CacheSize = -1 }))
}

// warmAuth returns an Auth with default settings: it caches the token that a
// benchmark sends repeatedly.
func warmAuth(k *key, change ...func(*jwtgate.Config)) *jwtgate.Auth {
	return newAuth(k, change)
}

// roomyAuth returns an Auth that can cache n tokens. It caches a token when it
// sees that token for the second time.
func roomyAuth(k *key, n int) *jwtgate.Auth {
	return newAuth(k, []func(*jwtgate.Config){func(c *jwtgate.Config) { c.CacheSize = 2 * n * 2048 }})
}

func newAuth(k *key, change []func(*jwtgate.Config)) *jwtgate.Auth {
	config := jwtgate.Config{Issuer: issuer, Audience: audience, Keys: k.own}
	for _, f := range change {
		f(&config)
	}
	return must(jwtgate.New(config))
}
