package jwtgatetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// A model is what a store is to be, for one subject: the plainest there is.
type model struct {
	store   *sessions
	subject string
	now     time.Time
	begun   []session.New       // every session, by when it was created
	records []session.Record    // the same
	forget  []time.Time         // of those that were ended
	ends    map[session.ID]bool // announced, or about to be

	verdicts map[session.Verdict]int
	live     int // steps of live sessions
}

// play does ops to the store and to a model of it, and returns the model, and
// the first difference.
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
	s.revoke(first) // once it is heard, nothing that is to come is missed
	f.find(func(r session.Revocation) bool { return sameRevocation(r, first) })
	for _, o := range ops {
		if err := m.do(o); err != nil {
			return m, fmt.Errorf("%v: %w", o, err)
		}
	}
	for id := range m.ends {
		if !m.now.Before(m.forget[m.index(id)]) {
			continue // a clock that leaps can have it over before it is heard
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
			return m, fmt.Errorf("%+v is announced, of a live session", r)
		}
	}
	return m, m.checkList()
}

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

// pick returns the session that o is about: a live one, unless any will do.
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

// gone reports whether a store may have forgotten record i: it has to, if it was
// ended, and can, if it has expired.
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

// over ends session i.
func (m *model) over(i int, why session.Reason) {
	m.records[i].Ended = why
	m.forget[i] = m.now.Add(remember)
	m.ends[m.records[i].ID] = true
}

// passed moves the time by d, if the store's clock moves only when it is told.
func (m *model) passed(d time.Duration) {
	if m.store.Pass != nil && !m.now.IsZero() {
		m.now = m.now.Add(d)
	}
}

// read takes the time from what the store says, if nobody else knows it.
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
		return nil // it would be a new one
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
		return fmt.Errorf("got verdict %d of what is to be forgotten", verdict)
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
