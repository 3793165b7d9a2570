package jwtclient

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

const (
	// attemptTimeout is how long each attempt but the last can take. The server may
	// have replaced the refresh token although its response was lost. It then sends
	// the same new tokens again during its reuse window, which is 10 seconds by
	// default, so the last attempt must begin before that. The last attempt can use
	// all the time that is left.
	attemptTimeout = 3 * time.Second

	// maxWait is the longest Retry-After that is waited for between two attempts.
	maxWait = 2 * time.Second
)

// waits are the pauses between the attempts.
var waits = [...]time.Duration{200 * time.Millisecond, time.Second}

// retry calls attempt up to three times, as long as it returns a [temporaryError].
func retry(ctx context.Context, attempt func(context.Context) error) error {
	for _, wait := range waits {
		limited, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := attempt(limited)
		cancel()
		var temporary *temporaryError
		if !errors.As(err, &temporary) || temporary.retryAfter > maxWait {
			return err
		}
		select {
		case <-time.After(max(wait, temporary.retryAfter)):
		case <-ctx.Done():
			return err
		}
	}
	return attempt(ctx)
}

// A temporaryError is an error after which another attempt can succeed.
type temporaryError struct {
	err        error
	retryAfter time.Duration // from the response; zero if it has none
}

func (e *temporaryError) Error() string { return e.err.Error() }
func (e *temporaryError) Unwrap() error { return e.err }

// parseRetryAfter parses a Retry-After field (RFC 9110 §10.2.3). It returns zero if
// the field is missing or invalid.
func parseRetryAfter(field string) time.Duration {
	if seconds, err := strconv.ParseUint(field, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(field); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
