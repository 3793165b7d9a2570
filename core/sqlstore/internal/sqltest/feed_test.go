package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// A follower records what a feed announces, until the feed ends.
type follower struct {
	t     *testing.T
	stop  context.CancelFunc
	ended chan error
	mu    sync.Mutex
	heard []session.Revocation
	beats int
}

// follow returns a follower of a new feed, once the feed is up to date.
func follow(t *testing.T, store session.Store) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{t: t, stop: cancel, ended: make(chan error, 1)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		f.ended <- store.Feed(ctx, func(r session.Revocation) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.heard = append(f.heard, r)
		}, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.beats++
		})
	}()
	t.Cleanup(func() { cancel(); <-over })
	f.reads(1)
	return f
}

// reads waits until the feed was up to date n more times.
func (f *follower) reads(n int) {
	f.t.Helper()
	count := func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.beats
	}
	start := count()
	await(f.t, "a feed that is up to date", func() bool { return count() >= start+n })
}

// count returns how many announced revocations are wanted.
func (f *follower) count(wanted func(session.Revocation) bool) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, r := range f.heard {
		if wanted(r) {
			n++
		}
	}
	return n
}

func (f *follower) hears(what string, wanted func(session.Revocation) bool) {
	f.t.Helper()
	await(f.t, what+" is announced", func() bool { return f.count(wanted) > 0 })
}

func ofToken(name string) func(session.Revocation) bool {
	return func(r session.Revocation) bool { return r.Token == name }
}

func ofSession(id session.ID) func(session.Revocation) bool {
	return func(r session.Revocation) bool { return r.Session == id && r.Generation == 0 }
}

// insertToken is a statement that writes the revocation of a token, as the store does.
func insertToken(prefix, token string, now time.Time) string {
	return fmt.Sprintf(`INSERT INTO %srevocations (version, kind, session, generation, token, issuer, subject, from_at, until_at, written_at)
		VALUES (1, 'token', '123456789012345678', 0, '%s', '', '', %d, %d, %d)`,
		prefix, token, now.UnixMilli(), now.Add(remember).UnixMilli(), now.UnixMilli())
}

// A transaction that is held open has taken a number, and commits after others that
// have taken later numbers. Feeds that run, and feeds that start meanwhile, announce
// its revocation when it commits, however long it was open. Until then, they
// announce those of others. SQLite has one writer at a time.
func TestHeldOpen(t *testing.T) {
	eachServer(t, func(t *testing.T, d database) {
		db, prefix := d.open(t), newPrefix()
		store := d.storeIn(t, db, sqlstore.Config{Prefix: prefix})
		revoke(t, store, tokenRevoked("first"))
		before := follow(t, store)
		// The server considers gaps in the numbers before old rows as final.
		old := time.Now().Add(-time.Minute)
		held, gap := begin(t, db), begin(t, db)
		do(t, gap, "%s", insertToken(prefix, "rolled back", old))
		do(t, held, "%s", insertToken(prefix, "held", old))
		do(t, db, "%s", insertToken(prefix, "old", old))
		if err := gap.Rollback(); err != nil {
			t.Fatal(err)
		}
		revoke(t, store, tokenRevoked("other"))
		before.hears("a later revocation", ofToken("other"))
		during := follow(t, store)
		during.hears("a later revocation", ofToken("old"))
		before.reads(4)
		during.reads(4)
		for name, f := range map[string]*follower{"before": before, "during": during} {
			if n := f.count(ofToken("held")) + f.count(ofToken("rolled back")); n != 0 {
				t.Errorf("%s: got %d revocations that are not committed announced; want none", name, n)
			}
		}
		if err := held.Commit(); err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]*follower{"before": before, "during": during, "after": follow(t, store)} {
			f.hears("the revocation of the transaction held open, "+name, ofToken("held"))
		}
		revoke(t, store, tokenRevoked("last"))
		before.hears("the last revocation", ofToken("last"))
		before.reads(4)
		for _, token := range []string{"first", "old", "other", "held", "last"} {
			if n := before.count(ofToken(token)); n != 1 {
				t.Errorf("got %q announced %d times; want once", token, n)
			}
		}
	})
}

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// Many transactions commit in another order than that of their numbers, and some are
// rolled back.
func TestOutOfOrder(t *testing.T) {
	eachServer(t, func(t *testing.T, d database) {
		const writers, each = 8, 25
		db, prefix := d.open(t), newPrefix()
		store := d.storeIn(t, db, sqlstore.Config{Prefix: prefix})
		f := follow(t, store)
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for j := range each {
					tx, err := db.Begin()
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := tx.Exec(insertToken(prefix, fmt.Sprintf("%d-%d", i, j), time.Now().Add(-time.Minute))); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Duration((i*7+j*3)%11) * time.Millisecond) // in which others commit
					if j%5 == 4 {
						_ = tx.Rollback()
					} else if err := tx.Commit(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		late := follow(t, store)
		for i := range writers {
			for j := range each {
				if token := fmt.Sprintf("%d-%d", i, j); j%5 != 4 {
					f.hears(token, ofToken(token))
					late.hears(token, ofToken(token))
				}
			}
		}
	})
}

// The end of a session is announced to another process within half a second, and once.
func TestHeardSoon(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source, config := d.source(t), sqlstore.Config{Prefix: newPrefix()}
		here := d.storeIn(t, openDB(t, d.driver, source), config)
		there := d.storeIn(t, openDB(t, d.driver, source), config)
		f := follow(t, there)
		var fastest, slowest time.Duration
		for i := range 10 {
			p := create(t, here, "alice")
			end(t, here, p.ID)
			start := time.Now()
			for f.count(ofSession(p.ID)) == 0 {
				if time.Since(start) > patience {
					t.Fatal("the end is not announced")
				}
				time.Sleep(time.Millisecond)
			}
			took := time.Since(start)
			slowest = max(slowest, took)
			if i == 0 || took < fastest {
				fastest = took
			}
		}
		t.Logf("announced after %v to %v", fastest, slowest)
		f.reads(2)
		if n := f.count(func(session.Revocation) bool { return true }); n != 10 {
			t.Errorf("got %d announcements; want one for each end", n)
		}
		if fastest > 500*time.Millisecond { // the slowest depends on the load of the machine
			t.Errorf("got %v until the end of a session was announced; want at most half a second", fastest)
		}
	})
}

