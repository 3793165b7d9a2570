package session

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Memory is the embedded [Store]: sessions in this process's memory, gone with
// it. It is sharded by subject, so that subjects do not wait for each other, and
// removes what has expired a little at a time, as other sessions are written: it
// never stops to clean up. Only a Create that finds it full looks on for what has
// expired until there is room.
type Memory struct {
	now    func() time.Time
	max    int64
	held   atomic.Int64
	shards [memoryShards]memoryShard
	feed   announcer
}

const (
	memoryShards = 64

	// DefaultMemorySize is how many sessions a [Memory] holds if it is not told.
	DefaultMemorySize = 1 << 20

	// sweepSize is how many sessions that have come up a write sees to at most:
	// more than one, so that removal keeps ahead of creation.
	sweepSize = 4
)

// NewMemory returns an empty Memory that holds at most size sessions, ended ones
// that are still remembered included; zero means [DefaultMemorySize]. Its clock
// is now; nil means [time.Now].
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
		m.shards[i].subjects = make(map[string]*memorySubject)
	}
	return m
}

var errTaken = errors.New("session: there is another session with that ID")

// Create implements [Store].
func (m *Memory) Create(ctx context.Context, n New, bound Bound) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	if m.held.Load() >= m.max {
		m.makeRoom()
	}
	shard := m.shard(n.ID.Slot())
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := m.milliseconds()
	m.sweep(shard, now)

	if s := shard.sessions[n.ID]; s != nil {
		if s.nonceHash != n.NonceHash {
			return Record{}, errTaken
		}
		return s.record(), nil
	}
	var over []*memorySession
	if bound.Max > 0 {
		live := shard.live(n.Subject, now)
		over = live[:max(0, len(live)-bound.Max+1)]
	}
	if len(over) > 0 && bound.Refuse {
		return Record{}, ErrTooMany
	}
	if m.held.Add(1) > m.max {
		m.held.Add(-1)
		return Record{}, ErrFull
	}
	for _, s := range over {
		m.end(shard, s, SignedOut, now, n.Remember)
	}
	s := &memorySession{
		id:        n.ID,
		nonceHash: n.NonceHash,
		created:   now,
		idle:      now + min(n.Idle, n.Limit).Milliseconds(),
		limit:     now + n.Limit.Milliseconds(),
		userAgent: strings.Clone(n.UserAgent),
	}
	s.due = s.idle
	shard.sessions[s.id] = s
	shard.link(s, n.Subject)
	heap.Push(&shard.due, s)
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
	after, verdict := Step(s.record(), p, at(now), policy)
	switch verdict {
	case Rotated, Healed:
		s.generation, s.rotated, s.idle = after.Generation, now, after.Idle.UnixMilli()
		if s.idle < s.due {
			shard.reschedule(s, s.idle)
		}
		if policy.Retire {
			from := at(now).Add(policy.ReuseWindow)
			m.feed.announce(Revocation{Session: s.id, Generation: s.generation, From: from, Until: from.Add(policy.Remember)}, at(now))
		}
	case Stolen:
		m.end(shard, s, Replayed, now, policy.Remember)
	}
	return after, verdict, nil
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
func (m *Memory) EndAll(ctx context.Context, subject string, remember time.Duration, except ...ID) ([]ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shard := m.shard(SlotOf(subject))
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := m.milliseconds()
	var ended []ID
	for _, s := range shard.live(subject, now) {
		if !slices.Contains(except, s.id) {
			m.end(shard, s, SignedOut, now, remember)
			ended = append(ended, s.id)
		}
	}
	if len(except) == 0 {
		m.feed.announce(Revocation{Subject: strings.Clone(subject), From: at(now), Until: at(now).Add(remember)}, at(now))
	}
	return ended, nil
}

// List implements [Store].
func (m *Memory) List(ctx context.Context, subject string) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shard := m.shard(SlotOf(subject))
	shard.mu.Lock()
	defer shard.mu.Unlock()
	var records []Record
	for _, s := range shard.live(subject, m.milliseconds()) {
		records = append(records, s.record())
	}
	return records, nil
}

// Revoke implements [Store].
func (m *Memory) Revoke(ctx context.Context, r Revocation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.Token, r.Subject = strings.Clone(r.Token), strings.Clone(r.Subject)
	m.feed.announce(r, m.now())
	return nil
}

// Feed implements [Store].
func (m *Memory) Feed(ctx context.Context, announce func(Revocation), upToDate func()) error {
	return m.feed.follow(ctx, m.now, announce, upToDate)
}

func (m *Memory) shard(slot uint16) *memoryShard { return &m.shards[slot%memoryShards] }

func (m *Memory) milliseconds() int64 { return m.now().UnixMilli() }

// end ends s, which is live, announces it, and keeps it for as long as remember says.
func (m *Memory) end(shard *memoryShard, s *memorySession, why Reason, now int64, remember time.Duration) {
	s.ended = why
	shard.reschedule(s, now+remember.Milliseconds())
	shard.unlink(s)
	m.feed.announce(Revocation{Session: s.id, From: at(now), Until: at(s.forget())}, at(now))
}

// sweep sees to a few sessions of shard that have come up: it removes those that
// are to be forgotten, and reports whether there may be more.
func (m *Memory) sweep(shard *memoryShard, now int64) bool {
	for range sweepSize {
		if len(shard.due) == 0 || now < shard.due[0].due {
			return false
		}
		s := shard.due[0]
		if forget := s.forget(); now < forget {
			shard.reschedule(s, forget)
			continue
		}
		heap.Pop(&shard.due)
		delete(shard.sessions, s.id)
		if s.ended == Live {
			shard.unlink(s)
		}
		m.held.Add(-1)
	}
	return true
}

// makeRoom sweeps every shard, since those that nobody writes to could have kept
// a full Memory full, and goes on as long as it is full.
func (m *Memory) makeRoom() {
	now := m.milliseconds()
	for i := range m.shards {
		shard := &m.shards[i]
		for more := true; more; {
			shard.mu.Lock()
			more = m.sweep(shard, now) && m.held.Load() >= m.max
			shard.mu.Unlock()
		}
	}
}
