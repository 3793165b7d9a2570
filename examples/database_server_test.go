package examples

import (
	"database/sql"
	"net"
	"os"
	"os/exec"
	accounts "os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
)

// startPostgres starts a PostgreSQL server, which stops when the test ends, and
// returns its DATABASE_URL.
func startPostgres(t *testing.T) string {
	t.Helper()
	initdb, postgres := debian(t, "initdb"), debian(t, "postgres")
	s := newDatabaseServer(t, "postgres")
	s.run(initdb, "--pgdata", s.dir, "--username", "app", "--auth", "trust", "--no-sync")
	url := "postgres://app@127.0.0.1:" + s.port + "/postgres?sslmode=disable"
	s.start("pgx", url, postgres, "-D", s.dir, "-p", s.port, "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200")
	return url
}

// startMariaDB starts a MariaDB server, which stops when the test ends, and returns
// its DATABASE_URL.
func startMariaDB(t *testing.T) string {
	t.Helper()
	install, mariadbd := debian(t, "mariadb-install-db"), debian(t, "mariadbd")
	s := newDatabaseServer(t, "mysql")
	data := filepath.Join(s.dir, "data")
	tmp := "--tmpdir=" + s.dir // servers that start at the same time remove the files of each other from /tmp
	s.run(install, "--no-defaults", "--datadir="+data, tmp, "--auth-root-authentication-method=normal")
	s.start("mysql", "root@tcp(127.0.0.1:"+s.port+")/test", mariadbd, "--no-defaults", "--datadir="+data, tmp, "--port="+s.port, "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(s.dir, "socket"), "--pid-file="+filepath.Join(s.dir, "pid"), "--innodb-flush-log-at-trx-commit=0")
	return "mysql://root@127.0.0.1:" + s.port + "/test"
}

// A databaseServer is a server of a database for one test. Some servers refuse to run
// as root, so root runs them as another user.
type databaseServer struct {
	t    *testing.T
	dir  string
	port string
	user *syscall.SysProcAttr
}

func newDatabaseServer(t *testing.T, name string) *databaseServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "examples") //nolint:usetesting // another user cannot read that of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_ = listener.Close()
	s := &databaseServer{t: t, dir: dir, port: port}
	if os.Getuid() != 0 {
		return s
	}
	who, err := accounts.Lookup(name)
	if err != nil {
		who, err = accounts.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.ParseUint(who.Uid, 10, 32)
	gid, _ := strconv.ParseUint(who.Gid, 10, 32)
	s.user = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a program as the user of the server, and waits for its end.
func (s *databaseServer) run(program string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir = s.user, s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// start starts the server, and waits until it answers.
func (s *databaseServer) start(driver, source, program string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir = s.user, s.dir
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGQUIT); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	db, err := sql.Open(driver, source)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for deadline := time.Now().Add(patience); db.Ping() != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not answer: %v", program, db.Ping())
		}
	}
}

// debian returns the path of a program, also if Debian has not put it in PATH.
func debian(t *testing.T, program string) string {
	t.Helper()
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/sbin/"} {
		if found, _ := filepath.Glob(pattern + program); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	return installed(t, program)
}
