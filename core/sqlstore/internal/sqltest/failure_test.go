package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// TestFailures lets each step of each method fail: the method returns an error. When it is
// called again, it does what it would have done.
func TestFailures(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		f := &fragile{database: d, tamper: &tamper{}}
		f.plain, f.db, f.prefix, f.pass = d.tamperedClock(t, f.tamper)
		d.storeIn(t, f.db, sqlstore.Config{Prefix: f.prefix})
		for _, row := range uses {
			t.Run(row.name, func(t *testing.T) {
				f.T = t
				for _, f.tamper.damage = range []bool{false, true} {
					for n := 1; f.fails(n, row.prepare, row.want); n++ {
					}
				}
			})
		}
	})
}

// A fragile database is one that lets a step fail.
type fragile struct {
	*testing.T
	database

	tamper    *tamper
	plain, db *sql.DB // without and with the tamper
	prefix    string
	pass      func(time.Duration) // moves the clock
	meanwhile func(step string)   // happens before a step; nil for nothing
}

var errBroken = errors.New("broken by the test")

// A use calls a method of a store. Its result can be of several calls, if the first ones
// failed.
type use func(ctx context.Context, store *sqlstore.Store) (result string, err error)

// fails lets the step n of a use fail, and reports false if there are fewer.
func (f *fragile) fails(n int, prepare func(*fragile) use, want string) bool {
	f.Helper()
	for _, table := range []string{"sessions", "revocations"} {
		f.do("DELETE FROM %s" + table)
	}
	f.do("UPDATE %sstate SET value = 0 WHERE name = 'removal'")
	f.meanwhile = nil
	use := prepare(f)
	ctx, cancel := context.WithTimeout(f.Context(), 20*time.Second)
	defer cancel()
	var failed string
	f.tamper.refuse = func(step string) error {
		if f.meanwhile != nil {
			f.meanwhile(step)
		}
		switch row := strings.HasPrefix(step, "FETCH"); {
		case f.tamper.damage && (!row || strings.Contains(step, "SELECT seq")): // any value is a key
			return nil
		case step == "ROLLBACK", strings.HasPrefix(step, "DO RELEASE_LOCK"): // after another failure
			return nil
		}
		if n--; n != 0 {
			return nil
		}
		failed = step
		return errBroken
	}
	got, err := use(ctx, f.store())
	f.tamper.refuse = nil
	switch {
	case failed == "":
		if got != want || err != nil {
			f.Errorf("got %s, error %v; want %s", got, err, want)
		}
		return false
	case err == nil && strings.HasPrefix(failed, "PREPARE SELECT"): // which is executed without that
		return true
	case err == nil || !f.tamper.damage && !errors.Is(err, errBroken):
		f.Errorf("got %s, error %v, although this failed: %s", got, err, failed)
	}
	if got, err := use(ctx, f.store()); got != want || err != nil {
		f.Errorf("again, after a failure of %s: got %s, error %v; want %s", failed, got, err, want)
	}
	return !f.Failed()
}

