package session

import "container/heap"

// sweep handles a few due sessions of shard. It removes a session whose time to
// be forgotten has come, and reschedules the others. It reports whether more
// sessions may be due.
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

// makeRoom sweeps the shards until m is not full any more, or no session is
// due. A shard without calls is not swept otherwise, and could keep m full.
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
