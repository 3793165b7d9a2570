package jwtgatetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A model is a simple implementation of a store for one subject. It shows what
// the store under test should do.
type model struct {
	store   *sessions
	subject string
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
		subject:  "bob-" + rand.Text(),
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

func (m *model) create(o op) error {
	n, _ := newSession(m.subject)
	n.Limit = 2 * time.Hour
	m.store.tick()
	got, err := m.store.Store.Create(m.store.ctx, n, session.Bound{Max: o.other, Refuse: o.flag})
	m.store.created = time.Now()
	m.passed(time.Millisecond)
	m.read(got.Created)
	alive := m.alive()
	if o.other > 0 && len(alive) >= o.other {
		if o.flag {
			if !errors.Is(err, session.ErrTooMany) {
				return fmt.Errorf("got error %w, want %w", err, session.ErrTooMany)
			}
			return nil
		}
		for _, r := range alive[:len(alive)-o.other+1] {
			m.over(m.index(r.ID), session.SignedOut)
		}
	}
	if err != nil {
		return err
	}
	want := session.Record{
		ID: n.ID, Subject: n.Subject, NonceHash: n.NonceHash, UserAgent: n.UserAgent,
		Created: m.now, Idle: m.now.Add(n.Idle), Limit: m.now.Add(n.Limit),
	}
	m.begun, m.records, m.forget = append(m.begun, n), append(m.records, want), append(m.forget, time.Time{})
	return differ(got, want)
}

func (m *model) createAgain(i int) error {
	if _, can := m.gone(i); can {
		return nil // it may create a new session
	}
	got, err := m.store.Store.Create(m.store.ctx, m.begun[i], session.Bound{Max: 1})
	if err != nil {
		return err
	}
	return differ(got, m.records[i])
}

func (m *model) advance(i int, o op) error {
	r := &m.records[i]
	generation := max(0, int64(r.Generation)+int64(o.ahead))
	p := session.Presented{ID: r.ID, NonceHash: r.NonceHash, Generation: uint32(generation)} //nolint:gosec // no session gets that far here
	if o.flag {
		p.NonceHash[0] ^= 1
	}
	got, verdict, err := m.store.Store.Advance(m.store.ctx, p, o.policy)
	if err != nil {
		return err
	}
	m.read(got.Rotated)
	want, wanted := session.Step(*r, p, m.now, o.policy)
	m.verdicts[verdict]++
	if r.LiveAt(m.now) {
		m.live++
	}
	if must, can := m.gone(i); can && verdict == session.Unknown {
		return nil
	} else if must {
		return fmt.Errorf("got verdict %d for a session that must be forgotten", verdict)
	}
	if verdict != wanted {
		return fmt.Errorf("got verdict %d, want %d", verdict, wanted)
	}
	*r = want
	if verdict == session.Stolen {
		m.over(i, session.Replayed)
	}
	return differ(got, want)
}

func (m *model) end(i int) error {
	live, err := m.store.Store.End(m.store.ctx, m.records[i].ID, remember)
	if err != nil {
		return err
	}
	want := m.records[i].LiveAt(m.now)
	if want {
		m.over(i, session.SignedOut)
	}
	if live != want {
		return fmt.Errorf("got live %v, want %v", live, want)
	}
	return nil
}

func (m *model) endAll(o op) error {
	want := ids(m.alive())
	except := want[:min(o.other, len(want))]
	want = want[len(except):]
	got, err := m.store.Store.EndAll(m.store.ctx, m.subject, remember, except...)
	if err != nil {
		return err
	}
	for _, id := range want {
		m.over(m.index(id), session.SignedOut)
	}
	if !sameIDs(got, want) {
		return fmt.Errorf("ended %v, want %v", got, want)
	}
	return nil
}

func (m *model) checkFind(i int) error {
	got, found, err := m.store.Store.Find(m.store.ctx, m.records[i].ID)
	if err != nil {
		return err
	}
	must, can := m.gone(i)
	if !found && can {
		return nil
	}
	if found == must {
		return fmt.Errorf("found %v, want %v", found, !must)
	}
	return differ(got, m.records[i])
}

func (m *model) checkList() error {
	got, err := m.store.Store.List(m.store.ctx, m.subject)
	if err != nil {
		return err
	}
	if want := m.alive(); !slices.EqualFunc(got, want, same) {
		return fmt.Errorf("listed\n%+v, want\n%+v", got, want)
	}
	return nil
}

// differ returns an error if got is not want.
func differ(got, want session.Record) error {
	if same(got, want) {
		return nil
	}
	return fmt.Errorf("got record\n%+v, want\n%+v", got, want)
}
