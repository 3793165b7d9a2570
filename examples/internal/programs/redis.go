package programs

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Redis is a Redis or Valkey server with its own port and directory. Its data is
// there after a crash.
type Redis struct {
	Port string

	t       T
	path    string
	dir     string
	options []string
	cmd     *exec.Cmd
}

// StartRedis starts a server with these additional options of the command line. It
// stops when the test ends.
func StartRedis(t T, options ...string) *Redis {
	t.Helper()
	r := &Redis{t: t, path: Installed(t, "redis-server", "valkey-server"), dir: t.TempDir(), options: options}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, r.Port, _ = net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	r.Start()
	t.Cleanup(r.Kill)
	return r
}

// URL returns the value of REDIS_URL for the server.
func (r *Redis) URL() string { return "redis://127.0.0.1:" + r.Port + "/0" }

// Start starts the server again after Kill, and waits until it answers.
func (r *Redis) Start() {
	r.t.Helper()
	args := append([]string{"--bind", "127.0.0.1", "--port", r.Port, "--dir", r.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always", "--logfile", "redis.log"}, r.options...)
	r.cmd = exec.Command(r.path, args...) //nolint:gosec // the Redis that is installed
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); r.ping() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(r.dir, "redis.log"))
			r.t.Fatalf("Redis does not answer: %v\n%s", r.ping(), log)
		}
	}
}

func (r *Redis) ping() error {
	switch line, err := r.send("PING", time.Second); {
	case err != nil:
		return err
	case line != "+PONG\r\n" && !strings.HasPrefix(line, "-NOAUTH"):
		return fmt.Errorf("got %q", line)
	}
	return nil
}

// Do sends a command that the server must answer with OK.
func (r *Redis) Do(command string) {
	r.t.Helper()
	if line, err := r.send(command, 10*time.Second); line != "+OK\r\n" {
		r.t.Fatalf("%s: got %q, %v", command, line, err)
	}
}

// DropClients closes the connections of all clients, in the middle of their commands.
func (r *Redis) DropClients() { _, _ = r.send("CLIENT KILL TYPE normal", time.Second) }

// send sends a command, and returns the first line of the reply.
func (r *Redis) send(command string, timeout time.Duration) (string, error) {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+r.Port, time.Second)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(timeout))
	_, _ = fmt.Fprint(conn, command+"\r\n")
	return bufio.NewReader(conn).ReadString('\n')
}

// Kill ends the server like a crash.
func (r *Redis) Kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// Signal sends s to the server.
func (r *Redis) Signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) }
