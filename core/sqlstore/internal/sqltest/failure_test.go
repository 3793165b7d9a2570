package sqltest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestFailures lets each step of each method fail: the method returns an error. When it is
// called again, it does what it would have done.
func TestFailures(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		f := newFragile(t, d)
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

var errBroken = errors.New("broken by the test")

// fails lets the step n of a use fail, and reports false if there are fewer.
func (f *fragile) fails(n int, prepare func(*fragile) use, want string) bool {
	f.Helper()
	f.empty()
	use := prepare(f)
	ctx, cancel := context.WithTimeout(f.Context(), 20*time.Second)
	defer cancel()
	var failed string
	got, err := f.run(ctx, use, func(step string) error {
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
	})
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
