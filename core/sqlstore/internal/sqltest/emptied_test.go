package sqltest

import (
	"strings"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
)

// A store whose tables lose their rows, but not their version, goes on with new
// sessions.
func TestEmptied(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, db, prefix, _ := d.clocked(t)
		lost := create(t, store, "alice")
		tables := []string{"sessions", "revocations"}
		if d.name == "mariadb" {
			tables = append(tables, "locks")
		}
		for _, table := range tables {
			do(t, db, "DELETE FROM %s%s", prefix, table)
		}
		advance(t, store, lost, openWindow, session.Unknown, 0)
		for i := range 2 {
			n, p := newSession("alice")
			if _, err := store.Create(t.Context(), n, session.Bound{Max: 2}); err != nil {
				t.Fatalf("session %d: %v", i, err)
			}
			advance(t, store, p, openWindow, session.Rotated, 1)
		}
	})
}

// A row with a value that no version writes is an error of the calls that need it.
func TestOtherValues(t *testing.T) {
	store, db, prefix, _ := databases[0].clocked(t) // the columns of other databases have types
	for _, change := range []string{"ended = -1", "ended = 3", "nonce_hash = x'00'", "id = x'00'"} {
		do(t, db, "DELETE FROM %ssessions", prefix)
		p := create(t, store, "alice")
		do(t, db, "UPDATE %ssessions SET %s", prefix, change)
		_, _, err := store.Find(t.Context(), p.ID)
		if strings.HasPrefix(change, "id") {
			_, err = store.List(t.Context(), ownerOf("alice"), session.Cursor{}, 10)
		}
		if err == nil || !strings.Contains(err.Error(), "values that no version of package sqlstore writes") {
			t.Errorf("%s: got error %v; want one about the values", change, err)
		}
	}
}
