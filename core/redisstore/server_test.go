package redisstore_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A server is a redis-server that one test starts, with its own port and
// directory.
type server struct {
	t    testing.TB
	addr string
	args []string
	cmd  *exec.Cmd
}

// startServer starts a server with the given options. It is stopped when the
// test ends.
func startServer(t testing.TB, options ...string) *server {
	t.Helper()
	return startServerFrom(t, "", append([]string{"--save", "", "--repl-diskless-sync-delay", "0"}, options...)...)
}

// startServerFrom is startServer with a configuration file.
func startServerFrom(t testing.TB, config string, options ...string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{
		t:    t,
		addr: "127.0.0.1:" + port,
		args: append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir()}, options...),
	}
	if config != "" {
		s.args = append([]string{config}, s.args...)
	}
	s.start()
	t.Cleanup(s.kill)
	return s
}

// start starts the server, also after kill, and waits until it is ready.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(installed(s.t, "redis-server"), s.args...)
	output, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var log strings.Builder
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		fmt.Fprintln(&log, lines.Text())
		if strings.Contains(lines.Text(), "Ready to accept connections") || strings.Contains(lines.Text(), "Sentinel ID is") {
			go func() {
				for lines.Scan() { // the server would block if nobody read its output
				}
			}()
			return
		}
	}
	s.t.Fatalf("redis-server does not start: %s", &log)
}

// kill kills the server, which is like a crash.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// signal sends a signal, such as SIGSTOP and SIGCONT, to the server.
func (s *server) signal(signal syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// client returns a client of the server that a Store can use.
func (s *server) client() *redis.Client {
	s.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
	s.t.Cleanup(func() { client.Close() })
	return client
}

// do executes a command whose reply the test does not need.
func (s *server) do(args ...any) {
	s.t.Helper()
	if err := s.client().Do(context.Background(), args...).Err(); err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
}

// replicate makes replica a replica of master, and waits until it has all data.
func replicate(t *testing.T, master, replica *server) {
	t.Helper()
	replica.do("REPLICAOF", "127.0.0.1", master.port())
	await(t, "replication", func() bool {
		return strings.Contains(replica.client().Info(t.Context(), "replication").Val(), "master_link_status:up") &&
			master.client().Wait(t.Context(), 1, time.Second).Val() == 1
	})
}

// awaitReplica waits until a replica has every write that the server has
// executed so far. WAIT covers only the writes of its own connection.
// Replication preserves the order of all writes, so this method writes key, and
// waits for that write on the same connection.
func (s *server) awaitReplica(key string) {
	s.t.Helper()
	ctx := context.Background()
	conn := s.client().Conn()
	defer conn.Close()
	if err := conn.Set(ctx, key, "", time.Minute).Err(); err != nil {
		s.t.Fatal(err)
	}
	if n, err := conn.Wait(ctx, 1, 20*time.Second).Result(); n < 1 || err != nil {
		s.t.Fatalf("got %d replicas with the latest write, error %v, want 1", n, err)
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// installed returns the path of program. If program is missing, installed skips
// the test, or fails it if JWTGATE_REQUIRE is set.
func installed(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("JWTGATE_REQUIRE") != "" {
		t.Fatalf("not installed: %s", program)
	}
	t.Skipf("not installed: %s", program)
	return ""
}

// nodeTimeout is how long a node of a cluster may be silent, in milliseconds,
// before the others regard it as failed. On a busy machine, a shorter time
// makes nodes that work seem failed, and the cluster refuse commands.
const nodeTimeout = "2000"

// startCluster starts a cluster of three masters, which share the hash slots.
func startCluster(t testing.TB, options ...string) []*server {
	t.Helper()
	var nodes []*server
	for i := range 3 {
		node := startServer(t, append(options, "--cluster-enabled", "yes", "--cluster-port", freePort(t), "--cluster-node-timeout", nodeTimeout)...)
		node.do("CLUSTER", "ADDSLOTSRANGE", i*16384/3, (i+1)*16384/3-1)
		node.do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		nodes = append(nodes, node)
	}
	for _, node := range nodes[1:] {
		nodes[0].do("CLUSTER", "MEET", "127.0.0.1", node.port(), node.option("--cluster-port"))
	}
	awaitCluster(t, nodes)
	return nodes
}

// awaitCluster waits until all nodes know each other, and accept commands.
func awaitCluster(t testing.TB, nodes []*server) {
	t.Helper()
	known := fmt.Sprintf("cluster_known_nodes:%d\r", len(nodes))
	await(t, "the cluster", func() bool {
		for _, node := range nodes {
			info := node.client().ClusterInfo(t.Context()).Val()
			if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, known) {
				return false
			}
		}
		return true
	})
}

func (s *server) port() string { return s.option("--port") }

// option returns the value of an option of the command line.
func (s *server) option(name string) string {
	for i, arg := range s.args {
		if arg == name {
			return s.args[i+1]
		}
	}
	return ""
}

// clusterClient returns a client of the cluster of nodes.
func clusterClient(t testing.TB, nodes []*server) *redis.ClusterClient {
	t.Helper()
	options := &redis.ClusterOptions{ContextTimeoutEnabled: true}
	for _, node := range nodes {
		options.Addrs = append(options.Addrs, node.addr)
	}
	client := redis.NewClusterClient(options)
	t.Cleanup(func() { client.Close() })
	return client
}

// await waits until happened returns true, which other processes cause.
func await(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 seconds", what)
		}
	}
}
