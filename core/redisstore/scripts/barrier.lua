-- Store.awaitReplicas. This script writes a key that nothing reads. A replica
-- that has this write has all writes before it.
redis.call('SET', slot .. ':barrier', attempt, 'PX', 60000)
return 1
