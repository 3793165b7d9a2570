package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// slack is how late a call may return on a busy machine.
const slack = 3 * time.Second

// fails calls every method with a deadline, and checks that each call returns an
// error in time. It returns one of the errors.
func fails(t *testing.T, store session.Store, p session.Presented, deadline time.Duration) error {
	t.Helper()
	var last error
	n, _ := newSession("mallory")
	for name, step := range map[string]func(ctx context.Context) error{
		"Create":  func(ctx context.Context) error { _, err := store.Create(ctx, n, session.Bound{Max: 3}); return err },
		"Find":    func(ctx context.Context) error { _, _, err := store.Find(ctx, p.ID); return err },
		"Advance": func(ctx context.Context) error { _, _, err := store.Advance(ctx, p, openWindow); return err },
		"Confirm": func(ctx context.Context) error {
			return store.Confirm(ctx, []session.Confirmation{{ID: p.ID}}, openWindow)
		},
		"End": func(ctx context.Context) error { _, err := store.End(ctx, p.ID, remember); return err },
		"EndAll": func(ctx context.Context) error {
			_, _, err := store.EndAll(ctx, session.Ending{Owner: n.Owner, Remember: remember, Revoke: remember})
			return err
		},
		"List":   func(ctx context.Context) error { _, err := store.List(ctx, n.Owner, session.Cursor{}, 10); return err },
		"Revoke": func(ctx context.Context) error { return store.Revoke(ctx, tokenRevoked("mallory's")) },
		"Feed": func(ctx context.Context) error {
			return store.Feed(ctx, func(session.Revocation) {}, func() { t.Error("up to date") })
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		start := time.Now()
		last = step(ctx)
		if took := time.Since(start); last == nil || took > deadline+slack {
			t.Errorf("%s: got error %v after %v; want one within %v", name, last, took, deadline)
		}
		cancel()
	}
	return last
}

// A crash of the server, under load, loses nothing that was acknowledged: sessions
// that were ended stay ended, and no client that repeats its request is signed out.
func TestKilledUnderLoad(t *testing.T) {
	eachServer(t, func(t *testing.T, d database) {
		const clients, crashes = 8, 2
		server := d.start(t)
		db := server.open()
		store := d.storeIn(t, db, sqlstore.Config{})
		f := follow(t, store)
		var over atomic.Bool
		var rotated, refused atomic.Int64
		var mu sync.Mutex
		var ended []session.Presented
		var wg sync.WaitGroup
		call := func(step func(ctx context.Context) error) bool {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			err := step(ctx)
			if err != nil {
				refused.Add(1)
			}
			return err == nil
		}
		for i := range clients {
			p := create(t, store, fmt.Sprint("client ", i))
			wg.Go(func() {
				for turn := 0; !over.Load(); turn++ {
					call(func(ctx context.Context) error {
						r, verdict, err := store.Advance(ctx, p, singleUse)
						if err == nil && !verdict.Good() {
							t.Errorf("client %d: got verdict %d; want a good one", i, verdict)
						}
						if err == nil {
							p.Generation = r.Generation
							rotated.Add(1)
						}
						return err
					})
					n, q := newSession(fmt.Sprint("leaving ", i))
					created := call(func(ctx context.Context) error { _, err := store.Create(ctx, n, session.Bound{Max: 5}); return err })
					if created && call(func(ctx context.Context) error { _, err := store.End(ctx, q.ID, remember); return err }) {
						mu.Lock()
						ended = append(ended, q)
						mu.Unlock()
					}
				}
			})
		}
		for range crashes {
			progress := rotated.Load() + 100
			await(t, "rotations", func() bool { return rotated.Load() > progress })
			server.kill()
			server.start()
		}
		progress := rotated.Load() + 100
		await(t, "rotations after the crashes", func() bool { return rotated.Load() > progress })
		over.Store(true)
		wg.Wait()
		select {
		case err := <-f.ended:
			if err == nil || errors.Is(err, context.Canceled) {
				t.Errorf("the feed ended with %v; want an error of the connection", err)
			}
		default: // the server was back before the next read, and the feed has gone on
			for _, p := range ended {
				f.hears("an end", ofSession(p.ID))
			}
		}
		again := follow(t, store)
		for _, p := range ended {
			again.hears("an end", ofSession(p.ID))
			if _, verdict, err := store.Advance(t.Context(), p, openWindow); verdict != session.Revoked || err != nil {
				t.Fatalf("got verdict %d, error %v for a session that was ended; want %d", verdict, err, session.Revoked)
			}
		}
		t.Logf("%d rotations, %d ends, %d errors", rotated.Load(), len(ended), refused.Load())
		if len(ended) == 0 || refused.Load() == 0 {
			t.Errorf("got %d ends and %d errors; want some of each", len(ended), refused.Load())
		}
	})
}

// If the server does not answer, every call returns at its deadline. When it answers
// again, the store works.
func TestStopped(t *testing.T) {
	eachServer(t, func(t *testing.T, d database) {
		if d.name == "postgres" {
			t.Log("the processes of its connections go on, so only new connections hang")
		}
		server := d.start(t)
		db := server.open()
		store := d.storeIn(t, db, sqlstore.Config{})
		p := create(t, store, "alice")
		db.SetMaxIdleConns(0) // each call connects
		_ = server.cmd.Process.Signal(syscall.SIGSTOP)
		err := fails(t, store, p, 300*time.Millisecond)
		_ = server.cmd.Process.Signal(syscall.SIGCONT)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got error %v; want %v", err, context.DeadlineExceeded)
		}
		await(t, "the store answers", func() bool { _, _, err := store.Find(t.Context(), p.ID); return err == nil })
	})
}

