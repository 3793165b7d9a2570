package session

import (
	"container/heap"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Memory is the embedded [Store]: sessions in this process's memory, gone with
// it. It is sharded by subject, so that subjects do not wait for each other, and
// removes what has expired a little at a time, as other sessions are written: it
// never stops to clean up.
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

	// sweep is how many expired sessions a write removes at most: more than one,
	// so that removal keeps ahead of creation.
	sweep = 4
)

// memoryShard has all sessions of the subjects whose slots fall to it.
type memoryShard struct {
	mu       sync.Mutex
	sessions map[ID]*memorySession
	subjects map[string]*memorySubject
	due      dueHeap
}

// memorySession is a Record in the least room. Times are milliseconds since 1970.
type memorySession struct {
	id         ID
	nonceHash  [32]byte
	ended      Reason
	generation uint32
	created    int64
	rotated    int64 // 0: never
	idle       int64
	limit      int64
	forget     int64 // when to remove it
	subject    *memorySubject
	older      *memorySession // of the same subject
	younger    *memorySession
	userAgent  string
	place      int // in the shard's heap
}

// memorySubject leads to the sessions of a subject, oldest first.
type memorySubject struct {
	name     string
	oldest   *memorySession
	youngest *memorySession
}

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

// Create implements [Store].
func (m *Memory) Create(ctx context.Context, n New, bound Bound) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	shard := m.shard(n.ID.Slot())
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := milliseconds(m.now())
	m.sweep(shard, now)

	subject := shard.subjects[n.Subject]
	var live []*memorySession
	if subject != nil && bound.Max > 0 {
		live = subject.live(now)
	}
	if bound.Max > 0 && len(live) >= bound.Max && bound.Refuse {
		return Record{}, ErrTooMany
	}
	if m.held.Load() >= m.max {
		return Record{}, ErrFull
	}
	if bound.Max > 0 && len(live) >= bound.Max {
		for _, s := range live[:len(live)-bound.Max+1] {
			m.end(shard, s, SignedOut, now, n.Remember)
		}
	}
	if subject == nil {
		subject = &memorySubject{name: strings.Clone(n.Subject)}
		shard.subjects[subject.name] = subject
	}
	s := &memorySession{
		id:        n.ID,
		nonceHash: n.NonceHash,
		created:   now,
		idle:      now + min(n.Idle, n.Limit).Milliseconds(),
		limit:     now + n.Limit.Milliseconds(),
		subject:   subject,
		userAgent: strings.Clone(n.UserAgent),
	}
	s.forget = s.idle
	subject.add(s)
	shard.sessions[s.id] = s
	heap.Push(&shard.due, s)
	m.held.Add(1)
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
	s := shard.sessions[id]
	if s == nil || milliseconds(m.now()) >= s.forget {
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
	at := m.now()
	now := milliseconds(at)
	m.sweep(shard, now)
	s := shard.sessions[p.ID]
	if s == nil {
		return Record{}, Unknown, nil
	}
	after, verdict := Step(s.record(), p, at, policy)
	switch verdict {
	case Rotated, Healed:
		s.generation, s.rotated, s.idle = after.Generation, milliseconds(after.Rotated), milliseconds(after.Idle)
		s.forget = s.idle
		heap.Fix(&shard.due, s.place)
		if policy.Retire {
			m.feed.announce(Revocation{
				Session: s.id, Generation: s.generation,
				From: at.Add(policy.ReuseWindow), Until: at.Add(policy.ReuseWindow + policy.Remember),
			})
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
	now := milliseconds(m.now())
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
	now := milliseconds(m.now())
	var ended []ID
	if known := shard.subjects[subject]; known != nil {
		for _, s := range known.live(now) {
			if !slices.Contains(except, s.id) {
				m.end(shard, s, SignedOut, now, remember)
				ended = append(ended, s.id)
			}
		}
	}
	if len(except) == 0 {
		m.feed.announce(Revocation{Subject: strings.Clone(subject), From: at(now), Until: at(now).Add(remember)})
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
	known := shard.subjects[subject]
	if known == nil {
		return nil, nil
	}
	var records []Record
	for _, s := range known.live(milliseconds(m.now())) {
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
	m.feed.announce(r)
	return nil
}

// Feed implements [Store].
func (m *Memory) Feed(ctx context.Context, announce func(Revocation)) error {
	return m.feed.follow(ctx, m.now, announce)
}

func (m *Memory) shard(slot uint16) *memoryShard { return &m.shards[slot%memoryShards] }

// end ends s, which is live, announces it, and keeps it for as long as remember says.
func (m *Memory) end(shard *memoryShard, s *memorySession, why Reason, now int64, remember time.Duration) {
	s.ended = why
	s.forget = now + remember.Milliseconds()
	heap.Fix(&shard.due, s.place)
	m.feed.announce(Revocation{Session: s.id, From: at(now), Until: at(s.forget)})
}

// sweep removes a few sessions of shard that are to be forgotten.
func (m *Memory) sweep(shard *memoryShard, now int64) {
	for range sweep {
		if len(shard.due) == 0 || shard.due[0].forget > now {
			return
		}
		s := heap.Pop(&shard.due).(*memorySession)
		delete(shard.sessions, s.id)
		s.subject.remove(s)
		if s.subject.oldest == nil {
			delete(shard.subjects, s.subject.name)
		}
		m.held.Add(-1)
	}
}

// live returns the live sessions of the subject, oldest first.
func (subject *memorySubject) live(now int64) []*memorySession {
	var live []*memorySession
	for s := subject.oldest; s != nil; s = s.younger {
		if s.liveAt(now) {
			live = append(live, s)
		}
	}
	return live
}

func (subject *memorySubject) add(s *memorySession) {
	s.older = subject.youngest
	if subject.youngest = s; s.older == nil {
		subject.oldest = s
	} else {
		s.older.younger = s
	}
}

func (subject *memorySubject) remove(s *memorySession) {
	if s.older == nil {
		subject.oldest = s.younger
	} else {
		s.older.younger = s.younger
	}
	if s.younger == nil {
		subject.youngest = s.older
	} else {
		s.younger.older = s.older
	}
}

func (s *memorySession) liveAt(now int64) bool {
	return s.ended == Live && now < s.idle && now < s.limit
}

func (s *memorySession) record() Record {
	r := Record{
		ID:         s.id,
		Subject:    s.subject.name,
		NonceHash:  s.nonceHash,
		Generation: s.generation,
		Created:    at(s.created),
		Idle:       at(s.idle),
		Limit:      at(s.limit),
		Ended:      s.ended,
		UserAgent:  s.userAgent,
	}
	if s.rotated != 0 {
		r.Rotated = at(s.rotated)
	}
	return r
}

func milliseconds(t time.Time) int64 { return t.UnixMilli() }

func at(milliseconds int64) time.Time { return time.UnixMilli(milliseconds) }

// dueHeap has the session that is to be forgotten next in front.
type dueHeap []*memorySession

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].forget < h[j].forget }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements [heap.Interface].
func (h *dueHeap) Push(x any) {
	s := x.(*memorySession)
	s.place = len(*h)
	*h = append(*h, s)
}

// Pop implements [heap.Interface].
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return s
}
