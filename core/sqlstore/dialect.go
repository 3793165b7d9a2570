package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// A dialect has everything in which a kind of database differs from the others.
type dialect interface {
	// clock is an expression for the time of the database, in milliseconds since
	// 1970, as an integer. It does not stand still during a transaction.
	clock() string

	// parameters returns a statement with question marks in the form of the
	// database.
	parameters(statement string) string

	// prepares reports whether the most frequent statements are faster if they are
	// prepared by database/sql.
	prepares() bool

	// forUpdate is the end of a SELECT that locks its rows until the end of the
	// transaction.
	forUpdate() string

	// writing waits until this goroutine may write, and returns a function to call
	// afterwards.
	writing(ctx context.Context) (done func(), err error)

	// begin begins a transaction for writing. In it, every statement sees what was
	// committed before that statement.
	begin(ctx context.Context, db *sql.DB) (transaction, error)

	// lockOwner lets no other transaction lock the same owner until the end of tx.
	lockOwner(ctx context.Context, s *Store, tx queryer, owner ownerKey) error

	// again reports whether a transaction that failed with err can succeed if it is
	// repeated.
	again(err error) bool

	// full reports whether err says that the database has no room.
	full(err error) bool

	// newReader returns a reader of the revocations from the first one on.
	newReader() reader

	// schema has the statements of schema version 1, in the form of this package.
	schema() string

	// hasTable is a query for the number of tables with a name.
	hasTable() string

	// migrate calls step in a transaction, or with a lock, so that no other process
	// migrates at the same time.
	migrate(ctx context.Context, s *Store, step func(queryer) error) error

	// check returns an error if the database cannot keep sessions. It calls warn for
	// each setting that can lose some.
	check(ctx context.Context, db queryer, warn func(message, setting, value string)) error
}

// A queryer is a database, a connection, or a transaction.
type queryer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A transaction is a running transaction. Rollback after Commit has no effect.
type transaction interface {
	queryer
	Commit() error
	Rollback() error
}

// A reader reads the table of revocations.
type reader interface {
	// read calls pass, with the time of the database, for each revocation that was
	// committed since the read before, and perhaps for others. It returns an error if
	// it may have missed some.
	read(ctx context.Context, s *Store, pass func(r revocation, now int64)) error
}

// numbered replaces question marks by $1, $2 and so on.
func numbered(statement string) string {
	var text strings.Builder
	for i, part := range strings.Split(statement, "?") {
		if i > 0 {
			text.WriteString("$" + strconv.Itoa(i))
		}
		text.WriteString(part)
	}
	return text.String()
}

// marks returns n question marks with commas between them.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }
