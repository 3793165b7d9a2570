package sqltest

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// clocked returns a store whose clock is a row of a table, its database and prefix,
// and a function that moves the clock.
func (d database) clocked(t *testing.T) (*sqlstore.Store, *sql.DB, string, func(time.Duration)) {
	t.Helper()
	plain, db, prefix, pass := d.tamperedClock(t, &tamper{})
	return d.storeIn(t, db, sqlstore.Config{Prefix: prefix}), plain, prefix, pass
}

// tamperedClock returns a database, and the same one with a tamper that replaces the clock
// by a row of a table. It also returns the prefix for a store, and a function that moves
// the clock.
func (d database) tamperedClock(t *testing.T, tamper *tamper) (plain, db *sql.DB, prefix string, pass func(time.Duration)) {
	t.Helper()
	source, prefix := d.source(t), newPrefix()
	plain, table := openDB(t, d.driver, source), prefix+"clock"
	do(t, plain, "CREATE TABLE %s (now BIGINT NOT NULL)", table)
	do(t, plain, "INSERT INTO %s VALUES (%d)", table, time.Now().UnixMilli())
	tamper.rewrite = func(statement string) string {
		return strings.ReplaceAll(statement, d.clock, "(SELECT now FROM "+table+")")
	}
	var mu sync.Mutex
	return plain, pool(t, tamper.open(plain, source)), prefix, func(pass time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		do(t, plain, "UPDATE %s SET now = now + %d", table, pass.Milliseconds())
	}
}

// TestStoreToTheMillisecond runs the suite with a clock that the tests move. Each of its
// tests makes tables anew, which takes servers minutes. The times are computed in Go, so
// one database is enough for them.
func TestStoreToTheMillisecond(t *testing.T) {
	if testing.Short() {
		t.Skip("TestStore is enough for the race detector")
	}
	each(t, func(t *testing.T, d database) {
		if d.start != nil {
			t.Skip("SQLite is enough")
		}
		jwtgatetest.RunStore(t, func(t *testing.T) jwtgatetest.StoreUnderTest {
			store, _, _, pass := d.clocked(t)
			return jwtgatetest.StoreUnderTest{Store: store, Pass: pass}
		})
	})
}