// Rows of a later version do not end a feed, and are not mistaken for others. Each store
// warns of them once.
func TestLaterVersion(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		db, prefix := d.open(t), newPrefix()
		warned := map[string]func() string{} // by a feed, and by a store without one
		logged := func(name string) sqlstore.Config {
			var log strings.Builder
			var mu sync.Mutex
			warned[name] = func() string {
				mu.Lock()
				defer mu.Unlock()
				return log.String()
			}
			return sqlstore.Config{Prefix: prefix, Logger: slog.New(slog.NewTextHandler(locked{&mu, &log}, nil))}
		}
		store := d.storeIn(t, db, logged("the feed"))
		known, unknown := create(t, store, "alice"), create(t, store, "alice")
		do(t, db, "UPDATE %ssessions SET version = 2 WHERE id = %s", prefix, d.literal(unknown.ID))
		for _, insert := range []string{
			strings.Replace(insertToken(prefix, "later", time.Now()), "(1,", "(2,", 1),
			strings.Replace(insertToken(prefix, "later", time.Now()), "'token'", "'colour'", 1),
		} {
			do(t, db, "%s", insert)
		}
		f := follow(t, store)
		revoke(t, store, tokenRevoked("present"))
		f.hears("a revocation after those of a later version", ofToken("present"))
		if got := f.count(func(r session.Revocation) bool { return r.Token != "present" }); got != 0 {
			t.Errorf("got %d other revocations announced; want none", got)
		}
		if _, found, err := store.Find(t.Context(), unknown.ID); found || err == nil || !strings.Contains(err.Error(), "later version") {
			t.Errorf("Find: got %v, error %v; want an error about a later version", found, err)
		}
		if _, _, err := store.Advance(t.Context(), unknown, openWindow); err == nil || !strings.Contains(err.Error(), "later version") {
			t.Errorf("Advance: got error %v; want one about a later version", err)
		}
		other := d.storeIn(t, db, logged("Confirm"))
		if err := other.Confirm(t.Context(), []session.Confirmation{{ID: unknown.ID}, {ID: known.ID}}, openWindow); err != nil {
			t.Errorf("Confirm: got error %v; want none", err)
		}
		if r, _, err := store.Find(t.Context(), known.ID); err != nil || r.Used.IsZero() {
			t.Errorf("Find: got Used %v, error %v; want the confirmation beside the one of a later version", r.Used, err)
		}
		records, err := store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 10)
		if err != nil || len(records) != 1 || records[0].ID != known.ID {
			t.Errorf("List: got %+v, error %v; want only %v", records, err, known.ID)
		}
		if ended, _, err := store.EndAll(t.Context(), session.Ending{Owner: ownerOf("alice"), Remember: remember, Revoke: remember}); err != nil || len(ended) != 2 {
			t.Errorf("EndAll: got %v, error %v; want both sessions", ended, err)
		}
		for name, log := range warned {
			if log := log(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "later version") {
				t.Errorf("%s: got the log\n%s\nwant one warning about a later version", name, log)
			}
		}
	})
}

