package session

import "time"

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
		shard.remove(s)
		m.held.Add(-1)
	}
	return true
}

// settled returns what Create returns if it creates no session whether or not there is
// room, and false otherwise.
func (m *Memory) settled(shard *memoryShard, n *New, bound Bound) (r Record, settled bool, err error) {
	shard.mu.Lock()
	defer shard.mu.Unlock()
	now := m.milliseconds()
	s := shard.find(n.ID, now)
	switch {
	case s != nil && s.nonceHash != n.NonceHash:
		return Record{}, true, errTaken
	case s != nil:
		return s.record(), true, nil
	case bound.Refuse && shard.excess(n.Owner, bound, now) > 0:
		return Record{}, true, ErrTooMany
	}
	return Record{}, false, nil
}

// reserve makes room for a session of owner, and reports whether there is any. The
// caller must use the room, or give it back with m.held.Add(-1).
//
// If m is full, and no session has expired, the owner with the most sessions loses
// one, if it has at least two more than owner. So an owner with very many sessions
// can fill m, but does not keep others from signing in.
func (m *Memory) reserve(owner Owner, remember time.Duration) bool {
	if m.held.Add(1) <= m.max {
		return true
	}
	m.sweepAll()
	if m.held.Load() <= m.max || m.evict(owner, remember) {
		return true
	}
	m.held.Add(-1)
	return false
}

// sweepAll sweeps the shards until there is room, or no session is due. A shard
// without calls is not swept otherwise, and could keep m full.
func (m *Memory) sweepAll() {
	now := m.milliseconds()
	for i := range m.shards {
		shard := &m.shards[i]
		for more := true; more; {
			shard.mu.Lock()
			more = m.sweep(shard, now) && m.held.Load() > m.max
			shard.mu.Unlock()
		}
	}
}

// evict removes a session of the owner with the most sessions, and leaves its room
// to the caller.
func (m *Memory) evict(owner Owner, remember time.Duration) bool {
	least := 2 // how many the owner of the session to remove must have
	own := m.shard(owner.Slot())
	own.mu.Lock()
	if o := own.owners[keyOf(owner)]; o != nil {
		least += o.held()
	}
	own.mu.Unlock()
	var largest *memoryShard
	most := least - 1
	for i := range m.shards {
		shard := &m.shards[i]
		shard.mu.Lock()
		if len(shard.sizes) > 0 && shard.sizes[0].held() > most {
			largest, most = shard, shard.sizes[0].held()
		}
		shard.mu.Unlock()
	}
	if largest == nil {
		return false
	}
	largest.mu.Lock()
	defer largest.mu.Unlock()
	if len(largest.sizes) == 0 || largest.sizes[0].held() < least {
		return false // other calls have taken them meanwhile
	}
	m.loseOne(largest, largest.sizes[0], remember)
	return true
}

// loseOne removes a session of o: one that was ended, or else the oldest one, which
// ends.
func (m *Memory) loseOne(shard *memoryShard, o *memoryOwner, remember time.Duration) {
	if o.ended == nil {
		m.end(shard, o.live[0], SignedOut, m.milliseconds(), remember)
	}
	shard.remove((*o.ended)[len(*o.ended)-1])
	m.held.Add(-1)
}
