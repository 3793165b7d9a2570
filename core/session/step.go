package session

import (
	"math"
	"time"
)

// A Record is the data of a session in a [Store]. Its times are those of the
// store's clock, with a precision of a millisecond.
type Record struct {
	ID         ID
	Owner      Owner
	NonceHash  [32]byte  // SHA-256 of the nonce in the session's refresh tokens
	Generation uint32    // of the current refresh token
	Parent     uint32    // the generation that the current one replaced; zero before the first rotation
	Created    time.Time // the login
	Rotated    time.Time // the last rotation or late answer; zero before the first
	Used       time.Time // the first use of Generation; zero if no use is known
	Late       bool      // Parent was answered late: after its window, while Generation was unused
	LateBefore bool      // the same of the generation before: Parent was the successor of a late answer
	Idle       time.Time // the session expires then, unless it is rotated before
	Limit      time.Time // the session expires then, even if it is rotated
	Ended      Reason    // Live, or why the session was ended
	UserAgent  string
}

// Refreshed returns the time of the last rotation or late answer, or of the login
// if there was none.
func (r *Record) Refreshed() time.Time {
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

// The verdicts. After the first five, the session goes on, and the Record has
// the generation of the refresh token to return to the client. After Busy and
// Stale, the session goes on, but this token is not accepted now.
const (
	Rotated   Verdict = iota + 1 // the token was current: it was replaced by a new one
	Repeated                     // the token is current, and was issued a moment ago: the client gets it again
	Reissued                     // the token was replaced: the client gets the current one
	Displaced                    // the token was replaced, and its unused successor may be in other hands: the client gets a new successor
	Healed                       // the store had lost rotations: the record catches up with the token

	Unknown // there is no such session, or not any more
	Expired // the session has reached its Idle or Limit time
	Revoked // the session was ended
	Invalid // the token has the ID of the session, but another nonce
	Busy    // the token was replaced, and is not answered at the moment: the client should try again later
	Stale   // the token was replaced, and its successor is in use: the request is probably an old one
	Stolen  // the token was replaced too long ago, or is too far ahead: the session was ended, as Replayed
)

// Good reports whether the client gets tokens.
func (v Verdict) Good() bool { return v >= Rotated && v <= Healed }

// A Policy has the parameters of [Step].
type Policy struct {
	// Idle is how long a session lives without a rotation.
	Idle time.Duration

	// ReuseWindow is how long a replaced token is still accepted after its
	// replacement, and after the first use of its successor. There is at most
	// one rotation in a window. If ReuseWindow is zero, each use of the current
	// token is a rotation, and a replaced token is accepted only until its
	// successor is used. A store may round it up to a millisecond.
	ReuseWindow time.Duration

	// Remember is how long a store keeps the record of an ended session. It
	// should be at least the lifetime of an access token.
	Remember time.Duration

	// Retire makes a store announce the first use of every generation, so that
	// access tokens of earlier generations can be refused.
	Retire bool
}

// A Presented is the content of a refresh token whose MAC was verified.
type Presented struct {
	ID         ID
	NonceHash  [32]byte
	Generation uint32
}

// Step decides what happens when p is presented for the session r at the time
// now. It returns the record after the step.
//
// A client that does not receive the answer to a refresh still has the replaced
// token, the Parent of the record. Step accepts it for as long as the current
// token is unused, because then the answer may have been lost. The current token
// is used when it is presented, or when [Confirm] reports a use of an access
// token of its generation. ReuseWindow after that, the client has the current
// token. A Parent that is presented then is refused, first as a late request,
// later as stolen (RFC 9700 §4.14.2). The session then ends for the thief and
// for the user.
//
// A thief who refreshes and waits causes the same late answers. So a second late
// answer, in the generation after the first, displaces the unused token: the
// client gets a new one, and the next use of the displaced token ends the
// session.
//
// There is at most one rotation in a window, so all answers within it carry the
// same token. Clients that refresh in parallel have a current token in the end,
// in whatever order the answers arrive.
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
	window := policy.ReuseWindow
	switch {
	case p.Generation == r.Generation && near(r.Rotated, now, window):
		if r.Used.IsZero() {
			r.Used = now
		}
		return r, Repeated
	case p.Generation == r.Generation:
		return r.replaced(now, policy), Rotated
	case p.Generation == r.Parent: // and not the first generation
		return r.answerParent(now, window)
	case p.Generation+1 == r.Generation && r.openAt(now, window): // the current generation displaced it
		return r, Reissued
	case p.Generation > r.Generation && r.couldReach(p.Generation, now, policy):
		// The presented token becomes the current one, as if it had just been
		// issued, and the window opens: other requests with this token or the
		// one before may be in flight. Without a window, the token is replaced
		// at once.
		r.Late, r.Generation = false, p.Generation
		if window <= 0 {
			return r.replaced(now, policy), Healed
		}
		r = r.extended(now, policy)
		r.Parent, r.Used, r.LateBefore = p.Generation-1, now, false
		return r, Healed
	}
	r.Ended = Replayed
	return r, Stolen
}

// answerParent decides what happens when the Parent of r is presented.
func (r Record) answerParent(now time.Time, window time.Duration) (Record, Verdict) {
	switch {
	case r.openAt(now, window):
		return r, Reissued
	case !r.Used.IsZero() && now.Sub(r.Used) < 3*window:
		return r, Stale
	case !r.Used.IsZero():
		r.Ended = Replayed
		return r, Stolen
	case r.LateBefore && near(r.Rotated, now, 2*window):
		return r, Busy
	case r.LateBefore && r.Generation == math.MaxUint32:
		return r, Expired
	}
	// A late answer does not extend Idle: only a rotation does.
	r.Late, r.Rotated = true, now
	if !r.LateBefore {
		return r, Reissued
	}
	r.Generation++
	return r, Displaced
}

// openAt reports whether a window is open at now: since the last rotation or late
// answer, or since the first use.
func (r *Record) openAt(now time.Time, window time.Duration) bool {
	return near(r.Rotated, now, window) || near(r.Used, now, window)
}

// near reports whether t is less than d before or after now. Clocks can be set
// back. The zero time is not near.
func near(t, now time.Time, d time.Duration) bool {
	return !t.IsZero() && now.Sub(t).Abs() < d
}

// replaced returns r after a rotation of its current token at now.
func (r Record) replaced(now time.Time, policy Policy) Record {
	r.Parent = r.Generation
	r.Generation++
	r.Used = time.Time{}
	r.LateBefore, r.Late = r.Late, false
	return r.extended(now, policy)
}

// extended returns r with the times of a rotation at now.
func (r Record) extended(now time.Time, policy Policy) Record {
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
	elapsed := max(now.Sub(r.Refreshed()), 0)
	return int64(generation-r.Generation) <= int64(elapsed/policy.ReuseWindow)+1
}
