package jwtclient

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// flightLimit is how long a renewal takes at most.
	flightLimit = 30 * time.Second

	// headStart is how long a request with a good token waits for the renewal
	// that it began: enough for a program of one request to take the new tokens
	// with it, too little to hang on an endpoint that does.
	headStart = 2 * time.Second

	// After a failure there is a pause, which doubles with each further one, and
	// which the endpoint may prolong by Retry-After.
	minPause      = time.Second
	maxPause      = 30 * time.Second
	maxRetryAfter = time.Minute
)

// A flight is a renewal that is under way.
type flight struct {
	stale   string        // the access token that it replaces
	refused bool          // by the API, so nobody should send it again meanwhile
	done    chan struct{} // closed when what follows is set
	grant   *grant
	err     error
}

// wait waits for f as long as ctx lasts. What becomes of f does not depend on it.
func (f *flight) wait(ctx context.Context) (*grant, error) {
	select {
	case <-f.done:
		return f.grant, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// failures are renewals that failed one after the other.
type failures struct {
	count int
	last  error
	until time.Time // no further one
}

func (f *failures) add(err error, now time.Time) {
	pause := min(minPause<<min(f.count, 10), maxPause)
	var passing *passingError
	if errors.As(err, &passing) {
		pause = max(pause, min(passing.retryAfter, maxRetryAfter))
	}
	f.count++
	f.last = err
	f.until = now.Add(pause)
}

// acquire returns the tokens to send a request with. Those with the access token
// refused, unless it is empty, are not: the API refused it.
func (t *Transport) acquire(ctx context.Context, refused string) (*grant, error) {
	t.mu.Lock()
	now, g := time.Now(), t.current
	good := g != nil && g.live(now) && g.Access != refused && (t.flight == nil || !t.flight.refused)
	if good && (g.renewAt.IsZero() || now.Before(g.renewAt)) {
		t.mu.Unlock()
		return g, nil
	}
	f, began, err := t.renew(now, refused != "")
	t.mu.Unlock()

	switch {
	case !good && err != nil:
		return nil, err
	case !good:
		return f.wait(ctx)
	case !began:
		return g, nil
	}
	ctx, cancel := context.WithTimeout(ctx, headStart)
	defer cancel()
	renewed, err := f.wait(ctx)
	if err == nil || errors.Is(err, ErrSignedOut) {
		return renewed, err
	}
	return g, nil
}

// renewSoon sees to it that the next request does without the access token refused.
func (t *Transport) renewSoon(refused string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil && t.current.Access == refused {
		_, _, _ = t.renew(time.Now(), true) // who needs it will see whether it worked
	}
}

// A futile token is a new one that was refused like the one before it: the API and
// the refresh endpoint disagree. For a moment, such a 401 comes back as it is, or
// every request would cost a renewal. One that expired on its way says nothing.
type futile struct {
	access string
	until  time.Time
}

func (t *Transport) setFutile(g *grant, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.live(now) {
		t.futile = futile{g.Access, now.Add(minPause)}
	}
}

func (t *Transport) isFutile(g *grant) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.futile.access == g.Access && time.Now().Before(t.futile.until)
}

// renew returns the flight that is under way or begins one. t.mu is held.
func (t *Transport) renew(now time.Time, refused bool) (f *flight, began bool, err error) {
	switch {
	case t.flight != nil:
		t.flight.refused = t.flight.refused || refused
		return t.flight, false, nil
	case t.left:
		return nil, false, ErrSignedOut
	case now.Before(t.failed.until):
		return nil, false, t.failed.last
	}
	f = &flight{refused: refused, done: make(chan struct{})}
	if t.current != nil {
		f.stale = t.current.Access
	}
	t.flight = f
	go t.fly(f, t.signOuts)
	return f, true, nil
}

// fly is the one renewal. It is nobody's: the request that began it may be
// cancelled, and its context may have values that are not about this.
func (t *Transport) fly(f *flight, signOuts int) {
	ctx, cancel := context.WithTimeout(context.Background(), flightLimit)
	defer cancel()
	defer close(f.done)

	var tokens Tokens
	err := t.takeTurn(ctx)
	if err == nil {
		defer t.endTurn()
		tokens, err = t.advance(ctx, f.stale, signOuts)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flight = nil
	now := time.Now()
	switch {
	case t.signOuts != signOuts:
		f.err = ErrSignedOut // and SignOut, whose turn is next, ends what has come
	case err == nil:
		f.grant = newGrant(tokens, now)
		t.current, t.failed = f.grant, failures{}
	case errors.Is(err, ErrSignedOut):
		f.err = err
		t.current, t.failed = nil, failures{}
	default:
		f.err = fmt.Errorf("jwtclient: the tokens could not be renewed, and are kept: %w", err)
		t.failed.add(f.err, now)
	}
}

// unsaved are tokens that the store did not take. They are the only ones by which
// the session goes on.
type unsaved struct {
	Tokens
	replaces string // the refresh token that is stored
}

// advance returns the tokens that follow those with the access token stale, once
// they are stored. It is one's turn.
func (t *Transport) advance(ctx context.Context, stale string, signOuts int) (Tokens, error) {
	var next Tokens
	var over error
	err := t.store.Update(ctx, func(stored Tokens) (Tokens, error) {
		replaces, last := stored.Refresh, stored
		if t.unsaved != nil && t.unsaved.replaces == replaces {
			last = t.unsaved.Tokens
		}
		if last.Access != stale && last.live(time.Now()) {
			next = last // by another process, or by the last flight
			return next, nil
		}
		if last.Refresh == "" {
			over = ErrSignedOut
			return Tokens{}, nil
		}
		var err error
		next, err = t.refresh(ctx, last.Refresh, signOuts)
		if sessionOver(err) {
			over = fmt.Errorf("%w: %w", ErrSignedOut, err)
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
		err = over
	}
	return next, err
}

// takeTurn waits until nobody else changes what is stored. endTurn must follow.
func (t *Transport) takeTurn(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *Transport) endTurn() { <-t.turn }

// signedOutSince reports whether SignOut was called after the first signOuts times.
func (t *Transport) signedOutSince(signOuts int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.signOuts != signOuts
}
