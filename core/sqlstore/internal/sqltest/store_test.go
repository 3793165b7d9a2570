package sqltest

import (
	"testing"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

func TestStore(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		store, _ := d.newStore(t)
		jwtgatetest.RunStore(t, func(*testing.T) jwtgatetest.StoreUnderTest { return jwtgatetest.StoreUnderTest{Store: store} })
	})
}
