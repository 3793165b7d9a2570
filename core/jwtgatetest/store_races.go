package jwtgatetest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	racers = 64
	rounds = 20
)

// race calls step in parallel, once for each racer, and waits until all calls
// return.
func race(step func(racer int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for racer := range racers {
		wg.Go(func() {
			<-start
			step(racer)
		})
	}
	close(start)
	wg.Wait()
}

// runRaces tests concurrent calls. An error does not end a test here, because
// only the goroutine of the test may end it.
func runRaces(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	for _, row := range []struct {
		name   string
		policy session.Policy
		want   map[session.Verdict]int
	}{
		{"refresh and refresh", openWindow, map[session.Verdict]int{session.Rotated: 1, session.Reissued: racers - 1}},
		{"refresh and refresh, single use", singleUse, map[session.Verdict]int{session.Rotated: 1, session.Reissued: racers - 1}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSessions(t, newStore)
			for range rounds {
				p := s.create()
				var verdicts [racers]session.Verdict
				race(func(racer int) {
					r, verdict, err := s.Store.Advance(s.ctx, p, row.policy)
					if err != nil || r.Generation != 1 {
						t.Errorf("got generation %d, error %v, want 1, none", r.Generation, err)
					}
					verdicts[racer] = verdict
				})
				got := map[session.Verdict]int{}
				for _, v := range verdicts {
					got[v]++
				}
				for v := range session.Stolen + 1 {
					if got[v] != row.want[v] {
						t.Errorf("got %d times verdict %d, want %d", got[v], v, row.want[v])
					}
				}
			}
		})
	}
	t.Run("confirm and confirm", func(t *testing.T) {
		s := newSessions(t, newStore)
		f := s.follow()
		retire := openWindow
		retire.Retire = true
		for range rounds {
			p := s.create()
			s.advance(p, retire)
			race(func(int) {
				if err := s.Store.Confirm(s.ctx, of(p, 0, 1), retire); err != nil {
					t.Errorf("confirm: %v", err)
				}
			})
			r, _ := s.find(p.ID)
			want := session.Retirement(p.ID, 1, r.Used, retire)
			f.find(func(got session.Revocation) bool { return sameRevocation(got, want) })
			if got := f.all(func(got session.Revocation) bool { return got.Session == p.ID }); len(got) != 1 {
				t.Errorf("got %+v announced, want only %+v", got, want)
			}
		}
	})
	t.Run("confirm and refresh", func(t *testing.T) {
		s := newSessions(t, newStore)
		for range rounds {
			p := s.create()
			s.advance(p, singleUse)
			p.Generation = 1
			race(func(racer int) {
				if racer%2 == 0 {
					if err := s.Store.Confirm(s.ctx, of(p, 1), openWindow); err != nil {
						t.Errorf("confirm: %v", err)
					}
				} else if _, verdict, err := s.Store.Advance(s.ctx, p, openWindow); verdict != session.Repeated || err != nil {
					t.Errorf("got verdict %d, error %v, want %d, none", verdict, err, session.Repeated)
				}
			})
			if r, _ := s.find(p.ID); r.Generation != 1 || r.Used.IsZero() {
				t.Errorf("got generation %d, Used %v, want 1, some", r.Generation, r.Used)
			}
		}
	})
	t.Run("refresh and end", func(t *testing.T) {
		s := newSessions(t, newStore)
		for range rounds {
			p := s.create()
			var ended atomic.Bool
			race(func(racer int) {
				if racer == racers/2 {
					if live, err := s.Store.End(s.ctx, p.ID, remember); !live || err != nil {
						t.Errorf("got live %v, error %v, want true, none", live, err)
					}
					ended.Store(true)
					return
				}
				before := ended.Load()
				_, verdict, err := s.Store.Advance(s.ctx, p, openWindow)
				if err != nil || before && verdict != session.Revoked || !verdict.Good() && verdict != session.Revoked {
					t.Errorf("got verdict %d, error %v (session ended before: %v)", verdict, err, before)
				}
			})
			for p.Generation = range 2 { // no token that was issued is accepted
				if _, verdict := s.advance(p, openWindow); verdict != session.Revoked {
					t.Errorf("got verdict %d, want %d", verdict, session.Revoked)
				}
			}
			if got := s.live(); len(got) != 0 {
				t.Errorf("listed %v, want none", got)
			}
		}
	})
	t.Run("end and end", func(t *testing.T) {
		s := newSessions(t, newStore)
		for range rounds {
			p := s.create()
			var ended atomic.Int32
			race(func(racer int) {
				live, err := s.Store.End(s.ctx, p.ID, remember)
				if err != nil {
					t.Errorf("end: %v", err)
				}
				if live {
					ended.Add(1)
				}
			})
			if got := ended.Load(); got != 1 {
				t.Errorf("the session was live for %d racers, want 1", got)
			}
		}
	})
	t.Run("create and end all", func(t *testing.T) {
		s := newSessions(t, newStore)
		f := s.follow()
		for range rounds {
			before := s.create().ID
			created := make([]session.ID, racers)
			results := make([][]session.ID, racers)
			race(func(racer int) {
				var err error
				if racer%8 == 7 {
					results[racer], _, err = s.Store.EndAll(s.ctx, ending(s.owner))
				} else {
					n, _ := newSession(s.owner)
					created[racer] = n.ID
					_, err = s.Store.Create(s.ctx, n, session.Bound{})
				}
				if err != nil {
					t.Errorf("step: %v", err)
				}
			})
			created = slices.DeleteFunc(created, func(id session.ID) bool { return id == session.ID{} })
			ended, live := slices.Concat(results...), s.live()
			if !sameIDs(slices.Concat(ended, live), append(created, before)) || !slices.Contains(ended, before) {
				t.Errorf("%d ended, %d live, want each of %d once", len(ended), len(live), racers-racers/8+1)
			}
			for _, id := range ended {
				f.find(func(r session.Revocation) bool { return r.Session == id })
			}
			s.endAll(s.owner)
		}
	})
	t.Run("create and create, bounded", func(t *testing.T) {
		const bound = 3
		for _, refuse := range []bool{false, true} {
			s := newSessions(t, newStore)
			var refused atomic.Int32
			race(func(int) {
				n, _ := newSession(s.owner)
				_, err := s.Store.Create(s.ctx, n, session.Bound{Max: bound, Refuse: refuse})
				switch {
				case refuse && errors.Is(err, session.ErrTooMany):
					refused.Add(1)
				case err != nil:
					t.Errorf("create: %v", err)
				}
			})
			if got := s.live(); len(got) != bound {
				t.Errorf("listed %d sessions, want %d", len(got), bound)
			}
			if got := refused.Load(); refuse && got != racers-bound {
				t.Errorf("%d were refused, want %d", got, racers-bound)
			}
		}
	})
	t.Run("create and itself", func(t *testing.T) {
		s := newSessions(t, newStore)
		n, _ := newSession(s.owner)
		race(func(int) {
			if _, err := s.Store.Create(s.ctx, n, session.Bound{Max: 2}); err != nil {
				t.Errorf("create: %v", err)
			}
		})
		if got := s.live(); !slices.Equal(got, []session.ID{n.ID}) {
			t.Errorf("listed %v, want %v", got, n.ID)
		}
	})
}
