package jwtgatetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// patience is how long a test waits for a feed, which takes that long only if
// it is broken.
const patience = 20 * time.Second

// A follower calls Feed, and records what it announces.
type follower struct {
	t      *testing.T
	stop   func() error // ends the feed and returns its error
	mu     sync.Mutex
	heard  []session.Revocation
	known  []int         // for each call of upToDate, the number of revocations heard before
	more   chan struct{} // closed at the next call
	inside atomic.Int32  // how many calls of the feed are running
}

// follow returns a new follower of the store. Its feed runs until the test ends.
func (s *sessions) follow() *follower {
	f := &follower{t: s.t, more: make(chan struct{})}
	ctx, cancel := context.WithCancel(s.ctx)
	result := make(chan error, 1)
	go func() { result <- s.Store.Feed(ctx, f.hear, f.upToDate) }()
	f.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-result:
			f.inside.Add(1) // a later call of the feed is an error
			return err
		case <-time.After(patience):
			return errors.New("the feed does not end")
		}
	})
	s.t.Cleanup(func() { _ = f.stop() })
	return f
}

func (f *follower) hear(r session.Revocation) {
	f.called(func() { f.heard = append(f.heard, r) })
}

func (f *follower) upToDate() {
	f.called(func() { f.known = append(f.known, len(f.heard)) })
}

// called runs note for a call of the feed.
func (f *follower) called(note func()) {
	if f.inside.Add(1) != 1 {
		f.t.Errorf("the feed makes a call during another call, or after it has returned")
	}
	defer f.inside.Add(-1)
	f.mu.Lock()
	defer f.mu.Unlock()
	note()
	close(f.more)
	f.more = make(chan struct{})
}

// beats waits until the feed has called upToDate n times. It returns how many
// revocations the feed had announced before the first of these calls.
func (f *follower) beats(n int) int {
	f.t.Helper()
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		known, more := f.known, f.more
		f.mu.Unlock()
		if len(known) >= n {
			return known[0]
		}
		select {
		case <-more:
		case <-timeout:
			f.t.Fatalf("the feed called upToDate %d times within %v, want %d", len(known), patience, n)
		}
	}
}

// find waits until a wanted revocation is announced, and returns the first one.
func (f *follower) find(wanted func(session.Revocation) bool) session.Revocation {
	f.t.Helper()
	r, err := f.await(wanted)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// await is find, but returns an error instead of ending the test.
func (f *follower) await(wanted func(session.Revocation) bool) (session.Revocation, error) {
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		i, more := slices.IndexFunc(f.heard, wanted), f.more
		if i >= 0 {
			defer f.mu.Unlock()
			return f.heard[i], nil
		}
		f.mu.Unlock()
		select {
		case <-more:
		case <-timeout:
			return session.Revocation{}, fmt.Errorf("not announced within %v", patience)
		}
	}
}

// all returns the wanted revocations that were announced until now, without
// duplicates.
func (f *follower) all(wanted func(session.Revocation) bool) []session.Revocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []session.Revocation
	for _, r := range f.heard {
		if wanted(r) && !slices.ContainsFunc(all, func(other session.Revocation) bool { return sameRevocation(r, other) }) {
			all = append(all, r)
		}
	}
	return all
}

// heardUntil returns the first n revocations that were announced.
func (f *follower) heardUntil(n int) []session.Revocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard[:n])
}

// sameRevocation reports whether a and b are equal, with times compared to the
// millisecond.
func sameRevocation(a, b session.Revocation) bool {
	for _, r := range []*session.Revocation{&a, &b} {
		r.From, r.Until = time.UnixMilli(r.From.UnixMilli()), time.UnixMilli(r.Until.UnixMilli())
	}
	return a == b
}

// token returns the revocation of a token that no other test uses. It lasts
// longer than the test.
func (s *sessions) token() session.Revocation {
	p := s.create()
	r, _ := s.find(p.ID)
	return session.Revocation{Token: "https://issuer.example\n" + rand.Text(), From: r.Created, Until: r.Created.Add(remember)}
}

func (s *sessions) revoke(r session.Revocation) {
	s.t.Helper()
	if err := s.Store.Revoke(s.ctx, r); err != nil {
		s.t.Fatalf("revoke: %v", err)
	}
}

