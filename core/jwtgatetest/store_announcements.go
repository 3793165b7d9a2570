package jwtgatetest

import (
	"slices"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// runAnnouncements tests what each method announces, to running feeds and to
// later ones, and that it announces nothing else.
func runAnnouncements(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	retire := session.Policy{Idle: idleLimit, ReuseWindow: time.Minute, Remember: remember, Retire: true}
	atOnce := session.Policy{Idle: idleLimit, Remember: remember, Retire: true}
	for _, row := range []struct {
		name string
		step func(s *sessions, mine []session.Presented) // of three sessions
		ends []int
		then announced
	}{
		{"nothing", func(*sessions, []session.Presented) {}, nil, announced{}},
		{"End", func(s *sessions, mine []session.Presented) { s.end(mine[1].ID) }, []int{1}, announced{}},
		{"End twice", func(s *sessions, mine []session.Presented) { s.end(mine[1].ID); s.end(mine[1].ID) }, []int{1}, announced{}},
		{"EndAll", func(s *sessions, _ []session.Presented) { s.endAll(s.owner) }, []int{0, 1, 2}, announced{subject: true}},
		{"EndAll but one", func(s *sessions, mine []session.Presented) { s.endAll(s.owner, mine[0].ID) }, []int{1, 2}, announced{}},
		{"EndAll but another's", func(s *sessions, _ []session.Presented) { s.endAll(s.owner, session.ID{}) }, []int{0, 1, 2}, announced{}},
		{"EndAll of nothing", func(s *sessions, _ []session.Presented) {
			s.endAll(s.owner)
			s.wait(5 * time.Millisecond)
			s.endAll(s.owner)
		}, []int{0, 1, 2}, announced{subject: true}},
		{"Create at the bound", func(s *sessions, _ []session.Presented) {
			n, _ := newSession(s.owner)
			s.createAs(n, session.Bound{Max: 2})
		}, []int{0, 1}, announced{}},
		{"Rotated", func(s *sessions, mine []session.Presented) { s.advance(mine[0], openWindow) }, nil, announced{}},
		{"Stolen", func(s *sessions, mine []session.Presented) {
			s.advance(mine[2], singleUse)
			s.confirm(singleUse, of(mine[2], 1)...)
			s.advance(mine[2], singleUse)
		}, []int{2}, announced{}},
		{"Rotated, retired", func(s *sessions, mine []session.Presented) { s.advance(mine[0], retire) }, nil, announced{}},
		{"Reissued, retired", func(s *sessions, mine []session.Presented) { s.advance(mine[0], retire); s.advance(mine[0], retire) }, nil, announced{}},
		{"late, retired", func(s *sessions, mine []session.Presented) { s.advance(mine[0], atOnce); s.advance(mine[0], atOnce) }, nil, announced{}},
		{"Repeated, retired", func(s *sessions, mine []session.Presented) {
			s.advance(mine[0], retire)
			mine[0].Generation = 1
			s.advance(mine[0], retire)
			s.wait(5 * time.Millisecond)
			s.advance(mine[0], retire)
		}, nil, announced{retired: 1, window: time.Minute}},
		{"Confirm, retired", func(s *sessions, mine []session.Presented) {
			s.advance(mine[0], retire)
			s.confirm(retire, of(mine[0], 1)...)
			s.wait(5 * time.Millisecond)
			s.confirm(retire, of(mine[0], 1, 0)...)
		}, nil, announced{retired: 1, window: time.Minute}},
		{"Confirm, not retired", func(s *sessions, mine []session.Presented) {
			s.advance(mine[0], openWindow)
			s.confirm(openWindow, of(mine[0], 1)...)
		}, nil, announced{}},
		{"Confirm of the first, retired", func(s *sessions, mine []session.Presented) { s.confirm(retire, of(mine[0], 0)...) }, nil, announced{}},
		{"Rotated twice, retired", func(s *sessions, mine []session.Presented) {
			s.advance(mine[0], atOnce)
			mine[0].Generation = 1
			s.advance(mine[0], atOnce)
		}, nil, announced{retired: 1}},
		{"Rotated after a use, retired", func(s *sessions, mine []session.Presented) {
			s.advance(mine[0], singleUse)
			s.confirm(singleUse, of(mine[0], 1)...)
			mine[0].Generation = 1
			s.advance(mine[0], atOnce)
		}, nil, announced{}},
		{"Healed, retired", func(s *sessions, mine []session.Presented) { mine[0].Generation = 1; s.advance(mine[0], retire) }, nil, announced{retired: 1, window: time.Minute}},
		{"Stolen, retired", func(s *sessions, mine []session.Presented) {
			s.advance(mine[0], retire)
			mine[0].Generation = 7
			s.advance(mine[0], retire)
		}, []int{0}, announced{}},
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
	retired uint32 // if not zero, the generation of the first session of which a use became known
	window  time.Duration
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
		want := session.Revocation{Session: id, From: r.From, Until: r.From.Add(remember)}
		if r != want || r.From.Before(began) {
			t.Errorf("got %+v, want it from when %v was ended, for %v", r, id, remember)
		}
	}
	if a.subject {
		r := f.find(func(r session.Revocation) bool { return r.Subject == s.owner.Subject })
		want := session.Revocation{Issuer: s.owner.Issuer, Subject: s.owner.Subject, From: r.From, Until: r.From.Add(revoke)}
		if r != want || r.From.Before(began) {
			t.Errorf("got %+v, want it from when %q was signed out, for %v", r, s.owner.Subject, revoke)
		}
	}
	if a.retired != 0 {
		r := f.find(func(r session.Revocation) bool { return r.Session == mine[0].ID && r.Generation != 0 })
		record, _ := s.find(mine[0].ID)
		at := record.Used
		if at.IsZero() {
			at = record.Rotated // the use was a rotation
		}
		if want := session.Retirement(record.ID, a.retired, at, session.Policy{ReuseWindow: a.window, Remember: remember}); !sameRevocation(r, want) {
			t.Errorf("got %+v, want %+v", r, want)
		}
	}
	others := f.all(func(r session.Revocation) bool {
		switch {
		case r.Subject == s.owner.Subject:
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
