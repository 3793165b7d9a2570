package session

import (
	"context"
	"errors"
	"time"
)

// A Store keeps sessions. Each of its methods is atomic: a record, the list of
// its subject's sessions, and the announcement of its end change together or
// not at all. The methods are safe for concurrent use. They return when ctx is
// done.
//
// After an error, the call may or may not have had its effect. Every call can
// be repeated. Repeating Advance is safe, because the caller still has the
// replaced token, and Step accepts it for as long as its successor is unused. A
// missing session is not an error.
//
// A Store uses a single clock for all its records: that of the server where the
// processes share one, and never that of the calling process. All times in
// records and in the revocations of sessions are read from it. Callers pass
// durations instead of times, because their clocks may differ by some seconds. If
// the clock is set back, the store goes on with the earlier time.
//
// Package jwtgatetest has the tests that every Store must pass.
type Store interface {
	// Create creates a session and returns its record, which has generation 0.
	//
	// If bound.Max is positive and the subject has that many live sessions or
	// more, Create first ends the oldest ones, and announces that. If
	// bound.Refuse is set, it returns ErrTooMany instead, and changes nothing.
	//
	// If there is a record with the same ID, Create changes nothing. It returns
	// that record if it has the same NonceHash, so that Create can be repeated,
	// and an error otherwise. If the store has no room for the session, the
	// error is ErrFull.
	Create(ctx context.Context, n New, bound Bound) (Record, error)

	// Find returns the record of the session id, and false if there is none. It
	// also finds ended sessions, for as long as they are remembered.
	Find(ctx context.Context, id ID) (Record, bool, error)

	// Advance applies Step to the session of p, and returns the record after
	// that. It saves every change of the record, also after Repeated and
	// Reissued. If the session ends, Advance announces that. If policy.Retire is
	// set and FirstUsed names a generation, Advance announces its Retirement.
	Advance(ctx context.Context, p Presented, policy Policy) (Record, Verdict, error)

	// Confirm applies the function Confirm to the session of each confirmation.
	// If that changes the session and policy.Retire is set, it announces the
	// Retirement of the generation. It changes neither when the session expires
	// nor how long it is remembered. Each session changes atomically, but the
	// sessions do not change together. Callers send confirmations in batches, and
	// do not repeat a call that failed: a confirmation that is lost costs only
	// the earlier detection of a thief.
	Confirm(ctx context.Context, confirmations []Confirmation, policy Policy) error

	// End ends the session id, announces that, and keeps the record for the
	// duration remember. It reports whether the session was live.
	End(ctx context.Context, id ID, remember time.Duration) (bool, error)

	// EndAll ends all live sessions of subject, except those in except,
	// announces that, and returns their IDs. If except is empty, it also
	// announces a revocation of subject: its access tokens without a session
	// that were issued until now are revoked. EndAll does not end sessions that
	// are created after it.
	EndAll(ctx context.Context, subject string, remember time.Duration, except ...ID) ([]ID, error)

	// List returns the live sessions of subject, oldest first.
	List(ctx context.Context, subject string) ([]Record, error)

	// Revoke announces r, and remembers it until r.Until.
	Revoke(ctx context.Context, r Revocation) error

	// Feed calls announce for every revocation that the store remembers, then
	// upToDate, and from then on announce for each new revocation, soon after
	// it happened: within half a second, if the store can be reached. At least
	// once a second, it calls upToDate again if it has announced all revocations
	// until a moment ago, whether there was a new one or not. A caller that does
	// not get these calls must assume that it does not know all revocations.
	//
	// A call of upToDate says that Feed has announced every revocation whose
	// method returned more than a second before. So a store that numbers its
	// revocations must not pass over a number whose transaction commits later
	// than that of a higher number. The order of announcements does not matter.
	//
	// Feed may announce a revocation more than once. It makes one call at a
	// time. The store may be locked during a call, so announce and upToDate
	// must not call the store.
	//
	// Feed runs until ctx is done, and returns the error of ctx, or until it
	// may have missed a revocation, and returns the reason. The caller then
	// calls it again.
	Feed(ctx context.Context, announce func(Revocation), upToDate func()) error
}

// A New is a session for [Store.Create].
type New struct {
	ID        ID
	Subject   string
	NonceHash [32]byte
	UserAgent string
	Idle      time.Duration // how long the session lives without a rotation
	Limit     time.Duration // how long the session lives at most
	Remember  time.Duration // as in Policy, for the sessions that Create ends
}

// A Bound limits the number of live sessions of a subject.
type Bound struct {
	Max    int  // the limit; zero means none
	Refuse bool // at the limit, refuse the new session instead of ending the oldest one
}

// A Revocation revokes access tokens: those of a session, a single token, or
// those of a subject that belong to no session. Exactly one of Session, Token
// and Subject is set.
type Revocation struct {
	Session ID
	Token   string // identifies a token; the caller chooses the format, such as issuer and jti
	Subject string

	// Generation limits the revocation to the tokens of Session that have an
	// earlier generation. If it is zero, all tokens of Session are revoked.
	Generation uint32

	// From is when the revocation takes effect. If Subject is set, the
	// revocation concerns the tokens issued until From.
	//
	// A store sets From to the time of the end of a session, to the time of the
	// call for a subject in EndAll, and to a ReuseWindow after the first use for
	// a Retirement. A process compares From with its own clock, so a difference
	// between the clocks delays or advances the effect by as much.
	From time.Time

	// Until is the time by which all revoked tokens have expired. A store sets it
	// to From plus the duration that it was told to remember ended sessions, and
	// keeps the revocation until then.
	Until time.Time
}

var (
	// ErrTooMany is returned by Create if the subject has reached a Bound with
	// Refuse.
	ErrTooMany = errors.New("session: the subject has reached the maximum number of live sessions")

	// ErrFull is returned by Create if the store has no room for a session.
	ErrFull = errors.New("session: the store is full")
)
