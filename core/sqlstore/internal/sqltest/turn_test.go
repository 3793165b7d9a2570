package sqltest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// With SQLite, the goroutines of a process take turns. A call that waits for its turn
// returns at its deadline, and has changed nothing.
func TestTurn(t *testing.T) {
	d := databases[0]
	source, config := d.source(t), sqlstore.Config{Prefix: newPrefix()}
	plain := openDB(t, d.driver, source)
	other := d.storeIn(t, plain, config)
	tamper := &tamper{}
	store := d.storeIn(t, pool(t, tamper.open(plain, source)), config)
	p := create(t, store, "alice")
	started, over := make(chan struct{}), make(chan struct{})
	tamper.refuse = func(step string) error {
		if strings.HasPrefix(step, "INSERT") {
			close(started)
			<-over
		}
		return nil
	}
	waiting := make(chan error)
	go func() { waiting <- store.Revoke(t.Context(), tokenRevoked("first")) }()
	<-started
	n, _ := newSession("bob")
	for name, call := range map[string]func(context.Context) error{
		"Create":              func(ctx context.Context) error { _, err := store.Create(ctx, n, session.Bound{}); return err },
		"Create at the bound": func(ctx context.Context) error { _, err := store.Create(ctx, n, session.Bound{Max: 1}); return err },
		"Advance":             func(ctx context.Context) error { _, _, err := store.Advance(ctx, p, openWindow); return err },
		"Revoke":              func(ctx context.Context) error { return store.Revoke(ctx, tokenRevoked("second")) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got error %v; want %v", name, err, context.DeadlineExceeded)
		}
		cancel()
	}
	close(over)
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if records, err := other.List(t.Context(), n.Owner, session.Cursor{}, 10); len(records) > 0 || err != nil {
		t.Errorf("got sessions %v, error %v; want none", records, err)
	}
	advance(t, other, p, openWindow, session.Rotated, 1)
	f := follow(t, other)
	if f.count(ofToken("first")) != 1 || f.count(ofToken("second")) != 0 {
		t.Errorf("got %v announced; want the first", f.heard)
	}
}

// With SQLite, a connection whose transaction was rolled back is used again. One whose
// transaction cannot be ended is closed, and the error names both failures.
func TestRollbackFails(t *testing.T) {
	d := databases[0]
	f := newFragile(t, d)
	store := f.store()
	var broken []string
	f.tamper.refuse = func(step string) error {
		if slices.Contains(broken, step) {
			return errors.New("no " + step)
		}
		return nil
	}
	n, p := newSession("alice")
	broken = []string{"COMMIT"}
	if _, err := store.Create(t.Context(), n, session.Bound{Max: 1}); err == nil || !strings.HasSuffix(err.Error(), "no COMMIT") {
		t.Errorf("got error %v; want that of COMMIT", err)
	}
	if got := f.db.Stats(); got.InUse > 0 || got.OpenConnections != 1 {
		t.Errorf("got %d connections, %d of them in use; want one that is not", got.OpenConnections, got.InUse)
	}
	broken = []string{"COMMIT", "ROLLBACK"}
	if _, err := store.Create(t.Context(), n, session.Bound{Max: 1}); err == nil || !strings.Contains(err.Error(), "no COMMIT") || !strings.Contains(err.Error(), "no ROLLBACK") {
		t.Errorf("got error %v; want one with both failures", err)
	}
	f.tamper.refuse = nil
	if got := f.db.Stats(); got.InUse > 0 || got.OpenConnections > 0 {
		t.Errorf("got %d connections, %d of them in use; want none", got.OpenConnections, got.InUse)
	}
	ctx, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	if _, err := store.Create(ctx, n, session.Bound{Max: 1}); err != nil {
		t.Errorf("got error %v; want none", err)
	}
	advance(t, store, p, openWindow, session.Rotated, 1)
}
