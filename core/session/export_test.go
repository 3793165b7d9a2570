package session

// MemoryShards is how many parts a [Memory] has.
const MemoryShards = memoryShards

// Held returns how much m has in memory: nothing may stay behind.
func (m *Memory) Held() (sessions, subjects, due, revocations int) {
	for i := range m.shards {
		shard := &m.shards[i]
		shard.mu.Lock()
		sessions += len(shard.sessions)
		subjects += len(shard.subjects)
		due += len(shard.due)
		shard.mu.Unlock()
	}
	m.feed.mu.Lock()
	defer m.feed.mu.Unlock()
	for _, part := range m.feed.past {
		revocations += len(part.revocations)
	}
	return sessions, subjects, due, revocations
}
