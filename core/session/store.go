package session

import (
	"context"
	"errors"
	"time"
)

// A Store keeps sessions. Its methods are steps of the domain, each of them
// atomic: a record, the list of its subject's sessions and the announcement of
// its end change together or not at all. They are safe for concurrent use, and
// give up when ctx is done.
//
// An error means that the step may or may not have been taken. Every step can
// be repeated: within the reuse window that is safe for Advance too. What is
// not there is no error.
//
// A store goes by one clock of its own, so callers hand over durations: their
// clocks may be off by some seconds.
//
// Package jwtgatetest has the suite that every Store must pass.
type Store interface {
	// Create keeps a new session and returns its record, of generation 0. If
	// bound.Max is above zero and the subject has that many live sessions, the
	// oldest are ended first, and announced; or, if bound.Refuse is set, nothing
	// is done and the error is ErrTooMany.
	//
	// If there is a record with that ID, nothing is done: it is returned if it
	// has the same NonceHash, so that Create can be repeated; else that is an
	// error.
	Create(ctx context.Context, n New, bound Bound) (Record, error)

	// Find returns the record of id, and false if there is none. Records of
	// sessions that were ended are found for as long as they are remembered.
	Find(ctx context.Context, id ID) (Record, bool, error)

	// Advance takes the Step of p under policy, and returns the record after it.
	// A session that ends by it is announced.
	Advance(ctx context.Context, p Presented, policy Policy) (Record, Verdict, error)

	// End ends the session id, announces it, and remembers it for as long as
	// remember says. It reports whether the session was live.
	End(ctx context.Context, id ID, remember time.Duration) (bool, error)

	// EndAll ends all sessions of subject but those in except, announces them,
	// and returns them. If except is empty, it announces subject as well: access
	// tokens without a session count as revoked if they were issued until now.
	// A session that is created after it is not touched.
	EndAll(ctx context.Context, subject string, remember time.Duration, except ...ID) ([]ID, error)

	// List returns the live sessions of subject, oldest first.
	List(ctx context.Context, subject string) ([]Record, error)

	// Revoke announces r, and remembers it until its time.
	Revoke(ctx context.Context, r Revocation) error

	// Feed calls announce for every revocation that is still remembered, then
	// upToDate, and from then on announce for each new one, soon after it
	// happened. It calls upToDate again every half second or so, whenever the
	// store has told it of all that happened until a moment ago: whoever does not
	// hear that cannot know what is revoked.
	//
	// It may announce a revocation more than once, and calls back from one
	// goroutine at a time. A store may wait for that, so announce and upToDate
	// must not call the store. Feed returns ctx's error, or why it had to stop
	// before: when it cannot be sure to have missed nothing, it stops. It is then
	// called again.
	Feed(ctx context.Context, announce func(Revocation), upToDate func()) error
}

// A New is a session to be created.
type New struct {
	ID        ID
	Subject   string
	NonceHash [32]byte
	UserAgent string
	Idle      time.Duration // how long it lives without a rotation
	Limit     time.Duration // how long it lives at most
	Remember  time.Duration // as in Policy, for sessions that end because of it
}

// A Bound is how many live sessions a subject may have.
type Bound struct {
	Max    int  // zero: no bound
	Refuse bool // at the bound, refuse a new session in place of ending the oldest
}

// A Revocation says that access tokens are not to be accepted any longer: those
// of a session, one by its jti, or a subject's that belong to no session.
// Exactly one of Session, Token and Subject is set.
type Revocation struct {
	Session ID
	Token   string // names a token; what is in it is its issuer's and the caller's affair
	Subject string

	// Generation, with Session, limits the revocation to tokens of earlier
	// generations. Zero: all of them.
	Generation uint32

	// From is when the revocation begins to hold, and with Subject, the time up
	// to which tokens issued are revoked.
	From time.Time

	// Until is when no token concerned can be alive any more.
	Until time.Time
}

var (
	// ErrTooMany is Create's answer at a bound that refuses.
	ErrTooMany = errors.New("session: the subject has as many sessions as it may have")

	// ErrFull is Create's answer when the store has no room.
	ErrFull = errors.New("session: the store is full")
)
