package session

import "time"

// A Confirmation reports that an access token of a session was used, so that its
// generation has reached the client.
type Confirmation struct {
	ID         ID
	Generation uint32
}

// Confirm decides what a confirmation changes in the session r at the time now. It
// returns the record after that, and whether it has changed: if r is live, c names
// its current generation, and no use of that is known, then now is the first use.
// Any other confirmation changes nothing, so each can be repeated, delayed and
// lost.
func Confirm(r Record, c Confirmation, now time.Time) (Record, bool) {
	if r.ID != c.ID || r.Generation != c.Generation || !r.Used.IsZero() || !r.LiveAt(now) {
		return r, false
	}
	r.Used = now
	return r, true
}

// FirstUsed returns the generation of which a step was the first known use, or zero
// if there is none. With [Policy].Retire, a store announces that access tokens of
// earlier generations are over. before and after are the records of the step.
func FirstUsed(before, after Record, verdict Verdict) uint32 {
	switch {
	case verdict == Healed && after.Used.IsZero(): // without a window, it is replaced at once
		return after.Parent
	case verdict == Healed:
		return after.Generation
	case before.Used.IsZero() && (verdict == Rotated || verdict == Repeated):
		return before.Generation
	}
	return 0
}

// Retirement returns the revocation that a store announces at the first use of
// generation in the session id at now.
func Retirement(id ID, generation uint32, now time.Time, policy Policy) Revocation {
	from := now.Add(policy.ReuseWindow)
	return Revocation{Session: id, Generation: generation, From: from, Until: from.Add(policy.Remember)}
}
