package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Config configures a [Store]. The zero value is ready to use.
type Config struct {
	_ [0]func()

	// Prefix is the beginning of the names of all tables and indexes: up to 32
	// lower-case letters, digits and underscores that begin with a letter. Stores
	// with the same Prefix in the same database share their sessions. The default
	// is jwtgate_.
	Prefix string

	// PollInterval is the time between two reads of the revocations by
	// [Store.Feed], at most half a second. The end of a session is known to every
	// process that much later, at most. The default is a quarter of a second.
	PollInterval time.Duration

	// Logger receives the warnings of [Store.Check], one warning if there are rows
	// of a later version of this package, and the errors of the removal of old
	// rows. The default is slog.Default().
	Logger *slog.Logger
}

const (
	defaultPrefix       = "jwtgate_"
	defaultPollInterval = 250 * time.Millisecond
	maxPollInterval     = 500 * time.Millisecond
)

var prefixes = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// A Store is a [session.Store] in a SQL database. It is safe for concurrent use. A
// Store does not need to be closed. The caller closes the database.
type Store struct {
	db      *sql.DB
	config  Config
	dialect dialect
	texts   sync.Map // the statements in the form of the dialect; see text
	ready   sync.Map // the prepared statements; see prepared

	unknown sync.Once // the warning of an unknown version
}

var _ session.Store = (*Store)(nil)

// SQLite returns a Store in the SQLite database db, for the processes of one
// machine. See the package documentation for the settings of db. SQLite does not use
// db; [Store.Migrate] creates the tables. The error lists all mistakes in the
// arguments, each with the name of its field.
func SQLite(db *sql.DB, config Config) (*Store, error) { return newStore(db, config, newSQLite()) }

// Postgres returns a Store in the PostgreSQL database db. It is like [SQLite]
// otherwise.
func Postgres(db *sql.DB, config Config) (*Store, error) { return newStore(db, config, postgres{}) }

// MySQL returns a Store in the MariaDB database db. It is like [SQLite] otherwise.
func MySQL(db *sql.DB, config Config) (*Store, error) { return newStore(db, config, mysql{}) }

func newStore(db *sql.DB, config Config, d dialect) (*Store, error) {
	var mistakes []error
	wrong := func(format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("sqlstore: "+format, args...))
	}
	if db == nil {
		wrong("db is nil: pass the result of sql.Open")
	}
	if config.Prefix == "" {
		config.Prefix = defaultPrefix
	}
	if !prefixes.MatchString(config.Prefix) {
		wrong("Config.Prefix is %q: use up to 32 lower-case letters, digits and underscores that begin with a letter", config.Prefix)
	}
	if config.PollInterval == 0 {
		config.PollInterval = defaultPollInterval
	}
	if config.PollInterval < 0 || config.PollInterval > maxPollInterval {
		wrong("Config.PollInterval is %v: use at most %v, or zero for %v", config.PollInterval, maxPollInterval, defaultPollInterval)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	return &Store{db: db, config: config, dialect: d}, nil
}

// text returns a statement in the form that the database reads. In the code of this
// package, tables have the default prefix, parameters are question marks, and
// {clock} is the clock of the database in milliseconds since 1970.
func (s *Store) text(statement string) string {
	if text, ok := s.texts.Load(statement); ok {
		return text.(string)
	}
	text := strings.ReplaceAll(statement, defaultPrefix, s.config.Prefix)
	text = strings.ReplaceAll(text, "{clock}", s.dialect.clock())
	text = s.dialect.parameters(text)
	s.texts.Store(statement, text)
	return text
}

// failed returns err with the name of the step in front. If ctx is done, the
// returned error wraps the error of ctx.
func failed(ctx context.Context, step string, err error) error {
	if err == nil {
		return nil
	}
	deadline, ok := ctx.Deadline()
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case ok && !time.Now().Before(deadline): // the connection timed out just before ctx
		err = context.DeadlineExceeded
	}
	return fmt.Errorf("sqlstore: %s: %w", step, err)
}
