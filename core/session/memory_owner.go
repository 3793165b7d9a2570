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
	live  []*memorySession // not ended, though some may have expired; ordered by compareSessions
	ended []*memorySession // still remembered; in no order
	place int              // its index in the heap sizes of the shard
}

// An ownerKey is an Owner in little memory: few owners differ in their issuer and
// audience.
type ownerKey struct {
	issuer, audience unique.Handle[string]
	subject          string
}

func keyOf(o Owner) ownerKey {
	return ownerKey{unique.Make(o.Issuer), unique.Make(o.Audience), o.Subject}
}

func (k ownerKey) owner() Owner {
	return Owner{Issuer: k.issuer.Value(), Audience: k.audience.Value(), Subject: k.subject}
}

// held returns how many sessions o has in memory.
func (o *memoryOwner) held() int { return len(o.live) + len(o.ended) }

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

// after returns the index of the first session after the cursor.
func (o *memoryOwner) after(c Cursor) int {
	if c == (Cursor{}) {
		return 0
	}
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
		o = &memoryOwner{key: key}
		shard.owners[key] = o
		heap.Push(&shard.sizes, o)
	}
	s.owner = o
	// Unless the clock was set back, s is the last one.
	if last := len(o.live) - 1; last < 0 || compareSessions(o.live[last], s.created, s.id) < 0 {
		o.live = append(o.live, s)
	} else {
		o.live = slices.Insert(o.live, o.find(s.created, s.id), s)
	}
	heap.Fix(&shard.sizes, o.place)
	shard.sessions[s.id] = s
	heap.Push(&shard.due, s)
}

// remove removes s from the shard, and its owner if that has no other session.
func (shard *memoryShard) remove(s *memorySession) {
	delete(shard.sessions, s.id)
	heap.Remove(&shard.due, s.place)
	o := s.owner
	if s.ended == Live {
		i := o.find(s.created, s.id)
		o.live = slices.Delete(o.live, i, i+1)
	} else {
		o.removeEnded(s)
	}
	if o.held() == 0 {
		delete(shard.owners, o.key)
		heap.Remove(&shard.sizes, o.place)
		return
	}
	heap.Fix(&shard.sizes, o.place)
}

// addEnded adds s, which was just ended and is not in live any more, to ended.
func (o *memoryOwner) addEnded(s *memorySession) {
	s.inEnded = len(o.ended)
	o.ended = append(o.ended, s)
}

func (o *memoryOwner) removeEnded(s *memorySession) {
	last := len(o.ended) - 1
	moved := o.ended[last]
	o.ended[s.inEnded], moved.inEnded = moved, s.inEnded
	o.ended[last] = nil
	if o.ended = o.ended[:last]; last == 0 {
		o.ended = nil
	}
}

// A sizeHeap is a heap of owners. The owner with the most sessions is its first
// element.
type sizeHeap []*memoryOwner

func (h sizeHeap) Len() int           { return len(h) }
func (h sizeHeap) Less(i, j int) bool { return h[i].held() > h[j].held() }

func (h sizeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements [heap.Interface].
func (h *sizeHeap) Push(x any) {
	o := x.(*memoryOwner)
	o.place = len(*h)
	*h = append(*h, o)
}

// Pop implements [heap.Interface].
func (h *sizeHeap) Pop() any {
	last := len(*h) - 1
	o := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return o
}
