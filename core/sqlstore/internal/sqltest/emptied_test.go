package sqltest

import (
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
