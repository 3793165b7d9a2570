package redisstore_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/redisstore"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/redis/go-redis/v9"
)

// The user of the package documentation has all rights that a Store needs, and no
// others.
func TestAccessControl(t *testing.T) {
	server := startServer(t)
	client, rights := restricted(t, server)
	store := newStore(t, client, redisstore.Config{})
	server.do("CONFIG", "RESETSTAT")
	if err := store.Check(t.Context()); err != nil {
		t.Error(err)
	}
	t.Run("RunStore", func(t *testing.T) { // ends when its parallel tests have ended
		jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest { return jwtgatetest.StoreUnderTest{Store: store} })
	})
	later := create(t, store, "alice") // by a later version; see TestRecordOfLaterVersion
	server.do("SETRANGE", store.Slots()[later.ID.Slot()%16]+":session:"+later.ID.String(), 0, "\xff")
	if live, err := store.End(t.Context(), later.ID, remember); !live || err != nil {
		t.Errorf("end: got live %v, error %v; want true", live, err)
	}

	stats, err := server.client().InfoMap(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, right := range rights {
		command, allowed := strings.CutPrefix(right, "+")
		if _, used := stats["Commandstats"]["cmdstat_"+command]; allowed && !used {
			t.Errorf("the documentation allows %s, which the store does not use", command)
		}
	}
	server.do("SET", "other:key", "secret")
	for _, command := range [][]any{
		{"FLUSHALL"},
		{"FLUSHDB"},
		{"KEYS", "*"},
		{"SCAN", "0"},
		{"CONFIG", "GET", "*"},
		{"ACL", "LIST"},
		{"GET", "other:key"},
		{"EVAL", "return redis.call('GET', 'other:key')", 0},
		{"XREAD", "STREAMS", "other:key", "0"},
		{"DEL", "other:key"},
	} {
		if err := client.Do(t.Context(), command...).Err(); err == nil || !refused.MatchString(err.Error()) {
			t.Errorf("%v: got error %v; want one that says NOPERM", command, err)
		}
	}
}

// refused matches the error of a command, or of a command in a script, that ACLs
// refuse.
var refused = regexp.MustCompile("^NOPERM|^ERR (The user executing the script can't access|ACL failure in script)")

// The rights that the documentation adds are enough for replicas and for a cluster.
func TestAccessControlMore(t *testing.T) {
	works := func(t *testing.T, store session.Store) {
		t.Helper()
		f := follow(t, store)
		p := create(t, store, "alice")
		advance(t, store, p, openWindow, session.Rotated, 1)
		if _, err := store.End(t.Context(), p.ID, remember); err != nil {
			t.Error(err)
		}
		f.hears("an end", ofSession(p.ID))
	}
	t.Run("WaitReplicas", func(t *testing.T) {
		server, replica := startServer(t), startServer(t)
		client, _ := restricted(t, server, "+wait")
		replicate(t, server, replica)
		works(t, newStore(t, client, redisstore.Config{WaitReplicas: 1}))
	})
	t.Run("database 3", func(t *testing.T) {
		server := startServer(t)
		restricted(t, server, "+select")
		client := redis.NewClient(&redis.Options{Addr: server.addr, Username: "jwtgate", Password: "password", DB: 3, ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		works(t, newStore(t, client, redisstore.Config{}))
	})
	t.Run("cluster", func(t *testing.T) {
		options := &redis.ClusterOptions{Username: "jwtgate", Password: "password", ContextTimeoutEnabled: true}
		for _, node := range startCluster(t) {
			restricted(t, node, "+command", "+cluster|slots")
			options.Addrs = append(options.Addrs, node.addr)
		}
		client := redis.NewClusterClient(options)
		t.Cleanup(func() { client.Close() })
		store := newStore(t, client, redisstore.Config{})
		if err := store.Check(t.Context()); err != nil {
			t.Error(err)
		}
		works(t, store)
	})
}

// restricted creates the user of the package documentation, with more rights, and
// returns a client that logs in as that user, and all of its rights.
func restricted(t *testing.T, server *server, more ...string) (*redis.Client, []string) {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "//\tACL SETUSER jwtgate ")
	rule, _, _ := strings.Cut(rest, "//\n")
	if !found {
		t.Fatal("the package documentation creates no user")
	}
	rights := append(strings.Fields(strings.ReplaceAll(rule, "//\t", "")), more...)
	args := []any{"ACL", "SETUSER", "jwtgate"}
	for _, right := range rights {
		args = append(args, right)
	}
	server.do(args...)
	if !slices.Contains(rights, ">password") {
		t.Fatalf("the password of the documentation is not password: %q", rights)
	}
	client := redis.NewClient(&redis.Options{Addr: server.addr, Username: "jwtgate", Password: "password", ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client, rights
}
