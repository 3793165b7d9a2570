package jwtclient

import (
	"math/rand/v2"
	"time"
)

// Tokens are the tokens of one session.
type Tokens struct {
	// Access is the access token, which is sent with requests.
	Access string

	// Refresh is the refresh token, which is exchanged for new tokens. If it is
	// empty, the session ends when Access expires.
	Refresh string

	// Expires is the time at which Access expires, by the clock of this machine.
	// Compute it by adding the remaining lifetime to [time.Now]: such a time stays
	// correct if the clock is set. The zero time means that the expiry is unknown;
	// the tokens are then renewed only after a 401 response.
	Expires time.Time
}

// live reports whether the access token has not expired, as far as that is known.
func (t Tokens) live(now time.Time) bool {
	return t.Access != "" && (t.Expires.IsZero() || now.Before(t.Expires))
}

func (t Tokens) equal(other Tokens) bool {
	return t.Access == other.Access && t.Refresh == other.Refresh && t.Expires.Equal(other.Expires)
}

// activeTokens are the tokens that a Transport sends requests with.
type activeTokens struct {
	Tokens
	authorization string    // the value of the Authorization field
	renewAt       time.Time // before Expires; zero if only a 401 response starts a renewal
}

// newActiveTokens computes the time of the renewal from the lifetime that remains.
// Tokens from a store have lived for some time already, so they are renewed closer
// to their expiry than tokens that the server has just issued.
func newActiveTokens(tokens Tokens, now time.Time) *activeTokens {
	active := &activeTokens{Tokens: tokens, authorization: "Bearer " + tokens.Access}
	if !tokens.Expires.IsZero() && tokens.Refresh != "" {
		active.renewAt = tokens.Expires.Add(-renewalMargin(tokens.Expires.Sub(now)))
	}
	return active
}

// renewalMargin returns how long before its expiry a token with this lifetime is
// renewed: a tenth of the lifetime and at least 10 seconds, but at most a quarter
// of the lifetime. Up to a quarter of the margin is then subtracted at random, so
// that programs that started together do not renew at the same time.
func renewalMargin(lifetime time.Duration) time.Duration {
	margin := max(0, min(max(10*time.Second, lifetime/10), lifetime/4))
	return margin - rand.N(margin/4+1) //nolint:gosec // the jitter need not be unpredictable
}
