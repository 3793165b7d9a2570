package sqlstore_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A step that meets a concurrent transaction is repeated, after pauses that grow to 50
// milliseconds on average, for ten seconds at most.
func TestRetry(t *testing.T) {
	for _, row := range []struct {
		name        string
		succeeds    int // the attempt that does; 0 for none
		deadline    time.Duration
		least, most int // attempts
		takes       time.Duration
		want        error
	}{
		{"once more", 2, time.Hour, 2, 2, 2 * time.Millisecond, nil},
		{"for ten seconds", 0, time.Hour, 133, 407, 10*time.Second + 75*time.Millisecond, errLocked},
		{"until the deadline", 0, time.Second, 13, 47, time.Second, context.DeadlineExceeded},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				store := newStore(t, &fake{exec: func(string) error {
					if attempts++; attempts == row.succeeds {
						return nil
					}
					return errLocked
				}}, silent)
				ctx, cancel := context.WithTimeout(t.Context(), row.deadline)
				defer cancel()
				start := time.Now()
				err := store.Revoke(ctx, someRevocation)
				if took := time.Since(start); !errors.Is(err, row.want) || attempts < row.least || attempts > row.most || took > row.takes {
					t.Errorf("got error %v after %d attempts and %v; want %v after %d to %d and at most %v", err, attempts, took, row.want, row.least, row.most, row.takes)
				}
			})
		})
	}
}

var errLocked = errors.New("database is locked")
