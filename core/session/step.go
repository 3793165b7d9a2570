package session

import (
	"math"
	"time"
)

// A Record is what a [Store] keeps of a session. Its times are by the store's
// clock, and are good to the millisecond.
type Record struct {
	ID         ID
	Subject    string
	NonceHash  [32]byte  // SHA-256 of the nonce in the session's refresh tokens
	Generation uint32    // of the current refresh token
	Created    time.Time // the login
	Rotated    time.Time // when Generation was reached; zero until the first rotation
	Idle       time.Time // over then, unless rotated before
	Limit      time.Time // over then in any case
	Ended      Reason    // Live, or why it is over
	UserAgent  string
}

// Used returns when the session was last rotated, or began.
func (r *Record) Used() time.Time {
	if r.Rotated.IsZero() {
		return r.Created
	}
	return r.Rotated
}

// Expires returns when the session is over unless it is rotated before.
func (r *Record) Expires() time.Time {
	if r.Idle.Before(r.Limit) {
		return r.Idle
	}
	return r.Limit
}

// LiveAt reports whether the session is not over at now.
func (r *Record) LiveAt(now time.Time) bool { return r.Ended == Live && now.Before(r.Expires()) }

// A Reason is why a session is over.
type Reason uint8

// The reasons. Stores keep these numbers.
const (
	Live      Reason = iota // it is not over
	SignedOut               // it was ended on purpose
	Replayed                // a refresh token that was replaced was used again
)

// A Verdict is what [Step] says of a refresh token.
type Verdict uint8

// The verdicts. After the first four the session goes on, and the Record has
// the generation of the token to answer with.
const (
	Rotated  Verdict = iota + 1 // the token was current: it is replaced
	Repeated                    // current, and new within the window: the same again
	Reissued                    // the one before, within the window: the current one again
	Healed                      // ahead of the record, which lost rotations: the record follows

	Unknown // there is no such session, or no longer
	Expired // the session is past its idle or absolute limit
	Revoked // the session was ended
	Invalid // the token is not of this session
	Stolen  // the token was replaced a while ago: it is ended now, as Replayed
)

// Good reports whether the session goes on.
func (v Verdict) Good() bool { return v >= Rotated && v <= Healed }

// A Policy is how sessions are rotated.
type Policy struct {
	// Idle is how long a session lives without a rotation.
	Idle time.Duration

	// ReuseWindow is how long after a rotation the replaced token still answers,
	// with the same successor. Zero: a token works once.
	ReuseWindow time.Duration

	// Remember is how long the record of a session that was ended is kept: until
	// no access token of it can be alive.
	Remember time.Duration

	// Retire has a store announce every rotation, so that access tokens of
	// earlier generations can be refused.
	Retire bool
}

// A Presented is what a refresh token, found genuine, says.
type Presented struct {
	ID         ID
	NonceHash  [32]byte
	Generation uint32
}

// Step is the rule: what follows from presenting p for the session r at now, and
// the record after it. The record is changed only by Rotated, Healed and Stolen.
//
// There is at most one rotation in a window, so all answers within it carry the
// same token: callers that refresh in parallel, or again because an answer was
// lost, end up with one that is current, in whatever order the answers arrive.
// Outside the window an older token was copied (RFC 9700 §4.14.2), by a thief or
// from one, and the session ends for both.
func Step(r Record, p Presented, now time.Time, policy Policy) (Record, Verdict) {
	switch {
	case r.ID != p.ID:
		return r, Unknown
	case r.NonceHash != p.NonceHash:
		return r, Invalid
	case r.Ended != Live:
		return r, Revoked
	case !r.LiveAt(now), p.Generation == math.MaxUint32: // which has no successor
		return r, Expired
	}
	// A clock that was set back by more than the window closes it.
	open := !r.Rotated.IsZero() && now.Sub(r.Rotated).Abs() < policy.ReuseWindow
	switch {
	case p.Generation == r.Generation && open:
		return r, Repeated
	case p.Generation == r.Generation:
		return r.rotated(p.Generation+1, now, policy), Rotated
	case p.Generation+1 == r.Generation && open:
		return r, Reissued
	case p.Generation > r.Generation && r.couldReach(p.Generation, now, policy):
		// The token stays current for a window, as if it had just been made: it and
		// the one before may be on their way elsewhere. No window, no such grace.
		if policy.ReuseWindow <= 0 {
			p.Generation++
		}
		return r.rotated(p.Generation, now, policy), Healed
	}
	r.Ended = Replayed
	return r, Stolen
}

// rotated returns r with the token of generation as the current one.
func (r Record) rotated(generation uint32, now time.Time, policy Policy) Record {
	r.Generation = generation
	r.Rotated = now
	r.Idle = now.Add(policy.Idle)
	if r.Limit.Before(r.Idle) {
		r.Idle = r.Limit
	}
	return r
}

// couldReach reports whether generation can have been reached by now with one
// rotation a window. A genuine token from further ahead than that is no sign of
// a store that lost some writes.
func (r *Record) couldReach(generation uint32, now time.Time, policy Policy) bool {
	if policy.ReuseWindow <= 0 {
		return true
	}
	elapsed := max(now.Sub(r.Used()), 0)
	return int64(generation-r.Generation) <= int64(elapsed/policy.ReuseWindow)+1
}
