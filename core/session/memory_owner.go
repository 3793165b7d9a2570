package session

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"unique"
)

// A memoryOwner has all sessions of an owner.
type memoryOwner struct {
	key   ownerKey
	live  []*memorySession  // not ended, though some may have expired; ordered by compareSessions
	ended *[]*memorySession // still remembered, in no order; nil if there are none, as for most owners
	place int32             // its index in the heap sizes of the shard, or below zero
}

// An ownerKey is an Owner in little memory.
type ownerKey struct {
	application unique.Handle[application]
	subject     string
}

// Very many owners have the same application.
type application struct{ issuer, audience string }

func keyOf(o Owner) ownerKey {
	return ownerKey{unique.Make(application{o.Issuer, o.Audience}), o.Subject}
}

func (k ownerKey) owner() Owner {
	of := k.application.Value()
	return Owner{Issuer: of.issuer, Audience: of.audience, Subject: k.subject}
}

// held returns how many sessions o has in memory.
func (o *memoryOwner) held() int { return len(o.live) + o.countEnded() }

// countEnded returns how many of them were ended.
func (o *memoryOwner) countEnded() int {
	if o.ended == nil {
		return 0
	}
	return len(*o.ended)
}

// compareSessions orders sessions by the time of the login, and those of the same
// millisecond by ID.
func compareSessions(s *memorySession, created int64, id ID) int {
	return cmp.Or(cmp.Compare(s.created, created), bytes.Compare(s.id[:], id[:]))
}

// find returns the index of the first session at or after the given place.
func (o *memoryOwner) find(created int64, id ID) int {
	i, _ := slices.BinarySearchFunc(o.live, struct{}{}, func(s *memorySession, _ struct{}) int { return compareSessions(s, created, id) })
	return i
}

// after returns the index of the first session after the cursor. The zero Cursor is
// before all sessions.
func (o *memoryOwner) after(c Cursor) int {
	i := o.find(c.Created.UnixMilli(), c.ID)
	if i < len(o.live) && o.live[i].id == c.ID {
		i++
	}
	return i
}

// countLive returns how many sessions have not expired.
func (o *memoryOwner) countLive(now int64) (n int) {
	for _, s := range o.live {
		if s.liveAt(now) {
			n++
		}
	}
	return n
}

// add adds the new session s of owner to the shard.
func (shard *memoryShard) add(s *memorySession, owner Owner) {
	key := keyOf(owner)
	o := shard.owners[key]
	if o == nil {
		key.subject = strings.Clone(key.subject)
		o = &memoryOwner{key: key, place: unplaced}
		shard.owners[key] = o
	}
	s.owner = o
	// Unless the clock was set back, s is the last one.
	if last := len(o.live) - 1; last < 0 || compareSessions(o.live[last], s.created, s.id) < 0 {
		o.live = append(o.live, s)
	} else {
		o.live = slices.Insert(o.live, o.find(s.created, s.id), s)
	}
	shard.resized(o)
	shard.sessions[s.id] = s
	heap.Push(&shard.due, s)
}

// remove removes s from the shard, and its owner if that has no other session.
func (shard *memoryShard) remove(s *memorySession) {
	delete(shard.sessions, s.id)
	heap.Remove(&shard.due, int(s.place))
	o := s.owner
	if s.ended == Live {
		o.removeLive(s)
	} else {
		o.removeEnded(s)
	}
	if o.held() == 0 {
		delete(shard.owners, o.key)
	}
	shard.resized(o)
}

// unplaced is the place of an owner that is not in the heap sizes.
const unplaced = -1

// resized updates the heap sizes after the number of o's sessions has changed. Owners
// with one session are not in it: they never lose it to others.
func (shard *memoryShard) resized(o *memoryOwner) {
	switch few := o.held() < 2; {
	case few && o.place != unplaced:
		heap.Remove(&shard.sizes, int(o.place))
		o.place = unplaced
	case few:
	case o.place == unplaced:
		heap.Push(&shard.sizes, o)
	default:
		heap.Fix(&shard.sizes, int(o.place))
	}
}

// removeLive removes s from the live sessions. Most are the oldest one.
func (o *memoryOwner) removeLive(s *memorySession) {
	if i := o.find(s.created, s.id); i > 0 {
		o.live = slices.Delete(o.live, i, i+1)
		return
	}
	o.live[0] = nil
	if o.live = o.live[1:]; len(o.live) == 0 {
		o.live = nil
	}
}

// addEnded adds s, which was just ended and is not in live any more, to ended.
func (o *memoryOwner) addEnded(s *memorySession) {
	if o.ended == nil {
		o.ended = new([]*memorySession)
	}
	s.inEnded = int32(len(*o.ended)) //nolint:gosec // no Memory has as many
	*o.ended = append(*o.ended, s)
}

func (o *memoryOwner) removeEnded(s *memorySession) {
	ended := *o.ended
	last := len(ended) - 1
	moved := ended[last]
	ended[s.inEnded], moved.inEnded = moved, s.inEnded
	ended[last] = nil
	if *o.ended = ended[:last]; last == 0 {
		o.ended = nil
	}
}

// before implements [placed]: the owner with the most sessions comes first.
func (o *memoryOwner) before(other *memoryOwner) bool { return o.held() > other.held() }

func (o *memoryOwner) inHeap() *int32 { return &o.place }
