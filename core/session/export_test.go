package session

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
