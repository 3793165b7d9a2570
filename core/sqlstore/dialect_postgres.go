package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
)

//go:embed schema/postgres.sql
var postgresSchema string

// postgres is the dialect of PostgreSQL. Transactions have the isolation level READ
// COMMITTED, whatever the default is: each statement sees what was committed before
// it, which is what a transaction needs after it has waited for a lock. An UPDATE
// that has waited for a row looks at its condition again. So no step depends on what
// an earlier statement has read without a lock.
type postgres struct{}

// clock_timestamp is the time of the statement, not of the start of the transaction.
func (postgres) clock() string {
	return "CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS bigint)"
}

func (postgres) parameters(statement string) string { return numbered(statement) }
func (postgres) forUpdate() string                  { return " FOR UPDATE" }
func (postgres) prepares() bool                     { return false }
func (postgres) schema() string                     { return postgresSchema }

func (postgres) hasTable() string { return "SELECT COUNT(to_regclass(?))" }

func (postgres) writing(context.Context) (func(), error) { return func() {}, nil }

func (postgres) begin(ctx context.Context, db *sql.DB) (transaction, error) {
	return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

// lockOwner uses an advisory lock, which needs no row. Locks of different owners
// collide with a probability of 2⁻⁶⁴.
func (postgres) lockOwner(ctx context.Context, _ *Store, tx queryer, owner ownerKey) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(binary.BigEndian.Uint64(owner[:]))) //nolint:gosec // any number will do
	return err
}

// The SQLSTATE codes that drivers return; see state.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	uniqueViolation      = "23505"
	diskFull             = "53100"
)

func (postgres) again(err error) bool {
	switch state(err) {
	case serializationFailure, deadlockDetected, uniqueViolation:
		return true
	}
	return false
}

func (postgres) full(err error) bool { return state(err) == diskFull }

// state returns the SQLSTATE of an error of pgx or lib/pq.
func state(err error) string {
	var coded interface{ SQLState() string }
	if errors.As(err, &coded) {
		return coded.SQLState()
	}
	return ""
}

func (d postgres) migrate(ctx context.Context, s *Store, step func(queryer) error) error {
	key := ownerKey(sha256.Sum256([]byte("migrate " + s.config.Prefix)))
	return s.transact(ctx, func(tx queryer) error {
		if err := d.lockOwner(ctx, s, tx, key); err != nil {
			return err
		}
		return step(tx)
	})
}

// minPostgres is the first version that has the functions of package snapshots.
const minPostgres = 130000

func (postgres) check(ctx context.Context, db queryer, warn func(message, setting, value string)) error {
	var version int
	var replica bool
	var fsync, commit string
	err := db.QueryRowContext(ctx, `SELECT CAST(current_setting('server_version_num') AS integer), pg_is_in_recovery(),
		current_setting('fsync'), current_setting('synchronous_commit')`).Scan(&version, &replica, &fsync, &commit)
	switch {
	case err != nil:
		return err
	case version < minPostgres:
		return fmt.Errorf("the server is PostgreSQL %d: use PostgreSQL 13 or later", version/10000)
	case replica:
		return errReplica
	}
	if fsync == "off" {
		warn("a crash of the machine may damage the database: set fsync to on", "fsync", fsync)
	}
	if commit == "off" {
		warn("the server may lose the latest sessions and revocations when it crashes: set synchronous_commit to on", "synchronous_commit", commit)
	}
	return nil
}

var errReplica = errors.New("the server is a replica: use the address of the primary server")

// newReader returns a reader. The numbers of revocations become visible out of
// order: a transaction that takes a number first can commit last. So each row has
// the number of its transaction, and a reader reads exactly the rows that the
// snapshot of the read before did not show: those of transactions that were running
// then, and of later ones. A transaction may run for any time.
func (postgres) newReader() reader { return &postgresReader{snapshot: "1:1:"} }

type postgresReader struct {
	snapshot string // of the last read, in the form xmin:xmax:xip; at first, one that shows nothing
	started  string // when the server started
}

const postgresRead = `
	SELECT s.snapshot, s.advanced, s.started, s.replica, {clock}, ` + revocationColumns + `
	FROM (
		SELECT CAST(pg_current_snapshot() AS text) AS snapshot,
			pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax(CAST(? AS pg_snapshot)) AS advanced,
			CAST(pg_postmaster_start_time() AS text) AS started,
			pg_is_in_recovery() AS replica
	) s
	LEFT JOIN jwtgate_revocations r ON r.xid >= pg_snapshot_xmax(CAST(? AS pg_snapshot))
		OR r.xid = ANY (ARRAY (SELECT pg_snapshot_xip(CAST(? AS pg_snapshot))))`

func (r *postgresReader) read(ctx context.Context, s *Store, pass func(r revocation, now int64)) error {
	rows, err := s.db.QueryContext(ctx, s.text(postgresRead), r.snapshot, r.snapshot, r.snapshot)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var snapshot, started string
	for rows.Next() {
		var advanced, replica bool
		var now int64
		next, found, err := scanRevocation(rows.Scan, &snapshot, &advanced, &started, &replica, &now)
		switch {
		case err != nil:
			return fmt.Errorf("a revocation: %w", err)
		case replica:
			return errReplica
		case !advanced, r.started != "" && r.started != started:
			return errMissed // another server may use the same numbers for other transactions
		case found:
			pass(next, now)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	r.snapshot, r.started = snapshot, started
	return nil
}
