package sqlstore

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

//go:embed schema/mysql.sql
var mysqlSchema string

// mysql is the dialect of MariaDB. Transactions have the isolation level READ
// COMMITTED, for the reasons given at postgres, and because the default, REPEATABLE
// READ, also locks the gaps between rows, which leads to deadlocks. An UPDATE always
// sees the latest version of its rows.
type mysql struct{}

// UTC_TIMESTAMP does not depend on the time zone of the session, where the hour of the
// change to winter time has two meanings.
func (mysql) clock() string {
	return "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"
}

func (mysql) parameters(statement string) string { return statement }
func (mysql) forUpdate() string                  { return " FOR UPDATE" }
func (mysql) prepares() bool                     { return true }
func (mysql) schema() string                     { return mysqlSchema }

func (mysql) hasTable() string {
	return "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?"
}

func (mysql) writing(context.Context) (func(), error) { return func() {}, nil }

func (mysql) begin(ctx context.Context, db *sql.DB) (transaction, error) {
	return db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

// locks is the number of rows of the table of locks.
const locks = 512

// lockOwner locks the row of the owner, because the server has no locks with
// arbitrary names that end with the transaction. It adds a row that is missing, which
// happens if the tables were emptied.
func (mysql) lockOwner(ctx context.Context, s *Store, tx queryer, owner ownerKey) error {
	row := binary.BigEndian.Uint16(owner[:]) % locks
	var n int
	err := tx.QueryRowContext(ctx, s.text("SELECT n FROM jwtgate_locks WHERE n = ? FOR UPDATE"), row).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.ExecContext(ctx, s.text("INSERT INTO jwtgate_locks (n) VALUES (?) ON DUPLICATE KEY UPDATE n = VALUES(n)"), row)
	}
	return err
}

// The numbers of errors; see is.
const (
	duplicateEntry  = 1062
	recordChanged   = 1020 // with innodb_snapshot_isolation
	lockWaitTimeout = 1205
	deadlock        = 1213
	nowait          = 3572 // MySQL; MariaDB has lockWaitTimeout
	diskIsFull      = 1021
	tableIsFull     = 1114
)

func (mysql) again(err error) bool {
	return is(err, duplicateEntry, recordChanged, lockWaitTimeout, deadlock)
}

func (mysql) full(err error) bool { return is(err, diskIsFull, tableIsFull) }

// is reports whether err is an error of the server with one of the numbers. The error
// of the driver has the number in its text only, for code that does not import the
// driver.
func is(err error, numbers ...int) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		text, found := strings.CutPrefix(err.Error(), "Error ")
		for _, number := range numbers {
			if found && strings.HasPrefix(text, strconv.Itoa(number)) {
				return true
			}
		}
	}
	return false
}

// migrate uses a lock, because statements that create tables commit the transaction.
func (mysql) migrate(ctx context.Context, s *Store, step func(queryer) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for locked := false; !locked; {
		var got sql.NullInt64 // 0 if another connection has the lock after a second
		if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(SHA1(CONCAT(DATABASE(), ?)), 1)", ".migrate "+s.config.Prefix).Scan(&got); err != nil {
			return err
		}
		locked = got.Int64 == 1
	}
	defer func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(SHA1(CONCAT(DATABASE(), ?)))", ".migrate "+s.config.Prefix)
	}()
	return step(conn)
}

func (mysql) check(ctx context.Context, db queryer, warn func(message, setting, value string)) error {
	var version, flush string
	var readOnly bool
	if err := db.QueryRowContext(ctx, "SELECT VERSION(), @@GLOBAL.read_only, @@GLOBAL.innodb_flush_log_at_trx_commit").Scan(&version, &readOnly, &flush); err != nil {
		return err
	}
	oldest := [2]int{8, 0}
	if strings.Contains(version, "MariaDB") {
		oldest = [2]int{10, 5}
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err == nil && (major < oldest[0] || major == oldest[0] && minor < oldest[1]) {
		return fmt.Errorf("the server is %s: use MariaDB 10.5 or later", version)
	}
	if readOnly {
		return fmt.Errorf("the server is read-only: use the address of the primary server")
	}
	if flush != "1" {
		warn("the server may lose the latest sessions and revocations when it crashes: set innodb_flush_log_at_trx_commit to 1", "innodb_flush_log_at_trx_commit", flush)
	}
	return nil
}
