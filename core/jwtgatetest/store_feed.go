package jwtgatetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

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
	t.Run("at least once a second", func(t *testing.T) {
		const beats = 4
		s := newSessions(t, newStore)
		f := s.follow()
		f.beats(1)
		start := time.Now()
		f.beats(1 + beats)
		if got := time.Since(start); got > beats*time.Second {
			t.Errorf("the feed called upToDate %d times in %v, want at least once a second", beats, got)
		}
	})
	t.Run("in the order of commits", func(t *testing.T) {
		const writers, duration = 4, 2 * time.Second
		s := newSessions(t, newStore)
		r := s.token()
		f := s.follow()
		f.beats(1)
		returned := make([]map[string]time.Time, writers)
		var wg sync.WaitGroup
		for i := range writers {
			returned[i] = map[string]time.Time{}
			wg.Go(func() {
				for start := time.Now(); time.Since(start) < duration; time.Sleep(10 * time.Millisecond) {
					r := r
					r.Token = fmt.Sprintf("%s-%d-%d", r.Token, i, len(returned[i]))
					if err := s.Store.Revoke(s.ctx, r); err != nil {
						t.Errorf("revoke: %v", err)
					}
					returned[i][r.Token] = time.Now()
				}
			})
		}
		wg.Wait()
		for _, tokens := range returned {
			for token, at := range tokens {
				if !f.hadHeard(token, at.Add(time.Second)) {
					t.Errorf("the revocation of %q was not announced when the feed called upToDate a second after it", token)
				}
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
	t.Run("from now on", func(t *testing.T) {
		s := newSessions(t, newStore)
		before, _ := s.find(s.create().ID)
		want := session.Revocation{Issuer: s.owner.Issuer, Subject: s.owner.Subject, Until: before.Created.Add(remember)}
		s.revoke(want)
		got := s.follow().find(func(r session.Revocation) bool { return r.Subject == s.owner.Subject })
		after, _ := s.find(s.create().ID)
		if got.From.Before(before.Created) || got.From.After(after.Created) {
			t.Errorf("got From %v, want it by the clock of the store, between %v and %v", got.From, before.Created, after.Created)
		}
		if want.From = got.From; !sameRevocation(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
	t.Run("odd names", func(t *testing.T) {
		s := newSessions(t, newStore)
		r := s.token()
		f := s.follow()
		for _, odd := range []string{"\n", "\x00", ":*{}|", "\xff", "é", fmt.Sprintf("%02000d", 7)} {
			token, subject := r, session.Revocation{Issuer: "https://issuer.example" + odd, Subject: s.owner.Subject + odd, From: r.From, Until: r.Until}
			token.Token += odd
			renewed := subject
			renewed.Renew = true
			for _, want := range []session.Revocation{token, subject, renewed} {
				s.revoke(want)
				f.find(is(want))
			}
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
