package sqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// A database that is read-only finds sessions, and changes none.
func TestReadOnly(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source, config := d.source(t), sqlstore.Config{Prefix: newPrefix()}
		store := d.storeIn(t, openDB(t, d.driver, source), config)
		p := create(t, store, "alice")
		options := map[string]string{
			"sqlite":   "&_pragma=query_only(1)",
			"postgres": "&options=-cdefault_transaction_read_only%3Don",
			"mariadb":  "&tx_read_only=1",
		}
		readOnly, err := d.new(openDB(t, d.driver, source+options[d.name]), config)
		if err != nil {
			t.Fatal(err)
		}
		if r, found, err := readOnly.Find(t.Context(), p.ID); !found || err != nil || r.ID != p.ID {
			t.Errorf("Find: got %v, error %v; want the session", found, err)
		}
		n, _ := newSession("bob")
		for name, step := range map[string]func(ctx context.Context) error{
			"Create":  func(ctx context.Context) error { _, err := readOnly.Create(ctx, n, session.Bound{Max: 1}); return err },
			"Advance": func(ctx context.Context) error { _, _, err := readOnly.Advance(ctx, p, openWindow); return err },
			"End":     func(ctx context.Context) error { _, err := readOnly.End(ctx, p.ID, remember); return err },
			"Revoke":  func(ctx context.Context) error { return readOnly.Revoke(ctx, tokenRevoked("any")) },
		} {
			start := time.Now()
			err := step(t.Context())
			if err == nil || errors.Is(err, session.ErrFull) || time.Since(start) > slack {
				t.Errorf("%s: got error %v after %v; want one at once, and not %v", name, err, time.Since(start), session.ErrFull)
			}
		}
		f := follow(t, readOnly)
		advance(t, store, p, openWindow, session.Rotated, 1) // nothing has changed, and nothing is locked
		end(t, store, p.ID)
		f.hears("an end, to the feed of the read-only database", ofSession(p.ID))
	})
}

// A database without room creates no sessions, and ends none. When there is room
// again, new ones can be created.
func TestFull(t *testing.T) {
	for _, row := range []struct {
		database string
		store    func(t *testing.T) (store *sqlstore.Store, makeRoom func())
	}{
		{"sqlite", func(t *testing.T) (*sqlstore.Store, func()) {
			d := databases[0]
			db := openDB(t, d.driver, d.source(t))
			db.SetMaxOpenConns(1) // the limit is one of the connection
			store := d.storeIn(t, db, sqlstore.Config{})
			do(t, db, "PRAGMA max_page_count = 60")
			return store, func() { do(t, db, "PRAGMA max_page_count = 1000000") }
		}},
		{"postgres", func(t *testing.T) (*sqlstore.Store, func()) {
			d := databases[1]
			server := d.start(t)
			small := smallDisk(t, server)
			db := server.open()
			do(t, db, "CREATE TABLESPACE small LOCATION '%s'", small)
			do(t, db, "CREATE DATABASE test TABLESPACE small")
			test := openDB(t, d.driver, strings.Replace(server.sourceAt(""), "/postgres?", "/test?", 1))
			store := d.storeIn(t, test, sqlstore.Config{})
			return store, func() {
				if out, err := exec.Command("mount", "-o", "remount,size=64m", small).CombinedOutput(); err != nil {
					t.Fatalf("mount: %v\n%s", err, out)
				}
			}
		}},
		{"mariadb", func(t *testing.T) (*sqlstore.Store, func()) {
			d := databases[2]
			server := d.start(t, "--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:20M")
			db := server.open()
			return d.storeIn(t, db, sqlstore.Config{}), nil // there is no room again without a restart
		}},
	} {
		t.Run(row.database, func(t *testing.T) {
			store, makeRoom := row.store(t)
			var tokens []session.Presented
			var err error
			for i := 0; err == nil && i < 100_000; i++ {
				n, p := newSession(fmt.Sprint("user ", i))
				n.UserAgent = strings.Repeat("a browser ", 100)
				if _, err = store.Create(t.Context(), n, session.Bound{}); err == nil {
					tokens = append(tokens, p)
				}
			}
			if !errors.Is(err, session.ErrFull) || len(tokens) == 0 {
				t.Fatalf("got error %v after %d sessions; want %v", err, len(tokens), session.ErrFull)
			}
			n, p := newSession("bob")
			if _, err := store.Create(t.Context(), n, session.Bound{Max: 3}); err == nil { // smaller than those above
				tokens = append(tokens, p)
			} else if !errors.Is(err, session.ErrFull) {
				t.Errorf("got error %v; want %v", err, session.ErrFull)
			}
			t.Logf("full after %d sessions", len(tokens))
			// In SQLite, the row of a session grows at its first rotation.
			for _, p := range tokens[:3] {
				if _, verdict, err := store.Advance(t.Context(), p, openWindow); verdict != session.Rotated && (row.database != "sqlite" || err == nil) {
					t.Errorf("Advance: got verdict %d, error %v; want %d", verdict, err, session.Rotated)
				}
			}
			if makeRoom == nil {
				return
			}
			makeRoom()
			for _, p := range tokens[:3] {
				if r, verdict, err := store.Advance(t.Context(), p, openWindow); !verdict.Good() || r.Generation != 1 {
					t.Errorf("Advance: got verdict %d, generation %d, error %v; want a good one, 1", verdict, r.Generation, err)
				}
			}
			q := create(t, store, "carol")
			f := follow(t, store)
			end(t, store, q.ID)
			f.hears("an end", ofSession(q.ID))
		})
	}
}

