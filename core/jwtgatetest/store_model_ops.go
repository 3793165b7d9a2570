package jwtgatetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

func (m *model) create(o op) error {
	n, _ := newSession(m.owner)
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
		ID: n.ID, Owner: n.Owner, NonceHash: n.NonceHash, UserAgent: n.UserAgent,
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
	m.read(got.Used)
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

func (m *model) confirm(i int, o op) error {
	r := &m.records[i]
	generation := max(0, int64(r.Generation)+int64(o.ahead))
	c := session.Confirmation{ID: r.ID, Generation: uint32(generation)} //nolint:gosec // no session gets that far here
	if err := m.store.Store.Confirm(m.store.ctx, []session.Confirmation{c}, o.policy); err != nil {
		return err
	}
	if got, found, err := m.store.Store.Find(m.store.ctx, r.ID); err == nil && found {
		m.read(got.Used)
	}
	*r, _ = session.Confirm(*r, c, m.now)
	return m.checkFind(i)
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
	got, _, err := m.store.Store.EndAll(m.store.ctx, ending(m.owner, except...))
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
	want := m.alive()
	got, err := m.store.Store.List(m.store.ctx, m.owner, session.Cursor{}, len(want)+1)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(got, want, same) {
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
