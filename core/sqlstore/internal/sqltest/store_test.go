package sqltest

import (
	"testing"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

func TestStore(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		if testing.Short() && d.start == nil {
			t.Skip("with the race detector, modernc.org/sqlite takes minutes")
		}
		store, _ := d.newStore(t)
		jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest { return jwtgatetest.StoreUnderTest{Store: store} })
	})
}
