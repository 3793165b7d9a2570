package jwtgatetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A StoreUnderTest is a [session.Store] for [RunStore]. The store need not be
// empty, because each test uses new owners.
type StoreUnderTest struct {
	Store session.Store

	// Pass moves the clock of Store forward. The clock must not move otherwise.
	// If Pass is nil, the suite cannot set the clock. It then sleeps for short
	// times, and skips the tests that need an exact time.
	Pass func(time.Duration)
}

// RunStore checks that a store fulfills the contract of [session.Store]. It
// calls newStore once for each test. newStore can use [testing.T.Cleanup] to
// release the store. The tests run in parallel.
//
// RunStore also compares the store with [session.Step] in many thousands of
// random steps, because a store may use a port of that function.
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
		{"ending", runEnding},
		{"owners", runOwners},
		{"pages", runPages},
		{"advance", runAdvance},
		{"confirm", runConfirm},
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
	revoke        = 2 * time.Hour
)

// In openWindow, a window stays open for as long as a test runs. singleUse has
// no window: every answer to a replaced token is late.
var (
	openWindow = session.Policy{Idle: idleLimit, ReuseWindow: idleLimit, Remember: remember}
	singleUse  = session.Policy{Idle: idleLimit, Remember: remember}
)

// sessions is the store of a test. Its methods end the test if the store
// returns an error.
type sessions struct {
	StoreUnderTest
	t       *testing.T
	ctx     context.Context
	owner   session.Owner // only this test uses it
	created time.Time     // when the last session was created, by the clock of the test
}

func newSessions(t *testing.T, newStore func(t *testing.T) StoreUnderTest) *sessions {
	t.Helper()
	return &sessions{StoreUnderTest: newStore(t), t: t, ctx: t.Context(), owner: newOwner("alice")}
}

// wait waits until d has passed for the store.
func (s *sessions) wait(d time.Duration) {
	if s.Pass != nil {
		s.Pass(d)
		return
	}
	time.Sleep(d) // the test cannot set the clock of the store
}

// newOwner returns an owner whose subject begins with name, and has no session yet.
func newOwner(name string) session.Owner {
	return session.Owner{Issuer: "https://issuer.example", Audience: "https://api.example", Subject: name + "-" + rand.Text()}
}

// with returns o with the text more added to its subject.
func with(o session.Owner, more string) session.Owner {
	o.Subject += more
	return o
}

// newSession returns a session to be created, and its first refresh token.
func newSession(owner session.Owner) (session.New, session.Presented) {
	token := session.Presented{ID: session.NewID(owner), NonceHash: sha256.Sum256([]byte(rand.Text()))}
	return session.New{
		ID:        token.ID,
		Owner:     owner,
		NonceHash: token.NonceHash,
		UserAgent: "a browser",
		Idle:      idleLimit,
		Limit:     absoluteLimit,
		Remember:  remember,
	}, token
}

// create creates a session of the test's owner, and returns its token.
func (s *sessions) create() session.Presented {
	s.t.Helper()
	n, p := newSession(s.owner)
	s.tick()
	s.createAs(n, session.Bound{})
	return p
}

// tick waits until a millisecond has passed since the last session was created.
// Sessions that are created in the same millisecond have no order.
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

func (s *sessions) confirm(policy session.Policy, confirmations ...session.Confirmation) {
	s.t.Helper()
	if err := s.Store.Confirm(s.ctx, confirmations, policy); err != nil {
		s.t.Fatalf("confirm: %v", err)
	}
}

func (s *sessions) end(id session.ID) bool {
	s.t.Helper()
	live, err := s.Store.End(s.ctx, id, remember)
	if err != nil {
		s.t.Fatalf("end: %v", err)
	}
	return live
}

// ending returns the end of all sessions of owner, except those in except.
func ending(owner session.Owner, except ...session.ID) session.Ending {
	return session.Ending{Owner: owner, Except: except, Remember: remember, Revoke: revoke}
}

func (s *sessions) endAll(owner session.Owner, except ...session.ID) []session.ID {
	s.t.Helper()
	ended, _, err := s.Store.EndAll(s.ctx, ending(owner, except...))
	if err != nil {
		s.t.Fatalf("end all: %v", err)
	}
	return ended
}

// list returns all live sessions of owner, of whom there are few.
func (s *sessions) list(owner session.Owner) []session.Record {
	s.t.Helper()
	return s.page(owner, session.Cursor{}, 1000)
}

// page returns live sessions of owner.
func (s *sessions) page(owner session.Owner, after session.Cursor, limit int) []session.Record {
	s.t.Helper()
	records, err := s.Store.List(s.ctx, owner, after, limit)
	if err != nil {
		s.t.Fatalf("list: %v", err)
	}
	return records
}

// live returns the IDs of the sessions that List returns for the test's owner.
func (s *sessions) live() []session.ID {
	s.t.Helper()
	return ids(s.list(s.owner))
}

// reason returns the reason for the end of the session id that the store has
// recorded.
func (s *sessions) reason(id session.ID) session.Reason {
	s.t.Helper()
	r, found := s.find(id)
	if !found {
		s.t.Fatalf("the store has forgotten the session %v", id)
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

// same reports whether a and b are equal, with times compared to the
// millisecond.
func same(a, b session.Record) bool {
	for _, r := range []*session.Record{&a, &b} {
		for _, t := range []*time.Time{&r.Created, &r.Rotated, &r.Used, &r.Idle, &r.Limit} {
			if !t.IsZero() {
				*t = time.UnixMilli(t.UnixMilli())
			}
		}
	}
	return a == b
}
