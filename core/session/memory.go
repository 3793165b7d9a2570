package session

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"
)

// A Memory is a [Store] in the memory of this process. Its sessions are lost
// when the process ends. It is sharded by owner, so that calls for different owners
// rarely wait for each other.
//
// A Memory starts no goroutines. Each call of Create and Advance removes a few
// expired sessions, so that no call has to wait for the removal of many. Only a
// Create that finds the Memory full removes expired sessions until there is
// room.
type Memory struct {
	now    func() time.Time
	max    int64
	held   atomic.Int64
	shards [memoryShards]memoryShard
	feed   announcer
}

const (
	memoryShards = 64

	// DefaultMemorySize is the default for the number of sessions in a [Memory].
	DefaultMemorySize = 1 << 20

	// endSize is the largest number of sessions that are ended under one lock.
	endSize = 256

	// sweepSize is the largest number of due sessions that one call of sweep
	// handles. It is more than one, so that sessions are removed faster than
	// they are created.
	sweepSize = 4
)

// NewMemory returns an empty Memory for at most size sessions. Ended sessions
// count for as long as they are remembered. If size is zero or negative,
// NewMemory uses [DefaultMemorySize]. The Memory reads the time from now, or
// from [time.Now] if now is nil.
//
// In a full Memory, a new session takes the place of a session of the owner that has
// the most: of one that was ended, or else of its oldest one, which ends. If the
// owner of the new session would then have as many itself, it is refused with
// [ErrFull].
func NewMemory(size int, now func() time.Time) *Memory {
	if size <= 0 {
		size = DefaultMemorySize
	}
	if now == nil {
		now = time.Now
	}
	m := &Memory{now: now, max: int64(size)}
	for i := range m.shards {
		m.shards[i].sessions = make(map[ID]*memorySession)
		m.shards[i].owners = make(map[ownerKey]*memoryOwner)
	}
	return m
}

var errTaken = errors.New("session: another session has the same ID")

// Create implements [Store].
func (m *Memory) Create(ctx context.Context, n New, bound Bound) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	if err := m.endExcess(ctx, &n, bound); err != nil {
		return Record{}, err
	}
	shard := m.shard(n.ID.Slot())
	if m.held.Load() >= m.max {
		if r, settled, err := m.settled(shard, &n, bound); settled {
			return r, err // without taking room from others
		}
	}
	room := m.reserve(n.Owner, n.Remember)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := m.milliseconds()
	m.sweep(shard, now)
	s, err := shard.sessions[n.ID], error(nil)
	excess := shard.excess(n.Owner, bound, now)
	switch {
	case s != nil && s.nonceHash != n.NonceHash:
		err = errTaken
	case s != nil:
	case excess > 0 && bound.Refuse:
		err = ErrTooMany
	case !room:
		err = ErrFull
	}
	if room && (s != nil || err != nil) {
		m.held.Add(-1)
	}
	switch {
	case err != nil:
		return Record{}, err
	case s != nil:
		return s.record(), nil
	}
	if excess > 0 {
		m.endOldest(shard, n.Owner, excess, now, n.Remember)
	}
	s = &memorySession{
		id:        n.ID,
		nonceHash: n.NonceHash,
		created:   now,
		idle:      now + min(n.Idle, n.Limit).Milliseconds(),
		limit:     now + n.Limit.Milliseconds(),
		userAgent: strings.Clone(n.UserAgent),
		note:      n.Note,
	}
	s.due = s.idle
	shard.add(s, n.Owner)
	return s.record(), nil
}

// Find implements [Store].
func (m *Memory) Find(ctx context.Context, id ID) (Record, bool, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, false, err
	}
	shard := m.shard(id.Slot())
	shard.mu.Lock()
	defer shard.mu.Unlock()
	s := shard.find(id, m.milliseconds())
	if s == nil {
		return Record{}, false, nil
	}
	return s.record(), true, nil
}

