package session

import (
	"context"
	"math"
	"slices"
	"time"
)

// end ends the live session s, announces that, and keeps s for the duration
// remember.
func (m *Memory) end(shard *memoryShard, s *memorySession, why Reason, now int64, remember time.Duration) {
	s.owner.removeLive(s)
	m.announceEnd(shard, s, why, now, remember)
}

// announceEnd is end for a session that is not in the live sessions of its owner any
// more, or is about to be removed from them.
func (m *Memory) announceEnd(shard *memoryShard, s *memorySession, why Reason, now int64, remember time.Duration) {
	s.ended = why
	s.owner.addEnded(s)
	shard.reschedule(s, now+remember.Milliseconds())
	m.feed.announce(Revocation{Session: s.id, From: at(now), Until: at(s.forget())}, at(now))
}

// youngest returns when the youngest session of owner was created.
func (shard *memoryShard) youngest(owner Owner) int64 {
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if o := shard.owners[keyOf(owner)]; o != nil && len(o.live) > 0 {
		return o.live[len(o.live)-1].created
	}
	return 0
}

// endSome ends sessions of e after the cursor that were created until the time last,
// except spared ones: as many as under one lock. It returns their IDs, the cursor to go
// on from, and whether there may be more sessions.
func (m *Memory) endSome(shard *memoryShard, e Ending, after Cursor, last int64, spared map[ID]bool) (ended []ID, next Cursor, more bool) {
	shard.mu.Lock()
	defer shard.mu.Unlock()
	o := shard.owners[keyOf(e.Owner)]
	if o == nil {
		return nil, after, false
	}
	return m.endFrom(shard, o, o.after(after), endSize, last, spared, m.milliseconds(), e.Remember)
}

// endOldest ends the n oldest live sessions of owner.
func (m *Memory) endOldest(shard *memoryShard, owner Owner, n int, now int64, remember time.Duration) {
	m.endFrom(shard, shard.owners[keyOf(owner)], 0, n, math.MaxInt64, nil, now, remember)
}

// endFrom is endSome for at most n sessions from index first on.
func (m *Memory) endFrom(shard *memoryShard, o *memoryOwner, first, n int, last int64, spared map[ID]bool, now int64, remember time.Duration) (ended []ID, next Cursor, more bool) {
	kept, i := first, first
	for ; i < len(o.live) && len(ended) < n && o.live[i].created <= last; i++ {
		s := o.live[i]
		next = Cursor{at(s.created), s.id}
		if spared[s.id] || !s.liveAt(now) {
			o.live[kept] = s
			kept++
			continue
		}
		m.announceEnd(shard, s, SignedOut, now, remember)
		ended = append(ended, s.id)
	}
	if o.live = slices.Delete(o.live, kept, i); len(o.live) == 0 {
		o.live = nil // it may have been long
	}
	return ended, next, len(ended) == n
}

// excess returns how many live sessions owner has too many for a new one within
// bound.
func (shard *memoryShard) excess(owner Owner, bound Bound, now int64) int {
	o := shard.owners[keyOf(owner)]
	if bound.Max <= 0 || o == nil || len(o.live) < bound.Max {
		return 0
	}
	return max(0, o.countLive(now)-bound.Max+1)
}

// endExcess ends sessions of the owner of n as long as it has so many too many that
// they should not be ended under one lock.
func (m *Memory) endExcess(ctx context.Context, n *New, bound Bound) error {
	shard := m.shard(n.ID.Slot())
	for more := bound.Max > 0 && !bound.Refuse; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		shard.mu.Lock()
		now := m.milliseconds()
		more = shard.sessions[n.ID] == nil && shard.excess(n.Owner, bound, now) > endSize
		if more {
			m.endOldest(shard, n.Owner, endSize, now, n.Remember)
		}
		shard.mu.Unlock()
	}
	return nil
}
