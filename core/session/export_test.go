package session

import (
	"fmt"
	"slices"
)

// ErrTaken is the error of Create if another session has the same ID.
var ErrTaken = errTaken

// MemoryShards is the number of shards of a [Memory].
const MemoryShards = memoryShards

// Held returns how many sessions, owners, entries in the heaps of due
// sessions, and revocations m has in memory.
func (m *Memory) Held() (sessions, owners, due, revocations int) {
	for i := range m.shards {
		shard := &m.shards[i]
		shard.mu.Lock()
		sessions += len(shard.sessions)
		owners += len(shard.owners)
		due += len(shard.due)
		shard.mu.Unlock()
	}
	m.feed.mu.Lock()
	defer m.feed.mu.Unlock()
	for _, part := range m.feed.past {
		revocations += len(part.revocations)
	}
	return sessions, owners, due, revocations
}

// Check returns an error if the parts of m do not agree with each other.
func (m *Memory) Check() error {
	held := int64(0)
	for i := range m.shards {
		shard := &m.shards[i]
		shard.mu.Lock()
		held += int64(len(shard.sessions))
		err := shard.check()
		shard.mu.Unlock()
		if err != nil {
			return err
		}
	}
	if got := m.held.Load(); got != held {
		return fmt.Errorf("got %d as the number of sessions; want %d", got, held)
	}
	return nil
}

func (shard *memoryShard) check() error {
	sessions, several := 0, 0
	for _, o := range shard.owners {
		sessions += o.held()
		if o.held() > 1 {
			several++
		}
		all := slices.Clone(o.live)
		if o.ended != nil {
			all = append(all, *o.ended...)
		}
		for i, s := range all {
			if shard.sessions[s.id] != s || s.owner != o || (s.ended == Live) != (i < len(o.live)) || s.due > s.forget() {
				return fmt.Errorf("the owner %q has %+v", o.key.subject, s)
			}
			if i >= len(o.live) && int(s.inEnded) != i-len(o.live) {
				return fmt.Errorf("inEnded of %+v is not %d", s, i-len(o.live))
			}
		}
	}
	if sessions != len(shard.sessions) || sessions != len(shard.due) || several != len(shard.sizes) {
		return fmt.Errorf("got %d sessions, %d due, %d in sizes; want %d sessions of owners, %d in sizes",
			len(shard.sessions), len(shard.due), len(shard.sizes), sessions, several)
	}
	if !inOrder(shard.due) || !inOrder(shard.sizes) {
		return fmt.Errorf("a heap is not in order: %+v, %+v", shard.due, shard.sizes)
	}
	return nil
}

// inOrder reports whether h is a heap, and its elements know their places.
func inOrder[T placed[T]](h placedHeap[T]) bool {
	for i, element := range h {
		if int(*element.inHeap()) != i || i > 0 && element.before(h[(i-1)/2]) {
			return false
		}
	}
	return true
}
