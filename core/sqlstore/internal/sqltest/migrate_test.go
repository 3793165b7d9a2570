package sqltest

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// Several processes migrate at the same time, and again.
func TestMigrateAtTheSameTime(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source, config := d.source(t), sqlstore.Config{Prefix: newPrefix()}
		var wg sync.WaitGroup
		for range 8 {
			config.Logger = slog.New(slog.DiscardHandler)
			store, err := d.new(openDB(t, d.driver, source), config)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for range 2 {
					if err := store.Migrate(t.Context()); err != nil {
						t.Errorf("migrate: %v", err)
					}
				}
				if err := store.Check(t.Context()); err != nil {
					t.Errorf("check: %v", err)
				}
				create(t, store, "alice")
			})
		}
		wg.Wait()
		store := d.storeIn(t, openDB(t, d.driver, source), config)
		if records, err := store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 100); err != nil || len(records) != 8 {
			t.Errorf("listed %d sessions, error %v; want 8", len(records), err)
		}
	})
}

// The statements of Schema, executed by another tool, are what Migrate creates.
func TestSchema(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db, prefix := d.open(t), newPrefix()
		store, err := d.new(db, sqlstore.Config{Prefix: prefix, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "call Migrate") {
			t.Errorf("Check without tables: got error %v; want one that names Migrate", err)
		}
		statements := strings.SplitAfter(store.Schema(), ";\n")
		interrupted := len(statements) - 2 // before the last statement, which says that the tables are complete
		for i, statement := range statements {
			if i == interrupted && d.name == "mariadb" {
				if err := store.Check(t.Context()); err == nil {
					t.Error("Check without all tables: got no error")
				}
				if err := store.Migrate(t.Context()); err != nil {
					t.Errorf("Migrate after an interrupted migration: %v", err)
				}
			}
			if strings.TrimSpace(statement) != "" {
				do(t, db, "%s", statement)
			}
		}
		if err := store.Check(t.Context()); err != nil {
			t.Errorf("Check: %v", err)
		}
		if err := store.Migrate(t.Context()); err != nil {
			t.Errorf("Migrate: %v", err)
		}
		advance(t, store, create(t, store, "alice"), openWindow, session.Rotated, 1)
		do(t, db, "UPDATE %sstate SET value = 2 WHERE name = 'version'", prefix) // by a later version
		if err := store.Migrate(t.Context()); err != nil {
			t.Errorf("Migrate with the tables of a later version: %v", err)
		}
		do(t, db, "UPDATE %sstate SET value = 0 WHERE name = 'version'", prefix)
		if err := store.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "version 0") {
			t.Errorf("Check with the tables of an earlier version: got error %v; want one that names it", err)
		}
	})
}

// Stores with different prefixes have no sessions and revocations in common.
func TestPrefix(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db := d.open(t)
		one, two := d.storeIn(t, db, sqlstore.Config{Prefix: newPrefix()}), d.storeIn(t, db, sqlstore.Config{Prefix: newPrefix()})
		p := create(t, one, "alice")
		if _, found, err := two.Find(t.Context(), p.ID); found || err != nil {
			t.Errorf("found %v, error %v; want no session of another prefix", found, err)
		}
		f := follow(t, two)
		end(t, one, p.ID)
		f.reads(3)
		if n := f.count(ofSession(p.ID)); n != 0 {
			t.Errorf("got %d announcements of another prefix; want none", n)
		}
	})
}

