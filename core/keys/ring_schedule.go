package keys

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// retryGenerate is how long RotateEvery waits after a failure to get a key.
const retryGenerate = time.Minute

// RotateEvery announces a key returned by generate, makes it the active one after
// interval, and repeats this until ctx is done. It then returns [context.Cause] of
// ctx. Run it in a separate goroutine, one for each ring. The interval is at least 5
// minutes. The first key of the ring also signs for one interval.
//
// If generate fails, or returns a key that cannot sign, the keys do not change, and
// generate is called again after a minute. The active key then signs for a minute
// longer. RotateEvery logs such failures, and an interval that is too short, at error
// level, and each change at info level. A nil logger discards.
func (r *Ring) RotateEvery(ctx context.Context, interval time.Duration, generate func(context.Context) (Key, error), logger *slog.Logger) error {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if interval < jwksMaxAge {
		err := fmt.Errorf("keys: Ring: the interval is %v: use at least %v, because others may keep the published keys for that long", interval, jwksMaxAge)
		logger.ErrorContext(ctx, "the signing keys are not rotated", "cause", err) // the result of a goroutine is rarely read
		return err
	}
	report := func(change string, err error) bool {
		if err == nil {
			logger.InfoContext(ctx, change, "keys", r)
		} else if ctx.Err() == nil {
			logger.ErrorContext(ctx, "the signing keys stay as they are", "cause", err)
		}
		return err == nil
	}
	for {
		wait := interval
		next, err := generate(ctx)
		if err == nil {
			err = r.Announce(next)
		}
		announced := report("the next signing key is announced", err)
		if !announced {
			wait = retryGenerate
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		if announced {
			report("the next signing key signs", r.Rotate())
		}
	}
}
