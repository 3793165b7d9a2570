package redisstore_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// With WaitReplicas, calls that end a session or revoke a token return an error
// unless a replica has the change. Other calls do not wait.
func TestWaitReplicas(t *testing.T) {
	master, replica := startServer(t), startServer(t)
	store := newStore(t, master.client(), redisstore.Config{WaitReplicas: 1})
	p, q := create(t, store, "alice"), create(t, store, "alice")
	stolen := create(t, store, "bob")
	advance(t, store, stolen, singleUse, session.Rotated, 1)
	confirm(t, store, stolen.ID, 1)
	n, _ := newSession("alice")
	ends := func(t *testing.T, ok bool) {
		t.Helper()
		for _, row := range []struct {
			name string
			step func() error
		}{
			{"Create at the bound", func() error {
				if ok {
					n, _ = newSession("alice")
				}
				_, err := store.Create(t.Context(), n, session.Bound{Max: 2})
				return err
			}},
			{"End", func() error { _, err := store.End(t.Context(), q.ID, remember); return err }},
			{"End again", func() error { _, err := store.End(t.Context(), q.ID, remember); return err }},
			{"EndAll", func() error { _, _, err := store.EndAll(t.Context(), all("alice")); return err }},
			{"EndAll of none but one", func() error { _, _, err := store.EndAll(t.Context(), all("alice", p.ID)); return err }},
			{"Revoke", func() error { return store.Revoke(t.Context(), tokenRevoked("any")) }},
			{"Stolen", func() error { _, _, err := store.Advance(t.Context(), stolen, singleUse); return err }},
		} {
			if err := row.step(); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "replicas") {
				t.Errorf("%s: got error %v, want one: %v", row.name, err, !ok)
			}
		}
	}
	ends(t, false) // there is no replica
	advance(t, store, create(t, store, "carol"), openWindow, session.Rotated, 1)

	replicate(t, master, replica)
	stolen = create(t, store, "bob")
	advance(t, store, stolen, singleUse, session.Rotated, 1)
	confirm(t, store, stolen.ID, 1)
	q = create(t, store, "alice")
	ends(t, true)

	// A replica that is connected, but does not receive the change.
	replica.signal(syscall.SIGSTOP)
	defer replica.signal(syscall.SIGCONT)
	p = create(t, store, "dave")
	other := newStore(t, master.client(), redisstore.Config{WaitReplicas: 1})
	for _, store := range []session.Store{store, other} {
		if _, err := store.End(t.Context(), p.ID, remember); err == nil {
			t.Error("got no error, although no replica has the end of the session")
		}
	}
}

// When Sentinel names another master, the store and its feeds use that one.
func TestSentinelFailover(t *testing.T) {
	master, replica := startServer(t), startServer(t)
	replicate(t, master, replica)
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(config, []byte("sentinel monitor main 127.0.0.1 "+master.port()+" 1\n"+
		"sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := startServerFrom(t, config, "--sentinel")
	await(t, "the sentinel knows the replica", func() bool {
		return strings.Contains(sentinel.client().Info(t.Context(), "sentinel").Val(), "slaves=1")
	})
	client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: []string{sentinel.addr}, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	store := newStore(t, client, redisstore.Config{WaitReplicas: 1})
	p, ended := create(t, store, "alice"), create(t, store, "bob")
	endOnReplica(t, store, ended.ID)
	f := follow(t, store)
	master.kill()
	_ = f.ends(slack)
	recovers(t, store, p)
	advance(t, store, p, openWindow, session.Rotated, 1)
	advance(t, store, ended, openWindow, session.Revoked, 0)
	await(t, "the feed", func() bool { return followed(t, store) })
}

// While a master of a cluster is down, only its sessions cannot be reached.
// When its replica has taken over, they are there again, and a new feed gets up
// to date.
func TestClusterFailover(t *testing.T) {
	nodes := startCluster(t, "--cluster-require-full-coverage", "no")
	replica := startServer(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t), "--cluster-node-timeout", nodeTimeout)
	nodes[0].do("CLUSTER", "MEET", "127.0.0.1", replica.port(), replica.option("--cluster-port"))
	id := nodes[0].client().Do(t.Context(), "CLUSTER", "MYID").Val()
	await(t, "the replica", func() bool {
		client := replica.client()
		return client.Do(t.Context(), "CLUSTER", "REPLICATE", id).Err() == nil &&
			strings.Contains(client.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	awaitCluster(t, append(nodes, replica))
	store := newStore(t, clusterClient(t, nodes), redisstore.Config{})
	var there, elsewhere session.Presented // nodes[0] has the slots 0 to 4
	for _, subject := range []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "oscar"} {
		if p := create(t, store, subject); p.ID.Slot()%16 < 5 {
			there = p
		} else {
			elsewhere = p
		}
	}
	if there == elsewhere || there.ID == (session.ID{}) {
		t.Fatal("no subject has its slot on the first node")
	}
	advance(t, store, there, openWindow, session.Rotated, 1)
	nodes[0].awaitReplica(store.Slots()[0] + ":barrier")
	following := newStore(t, clusterClient(t, nodes), redisstore.Config{}) // as in a process that makes no other calls
	f := follow(t, following)
	nodes[0].kill()
	_ = f.ends(3 * slack)
	advance(t, store, elsewhere, openWindow, session.Rotated, 1)

	recovers(t, store, there)
	advance(t, store, there, openWindow, session.Reissued, 1)
	await(t, "the feed", func() bool { return followed(t, following) })
}
