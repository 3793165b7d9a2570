package jwtclient

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// renewalTimeout is how long a renewal can take.
	renewalTimeout = 30 * time.Second

	// earlyWait is how long a request whose access token is still valid waits for
	// the renewal that it has started. A program that sends a single request should
	// not end before the new tokens are stored, and an endpoint that does not
	// respond should not delay the request for long.
	earlyWait = 2 * time.Second

	// The pause after a failed renewal is minPause, and doubles with each further
	// failure up to maxPause. Retry-After can extend it to maxRetryAfter.
	minPause      = time.Second
	maxPause      = 30 * time.Second
	maxRetryAfter = time.Minute
)

// A renewal is in flight until done is closed. Any number of requests can wait for
// it.
type renewal struct {
	stale   string        // the access token to replace
	refused bool          // whether the API refused it, so that no request should be sent with it
	done    chan struct{} // closed after active and err are set
	active  *activeTokens
	err     error
}

// wait waits until r is done or ctx ends. The end of ctx does not affect r.
func (r *renewal) wait(ctx context.Context) (*activeTokens, error) {
	select {
	case <-r.done:
		return r.active, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// failures describes the renewals that have failed since the last success.
type failures struct {
	count int
	last  error
	until time.Time // the end of the pause
}

func (f *failures) add(err error, now time.Time) {
	pause := min(minPause<<min(f.count, 10), maxPause)
	var temporary *temporaryError
	if errors.As(err, &temporary) {
		pause = max(pause, min(temporary.retryAfter, maxRetryAfter))
	}
	f.count++
	f.last = err
	f.until = now.Add(pause)
}

// acquire returns the tokens to send a request with, and renews them if necessary.
// refused is an access token that the API has refused, or empty. acquire does not
// return tokens with it.
func (t *Transport) acquire(ctx context.Context, refused string) (*activeTokens, error) {
	t.mu.Lock()
	now, active := time.Now(), t.active
	usable := active != nil && active.live(now) && active.Access != refused && (t.renewal == nil || !t.renewal.refused)
	if usable && (active.renewAt.IsZero() || now.Before(active.renewAt)) {
		t.mu.Unlock()
		return active, nil
	}
	r, started, err := t.startOrJoinRenewal(now, refused != "")
	t.mu.Unlock()

	switch {
	case !usable && err != nil:
		return nil, err
	case !usable:
		return r.wait(ctx)
	case !started:
		return active, nil
	}
	ctx, cancel := context.WithTimeout(ctx, earlyWait)
	defer cancel()
	renewed, err := r.wait(ctx)
	if err == nil || errors.Is(err, ErrSignedOut) {
		return renewed, err
	}
	return active, nil
}

// renewInBackground starts a renewal if refused is the current access token.
func (t *Transport) renewInBackground(refused string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active != nil && t.active.Access == refused {
		_, _, _ = t.startOrJoinRenewal(time.Now(), true) // the next request receives the error
	}
}

// A rejected access token came from a renewal after a 401 response, and the API
// refused it too: the API and the refresh endpoint disagree. For a short time, 401
// responses to it are returned to the caller. Otherwise every request would cause a
// renewal. A token that has expired before the response arrived does not count.
type rejected struct {
	access string
	until  time.Time
}

func (t *Transport) setRejected(active *activeTokens, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if active.live(now) {
		t.rejected = rejected{active.Access, now.Add(minPause)}
	}
}

func (t *Transport) isRejected(active *activeTokens) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rejected.access == active.Access && time.Now().Before(t.rejected.until)
}

// startOrJoinRenewal returns the renewal in flight, or starts one. refused reports
// whether the API has refused the access token. The caller holds t.mu.
func (t *Transport) startOrJoinRenewal(now time.Time, refused bool) (r *renewal, started bool, err error) {
	switch {
	case t.renewal != nil:
		t.renewal.refused = t.renewal.refused || refused
		return t.renewal, false, nil
	case t.signedOut:
		return nil, false, ErrSignedOut
	case now.Before(t.failures.until):
		return nil, false, t.failures.last
	}
	r = &renewal{refused: refused, done: make(chan struct{})}
	if t.active != nil {
		r.stale = t.active.Access
	}
	t.renewal = r
	go t.renew(r, t.signOuts)
	return r, true, nil
}

// renew renews the tokens and completes r. It has its own context, because all
// requests that wait for r depend on it, and the one that started it may be
// canceled.
func (t *Transport) renew(r *renewal, signOuts int) {
	ctx, cancel := context.WithTimeout(context.Background(), renewalTimeout)
	defer cancel()
	defer close(r.done)

	var tokens Tokens
	err := t.lockStore(ctx)
	if err == nil {
		defer t.unlockStore()
		tokens, err = t.renewStored(ctx, r.stale, signOuts)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renewal = nil
	now := time.Now()
	switch {
	case t.signOuts != signOuts:
		r.err = ErrSignedOut // SignOut, which waits for storeLock, ends the session of the new tokens
	case err == nil:
		r.active = newActiveTokens(tokens, now)
		t.active, t.failures = r.active, failures{}
	case errors.Is(err, ErrSignedOut):
		r.err = err
		t.active, t.failures = nil, failures{}
	default:
		r.err = fmt.Errorf("jwtclient: could not renew the tokens, which are kept for the next attempt: %w", err)
		t.failures.add(r.err, now)
	}
}

// unsaved are new tokens that the store failed to store. The refresh token in the
// store has been used, so the session can continue only with these.
type unsaved struct {
	Tokens
	replaces string // the refresh token in the store
}

// succeed reports whether u are the successors of the refresh token, so that u count in
// its place. A nil u are none.
func (u *unsaved) succeed(refresh string) bool { return u != nil && u.replaces == refresh }

// renewStored replaces the tokens in the store and returns the new ones. If they
// have been replaced already, so that their access token is not stale, renewStored
// returns them as they are. The caller holds storeLock.
func (t *Transport) renewStored(ctx context.Context, stale string, signOuts int) (Tokens, error) {
	var next Tokens
	var ended error
	err := t.store.Update(ctx, func(stored Tokens) (Tokens, error) {
		replaces, last := stored.Refresh, stored
		if t.unsaved.succeed(replaces) {
			last = t.unsaved.Tokens
		}
		if last.Access != stale && last.live(time.Now()) {
			next = last // renewed by another process, or by the last renewal of this one
			return next, nil
		}
		if last.Refresh == "" {
			ended = ErrSignedOut
			return Tokens{}, nil
		}
		var err error
		next, err = t.refresh(ctx, last.Refresh, signOuts)
		if sessionEnded(err) {
			ended = fmt.Errorf("%w: %w", ErrSignedOut, err)
			return Tokens{}, nil
		}
		if err != nil {
			return Tokens{}, err
		}
		t.unsaved = &unsaved{next, replaces}
		if t.signedOutSince(signOuts) {
			return Tokens{}, ErrSignedOut
		}
		return next, nil
	})
	if err == nil {
		t.unsaved = nil
		err = ended
	}
	return next, err
}

// lockStore locks storeLock, or returns the error of ctx if ctx ends first.
func (t *Transport) lockStore(ctx context.Context) error {
	select {
	case t.storeLock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Transport) unlockStore() { <-t.storeLock }

// signedOutSince reports whether SignOut was called more than signOuts times.
func (t *Transport) signedOutSince(signOuts int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.signOuts != signOuts
}
