package settings

import (
	"cmp"
	"context"
	"database/sql"
	"io"
	"log"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver for sqlite

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// maxConns is the size of the pool of connections to the database. Without a limit,
// a burst of requests opens more connections than servers accept.
const maxConns = 20

// database returns the store at the URL in DATABASE_URL, which has its tables.
func (e *environment) database(value string, logger *slog.Logger) session.Store {
	db, newStore, err := openDatabase(value)
	if err != nil || db == nil { // the text of the error may contain the password
		e.wrong("DATABASE_URL", "is not the URL of a database: use sqlite:FILE, postgres://user:password@host:port/database, or mysql://user:password@host:port/database")
		return nil
	}
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	store, err := newStore(db, sqlstore.Config{Logger: logger})
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err == nil {
		err = store.Check(ctx)
	}
	if err != nil {
		e.wrong("DATABASE_URL", "names a database that cannot be used (%v): start its server, and check the name, the password and the rights, or unset DATABASE_URL to keep sessions in memory", err)
		return nil
	}
	return store
}

// openDatabase returns the database at a URL, and the constructor of its store. It
// returns nil if the URL is of no known form.
func openDatabase(value string) (db *sql.DB, newStore func(*sql.DB, sqlstore.Config) (*sqlstore.Store, error), err error) {
	scheme, rest, _ := strings.Cut(value, ":")
	switch scheme {
	case "sqlite":
		if rest == "" || strings.HasPrefix(rest, ":") { // each connection to :memory: has its own database
			return nil, nil, nil
		}
		db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: rest}).EscapedPath()+
			"?_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
		return db, sqlstore.SQLite, err
	case "postgres", "postgresql":
		config, err := pgx.ParseConfig(value)
		if err != nil {
			return nil, nil, err
		}
		return stdlib.OpenDB(*config), sqlstore.Postgres, nil
	case "mysql":
		db, err = openMySQL(value)
		return db, sqlstore.MySQL, err
	}
	return nil, nil, nil
}

// openMySQL returns the database at a URL. The driver has another form of addresses.
func openMySQL(value string) (*sql.DB, error) {
	u, err := url.Parse(value)
	if err != nil {
		return nil, err
	}
	config, err := mysql.ParseDSN("/?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr = "tcp", net.JoinHostPort(cmp.Or(u.Hostname(), "localhost"), cmp.Or(u.Port(), "3306"))
	config.DBName = strings.TrimPrefix(u.Path, "/")
	config.InterpolateParams = true
	config.Logger = log.New(io.Discard, "", 0) // callers log the errors that they get
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}
