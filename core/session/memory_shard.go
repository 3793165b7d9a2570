package session

import (
	"container/heap"
	"strings"
	"sync"
	"time"
)

// A memoryShard has all sessions of the subjects of some slots.
type memoryShard struct {
	mu       sync.Mutex
	sessions map[ID]*memorySession
	subjects map[string]*memorySubject
	due      dueHeap
}

// A memorySession is a Record in little memory. Its times are milliseconds since
// 1970.
type memorySession struct {
	id         ID
	nonceHash  [32]byte
	ended      Reason
	late       bool
	lateBefore bool
	generation uint32
	parent     uint32
	created    int64
	rotated    int64 // 0: never
	used       int64 // 0: never
	idle       int64 // never after limit
	limit      int64
	due        int64          // when sweep handles it next, never after the time to forget it
	subject    *memorySubject // also after the session was ended
	older      *memorySession // of the same subject; nil after the session was ended
	younger    *memorySession
	userAgent  string
	place      int // its index in the heap due of the shard
}

// A memorySubject is the list of the sessions of a subject that were not ended,
// from the oldest to the youngest.
type memorySubject struct {
	name     string
	oldest   *memorySession
	youngest *memorySession
}

// find returns the session id, or nil if there is none or its time to be
// forgotten has come.
func (shard *memoryShard) find(id ID, now int64) *memorySession {
	if s := shard.sessions[id]; s != nil && now < s.forget() {
		return s
	}
	return nil
}

// reschedule makes due the time at which sweep handles s next.
func (shard *memoryShard) reschedule(s *memorySession, due int64) {
	s.due = due
	heap.Fix(&shard.due, s.place)
}

// live returns the live sessions of subject, oldest first.
func (shard *memoryShard) live(subject string, now int64) []*memorySession {
	known := shard.subjects[subject]
	if known == nil {
		return nil
	}
	var live []*memorySession
	for s := known.oldest; s != nil; s = s.younger {
		if s.liveAt(now) {
			live = append(live, s)
		}
	}
	return live
}

// link makes s the youngest session of subject.
func (shard *memoryShard) link(s *memorySession, subject string) {
	known := shard.subjects[subject]
	if known == nil {
		known = &memorySubject{name: strings.Clone(subject)}
		shard.subjects[known.name] = known
	}
	s.subject = known
	s.older = known.youngest
	if known.youngest = s; s.older == nil {
		known.oldest = s
	} else {
		s.older.younger = s
	}
}

// unlink removes s from the list of its subject, and an empty list from the
// shard.
func (shard *memoryShard) unlink(s *memorySession) {
	if s.older == nil {
		s.subject.oldest = s.younger
	} else {
		s.older.younger = s.younger
	}
	if s.younger == nil {
		s.subject.youngest = s.older
	} else {
		s.younger.older = s.older
	}
	s.older, s.younger = nil, nil
	if s.subject.oldest == nil {
		delete(shard.subjects, s.subject.name)
	}
}

func (s *memorySession) liveAt(now int64) bool {
	return s.ended == Live && now < s.idle
}

// forget returns the time to forget s. A rotation delays it, but does not
// change due, because most sessions are rotated many times before they are due.
func (s *memorySession) forget() int64 {
	if s.ended == Live {
		return s.idle
	}
	return s.due
}

func (s *memorySession) record() Record {
	return Record{
		ID:         s.id,
		Subject:    s.subject.name,
		NonceHash:  s.nonceHash,
		Generation: s.generation,
		Parent:     s.parent,
		Created:    at(s.created),
		Rotated:    moment(s.rotated),
		Used:       moment(s.used),
		Late:       s.late,
		LateBefore: s.lateBefore,
		Idle:       at(s.idle),
		Limit:      at(s.limit),
		Ended:      s.ended,
		UserAgent:  s.userAgent,
	}
}

// update sets what a step that does not end the session can change.
func (s *memorySession) update(r *Record) {
	s.generation, s.parent = r.Generation, r.Parent
	s.rotated, s.used = milliseconds(r.Rotated), milliseconds(r.Used)
	s.late, s.lateBefore = r.Late, r.LateBefore
	s.idle = r.Idle.UnixMilli()
}

func at(milliseconds int64) time.Time { return time.UnixMilli(milliseconds) }

// moment is at, but 0 is the zero time.
func moment(milliseconds int64) time.Time {
	if milliseconds == 0 {
		return time.Time{}
	}
	return at(milliseconds)
}

// milliseconds is the opposite of moment.
func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// A dueHeap is a heap of sessions. The session that is due next is its first
// element.
type dueHeap []*memorySession

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due < h[j].due }

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
