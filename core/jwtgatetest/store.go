package jwtgatetest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A StoreUnderTest is a [session.Store], and what a test can do to its clock. It
// need not be empty: each test has subjects of its own.
type StoreUnderTest struct {
	Store session.Store

	// Pass lets time pass on the clock that Store goes by, which stands still
	// otherwise. Nil says that nobody can set that clock. The suite then waits,
	// for moments, and leaves out what needs the time to the millisecond.
	Pass func(time.Duration)
}

// RunStore checks that a store does all that [session.Store] promises. It calls
// newStore for each test, which may clean up when that test ends.
//
// A store that takes the step of a refresh token not by [session.Step] but by a
// port of it is compared with it in many thousand steps at random.
func RunStore(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(t *testing.T, newStore func(t *testing.T) StoreUnderTest)
	}{
		{"create", runCreate},
		{"bound", runBound},
		{"end", runEnd},
		{"end all", runEndAll},
		{"advance", runAdvance},
		{"time", runTime},
		{"feed", runFeed},
		{"announcements", runAnnouncements},
		{"races", runRaces},
		{"context", runContext},
		{"random steps", runRandom},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, newStore)
		})
	}
}

const (
	idleLimit     = time.Hour
	absoluteLimit = 24 * time.Hour
	remember      = 20 * time.Minute
)

// The windows of these are open for as long as a test takes, and never.
var (
	openWindow = session.Policy{Idle: idleLimit, ReuseWindow: idleLimit, Remember: remember}
	singleUse  = session.Policy{Idle: idleLimit, Remember: remember}
)

// sessions is a store in the hands of a test, which ends where it has an error.
type sessions struct {
	StoreUnderTest
	t       *testing.T
	ctx     context.Context
	subject string    // of this test alone
	created time.Time // when the last session was, by the clock that waits
}

func newSessions(t *testing.T, newStore func(t *testing.T) StoreUnderTest) *sessions {
	t.Helper()
	return &sessions{StoreUnderTest: newStore(t), t: t, ctx: t.Context(), subject: "alice-" + rand.Text()}
}

// wait lets d pass.
func (s *sessions) wait(d time.Duration) {
	if s.Pass != nil {
		s.Pass(d)
		return
	}
	time.Sleep(d) // the store's clock is not ours
}

// newSession returns a session to be created, and its first refresh token.
func newSession(subject string) (session.New, session.Presented) {
	token := session.Token{ID: session.NewID(subject), Nonce: session.NewNonce()}
	return session.New{
		ID:        token.ID,
		Subject:   subject,
		NonceHash: token.Nonce.Hash(),
		UserAgent: "a browser",
		Idle:      idleLimit,
		Limit:     absoluteLimit,
		Remember:  remember,
	}, token.Presented()
}

// create creates a session of the test's subject, and returns its token.
func (s *sessions) create() session.Presented {
	s.t.Helper()
	n, p := newSession(s.subject)
	s.tick()
	s.createAs(n, session.Bound{})
	return p
}

// tick lets a millisecond pass since the last session was created: those of the
// same one have no order.
func (s *sessions) tick() {
	if s.Pass != nil {
		s.Pass(time.Millisecond)
		return
	}
	s.wait(time.Until(s.created.Add(time.Millisecond)))
}

func (s *sessions) createAs(n session.New, bound session.Bound) session.Record {
	s.t.Helper()
	r, err := s.Store.Create(s.ctx, n, bound)
	if err != nil {
		s.t.Fatalf("create: %v", err)
	}
	s.created = time.Now()
	return r
}

func (s *sessions) find(id session.ID) (session.Record, bool) {
	s.t.Helper()
	r, found, err := s.Store.Find(s.ctx, id)
	if err != nil {
		s.t.Fatalf("find: %v", err)
	}
	return r, found
}

func (s *sessions) advance(p session.Presented, policy session.Policy) (session.Record, session.Verdict) {
	s.t.Helper()
	r, verdict, err := s.Store.Advance(s.ctx, p, policy)
	if err != nil {
		s.t.Fatalf("advance: %v", err)
	}
	return r, verdict
}

func (s *sessions) end(id session.ID) bool {
	s.t.Helper()
	live, err := s.Store.End(s.ctx, id, remember)
	if err != nil {
		s.t.Fatalf("end: %v", err)
	}
	return live
}

func (s *sessions) endAll(subject string, except ...session.ID) []session.ID {
	s.t.Helper()
	ended, err := s.Store.EndAll(s.ctx, subject, remember, except...)
	if err != nil {
		s.t.Fatalf("end all: %v", err)
	}
	return ended
}

func (s *sessions) list(subject string) []session.Record {
	s.t.Helper()
	records, err := s.Store.List(s.ctx, subject)
	if err != nil {
		s.t.Fatalf("list: %v", err)
	}
	return records
}

// live returns the IDs that List has for the test's subject.
func (s *sessions) live() []session.ID {
	s.t.Helper()
	return ids(s.list(s.subject))
}

// reason returns why the session id is over, as the store remembers it.
func (s *sessions) reason(id session.ID) session.Reason {
	s.t.Helper()
	r, found := s.find(id)
	if !found {
		s.t.Fatalf("session %v is forgotten", id)
	}
	return r.Ended
}

func ids(records []session.Record) []session.ID {
	var ids []session.ID
	for _, r := range records {
		ids = append(ids, r.ID)
	}
	return ids
}

// same reports whether a and b are the same record to the millisecond.
func same(a, b session.Record) bool {
	for _, r := range []*session.Record{&a, &b} {
		for _, t := range []*time.Time{&r.Created, &r.Rotated, &r.Idle, &r.Limit} {
			if !t.IsZero() {
				*t = time.UnixMilli(t.UnixMilli())
			}
		}
	}
	return a == b
}
