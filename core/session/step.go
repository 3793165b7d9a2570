package session

import (
	"math"
	"time"
)

// A Record is the data of a session in a [Store]. Its times are those of the
// store's clock, with a precision of a millisecond.
type Record struct {
	ID         ID
	Subject    string
	NonceHash  [32]byte  // SHA-256 of the nonce in the session's refresh tokens
	Generation uint32    // of the current refresh token
	Created    time.Time // the login
	Rotated    time.Time // the last rotation; zero before the first
	Idle       time.Time // the session expires then, unless it is rotated before
	Limit      time.Time // the session expires then, even if it is rotated
	Ended      Reason    // Live, or why the session was ended
	UserAgent  string
}

// Used returns the time of the last rotation, or of the login if there was none.
func (r *Record) Used() time.Time {
	if r.Rotated.IsZero() {
		return r.Created
	}
	return r.Rotated
}

// Expires returns when the session expires, unless it is rotated before: the
// earlier of Idle and Limit.
func (r *Record) Expires() time.Time {
	if r.Idle.Before(r.Limit) {
		return r.Idle
	}
	return r.Limit
}

// LiveAt reports whether the session is neither ended nor expired at now.
func (r *Record) LiveAt(now time.Time) bool { return r.Ended == Live && now.Before(r.Expires()) }

// A Reason is why a session was ended.
type Reason uint8

// The reasons. Stores save these numbers, so they must not change.
const (
	Live      Reason = iota // it was not ended
	SignedOut               // by a sign-out, an administrator, or the bound on sessions
	Replayed                // because a replaced refresh token was used again
)

// A Verdict is the decision of [Step] on a refresh token.
type Verdict uint8

// The verdicts. After the first four, the session goes on, and the Record has
// the generation of the refresh token to return to the client.
const (
	Rotated  Verdict = iota + 1 // the token was current: it was replaced by a new one
	Repeated                    // the token is current, and its window is open: the client gets it again
	Reissued                    // the token was replaced, and the window is open: the client gets the current one
	Healed                      // the store had lost rotations: the record catches up with the token

	Unknown // there is no such session, or not any more
	Expired // the session has reached its Idle or Limit time
	Revoked // the session was ended
	Invalid // the token has the ID of the session, but another nonce
	Stolen  // the token was replaced too long ago, or is too far ahead: the session was ended, as Replayed
)

// Good reports whether the session goes on.
func (v Verdict) Good() bool { return v >= Rotated && v <= Healed }

// A Policy has the parameters of [Step].
type Policy struct {
	// Idle is how long a session lives without a rotation.
	Idle time.Duration

	// ReuseWindow is how long after a rotation the replaced token is still
	// accepted. All clients that present it get the same successor. If
	// ReuseWindow is zero, every token can be used once.
	ReuseWindow time.Duration

	// Remember is how long a store keeps the record of an ended session. It
	// should be at least the lifetime of an access token.
	Remember time.Duration

	// Retire makes a store announce every rotation, so that access tokens of
	// earlier generations can be refused.
	Retire bool
}

// A Presented is the content of a refresh token whose MAC was verified.
type Presented struct {
	ID         ID
	NonceHash  [32]byte
	Generation uint32
}

// Step decides what happens when p is presented for the session r at the time
// now. It returns the record after the step, which differs from r only if the
// verdict is Rotated, Healed or Stolen.
//
// There is at most one rotation in a window, so all responses within it carry
// the same token. Clients that refresh in parallel, or again because a response
// was lost, have a current token in the end, in whatever order the responses
// arrive. A replaced token that is presented after the window is treated as
// stolen (RFC 9700 §4.14.2). The session then ends for the thief and for the
// user.
func Step(r Record, p Presented, now time.Time, policy Policy) (Record, Verdict) {
	switch {
	case r.ID != p.ID:
		return r, Unknown
	case r.NonceHash != p.NonceHash:
		return r, Invalid
	case r.Ended != Live:
		return r, Revoked
	case !r.LiveAt(now), p.Generation == math.MaxUint32: // the last generation has no successor
		return r, Expired
	}
	// If the clock was set back by more than the window, the window is closed.
	open := !r.Rotated.IsZero() && now.Sub(r.Rotated).Abs() < policy.ReuseWindow
	switch {
	case p.Generation == r.Generation && open:
		return r, Repeated
	case p.Generation == r.Generation:
		return r.rotated(p.Generation+1, now, policy), Rotated
	case p.Generation+1 == r.Generation && open:
		return r, Reissued
	case p.Generation > r.Generation && r.couldReach(p.Generation, now, policy):
		// The presented token becomes the current one, as if it had just been
		// issued, and the window opens: other requests with this token or the
		// one before may be in flight. Without a window, the token is replaced
		// at once.
		if policy.ReuseWindow <= 0 {
			p.Generation++
		}
		return r.rotated(p.Generation, now, policy), Healed
	}
	r.Ended = Replayed
	return r, Stolen
}

// rotated returns r after a rotation to generation at now.
func (r Record) rotated(generation uint32, now time.Time, policy Policy) Record {
	r.Generation = generation
	r.Rotated = now
	r.Idle = now.Add(policy.Idle)
	if r.Limit.Before(r.Idle) {
		r.Idle = r.Limit
	}
	return r
}

// couldReach reports whether the session can have reached generation by now,
// with one rotation per window. A token of a later generation than that cannot
// be explained by a store that lost writes.
func (r *Record) couldReach(generation uint32, now time.Time, policy Policy) bool {
	if policy.ReuseWindow <= 0 {
		return true
	}
	elapsed := max(now.Sub(r.Used()), 0)
	return int64(generation-r.Generation) <= int64(elapsed/policy.ReuseWindow)+1
}
