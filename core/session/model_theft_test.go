package session_test

import (
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	victim = iota
	thief
)

// A theft is a session whose refresh token both a victim and a thief have, and
// what they did with it. Neither presents a token more than twice in a row,
// because the other one is active too.
type theft struct {
	chain         chain
	tokens        [2]uint32
	presentations int8 // how many are left
	last, running int8
	presented     [2]bool
	window        [2]bool // which of the two got a token since the last rotation
	coincidences  int8    // windows in which both got a token
	refreshes     int8    // windows in which the thief got a token
	over          bool
	failover      failover
}

// thefts is a model of a theft, with its results.
type thefts struct {
	states  int
	missed  int           // an old token was accepted after the window
	falsely int           // the current token was refused
	unfound int           // both presented a token, in different windows, and the session goes on
	most    map[int8]int8 // the maximum of refreshes, by coincidences
}

// visit checks the state s, and calls next for all states that can follow.
func (m *thefts) visit(s theft, next func(theft)) {
	m.states++
	m.most[s.coincidences] = max(m.most[s.coincidences], s.refreshes)
	if s.over {
		return
	}
	if s.presented == [2]bool{true, true} && s.coincidences == 0 {
		m.unfound++
	}
	s.failover.next(s.chain, func(c chain, f failover) {
		after := s
		after.chain, after.failover = c, f
		next(after)
	})
	if s.presentations == 0 {
		return
	}
	s.presentations--
	for who := range int8(2) {
		if who == s.last && s.running == 2 {
			continue
		}
		for _, wait := range []int8{0, windowTicks} {
			after := s
			after.chain.pass(wait)
			after.failover.copy.pass(wait)
			m.present(&after, who)
			next(after)
		}
	}
}

// present has who, the victim or the thief, present their token.
func (m *thefts) present(s *theft, who int8) {
	if who != s.last {
		s.last, s.running = who, 0
	}
	s.running++
	s.presented[who] = true
	before := s.chain
	token := s.tokens[who]
	verdict := s.chain.present(session.Step, token)
	if token < before.generation && !before.open() && verdict != session.Stolen {
		m.missed++
	}
	if token == before.generation && !verdict.Good() {
		m.falsely++
	}
	if !verdict.Good() {
		s.over = true
		return
	}
	s.tokens[who] = s.chain.generation
	if verdict == session.Rotated || verdict == session.Healed {
		s.window = [2]bool{}
	}
	if s.window[who] {
		return
	}
	s.window[who] = true
	if who == thief {
		s.refreshes++
	}
	if s.window == [2]bool{true, true} {
		s.coincidences++
	}
}

// With k coincidences, a thief gets k+2 refreshes: one in each coincidence, and
// two before the next refresh of the victim ends the session. With a failover,
// the thief gets k+4: in the worst case, the store loses its last rotations
// just before it would have detected the thief.
func TestModelTheft(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		fails bool
		base  int8
	}{
		{"steady", false, 2},
		{"failover", true, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := thefts{most: make(map[int8]int8)}
			explore(theft{presentations: 12, last: -1, failover: failover{done: !row.fails}}, m.visit)
			t.Logf("%d states", m.states)
			if m.missed != 0 || m.falsely != 0 {
				t.Errorf("got %d old tokens accepted and %d current ones refused, want none", m.missed, m.falsely)
			}
			if !row.fails && m.unfound != 0 {
				t.Errorf("got %d undetected thefts, want none", m.unfound)
			}
			for k := range int8(4) {
				if want := row.base + k; m.most[k] != want {
					t.Errorf("got %d refreshes of a thief in %d coincidences, want %d", m.most[k], k, want)
				}
			}
		})
	}
}
