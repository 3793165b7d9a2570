package jwtgate

import (
	"errors"
	"fmt"
	"time"
)

// keysUnavailable is why a token cannot be judged: the keys of its issuer are
// not held, and cannot be had.
type keysUnavailable struct {
	issuer string
	retry  time.Duration // when to try again
	cause  error
}

func (r *remoteSource) unavailable(cause error, retry time.Duration) error {
	return &keysUnavailable{r.issuer, retry, cause}
}

func (e *keysUnavailable) Error() string {
	return fmt.Sprintf("jwtgate: the keys of %s are not to be had: %v", e.issuer, e.cause)
}

// Unwrap returns errMissing and the cause.
func (e *keysUnavailable) Unwrap() []error { return []error{errMissing, e.cause} }

var errMissing = errors.New("jwtgate: keys are missing")

// missingKeys returns the keysUnavailable that err is, nil if it is none.
func missingKeys(err error) *keysUnavailable {
	if !errors.Is(err, errMissing) { // As allocates for every refusal
		return nil
	}
	var missing *keysUnavailable
	if errors.As(err, &missing) {
		return missing
	}
	return nil
}
