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
// what they did with it. The thief is patient: he presents his token when it
// suits him, and does not use access tokens, or uses them when it suits him.
type theft struct {
	chain         chain
	tokens        [2]uint8
	presentations int8    // how many are left
	unused        [2]bool // who got an access token and has not used it yet
	window        [2]bool // who got a token in the last window
	coincidences  int8    // windows in which both got a token
	refreshes     int8    // windows in which the victim got a token
	over          bool
	failover      failover
}

// thefts is a model of a theft, with its results.
type thefts struct {
	step      stepFunc
	atOnce    bool          // the victim uses his access token as soon as he has it
	confirmed bool          // uses of access tokens are confirmed: the victim's before his next refresh
	missed    int           // a token older than the parent was accepted, but for a displaced one in its window
	falsely   int           // the current token was refused
	forks     int           // there was a second rotation in a window
	outlived  map[int8]int8 // the most refreshes of the victim before a refresh of the thief, by coincidences
}

// visit checks the state s, and calls next for all states that can follow.
func (m *thefts) visit(s theft, next func(theft)) {
	if s.over || s.coincidences > 3 {
		return
	}
	s.failover.next(s.chain, func(c chain, f failover) {
		after := s
		after.chain, after.failover = c, f
		next(after)
	})
	for who := range 2 {
		if s.unused[who] && m.confirmed {
			after := s
			after.unused[who] = false
			after.chain.confirm(s.tokens[who])
			next(after)
		}
	}
	if s.presentations == 0 {
		return
	}
	s.presentations--
	for who := range 2 {
		if who == victim && s.unused[victim] && m.confirmed {
			continue // he uses his access token before it expires
		}
		for _, wait := range []int8{0, windowTicks, 2 * windowTicks, 3 * windowTicks} {
			after := s
			after.chain.pass(wait)
			after.failover.copy.pass(wait)
			m.present(&after, who)
			next(after)
		}
	}
}

// present has who, the victim or the thief, present their token.
func (m *thefts) present(s *theft, who int) {
	before, token := s.chain, s.tokens[who]
	verdict := s.chain.present(m.step, token, modelWindow)
	rotated := max(before.rotated, -before.rotated) >= windowTicks // never is -128
	switch {
	case token < before.parent && verdict.Good():
		m.missed++
	case token > before.parent && token < before.generation && verdict.Good() && rotated && max(before.used, -before.used) >= windowTicks:
		m.missed++
	case token == before.generation && !verdict.Good():
		m.falsely++
	case s.chain.generation != before.generation && verdict != session.Healed && before.rotated != never && !rotated:
		m.forks++
	}
	switch {
	case verdict == session.Busy || verdict == session.Stale:
		return
	case !verdict.Good():
		s.over = true
		return
	}
	s.tokens[who], s.unused[who] = s.chain.generation, true
	if who == victim && m.atOnce {
		s.unused[victim] = false
		s.chain.confirm(s.chain.generation)
	}
	if s.chain.rotated == 0 && (before.rotated != 0 || s.chain.generation != before.generation) {
		s.window = [2]bool{}
	}
	if s.window[who] {
		return
	}
	s.window[who] = true
	if s.window == [2]bool{true, true} {
		s.coincidences++
	}
	if who == victim {
		s.refreshes++
	} else {
		m.outlived[s.coincidences] = max(m.outlived[s.coincidences], s.refreshes)
	}
}

// With k coincidences, a thief outlives 2k+1 refreshes of the victim if the victim
// uses access tokens as soon as he has them, and 2k+2 if the thief can come before
// that, or if no use is ever confirmed. Without the limit on late answers in two generations running, a
// patient thief would never be found.
func TestModelTheft(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		step      stepFunc
		atOnce    bool
		confirmed bool
		want      [4]int8
	}{
		{"used at once", session.Step, true, true, [4]int8{1, 3, 5, 7}},
		{"used before the next refresh", session.Step, false, true, [4]int8{2, 4, 6, 8}},
		{"never confirmed", session.Step, false, false, [4]int8{2, 4, 6, 8}},
		{"fixed window", fixedWindow, false, true, [4]int8{0, 1, 2, 3}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := thefts{step: row.step, atOnce: row.atOnce, confirmed: row.confirmed, outlived: make(map[int8]int8)}
			states := explore(theft{chain: newChain(), presentations: 20, failover: failover{done: true}}, m.visit)
			t.Logf("%d states, refreshes outlived %v", states, m.outlived)
			if m.missed != 0 || m.falsely != 0 || m.forks != 0 {
				t.Errorf("got %d old tokens accepted, %d current ones refused and %d forks, want none", m.missed, m.falsely, m.forks)
			}
			for k, want := range row.want {
				if got := m.outlived[int8(k)]; got != want {
					t.Errorf("got %d refreshes outlived with %d coincidences, want %d", got, k, want)
				}
			}
		})
	}
	t.Run("without the limit on late answers", func(t *testing.T) {
		t.Parallel()
		m := thefts{step: forgiving, atOnce: true, confirmed: true, outlived: make(map[int8]int8)}
		explore(theft{chain: newChain(), presentations: 20, failover: failover{done: true}}, m.visit)
		if got := m.outlived[0]; got < 6 {
			t.Errorf("got %d refreshes outlived without a coincidence, want as many as there are", got)
		}
	})
}
