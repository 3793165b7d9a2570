package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultFresh = 15 * time.Minute
	minFresh     = time.Minute
	maxFresh     = time.Hour
	maxBackoff   = time.Minute

	// maxUnused is how old keys are when a token waits for others rather than be
	// taken by them. Where tokens come every minute, none ever does.
	maxUnused = maxFresh + minFresh

	// maxWaiting bounds the requests that wait for one fetch: those of a flood
	// would pile up while the issuer is slow.
	maxWaiting = 10_000
)

// remoteSource has the keys of one issuer, and knows when to fetch them.
type remoteSource struct {
	RemoteKeys // with defaults
	auth       *Auth
	issuer     string
	fetcher    *fetcher

	last    atomic.Pointer[fetched] // the last good set, nil before it
	ctx     context.Context         // of all flights
	stop    context.CancelFunc
	flights sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	flight   *keyFlight // the fetch under way, nil if there is none
	failure  error      // of the last fetch, nil if it was good
	failures int        // in a row
	retry    time.Time  // no fetch before that: the last one failed
	settled  time.Time  // no fetch for an unknown kid before that

	// Only the flight touches these, of which there is one at a time.
	discovery *discovery // nil with URL
	skipped   string     // what was last passed over, in words
}

// fetched is a set of keys.
type fetched struct {
	table *keyTable
	at    time.Time
	fresh time.Duration // due for a new fetch then
}

// keyFlight is a fetch, and those who wait for it. It goes on without them.
type keyFlight struct {
	done    chan struct{}
	err     error // valid when done: why there is no news
	waiting int
	sought  bool // it is for a kid that was not held
}

// noKeys is held where there are none.
var noKeys = newKeyTable(nil)

func (r *remoteSource) held() *keyTable {
	if last := r.last.Load(); last != nil && time.Since(last.at) <= r.MaxStale {
		return last.table
	}
	return noKeys
}

// signerFor returns nil: others have the private keys.
func (r *remoteSource) signerFor(_, _ time.Time) *material { return nil }

// used is called when a key has verified a token. If the keys are due, they are
// fetched in the background. Those that went unused for long may have been removed
// meanwhile, so it waits for that fetch then, and reports whether there are others.
func (r *remoteSource) used(ctx context.Context) (changed bool, err error) {
	last := r.last.Load()
	if last != nil && time.Since(last.at) < last.fresh {
		return false, nil
	}
	f, err := r.renew(last)
	if f == nil {
		return false, err
	}
	if err := r.wait(ctx, f); err != nil {
		return false, err
	}
	return f.err == nil, nil
}

// renew sees to it that keys are fetched, because last is due. It returns the
// flight to wait for before last is used, or nil if last can be relied on.
func (r *remoteSource) renew(last *fetched) (*keyFlight, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flight == nil && !r.closed && !time.Now().Before(r.retry) {
		r.launch(false)
	}
	// An issuer that is down is waited for once.
	if r.flight == nil || r.failures > 0 || last == nil || time.Since(last.at) < maxUnused {
		return nil, nil
	}
	return r.board()
}

// seek is called when none of the keys in seen fits a token of the issuer. If it
// returns nil, the keys held now are all there is to know. It waits for a fetch,
// never for leave to start one.
func (r *remoteSource) seek(ctx context.Context, seen *keyTable) error {
	f, err := r.join(seen)
	if f == nil {
		return err
	}
	if err := r.wait(ctx, f); err != nil {
		return err
	}
	return f.err
}

var (
	errClosed  = errors.New("jwtgate: the Auth is closed")
	errCrowded = errors.New("jwtgate: too many requests wait for the issuer's keys")
)

// join returns the flight to wait for, or nil if there is no use in waiting.
func (r *remoteSource) join(seen *keyTable) (*keyFlight, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	held := r.held()
	switch {
	case held != seen: // fetched since the caller looked
		return nil, nil
	case r.flight != nil:
	case r.closed:
		return nil, r.unavailable(errClosed, time.Second)
	case now.Before(r.retry):
		return nil, r.unavailable(r.failure, r.retry.Sub(now))
	case held != noKeys && now.Before(r.settled):
		return nil, nil
	default:
		r.launch(held != noKeys)
	}
	return r.board()
}

