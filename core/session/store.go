package session

import (
	"context"
	"errors"
	"time"
)

// A Store keeps sessions. A record, the list of its owner's sessions, and the
// announcement of its end change together or not at all. Each method but Confirm
// and EndAll is atomic. The methods are safe for concurrent use. They return when
// ctx is done. No call may block calls for other owners for more than a few
// milliseconds, however many sessions its owner has.
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
// What a store keeps outside of the process has a version. A record of a version
// that the process does not know is an error for Find and Advance, and is not listed.
// Confirm passes it over, and End and EndAll end its session. An
// announcement of such a version is passed over, with one warning in the log: a
// process of a later version, in a rolling upgrade, must not stop this one.
//
// Package jwtgatetest has the tests that every Store must pass.
type Store interface {
	// Create creates a session and returns its record, which has generation 0.
	//
	// If bound.Max is positive and the owner has that many live sessions or more,
	// Create first ends the oldest ones, and announces that. If there are some
	// hundreds too many, because the bound was lowered, it ends them in several
	// steps. If bound.Refuse is set, it returns ErrTooMany instead, and changes
	// nothing.
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

	// EndAll ends all live sessions that e.Owner has now, except those in e.Except,
	// announces that, and returns their IDs.
	//
	// If e.Except is empty, EndAll first announces a revocation of the subject: its
	// access tokens that were issued until now are revoked, also those of sessions
	// that the store has lost, and those for other audiences. From of the
	// revocation is now, and Until is e.Revoke later. EndAll returns that From. It
	// returns the zero time if there are exceptions.
	//
	// EndAll then ends the sessions in steps of at most some hundreds. Each session
	// ends atomically, but the sessions do not end together. After an error, some
	// are ended. If the call is repeated, it ends the others, and returns only their
	// IDs. EndAll does not end sessions that are created after it. It may end those
	// that are created while it runs.
	EndAll(ctx context.Context, e Ending) (ended []ID, from time.Time, err error)

	// List returns live sessions of owner, oldest first: the first ones after the
	// cursor, and at most limit, which must be positive. If it returns fewer than
	// limit, there are no more. Sessions that were created in the same millisecond
	// have an order, too, which is the same in every call. So a caller that
	// continues after the last session of each page gets every session once that
	// is live all the time.
	List(ctx context.Context, owner Owner, after Cursor, limit int) ([]Record, error)

	// Revoke announces r, and remembers it until r.Until. If r.From is the zero
	// time, it is now.
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
	ID        ID // of NewID for Owner
	Owner     Owner
	NonceHash [32]byte
	UserAgent string
	Note      uint32        // a number of the caller, which the store keeps in the record and does not use
	Idle      time.Duration // how long the session lives without a rotation
	Limit     time.Duration // how long the session lives at most
	Remember  time.Duration // as in Policy, for the sessions that Create ends
}

// A Bound limits the number of live sessions of an owner.
type Bound struct {
	Max    int  // the limit; zero means none
	Refuse bool // at the limit, refuse the new session instead of ending the oldest one
}

// An Ending says which sessions [Store.EndAll] ends.
type Ending struct {
	Owner    Owner
	Except   []ID          // the sessions to keep
	Remember time.Duration // as in Policy, for the sessions that end
	Revoke   time.Duration // how long the revocation of the subject is remembered: the longest lifetime of its access tokens
}

// A Cursor is a place in the list of an owner's sessions: after the session that
// was created then and has this ID. The session need not exist any more. The zero
// Cursor is the beginning of the list.
type Cursor struct {
	Created time.Time
	ID      ID
}

// A Revocation revokes access tokens: those of a session, a single token, or all
// those of a subject. Exactly one of Session, Token and Subject is set.
type Revocation struct {
	Session ID
	Token   string // identifies a token; the caller chooses the format, such as issuer and jti

	// Subject is a subject of Issuer, which is empty without it. The revocation is
	// for tokens of every audience.
	Issuer, Subject string

	// Renew says that the tokens of Subject count as expired, not as revoked: their
	// sessions go on, and clients refresh.
	Renew bool

	// Generation limits the revocation to the tokens of Session that have an
	// earlier generation. If it is zero, all tokens of Session are revoked.
	Generation uint32

	// From is when the revocation takes effect. If Subject is set, the
	// revocation concerns the tokens issued until From, by the clock of the store.
	//
	// A store sets From to the time of the end of a session, to the time of the
	// call for a subject in EndAll, and to a ReuseWindow after the first use for
	// a Retirement. For a Retirement, a process compares From with its own clock, so
	// a difference between the clocks delays or advances the effect by as much.
	From time.Time

	// Until is the time by which all revoked tokens have expired. A store sets it
	// to From plus the duration that it was told to remember ended sessions or, for
	// a subject, the revocation, and keeps the revocation until then.
	Until time.Time
}

var (
	// ErrTooMany is returned by Create if the owner has reached a Bound with Refuse.
	ErrTooMany = errors.New("session: the owner has reached the maximum number of live sessions")

	// ErrFull is returned by Create if the store has no room for a session.
	ErrFull = errors.New("session: the store is full")
)
