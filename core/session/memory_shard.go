package session

import (
	"container/heap"
	"sync"
	"time"
)

// A memoryShard has all sessions of the owners of some slots.
type memoryShard struct {
	mu       sync.Mutex
	sessions map[ID]*memorySession
	owners   map[ownerKey]*memoryOwner
	due      placedHeap[*memorySession] // all sessions
	sizes    placedHeap[*memoryOwner]   // the owners with more than one session
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
	due        int64 // when sweep handles it next, never after the time to forget it
	owner      *memoryOwner
	userAgent  string
	note       uint32
	place      int32 // its index in the heap due of the shard
	inEnded    int32 // its index in the sessions of the owner that were ended
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
	heap.Fix(&shard.due, int(s.place))
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
		Owner:      s.owner.key.owner(),
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
		Note:       s.note,
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

// before implements [placed]: the session that is due next comes first.
func (s *memorySession) before(other *memorySession) bool { return s.due < other.due }

func (s *memorySession) inHeap() *int32 { return &s.place }