// board returns the flight under way to one more who waits for it. r.mu is held.
func (r *remoteSource) board() (*keyFlight, error) {
	if r.flight.waiting == maxWaiting {
		return nil, r.unavailable(errCrowded, time.Second)
	}
	r.flight.waiting++
	return r.flight, nil
}

// wait waits until f, which the caller has boarded, has landed.
func (r *remoteSource) wait(ctx context.Context, f *keyFlight) error {
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		r.mu.Lock()
		f.waiting--
		r.mu.Unlock()
		return r.unavailable(ctx.Err(), time.Second)
	}
}

// launch starts a fetch. r.mu is held.
func (r *remoteSource) launch(sought bool) {
	f := &keyFlight{done: make(chan struct{}), sought: sought}
	r.flight = f
	r.flights.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, r.Timeout)
		defer cancel()
		before := r.held()
		next, skipped, err := r.fetch(ctx)
		if text := fmt.Sprint(skipped); text != r.skipped {
			r.skipped = text
		} else {
			skipped = nil // told before
		}
		r.land(f, next, err)
		if r.ctx.Err() == nil {
			r.report(before, next, skipped, err)
		}
	})
}

// fetch gets the keys of this moment.
func (r *remoteSource) fetch(ctx context.Context) (next *fetched, skipped []error, err error) {
	address := r.URL
	if r.discovery != nil {
		if address, err = r.discovery.find(ctx, r.fetcher); err != nil {
			return nil, nil, fmt.Errorf("%w, at %s", err, r.discovery.address)
		}
	}
	text, fresh, err := r.fetcher.get(ctx, address, "application/jwk-set+json, application/json")
	var keys []Key
	if err == nil {
		keys, skipped, err = parseJWKSet(text)
	}
	if err != nil {
		if r.discovery != nil {
			r.discovery.forget()
		}
		return nil, skipped, fmt.Errorf("%w, at %s", err, address)
	}
	if fresh < 0 {
		fresh = defaultFresh
	}
	fresh = min(max(fresh, minFresh), maxFresh, r.MaxStale/2)
	return &fetched{table: newKeyTable(keys), at: time.Now(), fresh: fresh}, skipped, nil
}

// land ends f with what it brought.
func (r *remoteSource) land(f *keyFlight, next *fetched, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.flight, r.failure = nil, err
	if f.sought {
		r.settled = now.Add(r.Cooldown)
	}
	if err != nil {
		backoff := min(r.Cooldown<<min(r.failures, 6), max(r.Cooldown, maxBackoff))
		r.failures++
		r.retry = now.Add(backoff)
		f.err = r.unavailable(err, backoff)
	} else {
		r.failures, r.retry = 0, time.Time{}
		r.last.Store(next)
	}
	close(f.done)
}

// report tells what a fetch brought that is news.
func (r *remoteSource) report(before *keyTable, next *fetched, skipped []error, err error) {
	logger := r.auth.config.Logger
	for _, cause := range skipped {
		logger.WarnContext(r.ctx, "a key is passed over", "issuer", r.issuer, "cause", cause)
		r.auth.tell(r.ctx, Event{Kind: EventKeySkipped, Issuer: r.issuer, Err: cause})
	}
	if err != nil {
		logger.ErrorContext(r.ctx, "keys cannot be fetched", "issuer", r.issuer, "cause", err)
		r.auth.tell(r.ctx, Event{Kind: EventKeysDown, Issuer: r.issuer, Err: err})
		return
	}
	added, removed := next.table.missingIn(before), before.missingIn(next.table)
	if len(added)+len(removed) > 0 {
		logger.InfoContext(r.ctx, "keys have changed", "issuer", r.issuer, "added", strings.Join(added, " "), "removed", strings.Join(removed, " "))
		r.auth.tell(r.ctx, Event{Kind: EventKeysChanged, Issuer: r.issuer})
	}
}

// missingIn returns the kids of t that other does not have.
func (t *keyTable) missingIn(other *keyTable) []string {
	var missing []string
	for _, k := range t.all {
		if other.byID[k.ID()] == nil {
			missing = append(missing, k.ID())
		}
	}
	slices.Sort(missing)
	return missing
}

// close ends the flight, and lets no other begin. What is held is used on.
func (r *remoteSource) close() {
	r.mu.Lock()
	r.closed = true
	r.stop()
	r.mu.Unlock()
	r.flights.Wait()
}
