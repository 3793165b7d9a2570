package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"testing"

	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// A fake database answers statements by functions, in place of the driver of a database.
type fake struct {
	query func(ctx context.Context) (driver.Rows, error)
	exec  func(statement string) error // nil for no effect
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return fakeConn{fake: f}, nil }
func (f *fake) Driver() driver.Driver                        { return nil }

type fakeConn struct {
	driver.Conn
	*fake
}

func (fakeConn) Close() error { return nil }

func (c fakeConn) QueryContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Rows, error) {
	return c.query(ctx)
}

func (c fakeConn) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	if c.exec == nil {
		return driver.RowsAffected(0), nil
	}
	return driver.RowsAffected(0), c.exec(statement)
}

var silent = slog.New(slog.DiscardHandler)

// newStore returns a store on a fake database, as one of SQLite.
func newStore(t *testing.T, f *fake, logger *slog.Logger) *sqlstore.Store {
	t.Helper()
	db := sql.OpenDB(f)
	t.Cleanup(func() { _ = db.Close() })
	store, err := sqlstore.SQLite(db, sqlstore.Config{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	return store
}
