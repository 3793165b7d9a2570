package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

const (
	defaultFresh = 15 * time.Minute
	minFresh     = time.Minute
	maxFresh     = time.Hour
	maxBackoff   = time.Minute

	// maxUnused is the age of keys from which a request waits for a fetch instead of
	// using them. The keys do not get that old if tokens arrive every minute.
	maxUnused = maxFresh + minFresh

	// maxWaiting bounds the number of requests that wait for one fetch, in case of a
	// flood of requests while the issuer is slow.
	maxWaiting = 10_000
)

// remoteSource has the keys of one issuer and decides when to fetch them. There is at
// most one fetch at a time, and all requests that need it wait for the same one.
type remoteSource struct {
	Remote // with defaults

	options keyaccess.Options
	fetcher *fetcher

	last    atomic.Pointer[fetched] // the result of the last successful fetch, nil before it
	ctx     context.Context         // of all fetches
	stop    context.CancelFunc
	fetches sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	current  *fetch    // the fetch in progress, nil if there is none
	failure  error     // of the last fetch, nil if it succeeded
	failures int       // the number of failures in a row
	retryAt  time.Time // the earliest next fetch, after a failed one
	seekAt   time.Time // the earliest next fetch for an unknown kid

	// Only the fetch in progress uses these.
	discovery *discovery // nil if URL is set
	skipped   string     // the keys that the last fetch skipped, as text
}

// fetched is the result of a successful fetch.
type fetched struct {
	table *table
	at    time.Time
	fresh time.Duration // the age at which the keys are fetched again
}

// A fetch is a fetch in progress. It continues even if no request waits for it any more.
type fetch struct {
	done    chan struct{}
	err     error // set before done is closed
	waiting int
	sought  bool // it was started because a kid was unknown
}

// noKeys is the current set if there are no keys.
var noKeys = newTable(nil)

// Current returns the fetched keys.
func (r *remoteSource) Current() keyaccess.Set { return r.held() }

func (r *remoteSource) held() *table {
	if last := r.last.Load(); last != nil && time.Since(last.at) <= r.MaxStale {
		return last.table
	}
	return noKeys
}

// SigningKey returns nil: the issuer has the private keys.
func (r *remoteSource) SigningKey(_, _ time.Time) keyaccess.SigningKey { return nil }

// Used is part of [keyaccess.Remote].
func (r *remoteSource) Used(ctx context.Context) (changed bool, err error) {
	last := r.last.Load()
	if last != nil && time.Since(last.at) < last.fresh {
		return false, nil
	}
	f, err := r.update(last)
	if f == nil {
		return false, err
	}
	if err := r.wait(ctx, f); err != nil {
		return false, err
	}
	return f.err == nil, nil
}

// update starts a fetch if none is in progress, because the keys in last are due.
// It returns the fetch to wait for, or nil if the keys in last can be used until
// it ends.
func (r *remoteSource) update(last *fetched) (*fetch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil && !r.closed && !time.Now().Before(r.retryAt) {
		r.start(false)
	}
	// Requests do not wait again for an issuer that is down.
	if r.current == nil || r.failures > 0 || last == nil || time.Since(last.at) < maxUnused {
		return nil, nil
	}
	return r.join()
}

// Seek is part of [keyaccess.Remote].
func (r *remoteSource) Seek(ctx context.Context, seen keyaccess.Set) error {
	f, err := r.seek(seen)
	if f == nil {
		return err
	}
	if err := r.wait(ctx, f); err != nil {
		return err
	}
	return f.err
}

var (
	errClosed  = errors.New("keys: the Auth is closed")
	errWaiting = errors.New("keys: too many requests wait for the issuer's keys")
)

// seek returns the fetch to wait for, or nil if waiting would bring no new keys.
func (r *remoteSource) seek(seen keyaccess.Set) (*fetch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	held := r.held()
	switch {
	case keyaccess.Set(held) != seen: // fetched after the caller read seen
		return nil, nil
	case r.current != nil:
	case r.closed:
		return nil, r.unavailable(errClosed, time.Second)
	case now.Before(r.retryAt):
		return nil, r.unavailable(r.failure, r.retryAt.Sub(now))
	case held != noKeys && now.Before(r.seekAt):
		return nil, nil
	default:
		r.start(held != noKeys)
	}
	return r.join()
}

// join adds a request to those that wait for the fetch in progress. The caller
// holds r.mu.
func (r *remoteSource) join() (*fetch, error) {
	if r.current.waiting == maxWaiting {
		return nil, r.unavailable(errWaiting, time.Second)
	}
	r.current.waiting++
	return r.current, nil
}

// wait waits until f, which the caller has joined, is done.
func (r *remoteSource) wait(ctx context.Context, f *fetch) error {
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

func (r *remoteSource) unavailable(cause error, retry time.Duration) error {
	return &keyaccess.UnavailableError{Issuer: r.options.Issuer, Retry: retry, Cause: cause}
}

// start starts a fetch. The caller holds r.mu.
func (r *remoteSource) start(sought bool) {
	f := &fetch{done: make(chan struct{}), sought: sought}
	r.current = f
	r.fetches.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, r.Timeout)
		defer cancel()
		before := r.held()
		begin := time.Now()
		next, skipped, err := r.fetch(ctx)
		if text := fmt.Sprint(skipped); text != r.skipped {
			r.skipped = text
		} else {
			skipped = nil // reported before
		}
		if r.ctx.Err() == nil {
			r.options.Fetched(r.ctx, r.options.Issuer, time.Since(begin), err)
		}
		recovered := r.finish(f, next, err)
		if r.ctx.Err() == nil {
			if recovered {
				r.options.Logger.InfoContext(r.ctx, "keys can be fetched again", "issuer", r.options.Issuer)
			}
			r.report(before, next, skipped, err)
		}
	})
}

// fetch fetches the keys. It also returns why keys of the set were skipped.
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
		r.held().reuse(keys)
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
	return &fetched{table: newTable(keys), at: time.Now(), fresh: fresh}, skipped, nil
}

// finish records the result of f. It reports whether it is a success after a failure.
func (r *remoteSource) finish(f *fetch, next *fetched, err error) (recovered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.current, r.failure = nil, err
	if f.sought {
		r.seekAt = now.Add(r.Cooldown)
	}
	if err != nil {
		backoff := min(r.Cooldown<<min(r.failures, 6), max(r.Cooldown, maxBackoff))
		r.failures++
		r.retryAt = now.Add(backoff)
		f.err = r.unavailable(err, backoff)
	} else {
		recovered = r.failures > 0
		r.failures, r.retryAt = 0, time.Time{}
		r.last.Store(next)
	}
	close(f.done)
	return recovered
}

// Age is part of [keyaccess.Remote].
func (r *remoteSource) Age() (age time.Duration, held bool) {
	if last := r.last.Load(); last != nil && r.held() != noKeys {
		return time.Since(last.at), true
	}
	return 0, false
}

// Close is part of [keyaccess.Remote].
func (r *remoteSource) Close() {
	r.mu.Lock()
	r.closed = true
	r.stop()
	r.mu.Unlock()
	r.fetches.Wait()
}
