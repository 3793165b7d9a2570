// Package sqlstore has a [session.Store] in a SQL database: SQLite for the processes
// of one machine, PostgreSQL or MariaDB where a database is there already. It uses
// package database/sql, and imports no driver.
//
//	db, err := sql.Open("sqlite", "file:sessions.db?_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
//	store, err := sqlstore.SQLite(db, sqlstore.Config{})
//	err = store.Migrate(ctx)
//
// # Storage
//
// There is a table of sessions and a table of revocations. Every change of a session
// is one transaction, together with its announcement. The rule of rotation is
// [session.Step], which is called between the read and the write of a session. A
// change that meets another one is repeated until the deadline of the caller, also
// after a deadlock, a serialization failure, and while SQLite is busy.
//
// All times are those of the database's clock. The tables have numbers, labels, and
// a hash of each session's nonce. Nobody can make a token from them. A user that can
// read them learns which subjects are signed in, and with which browsers. A user
// that can write them can act as any subject, so give other users no access.
//
// [Store.Feed] reads the table of revocations 4 times a second. A revocation whose
// transaction commits late, after that of a later one, is not missed: the comments
// at the readers say how each database ensures that. While Feed runs, it also
// removes old rows, in parts, and in one process at a time.
//
// [Store.Migrate] creates the tables, and changes those of an earlier version. Any
// number of processes can call it at the same time. For other tools, [Store.Schema]
// returns the statements.
//
// # SQLite
//
// SQLite 3.42 or later is required. These settings are recommended, here for the
// driver modernc.org/sqlite:
//
//	_pragma=journal_mode(WAL)    calls that read do not wait for those that write
//	_pragma=busy_timeout(100)    how long SQLite waits for another process, in milliseconds; then the Store tries again
//	_pragma=synchronous(FULL)    a commit waits for the disk
//	_pragma=synchronous(NORMAL)  a commit does not wait for the disk, which is several times as fast
//
// Neither setting of synchronous loses anything when the process crashes or is
// killed. When the machine loses power, NORMAL loses the latest commits, and FULL
// loses none. The database is not damaged. What the loss of commits means is
// described below. With synchronous(OFF), a loss of power can damage the database.
//
// A call can return as late as busy_timeout after the end of its context, so the
// timeout should be short. All processes must run on one machine, because the locks
// of SQLite do not work in most network file systems. A database in memory needs
// db.SetMaxOpenConns(1).
//
// # PostgreSQL
//
// PostgreSQL 13 or later is required. The isolation level of the Store's
// transactions is READ COMMITTED, whatever the default is. The user needs SELECT,
// INSERT, UPDATE and DELETE on the tables. The address must be that of the primary
// server. With the pool of pgx, pass stdlib.OpenDBFromPool(pool).
//
// # MariaDB
//
// MariaDB 10.5 or later is required, with tables of InnoDB, which keep
// innodb_flush_log_at_trx_commit = 1. The driver of Go sends a statement with
// parameters in one round trip instead of three if its data source has
// interpolateParams=true. All processes must use the same server of a cluster. MySQL
// has the same dialect, but is not tested.
//
// # Faults
//
// Every call returns by the deadline of its context. After an error, a call can be
// repeated; see [session.Store].
//
//	the server is down, slow, stopped  calls return errors until it is back; feeds end, and package jwtgate starts them again
//	it restarts with its data          nothing is lost
//	it lost its latest commits         sessions are healed when they are refreshed; see below
//	the connection is lost             as if the server was down: the change was made, or not
//	it is full                         no new sessions (session.ErrFull); other calls may return errors, and then change nothing
//	it is read-only                    sessions are found, and nothing is changed
//	the pool has no free connection    calls wait until their deadline
//
// A database that comes back without its latest commits has also lost the
// revocations among them. A session that was ended is live again, and processes that
// start later accept its access tokens until they expire. Processes that received
// the revocation before still refuse these tokens.
package sqlstore