// smallDisk mounts a small file system for the user of a server, which only root can.
func smallDisk(t *testing.T, s *server) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := filepath.Join(s.dir, "small")
	s.run("/bin/mkdir", dir)
	owner := fmt.Sprintf("size=16m,mode=700,uid=%d,gid=%d", s.user.Credential.Uid, s.user.Credential.Gid)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", owner, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system can be mounted here: %v, %s", err, out)
	}
	t.Cleanup(func() {
		s.kill()
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return dir
}

// If all connections of the pool are in use, calls wait until their deadline, and
// work afterwards. One connection is enough for everything.
func TestPoolExhausted(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db := d.newStore(t)
		p := create(t, store, "alice")
		db.SetMaxOpenConns(1)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := fails(t, store, p, 200*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v; want %v", err, context.DeadlineExceeded)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		f := follow(t, store)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				n, q := newSession("bob")
				if _, err := store.Create(t.Context(), n, session.Bound{Max: 8}); err != nil {
					t.Errorf("Create: %v", err)
				}
				if _, _, err := store.Advance(t.Context(), p, openWindow); err != nil {
					t.Errorf("Advance: %v", err)
				}
				if i%2 == 0 {
					if _, err := store.End(t.Context(), q.ID, remember); err != nil {
						t.Errorf("End: %v", err)
					}
				}
			})
		}
		wg.Wait()
		end(t, store, p.ID)
		f.hears("an end", ofSession(p.ID))
	})
}

// Of 64 refreshes at the same time, through two processes, one rotates the session,
// and the others get the same token.
func TestRaceOfTwoProcesses(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source, config := d.source(t), sqlstore.Config{Prefix: newPrefix()}
		stores := []*sqlstore.Store{d.storeIn(t, openDB(t, d.driver, source), config), d.storeIn(t, openDB(t, d.driver, source), config)}
		for _, policy := range []session.Policy{openWindow, singleUse} {
			p := create(t, stores[0], "alice")
			var verdicts [64]session.Verdict
			var wg sync.WaitGroup
			start := make(chan struct{})
			for i := range verdicts {
				wg.Go(func() {
					<-start
					r, verdict, err := stores[i%2].Advance(t.Context(), p, policy)
					if err != nil || r.Generation != 1 {
						t.Errorf("got generation %d, error %v; want 1, none", r.Generation, err)
					}
					verdicts[i] = verdict
				})
			}
			close(start)
			wg.Wait()
			count := map[session.Verdict]int{}
			for _, v := range verdicts {
				count[v]++
			}
			if count[session.Rotated] != 1 || count[session.Reissued] != 63 {
				t.Errorf("got verdicts %v; want one %d and 63 of %d", count, session.Rotated, session.Reissued)
			}
		}
	})
}

// While another process holds the lock of SQLite, calls return at their deadline,
// apart from the busy timeout. They succeed if the lock is free before that.
func TestBusy(t *testing.T) {
	d := databases[0]
	source, config := d.source(t), sqlstore.Config{Prefix: newPrefix()}
	store, other := d.storeIn(t, openDB(t, d.driver, source), config), openDB(t, d.driver, source)
	p := create(t, store, "alice")
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(statement string) {
		t.Helper()
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("BEGIN IMMEDIATE")
	if _, found, err := store.Find(t.Context(), p.ID); !found || err != nil {
		t.Errorf("Find: got %v, error %v; want the session, without a lock", found, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, _, err := store.Advance(ctx, p, openWindow); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > slack {
		t.Errorf("got error %v after %v; want %v", err, time.Since(start), context.DeadlineExceeded)
	}
	time.AfterFunc(500*time.Millisecond, func() { exec("COMMIT") })
	advance(t, store, p, openWindow, session.Rotated, 1)
}
