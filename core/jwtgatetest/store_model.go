package jwtgatetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A model is a simple implementation of a store for one owner. It shows what
// the store under test should do.
type model struct {
	store   *sessions
	owner   session.Owner
	now     time.Time
	begun   []session.New       // every session, in the order of creation
	records []session.Record    // the records of these sessions
	forget  []time.Time         // when to forget each session, if it was ended
	ends    map[session.ID]bool // the sessions whose ends are announced

	verdicts map[session.Verdict]int
	live     int // the number of calls of Advance for live sessions
}

// play applies ops to the store and to a model of it. It returns the model, and
// the first difference as an error.
func (s *sessions) play(ops []op) (*model, error) {
	m := &model{
		store:    s,
		owner:    newOwner("bob"),
		ends:     map[session.ID]bool{},
		verdicts: map[session.Verdict]int{},
	}
	f := s.follow()
	defer func() { _ = f.stop() }()
	first := s.token()
	s.revoke(first) // once the follower hears it, the follower misses no later revocation
	f.find(func(r session.Revocation) bool { return sameRevocation(r, first) })
	for _, o := range ops {
		if err := m.do(o); err != nil {
			return m, fmt.Errorf("%v: %w", o, err)
		}
	}
	for id := range m.ends {
		if !m.now.Before(m.forget[m.index(id)]) {
			continue // on a clock that jumps, it may have expired before it was announced
		}
		if _, err := f.await(func(r session.Revocation) bool { return r.Session == id }); err != nil {
			return m, fmt.Errorf("the end of %v: %w", id, err)
		}
	}
	for i := range m.records {
		if err := m.checkFind(i); err != nil {
			return m, err
		}
	}
	for _, r := range f.all(func(r session.Revocation) bool { return m.index(r.Session) >= 0 }) {
		if !m.ends[r.Session] {
			return m, fmt.Errorf("%+v was announced for a live session", r)
		}
	}
	return m, m.checkList()
}

// do applies o to the store and to m.
func (m *model) do(o op) error {
	if o.kind == opPass {
		m.store.wait(o.pass)
		m.passed(o.pass)
		return nil
	}
	i, known := m.pick(o)
	if !known {
		o = op{kind: opCreate}
	}
	switch o.kind {
	case opCreate:
		return m.create(o)
	case opCreateAgain:
		return m.createAgain(i)
	case opAdvance:
		return m.advance(i, o)
	case opConfirm:
		return m.confirm(i, o)
	case opEnd:
		return m.end(i)
	case opEndAll:
		return m.endAll(o)
	case opFind:
		return m.checkFind(i)
	}
	return m.checkList()
}

// pick returns the index of the session for o: of a live one, unless o.any is
// set.
func (m *model) pick(o op) (i int, ok bool) {
	of := m.alive()
	if o.any {
		of = m.records
	}
	if len(of) == 0 {
		return 0, false
	}
	return m.index(of[o.session%len(of)].ID), true
}

// gone reports whether the store must have forgotten record i, and whether it
// can have forgotten it. An ended session must be forgotten at a fixed time. An
// expired session can be forgotten at any time.
func (m *model) gone(i int) (must, can bool) {
	r := &m.records[i]
	if r.Ended != session.Live {
		must = !m.now.Before(m.forget[i])
		return must, must
	}
	return false, !r.LiveAt(m.now)
}

func (m *model) index(id session.ID) int {
	return slices.IndexFunc(m.records, func(r session.Record) bool { return r.ID == id })
}

// alive returns the live sessions, oldest first.
func (m *model) alive() []session.Record {
	return slices.DeleteFunc(slices.Clone(m.records), func(r session.Record) bool { return !r.LiveAt(m.now) })
}

// over ends session i of the model for the reason why.
func (m *model) over(i int, why session.Reason) {
	m.records[i].Ended = why
	m.forget[i] = m.now.Add(remember)
	m.ends[m.records[i].ID] = true
}

// passed moves the time of the model by d, if the test controls the store's
// clock.
func (m *model) passed(d time.Duration) {
	if m.store.Pass != nil && !m.now.IsZero() {
		m.now = m.now.Add(d)
	}
}

// read sets the time of the model to t, a time from the store, if the test does
// not control the store's clock.
func (m *model) read(t time.Time) {
	if m.store.Pass == nil && t.After(m.now) || m.now.IsZero() {
		m.now = t
	}
}
