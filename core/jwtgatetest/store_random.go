package jwtgatetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	randomRuns  = 40
	randomSteps = 500 // in each run
)

// An op is a random operation. It has a meaning in every sequence, even if the
// operations before it are removed.
type op struct {
	kind    opKind
	session int  // selects a session, among the live ones
	any     bool // selects among all sessions instead
	ahead   int  // the generation to present or confirm, relative to the current one
	other   int  // the maximum for Create, or the number of exceptions for EndAll
	flag    bool // whether Create refuses, or whether Advance has another nonce
	policy  session.Policy
	pass    time.Duration
}

type opKind int

const (
	opAdvance opKind = iota
	opConfirm
	opCreate
	opCreateAgain
	opFind
	opEnd
	opEndAll
	opList
	opPass
)

func (o op) String() string {
	names := [...]string{"Advance", "Confirm", "Create", "Create again", "Find", "End", "EndAll", "List", "pass"}
	switch o.kind {
	case opAdvance:
		return fmt.Sprintf("%s %d (of all: %v) by %+d, window %v, idle %v, other nonce: %v", names[o.kind], o.session, o.any, o.ahead, o.policy.ReuseWindow, o.policy.Idle, o.flag)
	case opConfirm:
		return fmt.Sprintf("%s %d (of all: %v) by %+d", names[o.kind], o.session, o.any, o.ahead)
	case opPass:
		return fmt.Sprintf("%s %v", names[o.kind], o.pass)
	}
	return fmt.Sprintf("%s %d (of all: %v), %d, %v", names[o.kind], o.session, o.any, o.other, o.flag)
}

// randomOps returns a random sequence. If exact is set, it is for a store whose
// clock can be set. Most operations are such that the sessions stay live,
// because operations on other sessions test little.
func randomOps(seed uint64, exact bool) []op {
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a seed must give the same sequence again
	ops := []op{{kind: opCreate}}
	for len(ops) < randomSteps {
		o := op{session: random.IntN(64), any: random.IntN(8) == 0, policy: pickOf(random, openWindow, singleUse)}
		if exact {
			o.policy.ReuseWindow = pickOf(random, 0, 10*time.Second, 10*time.Second, 10*time.Second)
			o.policy.Idle = pickOf(random, 15*time.Minute, idleLimit)
		}
		switch n := random.IntN(100); {
		case n < 16 && exact:
			o.kind = opPass
			o.pass = pickOf(random, time.Millisecond, time.Second, time.Second, 9999*time.Millisecond, 10*time.Second, 10*time.Second, 15*time.Second, 25*time.Second)
			if random.IntN(20) == 0 {
				o.pass = 10 * time.Minute
			}
		case n < 20:
			o.kind = opConfirm
			o.ahead = pickOf(random, 0, 0, 0, -1, 1)
		case n < 85:
			o.kind = opAdvance
			o.ahead = pickOf(random, 0, 0, 0, 0, -1, -1, -1, 1)
			switch random.IntN(50) {
			case 0:
				o.ahead = pickOf(random, -3, -2, -1, 2, 3, 100)
			case 1:
				o.flag = true
			}
		case n < 88:
			o.kind, o.other, o.flag = opCreate, random.IntN(8), random.IntN(4) == 0
		case n < 90:
			o.kind = opCreateAgain
		case n < 94:
			o.kind = opFind
		case n < 98:
			o.kind = opList
		case n < 99:
			o.kind = opEnd
		default:
			o.kind, o.other = opEndAll, random.IntN(3)
		}
		ops = append(ops, o)
	}
	return ops
}

func pickOf[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// runRandom compares a store with a model of it in random sequences of
// operations.
func runRandom(t *testing.T, newStore func(t *testing.T) StoreUnderTest) {
	seed := uint64(time.Now().UnixNano())
	s := newSessions(t, newStore)
	var live, steps int
	verdicts := map[session.Verdict]int{}
	for i := range uint64(randomRuns) {
		ops := randomOps(seed+i, s.Pass != nil)
		m, err := s.play(ops)
		if err != nil {
			ops, err = shrink(ops, err, func(ops []op) error { _, err := s.play(ops); return err })
			var text strings.Builder
			for _, o := range ops {
				fmt.Fprintln(&text, o)
			}
			t.Fatalf("seed %d: %v, at the end of\n%s", seed+i, err, &text)
		}
		steps += len(ops)
		for v, n := range m.verdicts {
			verdicts[v] += n
		}
		live += m.live
	}
	advanced := 0
	for _, n := range verdicts {
		advanced += n
	}
	t.Logf("seed %d: %d steps, %d of them Advance, %d of those of live sessions, verdicts %v", seed, steps, advanced, live, verdicts)
}

// shrink removes operations from ops for as long as play still fails. It
// returns the remaining operations, and the error of play for them.
func shrink(ops []op, err error, play func([]op) error) ([]op, error) {
	enough := time.Now().Add(patience)
	for size := len(ops) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(ops) && time.Now().Before(enough); {
			fewer := slices.Delete(slices.Clone(ops), i, i+size)
			if e := play(fewer); e != nil {
				ops, err = fewer, e
			} else {
				i += size
			}
		}
	}
	return ops, err
}