// uses are uses of all methods, with what they need.
var uses = []struct {
	name    string
	prepare func(f *fragile) use
	want    string
}{
	{"Create", func(f *fragile) use {
		n, _ := newSession("alice")
		return f.create(n, session.Bound{})
	}, "alice, 1 live"},
	{"Create again", func(f *fragile) use {
		n, _ := newSession("alice")
		if _, err := f.store().Create(f.Context(), n, session.Bound{}); err != nil {
			f.Fatal(err)
		}
		return f.create(n, session.Bound{})
	}, "alice, 1 live"},
	{"Create at the bound", func(f *fragile) use {
		create(f, f.store(), "alice")
		if f.name == "mariadb" {
			f.do("DELETE FROM %slocks")
		}
		n, _ := newSession("alice")
		return f.create(n, session.Bound{Max: 1})
	}, "alice, 1 live"},
	{"Create far above the bound", func(f *fragile) use {
		store := f.store()
		for range 60 { // more than end in one transaction
			create(f, store, "alice")
		}
		n, _ := newSession("alice")
		return f.create(n, session.Bound{Max: 1})
	}, "alice, 1 live"},
	{"Find", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			r, found, err := store.Find(ctx, p.ID)
			return fmt.Sprint(r.Owner.Subject, ", ", found), err
		}
	}, "alice, true"},
	{"Advance", func(f *fragile) use {
		return f.advance(create(f, f.store(), "alice"), openWindow)
	}, fmt.Sprintf("verdict %d, generation 1, 0 announced", session.Rotated)},
	{"Advance and a conflict", func(f *fragile) use {
		use := f.advance(create(f, f.store(), "alice"), openWindow)
		f.conflict("UPDATE")
		return use
	}, fmt.Sprintf("verdict %d, generation 1, 0 announced", session.Rotated)},
	{"Advance and retire", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		advance(f, f.store(), p, openWindow, session.Rotated, 1)
		p.Generation = 1
		return f.advance(p, retiring)
	}, fmt.Sprintf("verdict %d, generation 2, 1 announced", session.Rotated)},
	{"Advance and end", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		latest := p
		for latest.Generation < 2 {
			advance(f, f.store(), latest, singleUse, session.Rotated, latest.Generation+1)
			latest.Generation++
		}
		return f.advance(p, singleUse)
	}, fmt.Sprintf("verdict %d, generation 2, 1 announced", session.Stolen)},
	{"Confirm", func(f *fragile) use { return f.confirm() }, "2 used, 2 retired"},
	{"Confirm and a conflict", func(f *fragile) use {
		use := f.confirm()
		f.conflict("BEGIN")
		return use
	}, "2 used, 2 retired"},
	{"End", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			live, err := store.End(ctx, p.ID, remember)
			return fmt.Sprint(live), err
		}
	}, "true"},
	{"EndAll", func(f *fragile) use {
		create(f, f.store(), "alice")
		create(f, f.store(), "alice")
		return f.endAll()
	}, "2 ended, 0 live, since true"},
	{"EndAll but one", func(f *fragile) use {
		create(f, f.store(), "alice")
		return f.endAll(create(f, f.store(), "alice").ID)
	}, "1 ended, 1 live, since false"},
	{"List", func(f *fragile) use {
		create(f, f.store(), "alice")
		create(f, f.store(), "alice")
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			records, err := store.List(ctx, ownerOf("alice"), session.Cursor{}, 10)
			return fmt.Sprint(len(records)), err
		}
	}, "2"},
	{"Revoke", func(f *fragile) use {
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			err := store.Revoke(ctx, session.Revocation{Token: "any", Until: time.Now().Add(remember)})
			return fmt.Sprint(f.count("revocations")), err
		}
	}, "1"},
	{"Feed", func(f *fragile) use {
		revoke(f, f.store(), tokenRevoked("one"))
		revoke(f, f.store(), tokenRevoked("two"))
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			var heard []string
			err := store.Feed(ctx, func(r session.Revocation) { heard = append(heard, r.Token) }, cancel)
			if errors.Is(err, context.Canceled) { // it was up to date
				err = nil
			}
			slices.Sort(heard)
			return strings.Join(heard, " "), err
		}
	}, "one two"},
	{"RemoveExpired", func(f *fragile) use {
		create(f, f.store(), "alice")
		p := create(f, f.store(), "alice")
		revoke(f, f.store(), tokenRevoked("removed"))
		revoke(f, f.store(), tokenRevoked("kept")) // as the latest
		f.pass(idle - time.Minute)
		advance(f, f.store(), p, openWindow, session.Rotated, 1)
		f.pass(2 * time.Minute)
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			err := store.RemoveExpired(ctx)
			if err != nil {
				f.pass(time.Minute) // until the next attempt
			}
			return fmt.Sprintf("%d sessions, %d revocations", f.count("sessions"), f.count("revocations")), err
		}
	}, "1 sessions, 1 revocations"},
	{"Check", func(*fragile) use {
		return func(ctx context.Context, store *sqlstore.Store) (string, error) { return "", store.Check(ctx) }
	}, ""},
	{"Migrate", func(f *fragile) use {
		for _, table := range []string{"sessions", "revocations", "state"} {
			f.do("DROP TABLE %s" + table)
		}
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			if err := store.Migrate(ctx); err != nil {
				return "", err
			}
			return fmt.Sprint(f.count("sessions")), nil
		}
	}, "0"},
}

var retiring = session.Policy{Idle: idle, Remember: remember, Retire: true}

func (f *fragile) create(n session.New, bound session.Bound) use {
	return func(ctx context.Context, store *sqlstore.Store) (string, error) {
		r, err := store.Create(ctx, n, bound)
		return fmt.Sprintf("%s, %d live", r.Owner.Subject, f.count("sessions WHERE ended = 0")), err
	}
}

func (f *fragile) advance(p session.Presented, policy session.Policy) use {
	return func(ctx context.Context, store *sqlstore.Store) (string, error) {
		r, verdict, err := store.Advance(ctx, p, policy)
		return fmt.Sprintf("verdict %d, generation %d, %d announced", verdict, r.Generation, f.count("revocations")), err
	}
}

func (f *fragile) confirm() use {
	var confirmations []session.Confirmation
	for range 2 {
		p := create(f, f.store(), "alice")
		advance(f, f.store(), p, openWindow, session.Rotated, 1)
		confirmations = append(confirmations, session.Confirmation{ID: p.ID, Generation: 1})
	}
	return func(ctx context.Context, store *sqlstore.Store) (string, error) {
		err := store.Confirm(ctx, confirmations, retiring)
		return fmt.Sprintf("%d used, %d retired", f.count("sessions WHERE used_at > 0"), f.count("revocations")), err
	}
}

func (f *fragile) endAll(except ...session.ID) use {
	ended := 0
	return func(ctx context.Context, store *sqlstore.Store) (string, error) {
		ids, from, err := store.EndAll(ctx, session.Ending{Owner: ownerOf("alice"), Except: except, Remember: remember, Revoke: remember})
		ended += len(ids)
		return fmt.Sprintf("%d ended, %d live, since %t", ended, f.count("sessions WHERE ended = 0"), !from.IsZero()), err
	}
}

// store returns a new store, which has no prepared statements.
func (f *fragile) store() *sqlstore.Store {
	f.Helper()
	store, err := f.new(f.db, sqlstore.Config{Prefix: f.prefix, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	return store
}

func (f *fragile) do(statement string) { do(f, f.plain, statement, f.prefix) }

// count returns the number of rows.
func (f *fragile) count(rows string) (n int) {
	f.Helper()
	if err := f.plain.QueryRow("SELECT COUNT(*) FROM " + f.prefix + rows).Scan(&n); err != nil {
		f.Fatal(err)
	}
	return n
}

// conflict changes all sessions once, before a step.
func (f *fragile) conflict(before string) {
	f.meanwhile = func(step string) {
		if strings.HasPrefix(step, before) {
			f.meanwhile = nil
			f.do("UPDATE %ssessions SET revision = revision + 1")
		}
	}
}
