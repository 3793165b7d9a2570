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

// A use calls a method of a store. If it is called again after a failure, its result covers
// all calls, because each of them may have done a part.
type use func(ctx context.Context, store *sqlstore.Store) (result string, err error)

// uses are uses of all methods, with what they need.
var uses = []struct {
	name    string
	steps   string // with SQLite; see TestSteps
	prepare func(f *fragile) use
	want    string
}{
	{"Create", "SELECT INSERT", func(f *fragile) use {
		n, _ := newSession("alice")
		return f.create(n, session.Bound{})
	}, "alice, 1 live"},
	{"Create again", "SELECT SELECT", func(f *fragile) use {
		n, _ := newSession("alice")
		if _, err := f.store().Create(f.Context(), n, session.Bound{}); err != nil {
			f.Fatal(err)
		}
		return f.create(n, session.Bound{})
	}, "alice, 1 live"},
	{"Create at the bound", "BEGIN OWNED OWNED DUE INSERT INSERT COMMIT", func(f *fragile) use {
		create(f, f.store(), "alice")
		if f.name == "mariadb" {
			f.do("DELETE FROM %slocks")
		}
		n, _ := newSession("alice")
		return f.create(n, session.Bound{Max: 1})
	}, "alice, 1 live"},
	{"Create far above the bound", "BEGIN OWNED OWNED DUE INSERT COMMIT BEGIN OWNED OWNED DUE INSERT INSERT COMMIT", func(f *fragile) use {
		create(f, f.store(), "alice")
		f.copy(99) // as many as end in two transactions
		n, _ := newSession("alice")
		return f.create(n, session.Bound{Max: 1})
	}, "alice, 1 live"},
	{"Find", "PREPARE select", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			r, found, err := store.Find(ctx, p.ID)
			return fmt.Sprint(r.Owner.Subject, ", ", found), err
		}
	}, "alice, true"},
	{"Advance", "PREPARE select PREPARE update", func(f *fragile) use {
		return f.advance(create(f, f.store(), "alice"), openWindow)
	}, fmt.Sprintf("verdict %d, generation 1, 0 announced", session.Rotated)},
	{"Advance and a conflict", "PREPARE select PREPARE update BEGIN SELECT UPDATE COMMIT", func(f *fragile) use {
		use := f.advance(create(f, f.store(), "alice"), openWindow)
		f.conflict("UPDATE")
		return use
	}, fmt.Sprintf("verdict %d, generation 1, 0 announced", session.Rotated)},
	{"Advance and retire", "PREPARE select BEGIN UPDATE INSERT COMMIT", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		advance(f, f.store(), p, openWindow, session.Rotated, 1)
		p.Generation = 1
		return f.advance(p, retiring)
	}, fmt.Sprintf("verdict %d, generation 2, 1 announced", session.Rotated)},
	{"Advance and end", "PREPARE select BEGIN DUE INSERT COMMIT", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		latest := p
		for latest.Generation < 2 {
			advance(f, f.store(), latest, singleUse, session.Rotated, latest.Generation+1)
			latest.Generation++
		}
		return f.advance(p, singleUse)
	}, fmt.Sprintf("verdict %d, generation 2, 1 announced", session.Stolen)},
	{"Confirm", "SELECT BEGIN UPDATE INSERT UPDATE INSERT COMMIT", func(f *fragile) use { return f.confirm() }, "2 used, 2 retired"},
	{"Confirm and a conflict", "SELECT BEGIN UPDATE UPDATE COMMIT PREPARE select BEGIN UPDATE INSERT COMMIT select BEGIN UPDATE INSERT COMMIT", func(f *fragile) use {
		use := f.confirm()
		f.conflict("BEGIN")
		return use
	}, "2 used, 2 retired"},
	{"Confirm again", "SELECT", func(f *fragile) use {
		use := f.confirm()
		if _, err := use(f.Context(), f.store()); err != nil {
			f.Fatal(err)
		}
		return use
	}, "2 used, 2 retired"},
	{"End", "PREPARE select BEGIN DUE INSERT COMMIT", func(f *fragile) use {
		p := create(f, f.store(), "alice")
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			live, err := store.End(ctx, p.ID, remember)
			return fmt.Sprint(live), err
		}
	}, "true"},
	{"EndAll", "SELECT INSERT BEGIN SELECT OWNED DUE INSERT COMMIT", func(f *fragile) use {
		create(f, f.store(), "alice")
		create(f, f.store(), "alice")
		return f.endAll()
	}, "2 ended, 0 live, since true"},
	{"EndAll but one", "SELECT BEGIN SELECT OWNED DUE INSERT COMMIT", func(f *fragile) use {
		create(f, f.store(), "alice")
		return f.endAll(create(f, f.store(), "alice").ID)
	}, "1 ended, 1 live, since false"},
	{"EndAll but the oldest", "SELECT BEGIN SELECT OWNED COMMIT BEGIN SELECT OWNED DUE INSERT COMMIT", func(f *fragile) use {
		create(f, f.store(), "alice")
		f.copy(59)
		oldest, err := f.store().List(f.Context(), ownerOf("alice"), session.Cursor{}, 50) // as many as end in one transaction
		if err != nil {
			f.Fatal(err)
		}
		var ids []session.ID
		for i := range oldest {
			ids = append(ids, oldest[i].ID)
		}
		return f.endAll(ids...)
	}, "10 ended, 50 live, since false"},
	{"List", "OWNED", func(f *fragile) use {
		create(f, f.store(), "alice")
		create(f, f.store(), "alice")
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			records, err := store.List(ctx, ownerOf("alice"), session.Cursor{}, 10)
			return fmt.Sprint(len(records)), err
		}
	}, "2"},
	{"Revoke", "SELECT INSERT", func(f *fragile) use {
		return func(ctx context.Context, store *sqlstore.Store) (string, error) {
			err := store.Revoke(ctx, session.Revocation{Token: "any", Until: time.Now().Add(remember)})
			return fmt.Sprint(f.count("revocations")), err
		}
	}, "1"},
	{"Feed", "SELECT", func(f *fragile) use {
		revoke(f, f.store(), tokenRevoked("one"))
		revoke(f, f.store(), tokenRevoked("two"))
		f.pass(10 * time.Second) // so that with MariaDB, the feed locks them
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
	{"RemoveExpired", "UPDATE BEGIN SELECT SELECT DUE DELETE COMMIT BEGIN SELECT DELETE COMMIT", func(f *fragile) use {
		create(f, f.store(), "alice")
		p := create(f, f.store(), "alice")
		f.revoke(2)
		f.pass(idle - time.Minute)
		advance(f, f.store(), p, openWindow, session.Rotated, 1)
		f.pass(2 * time.Minute)
		return f.remove()
	}, "1 sessions, 1 revocations"},
	{"RemoveExpired of many sessions", "UPDATE BEGIN SELECT SELECT DUE DELETE COMMIT BEGIN SELECT DELETE COMMIT UPDATE BEGIN SELECT SELECT DUE DELETE COMMIT BEGIN SELECT COMMIT", func(f *fragile) use {
		create(f, f.store(), "alice")
		f.copy(149) // as many as are removed in two transactions
		f.revoke(2)
		f.pass(idle + time.Minute)
		return f.remove()
	}, "0 sessions, 1 revocations"},
	{"RemoveExpired of many revocations", "UPDATE BEGIN SELECT SELECT COMMIT BEGIN SELECT DELETE COMMIT UPDATE BEGIN SELECT SELECT COMMIT BEGIN SELECT DELETE COMMIT", func(f *fragile) use {
		f.revoke(150)
		f.pass(idle)
		return f.remove()
	}, "0 sessions, 1 revocations"}, // the latest is kept
	{"Check", "SELECT SELECT SELECT PRAGMA PRAGMA", func(*fragile) use {
		return func(ctx context.Context, store *sqlstore.Store) (string, error) { return "", store.Check(ctx) }
	}, ""},
	{"Migrate", "BEGIN SELECT CREATE CREATE CREATE CREATE CREATE INSERT COMMIT", func(f *fragile) use {
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

func (f *fragile) remove() use {
	return func(ctx context.Context, store *sqlstore.Store) (string, error) {
		err := store.RemoveExpired(ctx)
		if err != nil {
			f.pass(time.Minute) // until the next attempt
		}
		return fmt.Sprintf("%d sessions, %d revocations", f.count("sessions"), f.count("revocations")), err
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

func newFragile(t *testing.T, d database) *fragile {
	t.Helper()
	f := &fragile{T: t, database: d, tamper: &tamper{}}
	f.plain, f.db, f.prefix, f.pass = d.tamperedClock(t, f.tamper)
	f.db.SetMaxOpenConns(1) // a connection that is not returned to the pool is noticed
	d.storeIn(t, f.db, sqlstore.Config{Prefix: f.prefix})
	return f
}

// empty removes all rows, so that another use can begin.
func (f *fragile) empty() {
	f.Helper()
	for _, table := range []string{"sessions", "revocations"} {
		f.do("DELETE FROM %s" + table)
	}
	f.do("UPDATE %sstate SET value = 0 WHERE name = 'removal'")
	f.meanwhile = nil
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

// run runs a use with a new store. Before each step, it calls refuse, which can let it fail.
func (f *fragile) run(ctx context.Context, use use, refuse func(step string) error) (string, error) {
	f.Helper()
	f.tamper.refuse = func(step string) error {
		if f.meanwhile != nil {
			f.meanwhile(step)
		}
		return refuse(step)
	}
	defer func() { f.tamper.refuse = nil }()
	return use(ctx, f.store())
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

// copy adds n sessions that are like the only one, but for their IDs.
func (f *fragile) copy(n int) {
	f.Helper()
	const before, after = "version, revision, ", `, owner, issuer, audience, subject, nonce_hash, user_agent, note, generation, parent, late, ended,
		created_at, rotated_at, used_at, idle_at, limit_at, due_at`
	var ids []string
	for range n {
		ids = append(ids, "SELECT "+f.literal(session.NewID(ownerOf("alice")))+" AS copied")
	}
	do(f, f.plain, "INSERT INTO %[1]ssessions (%[2]sid%[3]s) SELECT %[2]scopied%[3]s FROM %[1]ssessions, (%[4]s) copies",
		f.prefix, before, after, strings.Join(ids, " UNION ALL "))
}

// revoke adds n revocations of tokens.
func (f *fragile) revoke(n int) {
	f.Helper()
	into, values, _ := strings.Cut(insertToken(f.prefix, "any", time.Now()), "VALUES ")
	do(f, f.plain, "%sVALUES %s%s", into, values, strings.Repeat(", "+values, n-1))
}

// conflict changes all sessions, as another process could: once, before the next step that
// begins with the given text.
func (f *fragile) conflict(before string) {
	f.meanwhile = func(step string) {
		if strings.HasPrefix(strings.TrimPrefix(step, "EXECUTE "), before) {
			f.meanwhile = nil
			f.do("UPDATE %ssessions SET revision = revision + 1")
		}
	}
}