// A locked is a writer that a test can read from meanwhile.
type locked struct {
	mu   *sync.Mutex
	text *strings.Builder
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// With MariaDB, a feed ends if the latest revocation that it has read is gone, or another
// one has its number: the server has lost its latest changes.
func TestLostRevocation(t *testing.T) {
	for _, change := range []string{"DELETE FROM %srevocations", "UPDATE %srevocations SET written_at = written_at + 1"} {
		d := databases[2]
		db, prefix := d.open(t), newPrefix()
		store := d.storeIn(t, db, sqlstore.Config{Prefix: prefix})
		revoke(t, store, tokenRevoked("any"))
		changed := false
		err := store.Feed(t.Context(), func(session.Revocation) {}, func() {
			if changed {
				t.Errorf("%s: up to date afterwards", change)
			}
			do(t, db, change, prefix)
			changed = true
		})
		if err == nil || !strings.Contains(err.Error(), "revocations may have been missed") {
			t.Errorf("%s: got error %v; want one that says so", change, err)
		}
	}
}

// With MariaDB, a feed locks no revocations whose numbers follow each other, and none that
// are younger than ten seconds.
func TestNothingToSettle(t *testing.T) {
	for _, row := range []struct {
		name    string
		missing int // a number
		age     time.Duration
	}{
		{"no number missing", 0, time.Minute},
		{"young", 2, 10*time.Second - time.Millisecond},
	} {
		f := newFragile(t, databases[2])
		for range 3 {
			revoke(t, f.store(), tokenRevoked("any"))
		}
		do(t, f.plain, "DELETE FROM %srevocations WHERE seq = %d", f.prefix, row.missing)
		f.pass(row.age)
		f.tamper.refuse = func(step string) error {
			if step == "BEGIN" {
				return errBroken
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		if err := f.store().Feed(ctx, func(session.Revocation) {}, func() {
			if reads++; reads == 2 {
				cancel()
			}
		}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v; want %v", row.name, err, context.Canceled)
		}
	}
}

// With MariaDB, a feed stops waiting for the revocation of a missing number if it can lock
// the revocations around it, and the number is still missing then. It does not read the
// revocations before the last one again.
func TestMissingNumber(t *testing.T) {
	for _, late := range []bool{false, true} {
		f := newFragile(t, databases[2])
		f.revoke(4)
		f.do("DELETE FROM %srevocations WHERE seq = 2")
		f.pass(time.Minute)
		fetched, again := 0, 0 // rows of the first read, and of the second
		f.tamper.refuse = func(step string) error {
			if step == "BEGIN" && late {
				insert := insertToken(f.prefix, "late", time.Now())
				do(t, f.plain, "%s", strings.NewReplacer("(version", "(seq, version", "VALUES (", "VALUES (2, ").Replace(insert))
			}
			if strings.HasPrefix(step, "FETCH SELECT TIMESTAMPDIFF") {
				again++
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		heard, reads := 0, 0
		err := f.store().Feed(ctx, func(r session.Revocation) {
			if r.Token == "late" {
				heard++
			}
		}, func() {
			if reads++; reads == 2 {
				cancel()
			} else {
				fetched, again = again, 0
			}
		})
		if !errors.Is(err, context.Canceled) || fetched < 2 || late != (again > 1) || late != (heard == 1) {
			t.Errorf("late %t: heard it %d times, and read %d of %d rows again, error %v; want one row, or all and the late one", late, heard, again, fetched, err)
		}
	}
}