// runFeed tests that feeds announce all revocations.
func runFeed(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	is := func(want session.Revocation) func(session.Revocation) bool {
		return func(got session.Revocation) bool { return sameRevocation(got, want) }
	}
	t.Run("past and new", func(t *testing.T) {
		s := newSessions(t, newStore)
		past, present, future := s.token(), s.token(), s.token()
		s.revoke(past)
		first := s.follow()
		first.find(is(past))
		s.revoke(present)
		first.find(is(present))
		second := s.follow()
		second.find(is(past))
		second.find(is(present))
		if err := first.stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
		s.revoke(future)
		second.find(is(future))
		if got := first.all(is(future)); len(got) != 0 {
			t.Errorf("%v was announced after the end of the feed", got)
		}
	})
	t.Run("up to date", func(t *testing.T) {
		const past = 300
		s := newSessions(t, newStore)
		r := s.token()
		for i := range past {
			r := r
			r.Token += fmt.Sprint(i)
			s.revoke(r)
		}
		f := s.follow()
		known := f.beats(3) // upToDate is called repeatedly
		heard := f.heardUntil(known)
		for i := range past {
			want := r
			want.Token += fmt.Sprint(i)
			if !slices.ContainsFunc(heard, is(want)) {
				t.Fatalf("revocation %d was not announced before the feed called upToDate", i)
			}
		}
	})
	t.Run("until its time", func(t *testing.T) {
		s := newSessions(t, newStore)
		if s.Pass == nil {
			t.Skip("the store's clock cannot be set")
		}
		short, long := s.token(), s.token()
		long.Until = long.From.Add(absoluteLimit)
		s.revoke(short)
		s.revoke(long)
		f := s.follow()
		f.find(is(short))
		s.Pass(absoluteLimit - time.Second)
		s.follow().find(is(long))
	})
	t.Run("deadline", func(t *testing.T) {
		s := newSessions(t, newStore)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		if err := s.Store.Feed(ctx, func(session.Revocation) {}, func() {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v, want %v", err, context.DeadlineExceeded)
		}
	})
	t.Run("of a session", func(t *testing.T) {
		s := newSessions(t, newStore)
		p := s.create()
		some, all := s.token(), s.token()
		some.Token, some.Session, some.Generation = "", p.ID, math.MaxUint32
		all.Token, all.Session = "", p.ID
		f := s.follow()
		s.revoke(some)
		s.revoke(all)
		f.find(is(some))
		f.find(is(all))
		if _, verdict := s.advance(p, openWindow); verdict != session.Rotated {
			t.Errorf("got verdict %d, want %d: only access tokens are revoked", verdict, session.Rotated)
		}
	})
	t.Run("odd names", func(t *testing.T) {
		s := newSessions(t, newStore)
		r := s.token()
		f := s.follow()
		for _, odd := range []string{"\n", "\x00", ":*{}|", "\xff", "é", fmt.Sprintf("%02000d", 7)} {
			token, subject := r, session.Revocation{Subject: s.subject + odd, From: r.From, Until: r.Until}
			token.Token += odd
			s.revoke(token)
			s.revoke(subject)
			f.find(is(token))
			f.find(is(subject))
		}
	})
	t.Run("all of many", func(t *testing.T) {
		const writers, each = 8, 100
		s := newSessions(t, newStore)
		r := s.token()
		followers := []*follower{s.follow(), s.follow()}
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for j := range each {
					r := r
					r.Token = fmt.Sprintf("%s-%d-%d", r.Token, i, j)
					if err := s.Store.Revoke(s.ctx, r); err != nil {
						t.Errorf("revoke: %v", err)
					}
				}
			})
		}
		wg.Wait()
		for _, f := range append(followers, s.follow()) {
			for i := range writers {
				for j := range each {
					want := r
					want.Token = fmt.Sprintf("%s-%d-%d", r.Token, i, j)
					f.find(is(want))
				}
			}
		}
	})
}