// Advance implements [Store].
func (m *Memory) Advance(ctx context.Context, p Presented, policy Policy) (Record, Verdict, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, 0, err
	}
	shard := m.shard(p.ID.Slot())
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := m.milliseconds()
	m.sweep(shard, now)
	s := shard.find(p.ID, now)
	if s == nil {
		return Record{}, Unknown, nil
	}
	before := s.record()
	after, verdict := Step(before, p, at(now), policy)
	switch {
	case verdict == Stolen:
		m.end(shard, s, Replayed, now, policy.Remember)
	case verdict.Good():
		s.update(&after)
		if s.idle < s.due {
			shard.reschedule(s, s.idle)
		}
		m.retire(s.id, FirstUsed(before, after, verdict), now, policy)
	}
	return after, verdict, nil
}

// Confirm implements [Store].
func (m *Memory) Confirm(ctx context.Context, confirmations []Confirmation, policy Policy) error {
	for _, c := range confirmations {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.confirm(c, policy)
	}
	return ctx.Err()
}

func (m *Memory) confirm(c Confirmation, policy Policy) {
	shard := m.shard(c.ID.Slot())
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := m.milliseconds()
	s := shard.find(c.ID, now)
	if s == nil || s.generation != c.Generation || s.used != 0 {
		return // as Confirm decides for most
	}
	if after, changed := Confirm(s.record(), c, at(now)); changed {
		s.update(&after)
		m.retire(c.ID, c.Generation, now, policy)
	}
}

// retire announces the first use of generation, if policy asks for that. Before
// the first generation, there is nothing to retire.
func (m *Memory) retire(id ID, generation uint32, now int64, policy Policy) {
	if policy.Retire && generation > 0 {
		m.feed.announce(Retirement(id, generation, at(now), policy), at(now))
	}
}

// End implements [Store].
func (m *Memory) End(ctx context.Context, id ID, remember time.Duration) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	shard := m.shard(id.Slot())
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := m.milliseconds()
	s := shard.sessions[id]
	if s == nil || !s.liveAt(now) {
		return false, nil
	}
	m.end(shard, s, SignedOut, now, remember)
	return true, nil
}

// EndAll implements [Store].
func (m *Memory) EndAll(ctx context.Context, e Ending) (ended []ID, from time.Time, err error) {
	shard := m.shard(e.Owner.Slot())
	if len(e.Except) == 0 {
		from = at(m.milliseconds())
		r := Revocation{Issuer: e.Owner.Issuer, Subject: e.Owner.Subject, From: from, Until: from.Add(e.Revoke)}
		if err := m.Revoke(ctx, r); err != nil {
			return nil, time.Time{}, err
		}
	}
	spared := make(map[ID]bool, len(e.Except))
	for _, id := range e.Except {
		spared[id] = true
	}
	var after Cursor
	last := shard.youngest(e.Owner)
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return ended, from, err
		}
		var some []ID
		some, after, more = m.endSome(shard, e, after, last, spared)
		ended = append(ended, some...)
	}
	return ended, from, nil
}

// List implements [Store].
func (m *Memory) List(ctx context.Context, owner Owner, after Cursor, limit int) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shard := m.shard(owner.Slot())
	shard.mu.Lock()
	defer shard.mu.Unlock()
	o := shard.owners[keyOf(owner)]
	if o == nil {
		return nil, nil
	}
	now := m.milliseconds()
	var records []Record
	for _, s := range o.live[o.after(after):] {
		if len(records) >= limit {
			break
		}
		if s.liveAt(now) {
			records = append(records, s.record())
		}
	}
	return records, nil
}

// Revoke implements [Store].
func (m *Memory) Revoke(ctx context.Context, r Revocation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.Token, r.Issuer, r.Subject = strings.Clone(r.Token), strings.Clone(r.Issuer), strings.Clone(r.Subject)
	now := at(m.milliseconds())
	if r.From.IsZero() {
		r.From = now
	}
	m.feed.announce(r, now)
	return nil
}

// Feed implements [Store].
func (m *Memory) Feed(ctx context.Context, announce func(Revocation), upToDate func()) error {
	return m.feed.follow(ctx, m.now, announce, upToDate)
}

// InProcess reports that the sessions of m end with the process. A Store that
// wraps a Memory should have this method, too.
func (m *Memory) InProcess() bool { return true }

func (m *Memory) shard(slot uint16) *memoryShard { return &m.shards[slot%memoryShards] }

func (m *Memory) milliseconds() int64 { return m.now().UnixMilli() }