// If a connection is cut between a commit and its answer, the change was made. The
// caller repeats the call, which changes nothing more.
func TestAnswerLost(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source, prefix := d.source(t), newPrefix()
		plain := openDB(t, d.driver, source)
		var marker atomic.Pointer[string] // the beginning of the statement whose answer is lost
		db := pool(t, (&tamper{lose: func(statement string) bool {
			wanted := marker.Load()
			return wanted != nil && strings.HasPrefix(statement, *wanted) && marker.CompareAndSwap(wanted, nil)
		}}).open(plain, source))
		store := d.storeIn(t, db, sqlstore.Config{Prefix: prefix})
		f := follow(t, d.storeIn(t, plain, sqlstore.Config{Prefix: prefix}))
		lose := func(statement string, step func() error) {
			t.Helper()
			marker.Store(&statement)
			if err := step(); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: got error %v; want that of the lost connection", statement, err)
			}
			if marker.Load() != nil {
				t.Fatalf("no %s was executed", statement)
			}
		}

		n, p := newSession("alice")
		begin := func() error { _, err := store.Create(t.Context(), n, session.Bound{Max: 1}); return err }
		lose("COMMIT", begin)
		if err := begin(); err != nil {
			t.Errorf("Create again: got error %v; want none", err)
		}
		lose("UPDATE", func() error { _, _, err := store.Advance(t.Context(), p, singleUse); return err })
		advance(t, store, p, singleUse, session.Reissued, 1)
		p.Generation = 1
		advance(t, store, p, singleUse, session.Rotated, 2)

		lose("COMMIT", func() error { _, err := store.End(t.Context(), p.ID, remember); return err })
		if live, err := store.End(t.Context(), p.ID, remember); live || err != nil {
			t.Errorf("End again: got live %v, error %v; want false, none", live, err)
		}
		f.hears("the end", ofSession(p.ID))
		if n := f.count(ofSession(p.ID)); n != 1 {
			t.Errorf("got the end announced %d times; want once", n)
		}

		q := create(t, store, "bob")
		all := session.Ending{Owner: ownerOf("bob"), Remember: remember, Revoke: remember}
		lose("COMMIT", func() error { _, _, err := store.EndAll(t.Context(), all); return err })
		if ended, _, err := store.EndAll(t.Context(), all); len(ended) != 0 || err != nil {
			t.Errorf("EndAll again: got %v, error %v; want none", ended, err)
		}
		f.hears("the end", ofSession(q.ID))
		lose("INSERT", func() error { return store.Revoke(t.Context(), tokenRevoked("lost")) })
		f.hears("the revocation", ofToken("lost"))
	})
}

// The victim of a deadlock is repeated.
func TestDeadlock(t *testing.T) {
	eachServer(t, func(t *testing.T, d database) {
		db, prefix := d.open(t), newPrefix()
		store := d.storeIn(t, db, sqlstore.Config{Prefix: prefix})
		do(t, db, "CREATE TABLE %sother (n INT)", prefix)
		for range 5 {
			if storeIsVictim(t, d, db, prefix, store) {
				return
			}
			// On a busy machine, the victim can be the other transaction.
		}
		t.Error("the store was not the victim of any of 5 deadlocks")
	})
}

// storeIsVictim makes a deadlock of the store and another transaction. It reports false if
// the other transaction is the victim.
func storeIsVictim(t *testing.T, d database, db *sql.DB, prefix string, store *sqlstore.Store) bool {
	t.Helper()
	p, q := create(t, store, "alice"), create(t, store, "alice")
	if string(p.ID[:]) > string(q.ID[:]) {
		p, q = q, p
	}
	lock := func(id session.ID) string {
		return fmt.Sprintf("UPDATE %ssessions SET limit_at = limit_at + 1 WHERE id = %s", prefix, d.literal(id))
	}
	tx := begin(t, db)
	for i := range 100 { // so that MariaDB does not choose this transaction as the victim
		do(t, tx, "INSERT INTO %sother VALUES (%d)", prefix, i)
	}
	do(t, tx, "%s", lock(q.ID))
	confirmed := make(chan error, 1)
	go func() {
		confirmed <- store.Confirm(t.Context(), []session.Confirmation{{ID: q.ID}, {ID: p.ID}}, openWindow)
	}()
	waiting := "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'"
	if d.name == "postgres" {
		waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
	}
	await(t, "the store has the lock of one session and waits for the other", func() bool {
		var n int
		return db.QueryRow(waiting).Scan(&n) == nil && n > 0
	})
	_, victim := tx.ExecContext(t.Context(), lock(p.ID))
	if victim == nil {
		victim = tx.Commit()
	} else {
		_ = tx.Rollback()
	}
	if err := <-confirmed; err != nil {
		t.Errorf("got error %v; want none", err)
	}
	for _, id := range []session.ID{p.ID, q.ID} {
		if r, _, err := store.Find(t.Context(), id); err != nil || r.Used.IsZero() {
			t.Errorf("got Used %v, error %v; want some", r.Used, err)
		}
	}
	return victim == nil
}