// runAnnouncements tests what each method announces, to running feeds and to
// later ones, and that it announces nothing else.
func runAnnouncements(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	retire := session.Policy{Idle: idleLimit, ReuseWindow: time.Minute, Remember: remember, Retire: true}
	for _, row := range []struct {
		name string
		step func(s *sessions, mine []session.Presented) // of three sessions
		ends []int
		then announced
	}{
		{"nothing", func(*sessions, []session.Presented) {}, nil, announced{}},
		{"End", func(s *sessions, mine []session.Presented) { s.end(mine[1].ID) }, []int{1}, announced{}},
		{"End twice", func(s *sessions, mine []session.Presented) { s.end(mine[1].ID); s.end(mine[1].ID) }, []int{1}, announced{}},
		{"EndAll", func(s *sessions, _ []session.Presented) { s.endAll(s.subject) }, []int{0, 1, 2}, announced{subject: true}},
		{"EndAll but one", func(s *sessions, mine []session.Presented) { s.endAll(s.subject, mine[0].ID) }, []int{1, 2}, announced{}},
		{"EndAll but another's", func(s *sessions, _ []session.Presented) { s.endAll(s.subject, session.ID{}) }, []int{0, 1, 2}, announced{}},
		{"EndAll of nothing", func(s *sessions, _ []session.Presented) {
			s.endAll(s.subject)
			s.wait(5 * time.Millisecond)
			s.endAll(s.subject)
		}, []int{0, 1, 2}, announced{subject: true}},
		{"Create at the bound", func(s *sessions, _ []session.Presented) {
			n, _ := newSession(s.subject)
			s.createAs(n, session.Bound{Max: 2})
		}, []int{0, 1}, announced{}},
		{"Rotated", func(s *sessions, mine []session.Presented) { s.advance(mine[0], openWindow) }, nil, announced{}},
		{"Stolen", func(s *sessions, mine []session.Presented) {
			s.advance(mine[2], singleUse)
			s.advance(mine[2], singleUse)
		}, []int{2}, announced{}},
		{"Rotated, retired", func(s *sessions, mine []session.Presented) { s.advance(mine[0], retire) }, nil, announced{retired: 1}},
		{"Reissued, retired", func(s *sessions, mine []session.Presented) { s.advance(mine[0], retire); s.advance(mine[0], retire) }, nil, announced{retired: 1}},
		{"Healed, retired", func(s *sessions, mine []session.Presented) { mine[0].Generation = 1; s.advance(mine[0], retire) }, nil, announced{retired: 1}},
		{"Stolen, retired", func(s *sessions, mine []session.Presented) {
			s.advance(mine[0], retire)
			mine[0].Generation = 7
			s.advance(mine[0], retire)
		}, []int{0}, announced{retired: 1}},
		{"Invalid", func(s *sessions, mine []session.Presented) { mine[0].NonceHash[0] ^= 1; s.advance(mine[0], retire) }, nil, announced{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t, newStore)
			before := s.follow()
			mine := []session.Presented{s.create(), s.create(), s.create()}
			first, _ := s.find(mine[0].ID)
			var want []session.ID
			for _, i := range row.ends {
				want = append(want, mine[i].ID)
			}
			row.step(s, slices.Clone(mine))
			for _, f := range []*follower{before, s.follow()} {
				row.then.check(s, f, mine, want, first.Created)
			}
		})
	}
}

// announced has what a step announces, apart from the ends of sessions.
type announced struct {
	subject bool   // a revocation of the subject
	retired uint32 // if not zero, the generation to which the first session was rotated
}

// check checks that f hears the ends of the sessions ends, the revocations in
// a, and nothing else about the test's subject.
func (a announced) check(s *sessions, f *follower, mine []session.Presented, ends []session.ID, began time.Time) {
	t := s.t
	t.Helper()
	last := s.token()
	s.revoke(last)
	f.find(func(r session.Revocation) bool { return sameRevocation(r, last) })
	for _, id := range ends {
		r := f.find(func(r session.Revocation) bool { return r.Session == id && r.Generation == 0 })
		want := session.Revocation{Session: id, From: r.From, Until: r.Until}
		if r != want || r.From.Before(began) || r.Until.Sub(r.From) < remember {
			t.Errorf("got %+v, want it from when %v was ended, for %v", r, id, remember)
		}
	}
	if a.subject {
		r := f.find(func(r session.Revocation) bool { return r.Subject == s.subject })
		want := session.Revocation{Subject: s.subject, From: r.From, Until: r.Until}
		if r != want || r.From.Before(began) || r.Until.Sub(r.From) < remember {
			t.Errorf("got %+v, want it from when %q was signed out, for %v", r, s.subject, remember)
		}
	}
	if a.retired != 0 {
		r := f.find(func(r session.Revocation) bool { return r.Session == mine[0].ID && r.Generation != 0 })
		record, _ := s.find(mine[0].ID)
		from := record.Rotated.Add(time.Minute)
		want := session.Revocation{Session: record.ID, Generation: a.retired, From: r.From, Until: r.Until}
		if r != want || !r.From.Equal(from) || r.Until.Sub(r.From) < remember {
			t.Errorf("got %+v, want generation %d, from %v on, for %v", r, a.retired, from, remember)
		}
	}
	others := f.all(func(r session.Revocation) bool {
		switch {
		case r.Subject == s.subject:
			return !a.subject
		case !slices.ContainsFunc(mine, func(p session.Presented) bool { return p.ID == r.Session }):
			return false
		case r.Generation == 0:
			return !slices.Contains(ends, r.Session)
		}
		return a.retired == 0 || r.Generation != a.retired
	})
	if len(others) != 0 {
		t.Errorf("got also %+v, want nothing else", others)
	}
}
