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

// A Memory is a [Store] in the memory of this process. Its sessions are lost
// when the process ends. It is sharded by subject, so that calls for different
// subjects rarely wait for each other.
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

	// sweepSize is the largest number of due sessions that one call of sweep
	// handles. It is more than one, so that sessions are removed faster than
	// they are created.
	sweepSize = 4
)

// NewMemory returns an empty Memory for at most size sessions. Ended sessions
// count for as long as they are remembered. If size is zero or negative,
// NewMemory uses [DefaultMemorySize]. The Memory reads the time from now, or
// from [time.Now] if now is nil.
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

var errTaken = errors.New("session: another session has the same ID")

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
	var excess []*memorySession
	if bound.Max > 0 {
		live := shard.live(n.Subject, now)
		excess = live[:max(0, len(live)-bound.Max+1)]
	}
	if len(excess) > 0 && bound.Refuse {
		return Record{}, ErrTooMany
	}
	if m.held.Add(1) > m.max {
		m.held.Add(-1)
		return Record{}, ErrFull
	}
	for _, s := range excess {
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

// InProcess reports that the sessions of m end with the process. A Store that
// wraps a Memory should have this method, too.
func (m *Memory) InProcess() bool { return true }

func (m *Memory) shard(slot uint16) *memoryShard { return &m.shards[slot%memoryShards] }

func (m *Memory) milliseconds() int64 { return m.now().UnixMilli() }

// end ends the live session s, announces that, and keeps s for the duration
// remember.
func (m *Memory) end(shard *memoryShard, s *memorySession, why Reason, now int64, remember time.Duration) {
	s.ended = why
	shard.reschedule(s, now+remember.Milliseconds())
	shard.unlink(s)
	m.feed.announce(Revocation{Session: s.id, From: at(now), Until: at(s.forget())}, at(now))
}
