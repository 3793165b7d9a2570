package redisstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/redisstore"
)

// An overdue context is past its deadline, and its timer has not fired yet.
type overdue struct{ context.Context }

func (overdue) Deadline() (time.Time, bool) { return time.Now().Add(-time.Millisecond), true }

// TestFailed checks that the error of the context takes precedence.
func TestFailed(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	later, stop := context.WithTimeout(t.Context(), time.Hour)
	defer stop()
	for name, row := range map[string]struct {
		ctx       context.Context
		err, want error
	}{
		"no error":               {t.Context(), nil, nil},
		"no error, canceled":     {canceled, nil, nil},
		"an error":               {t.Context(), broken, broken},
		"before a deadline":      {later, broken, broken},
		"canceled":               {canceled, broken, context.Canceled},
		"canceled, and overdue":  {overdue{canceled}, broken, context.Canceled},
		"the deadline is passed": {overdue{t.Context()}, broken, context.DeadlineExceeded},
	} {
		got := redisstore.Failed(row.ctx, "step", row.err)
		if !errors.Is(got, row.want) || row.want != nil && got.Error() != "redisstore: step: "+row.want.Error() {
			t.Errorf("%s: got %v; want %v", name, got, row.want)
		}
	}
}
