// Package redisstore has a [session.Store] on Redis or Valkey, for any number of
// processes. The server may be a single server, one found by Sentinel, or a
// cluster.
//
//	client := redis.NewUniversalClient(&redis.UniversalOptions{
//		Addrs:                 []string{"redis.internal:6379"},
//		ContextTimeoutEnabled: true,
//	})
//	store, err := redisstore.New(client, redisstore.Config{})
//
// # Storage
//
// Every method of a [session.Store] that changes something is one script, which
// Redis executes atomically: a session never ends without the announcement of
// its end. All times are those of the server's clock. The store keeps numbers,
// labels, and a hash of each session's nonce. Nobody can make a token from
// them. Every key has a time to live. Its name begins with [Config].Prefix and
// the version of the layout.
//
// Owners are spread over 16 slots. All keys of a slot (its sessions, the list
// of sessions of each owner, and the stream of revocations) have the same
// hash tag, so a cluster keeps them on one server. Replicas are never read.
// While a cluster moves one of these 16 slots to another server, calls for its
// subjects may fail. Move slots when there is little traffic.
//
// # Requirements
//
// The server must be Redis 7.0 or later, or Valkey. Its settings should be
// appendonly yes and maxmemory-policy noeviction; [Store.Check] warns of
// others.
//
// Give the store a user of its own, with these rights:
//
//	ACL SETUSER jwtgate on >password resetkeys ~jwtgate:* -@all
//		+eval +evalsha +time +exists +del +get +mget +set +setrange
//		+pexpiretime +pexpireat +zadd +zcard +zcount +zrange +zrandmember +zrem
//		+xadd +xdel +xrange +xread +info
//
// Replace jwtgate:* if [Config].Prefix is set. [Config].WaitReplicas also
// requires +wait, a database other than 0 +select, and a cluster +command and
// +cluster|slots. The user can neither list nor empty what others keep on the
// server.
//
// Give no other user access. A user that can read these keys learns which
// subjects are signed in, and with which browsers. A user that can write them
// can act as any subject.
//
// # Faults
//
// Every call returns by the deadline of its context. While go-redis waits for a
// reply, it does not notice that a context is canceled before its deadline.
// When a reply is lost, go-redis sends the script again. Each call has a random
// ID, by which a script recognizes that it was executed before, and repeats its
// reply.
//
//	the server is down, slow, stopped  calls return errors until it is back; feeds end, and package jwtgate starts them again
//	it restarts with its data          nothing is lost
//	it lost its latest writes          sessions are healed when they are refreshed; see below
//	it is emptied                      all users have to sign in again; running processes still know what was revoked
//	it is full                         no new sessions (session.ErrFull); existing ones can be refreshed and ended
//	its scripts are flushed            no effect: go-redis sends them again
//	failover                           as a restart, without the writes that the replica did not have
//
// A server that comes back without its latest writes has also lost the
// revocations among them. A session that was ended is live again, and processes
// that start later accept its access tokens until they expire. Processes that
// received the revocation before still refuse these tokens. If that is not
// enough, set [Config].WaitReplicas: the end of a session then waits for
// replicas.
//
// # Upgrades
//
// Processes of this version and of a later one of the same major version can share
// a server, so that they can be replaced one by one. The later version reads all
// that this one writes. Records and revocations that only the later version can
// read have a version number of their own, which this version treats as follows:
//
//	a revocation  is passed over; the first one is a warning in the log
//	a record      is an error for refreshes, which are answered 503; it is not listed, but can be ended
//
// Until the last process is replaced, the earlier ones accept what was revoked in
// the new way, and clients whose session was begun in the new way succeed only on the
// later ones. A version with another layout of the keys shares nothing with this
// one: all users have to sign in again. Its release notes say so.
package redisstore
