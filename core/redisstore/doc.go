// Package redisstore keeps sessions in Redis or Valkey, for any number of
// processes: one server, one found by Sentinel, or a cluster.
//
//	client := redis.NewUniversalClient(&redis.UniversalOptions{
//		Addrs:                 []string{"redis.internal:6379"},
//		ContextTimeoutEnabled: true,
//	})
//	store, err := redisstore.New(client, redisstore.Config{})
//
// # How it is kept
//
// Every step of a [session.Store] that changes something is one script, which Redis
// runs with nothing in between: ending a session and announcing it cannot come
// apart. Time is the server's. What is kept is the hash of each session's nonce,
// numbers and labels: nothing of it can be turned into a token. Every key has a
// time to live, and begins with [Config].Prefix and the version of this scheme.
//
// Subjects are spread over 16 slots. All of a slot (its sessions, its subjects'
// lists of them, the stream of what is revoked) has one hash tag, so a cluster
// has it on one server. Replicas are never read. While a cluster moves one of
// these 16 to another server, steps in it may fail; move them when it is quiet.
//
// # What the server needs
//
// Redis 7.0 or later, or Valkey; of its settings, appendonly yes and
// maxmemory-policy noeviction ([Store.Check] warns of others). Where access is
// limited by ACLs: all keys with the prefix, the commands of the categories read,
// write, scripting and connection, INFO and TIME; in a cluster COMMAND and CLUSTER
// SLOTS; and WAIT where it is configured.
//
// Let no one else in: who reads there learns who is signed in, and by what; who
// writes there can be anyone.
//
// # Faults
//
// No step waits longer than its context's deadline; go-redis does not hear of
// other ends of a context while it waits for an answer. What was not answered it
// sends again: each call of a method has a name of its own, by which the scripts
// know it, and give the answer that was lost.
//
//	the server is down, slow, stopped  errors, until it is back; the feed ends, to be taken up again
//	it restarts with its data          nothing is lost
//	it lost its latest writes          sessions are healed when they are refreshed; see below
//	it is emptied                      all have to sign in; who follows still knows what was revoked
//	it is full                         no new sessions (session.ErrFull), the others go on and can be ended
//	its scripts are flushed            nothing: they are sent again
//	failover                           as a restart, without the writes that the replica had not
//
// A server that comes back without its latest writes has also forgotten what was
// revoked by them: a session that was ended lives again, and processes that start
// later accept its access tokens until they expire; those that had heard of it
// keep to it. Where that is too much, [Config].WaitReplicas has the end of a
// session wait for replicas.
package redisstore
