package redisstore_test

import (
	"crypto/rand"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

func TestStore(t *testing.T) {
	store := newStore(t, startServer(t).client(), redisstore.Config{})
	jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest { return jwtgatetest.StoreUnderTest{Store: store} })
}

// TestStoreOfOthers runs the suite on the server of the URL in JWTGATE_REDIS, such
// as redis://127.0.0.1:6379, which may be any version of Redis or Valkey. If that
// server has replicas, the store waits for them.
func TestStoreOfOthers(t *testing.T) {
	url := os.Getenv("JWTGATE_REDIS")
	if url == "" {
		t.Skip("JWTGATE_REDIS is not set")
	}
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.ContextTimeoutEnabled = true
	client := redis.NewClient(options)
	t.Cleanup(func() { client.Close() })
	info, err := client.InfoMap(t.Context(), "replication").Result()
	if err != nil {
		t.Fatal(err)
	}
	replicas, _ := strconv.Atoi(info["Replication"]["connected_slaves"])
	store := newStore(t, client, redisstore.Config{Prefix: "jwtgate-test-" + rand.Text(), WaitReplicas: replicas})
	if err := store.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest { return jwtgatetest.StoreUnderTest{Store: store} })
}

func TestStoreInCluster(t *testing.T) {
	nodes := startCluster(t)
	store := newStore(t, clusterClient(t, nodes), redisstore.Config{})
	live := create(t, store, "alice")
	asked := func() (times []string) { // for the masters of the slots
		for _, node := range nodes {
			times = append(times, node.client().InfoMap(t.Context(), "commandstats").Val()["Commandstats"]["cmdstat_cluster|slots"])
		}
		return times
	}
	before := asked()
	for start := time.Now(); time.Since(start) < time.Second/2; { // the client asks a few times a second at most
		for _, id := range []session.ID{live.ID, session.NewID(ownerOf("bob"))} {
			if _, _, err := store.Find(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	if after := asked(); !slices.Equal(after, before) {
		t.Errorf("the client asked the cluster for its masters although there was no error: %q, before %q", after, before)
	}
	jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest { return jwtgatetest.StoreUnderTest{Store: store} })
}

func TestStoreToTheMillisecond(t *testing.T) {
	server := startServer(t)
	jwtgatetest.RunStore(t, func(t *testing.T) jwtgatetest.StoreUnderTest {
		client := server.client()
		store, err := redisstore.NewWithClock(client, redisstore.Config{Prefix: t.Name()}, keyClock)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		now := time.Now().AddDate(1, 0, 0) // so that no key expires in the meantime
		pass := func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
			setClock(t, client, store, now)
		}
		pass(0)
		return jwtgatetest.StoreUnderTest{Store: store, Pass: pass}
	})
}

// keyClock is a clock that reads the time from a key. It replaces clock.lua.
const keyClock = "local now = tonumber(redis.call('GET', string.match(KEYS[1], '^.-}') .. ':now'))\n"

// setClock sets the clock of keyClock to now.
func setClock(t *testing.T, client *redis.Client, store *redisstore.Store, now time.Time) {
	t.Helper()
	if _, err := client.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for _, slot := range store.Slots() {
			pipe.Set(t.Context(), slot+":now", strconv.FormatInt(now.UnixMilli(), 10), 0)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
