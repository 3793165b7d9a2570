package sqltest

import (
	"strings"
	"sync"
	"testing"

	"github.com/jwtgate/jwtgate/core/session"
	"github.com/jwtgate/jwtgate/core/sqlstore"
)

// TestChangedInBetween checks that a rotation succeeds if another process changes the
// session after it was read and before it is saved.
func TestChangedInBetween(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		source, config := d.source(t), sqlstore.Config{Prefix: newPrefix()}
		plain := openDB(t, d.driver, source)
		other := d.storeIn(t, plain, config)
		p := create(t, other, "alice")
		var once sync.Once
		db := pool(t, (&tamper{rewrite: func(statement string) string {
			if strings.HasPrefix(statement, "UPDATE") {
				once.Do(func() {
					if err := other.Confirm(t.Context(), []session.Confirmation{{ID: p.ID}}, openWindow); err != nil {
						t.Errorf("confirm: got error %v", err)
					}
				})
			}
			return statement
		}}).open(plain, source))
		advance(t, d.storeIn(t, db, config), p, openWindow, session.Rotated, 1)
		advance(t, other, p, openWindow, session.Reissued, 1)
	})
}
