package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed schema/sqlite.sql
var sqliteSchema string

// sqlite is the dialect of SQLite. One transaction writes at a time, so there are no
// locks of rows. A transaction that writes has the lock of the database from its
// start (BEGIN IMMEDIATE): one that reads first cannot write if another has written
// since.
//
// SQLite waits for the lock of the database by trying again after pauses, and in no
// order. So the goroutines of this process take turns by themselves, and only other
// processes make the database busy.
type sqlite struct{ turn chan struct{} }

func newSQLite() sqlite { return sqlite{make(chan struct{}, 1)} }

// unixepoch returns a floating-point number, which is rounded here because it may be
// a little less than the whole millisecond.
func (sqlite) clock() string { return "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)" }

func (sqlite) parameters(statement string) string { return statement }
func (sqlite) forUpdate() string                  { return "" }
func (sqlite) prepares() bool                     { return true }
func (sqlite) schema() string                     { return sqliteSchema }

func (sqlite) hasTable() string { return "SELECT COUNT(*) FROM sqlite_master WHERE name = ?" }

func (d sqlite) writing(ctx context.Context) (func(), error) {
	select {
	case d.turn <- struct{}{}:
		return func() { <-d.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (sqlite) begin(ctx context.Context, db *sql.DB) (transaction, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return sqliteTransaction{conn}, nil
}

// A sqliteTransaction is a transaction that was not begun by database/sql, which
// cannot begin an immediate one.
type sqliteTransaction struct{ *sql.Conn }

func (t sqliteTransaction) Commit() error {
	_, err := t.ExecContext(context.Background(), "COMMIT")
	if err != nil {
		return errors.Join(err, t.Rollback())
	}
	return t.Close()
}

func (t sqliteTransaction) Rollback() error {
	_, err := t.ExecContext(context.Background(), "ROLLBACK")
	if err != nil && !strings.Contains(err.Error(), "no transaction is active") { // SQLite rolls back by itself after some errors
		_ = t.Raw(func(any) error { return driver.ErrBadConn }) // removes the connection from the pool
		return err
	}
	return t.Close()
}

func (sqlite) lockOwner(context.Context, *Store, queryer, ownerKey) error { return nil }

// again and full use the texts of SQLite itself, which are the same with all
// drivers.
func (sqlite) again(err error) bool {
	return says(err, "database is locked", "database table is locked", "sessions.id") // the last one after UNIQUE constraint failed
}

func (sqlite) full(err error) bool { return says(err, "database or disk is full") }

func says(err error, texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

func (d sqlite) migrate(ctx context.Context, s *Store, step func(queryer) error) error {
	return s.transact(ctx, step)
}

func (d sqlite) check(ctx context.Context, db queryer, warn func(message, setting, value string)) error {
	var version, journal string
	var synchronous int
	var clock sql.NullInt64
	err := errors.Join(
		db.QueryRowContext(ctx, "SELECT sqlite_version(), "+d.clock()).Scan(&version, &clock),
		db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal),
		db.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous),
	)
	if err != nil {
		return err
	}
	if !clock.Valid {
		return fmt.Errorf("the driver has SQLite %s, whose clock has no milliseconds: use SQLite 3.42 or later", version)
	}
	if journal != "wal" {
		warn("calls wait for each other, and a crash of the machine may damage the database: set journal_mode to WAL", "journal_mode", journal)
	}
	if synchronous == 0 {
		warn("a crash of the machine may damage the database: set synchronous to NORMAL or FULL", "synchronous", "OFF")
	}
	return nil
}

// newReader returns a reader. There is one writer at a time, so the numbers of
// revocations become visible in their order.
func (sqlite) newReader() reader { return &sqliteReader{} }

type sqliteReader struct{ last int64 }

func (r *sqliteReader) read(ctx context.Context, s *Store, pass func(r revocation, now int64)) error {
	rows, err := s.db.QueryContext(ctx, s.text("SELECT {clock}, "+revocationColumns+" FROM jwtgate_revocations r WHERE r.seq > ? ORDER BY r.seq"), r.last)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var now int64
		next, _, err := scanRevocation(rows.Scan, &now)
		if err != nil {
			return fmt.Errorf("a revocation: %w", err)
		}
		pass(next, now)
		r.last = next.seq
	}
	return rows.Err()
}
