package sqltest

import (
	"bytes"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// A server is a server of a database that the tests start, with its own port and
// directory.
type server struct {
	t       testing.TB
	program string
	user    *syscall.SysProcAttr // the user that runs the server
	dir     string
	port    string
	driver  string
	source  string // of the database, with {addr} for the address
	args    []string
	cmd     *exec.Cmd
}

// startPostgres starts a PostgreSQL server with additional options. It stops when t
// ends.
func startPostgres(t testing.TB, options ...string) *server {
	t.Helper()
	initdb, program := installed(t, "initdb"), installed(t, "postgres")
	s := &server{t: t, program: program, port: freePort(t), driver: "pgx", source: "postgres://postgres@{addr}/postgres?sslmode=disable"}
	s.prepare("postgres")
	s.run(initdb, "--pgdata", s.dir, "--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C")
	s.args = []string{"-D", s.dir, "-p", s.port, "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"}
	for _, option := range options {
		s.args = append(s.args, "-c", option)
	}
	s.start()
	return s
}

// startMariaDB starts a MariaDB server with additional options. It stops when t ends.
func startMariaDB(t testing.TB, options ...string) *server {
	t.Helper()
	install, program := installed(t, "mariadb-install-db"), installed(t, "mariadbd")
	s := &server{t: t, program: program, port: freePort(t), driver: "mysql", source: "root@tcp({addr})/test?interpolateParams=true"}
	s.prepare("mysql")
	data := filepath.Join(s.dir, "data")
	tmp := "--tmpdir=" + s.dir // servers that start at the same time remove the files of each other from /tmp
	s.run(install, "--no-defaults", "--datadir="+data, tmp, "--auth-root-authentication-method=normal", "--innodb-flush-log-at-trx-commit=2")
	s.args = append([]string{"--no-defaults", "--datadir=" + data, tmp, "--port=" + s.port, "--bind-address=127.0.0.1",
		"--socket=" + filepath.Join(s.dir, "socket"), "--pid-file=" + filepath.Join(s.dir, "pid"), "--max-connections=200"}, options...)
	s.start()
	return s
}

// prepare makes the directory of the server. Some servers refuse to run as root, so
// root runs them as another user.
func (s *server) prepare(name string) {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "sqltest") // other users cannot read that of t.TempDir
	if err != nil {
		s.t.Fatal(err)
	}
	s.dir = dir
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Getuid() != 0 {
		return
	}
	who, err := user.Lookup(name)
	if err != nil {
		who, err = user.Lookup("nobody")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(who.Uid, 10, 32)
	gid, _ := strconv.ParseUint(who.Gid, 10, 32)
	s.user = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		s.t.Fatal(err)
	}
}

// run runs a program as the user of the server, and waits for its end.
func (s *server) run(program string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir = s.user, s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// start starts the server, also after kill, and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.program, s.args...)
	s.cmd.SysProcAttr, s.cmd.Dir = s.user, s.dir
	var log bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.cmd
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	db := s.open()
	defer db.Close()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return
		}
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.t.Fatalf("%s does not answer: %v\n%s", s.program, err, &log)
}

// kill kills the server, which is like a crash.
func (s *server) kill() {
	// The main process of PostgreSQL has others, which end when they notice. SIGQUIT
	// ends all of them at once, without a shutdown.
	signal := syscall.SIGKILL
	if s.driver == "pgx" {
		signal = syscall.SIGQUIT
	}
	_ = s.cmd.Process.Signal(signal)
	_ = s.cmd.Wait()
}

func (s *server) addr() string { return "127.0.0.1:" + s.port }

// open returns a database of the server.
func (s *server) open() *sql.DB {
	s.t.Helper()
	return openDB(s.t, s.driver, s.sourceAt(""))
}

// sourceAt returns the data source of the server with additional options.
func (s *server) sourceAt(options string) string {
	return strings.ReplaceAll(s.source, "{addr}", s.addr()) + options
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

// installed returns the path of program, also if Debian has not put it in PATH. If
// program is missing, installed skips the test, or fails it if JWTGATE_REQUIRE is
// set.
func installed(t testing.TB, program string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/sbin/"} {
		if found, _ := filepath.Glob(pattern + program); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	if os.Getenv("JWTGATE_REQUIRE") != "" {
		t.Fatalf("not installed: %s", program)
	}
	t.Skipf("not installed: %s", program)
	return ""
}

// patience is how long a test waits for something that should happen soon.
const patience = 30 * time.Second

// await waits until happened returns true, which other processes cause.
func await(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// do executes a statement that the test does not need the result of.
func do(t testing.TB, db interface {
	Exec(string, ...any) (sql.Result, error)
}, format string, args ...any) {
	t.Helper()
	if _, err := db.Exec(fmt.Sprintf(format, args...)); err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
}
