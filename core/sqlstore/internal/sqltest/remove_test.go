package sqltest

import (
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

func logger(log *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(log, nil)) }

// RemoveExpired removes the rows that no call can return any more, and no others.
func TestRemoveExpired(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db, prefix, pass := d.clocked(t)
		rows := func(table string) (n int) {
			t.Helper()
			if err := db.QueryRow("SELECT COUNT(*) FROM " + prefix + table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		removed := func(sessions, revocations int) {
			t.Helper()
			if err := store.RemoveExpired(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s, r := rows("sessions"), rows("revocations"); s != sessions || r != revocations {
				t.Errorf("%d sessions and %d revocations are left; want %d, %d", s, r, sessions, revocations)
			}
		}
		const many = 250 // more than two parts
		for i := range many {
			n, _ := newSession(fmt.Sprint(i))
			n.Idle = time.Minute
			if _, err := store.Create(t.Context(), n, session.Bound{}); err != nil {
				t.Fatal(err)
			}
			revoke(t, store, session.Revocation{Token: "short", Until: createdAt(t, store, n.ID).Add(time.Minute)})
		}
		rotated, ended := create(t, store, "alice"), create(t, store, "alice")
		end(t, store, ended.ID)
		removed(many+2, many+1)

		pass(idle - time.Minute)
		advance(t, store, rotated, singleUse, session.Rotated, 1) // live for another hour
		f := follow(t, store)
		removed(1, 1) // the ended session is forgotten, and the latest revocation is kept
		pass(30 * time.Second)
		p := create(t, store, "bob")
		end(t, store, p.ID)
		removed(2, 2) // another process may have removed rows within the last minute
		f.hears("a revocation after the removal", ofSession(p.ID))

		pass(idle - 2*time.Minute)
		removed(1, 1)
		if _, found, err := store.Find(t.Context(), rotated.ID); !found || err != nil {
			t.Errorf("found %v, error %v; want the session, which was rotated", found, err)
		}
		pass(2 * time.Minute)
		removed(0, 1)

		short := create(t, store, "carol")
		advance(t, store, short, session.Policy{Idle: 2 * time.Minute, Remember: remember}, session.Rotated, 1)
		pass(2 * time.Minute)
		removed(0, 1)
		f.stop()
	})
}

// createdAt returns when a session was created.
func createdAt(t *testing.T, store session.Store, id session.ID) time.Time {
	t.Helper()
	r, found, err := store.Find(t.Context(), id)
	if !found || err != nil {
		t.Fatalf("found %v, error %v", found, err)
	}
	return r.Created
}

// One of several processes removes rows.
func TestRemoveExpiredByOne(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		var mu sync.Mutex
		deletes := map[int]bool{}
		source, plain, prefix := d.source(t), (*sql.DB)(nil), newPrefix()
		plain = openDB(t, d.driver, source)
		var stores []*sqlstore.Store
		for process := range 8 {
			db := pool(t, (&tamper{rewrite: func(statement string) string {
				if strings.Contains(statement, "ORDER BY due_at") {
					mu.Lock()
					defer mu.Unlock()
					deletes[process] = true
				}
				return statement
			}}).open(plain, source))
			stores = append(stores, d.storeIn(t, db, sqlstore.Config{Prefix: prefix}))
		}
		var wg sync.WaitGroup
		for _, store := range stores {
			wg.Go(func() {
				if err := store.RemoveExpired(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(deletes) != 1 {
			t.Errorf("%d processes removed rows; want 1", len(deletes))
		}
	})
}
