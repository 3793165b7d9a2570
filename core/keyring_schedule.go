package jwtgate

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// retryGenerate is how soon a key is asked for again where there was none.
const retryGenerate = time.Minute

// RotateEvery announces a key of generate, makes it the active one an interval
// later, and so on, until ctx is done, whose cause it returns: run it in a
// goroutine of its own, one for a ring. The interval is at least 5 minutes. The
// first key of the ring signs for an interval, too.
//
// If generate fails, or what it returns cannot sign, the keys stay as they are
// and it is asked again after a minute: the active key signs for that much
// longer, and no request notices. Logger gets that at error level, an interval
// that is too short as well, and each change at info level. A nil Logger discards.
func (r *KeyRing) RotateEvery(ctx context.Context, interval time.Duration, generate func(context.Context) (Key, error), logger *slog.Logger) error {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if interval < keepJWKS {
		err := fmt.Errorf("jwtgate: KeyRing: the interval is %v: use at least %v, for which others may keep the keys that they know", interval, keepJWKS)
		logger.ErrorContext(ctx, "the signing keys never change", "cause", err) // nobody may wait for what a goroutine returns
		return err
	}
	step := func(change string, err error) bool {
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
		announced := step("the next signing key is announced", err)
		if !announced {
			wait = retryGenerate
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		if announced {
			step("the next signing key signs", r.Rotate())
		}
	}
}