// Check warns of settings that can lose sessions.
func TestCheckWarns(t *testing.T) {
	for _, row := range []struct {
		database string
		option   string
		want     []string // the settings
	}{
		{"sqlite", "_pragma=journal_mode(WAL)", nil},
		{"sqlite", "_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)", []string{"synchronous"}},
		{"sqlite", "_pragma=synchronous(FULL)", []string{"journal_mode"}},
		{"postgres", "", []string{"fsync"}},
		{"postgres", "&options=-csynchronous_commit%3Doff", []string{"fsync", "synchronous_commit"}},
		{"mariadb", "", []string{"innodb_flush_log_at_trx_commit"}},
	} {
		t.Run(fmt.Sprint(row.database, row.option), func(t *testing.T) {
			for _, d := range databases {
				if d.name != row.database {
					continue
				}
				source := "file:" + filepath.Join(t.TempDir(), "test.db") + "?" + row.option
				if d.start != nil {
					source = d.source(t) + row.option
				}
				var log strings.Builder
				store := d.storeIn(t, openDB(t, d.driver, source), sqlstore.Config{Prefix: newPrefix(), Logger: logger(&log)})
				if err := store.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := strings.Count(log.String(), "setting=")
				for _, setting := range row.want {
					if !strings.Contains(log.String(), "setting="+setting+" ") {
						got = -1
					}
				}
				if got != len(row.want) {
					t.Errorf("got the log\n%s\nwant a warning of each of %q", &log, row.want)
				}
			}
		})
	}
}

// Check returns an error, or a warning, for what the database answers about itself.
func TestCheckAnswers(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source, tamper := d.source(t), &tamper{}
		db, prefix := pool(t, tamper.open(openDB(t, d.driver, source), source)), newPrefix()
		for _, row := range []struct {
			database, question, answer string
			want                       string // in the error
			warnings                   int
		}{
			{"sqlite", d.clock, "NULL", "use SQLite 3.42 or later", 0}, // its clock has no milliseconds
			{"postgres", "current_setting('server_version_num')", "'129999'", "the server is PostgreSQL 12: use", 0},
			{"postgres", "current_setting('server_version_num')", "'130000'", "", 1},
			{"postgres", "pg_is_in_recovery()", "true", "the server is a replica", 0},
			{"postgres", "current_setting('fsync')", "'on'", "", 0},
			{"mariadb", "@@GLOBAL.read_only", "1", "the server is read-only", 0},
			{"mariadb", "@@GLOBAL.innodb_flush_log_at_trx_commit", "'1'", "", 0},
		} {
			if row.database != d.name {
				continue
			}
			var log strings.Builder
			tamper.rewrite = nil
			store := d.storeIn(t, db, sqlstore.Config{Prefix: prefix, Logger: logger(&log)})
			tamper.rewrite = func(statement string) string { return strings.Replace(statement, row.question, row.answer, 1) }
			err := store.Check(t.Context())
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s is %s: got error %v; want one with %q", row.question, row.answer, err, row.want)
			}
			if got := strings.Count(log.String(), "level=WARN"); got != row.warnings {
				t.Errorf("%s is %s: got the log\n%s\nwant %d warnings", row.question, row.answer, &log, row.warnings)
			}
		}
	})
}

// TestCheckVersion checks which versions of MariaDB and MySQL are too old.
func TestCheckVersion(t *testing.T) {
	for _, d := range databases {
		if d.name != "mariadb" {
			continue
		}
		version, source := "", d.source(t)
		db := pool(t, (&tamper{rewrite: func(statement string) string {
			return strings.Replace(statement, "VERSION()", "'"+version+"'", 1)
		}}).open(openDB(t, d.driver, source), source))
		store := d.storeIn(t, db, sqlstore.Config{Prefix: newPrefix()})
		for _, row := range []struct {
			version string
			old     bool
		}{
			{"5.5.68-MariaDB", true}, {"9.9.1-MariaDB", true}, {"10.4.34-MariaDB", true}, {"10.5.0-MariaDB", false}, {"11.4.2-MariaDB-log", false},
			{"5.7.44", true}, {"7.9.0", true}, {"8.0.36", false}, {"9.1.0", false}, {"of its own", false},
		} {
			version = row.version
			if err := store.Check(t.Context()); (err != nil) != row.old || row.old && !strings.Contains(err.Error(), version) {
				t.Errorf("%s: got error %v; want one: %t", version, err, row.old)
			}
		}
	}
}
