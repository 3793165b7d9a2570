package sqltest

import (
	"database/sql"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
	_ "modernc.org/sqlite"
)

// A database is one of the kinds of databases that the tests use.
type database struct {
	name   string
	new    func(*sql.DB, sqlstore.Config) (*sqlstore.Store, error)
	driver string
	source func(t testing.TB) string // of a database that all tests share, apart from their prefixes
	clock  string                    // the expression for the time

	// start starts a server for one test. It is nil for SQLite, which has none.
	start func(t testing.TB, options ...string) *server
}

// databases are all kinds of databases. Tests share one server of each kind, because
// starting one takes seconds. Tests that harm a server start their own.
var databases = []database{
	{
		"sqlite", sqlstore.SQLite, "sqlite",
		func(t testing.TB) string { return sqliteSource(filepath.Join(t.TempDir(), "test.db")) },
		"CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)",
		nil,
	},
	{
		"postgres", sqlstore.Postgres, "pgx",
		func(t testing.TB) string { return sharedPostgres.get(t).sourceAt("") },
		"CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS bigint)",
		startPostgres,
	},
	{
		"mariadb", sqlstore.MySQL, "mysql",
		func(t testing.TB) string { return sharedMariaDB.get(t).sourceAt("") },
		"TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000",
		startMariaDB,
	},
}

// The shared servers do not wait for the disk, because no test crashes them.
var (
	sharedPostgres = &shared{start: startPostgres, option: "fsync=off"}
	sharedMariaDB  = &shared{start: startMariaDB, option: "--innodb-flush-log-at-trx-commit=0"}
)

// A shared server is started by the first test that needs it, and stopped by
// TestMain.
type shared struct {
	start  func(t testing.TB, options ...string) *server
	option string
	mu     sync.Mutex
	owner  keeper
	server *server
}

func (s *shared) get(t testing.TB) *server {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server == nil {
		s.owner.TB = t // for the errors of the start
		s.server = s.start(&s.owner, s.option)
	}
	server := *s.server
	server.t = t
	return &server
}

// A keeper is a test that does not end with the test that it stands for.
type keeper struct {
	testing.TB
	cleanups []func()
}

func (k *keeper) Cleanup(f func()) { k.cleanups = append(k.cleanups, f) }

func (k *keeper) end() {
	for len(k.cleanups) > 0 {
		last := len(k.cleanups) - 1
		k.cleanups[last]()
		k.cleanups = k.cleanups[:last]
	}
}

func TestMain(m *testing.M) {
	_ = mysql.SetLogger(log.New(io.Discard, "", 0)) // the tests check the errors
	code := m.Run()
	sharedPostgres.owner.end()
	sharedMariaDB.owner.end()
	os.Exit(code)
}

// sqliteSource returns the data source of a file, with the settings that the package
// documentation recommends, and further ones.
func sqliteSource(file string, options ...string) string {
	source := "file:" + file + "?_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"
	return strings.Join(append([]string{source}, options...), "&")
}

// openDB opens a database that is closed when t ends.
func openDB(t testing.TB, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	return pool(t, db)
}

// pool gives db as many connections as a program would. It closes db when t ends.
func pool(t testing.TB, db *sql.DB) *sql.DB {
	t.Helper()
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// open returns a database that all tests share, apart from their prefixes.
func (d database) open(t testing.TB) *sql.DB {
	t.Helper()
	return openDB(t, d.driver, d.source(t))
}

var prefixes atomic.Int64

// newPrefix returns a prefix that no other test uses.
func newPrefix() string { return fmt.Sprintf("t%d_", prefixes.Add(1)) }

// newStore returns a new, empty store, and its database.
func (d database) newStore(t testing.TB) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := d.open(t)
	return d.storeIn(t, db, sqlstore.Config{Prefix: newPrefix()}), db
}

// storeIn returns a store in db, which has its tables.
func (d database) storeIn(t testing.TB, db *sql.DB, config sqlstore.Config) *sqlstore.Store {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	store, err := d.new(db, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// alone returns d with a server that only t uses, which waits for the disk.
func (d database) alone(t testing.TB, options ...string) database {
	t.Helper()
	if d.start != nil {
		server := d.start(t, options...)
		d.source = func(testing.TB) string { return server.sourceAt("") }
	}
	return d
}

// literal returns the constant expression for an ID.
func (d database) literal(id session.ID) string {
	if d.name == "postgres" {
		return fmt.Sprintf(`CAST('\x%x' AS bytea)`, id[:])
	}
	return fmt.Sprintf("x'%x'", id[:])
}

// each runs a test with each kind of database.
func each(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) { test(t, d) })
	}
}

// eachServer runs a test with each kind of database that has a server, in which
// transactions that write overlap.
func eachServer(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	for _, d := range databases {
		if d.start != nil {
			t.Run(d.name, func(t *testing.T) { test(t, d) })
		}
	}
}
