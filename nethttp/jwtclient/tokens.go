package jwtclient

import (
	"math/rand/v2"
	"time"
)

// A grant is tokens in use.
type grant struct {
	Tokens
	authorization string    // the header field
	renewAt       time.Time // ahead of Expires; zero for not ahead
}

// newGrant counts a life from now. Of tokens from a store, that is what is left of
// it: they are renewed a little later, and a 401 comes in time for the rest.
func newGrant(tokens Tokens, now time.Time) *grant {
	g := &grant{Tokens: tokens, authorization: "Bearer " + tokens.Access}
	if !tokens.Expires.IsZero() && tokens.Refresh != "" {
		g.renewAt = tokens.Expires.Add(-margin(tokens.Expires.Sub(now)))
	}
	return g
}

// margin is how long before its end a token is renewed that lives for life: for
// a tenth of it and at least 10 seconds, but for no more than a quarter if it is
// short. Programs that were started together drift apart.
func margin(life time.Duration) time.Duration {
	most := min(max(10*time.Second, life/10), life/4)
	if most <= 0 {
		return 0
	}
	return most - rand.N(most/4+1) //nolint:gosec // chance, not secrecy
}
