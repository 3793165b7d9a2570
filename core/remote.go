package core

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// RemoteKeys are the public keys that an issuer publishes as a JWK Set (RFC 7517
// §5), for [Issuer.Keys], or for [Config.Keys] of a server that signs no tokens.
// The zero value finds them by the issuer's name.
//
// Nothing is fetched before the first token of the issuer. That one waits; from
// then on the keys are fetched anew in the background, as often as their
// Cache-Control asks, but every minute at most and every hour at least, and
// without it every 15 minutes. A key that the issuer has removed is gone with the
// next fetch. A set that cannot be read, or has no usable key, is a fetch that
// failed: what was fetched before stays in use up to MaxStale. A token that
// cannot be judged for want of keys is refused with 503, not with 401.
//
// A key of the set verifies by its alg only; one without alg by that of its
// curve, one of RSA by RS256. Those that cannot be used are passed over one by
// one, and told to [Config.Events]. How old keys are is measured by the clock of
// the process that nobody can set, not by [Config.Now].
type RemoteKeys struct {
	_ [0]func()

	// URL is where the JWK Set is: https, or http on this machine. If it is empty,
	// the issuer's document at /.well-known/openid-configuration below its name
	// says where (OpenID Connect Discovery 1.0 §4); the issuer in it must be the
	// name to the letter.
	URL string

	// Transport carries the requests, if not nil, such as one that trusts a
	// private CA. The default is one of its own, through the proxy that the
	// environment names. Redirects are followed only within one origin.
	Transport http.RoundTripper

	// Timeout bounds a fetch as a whole, and so the wait of a request that needs
	// one. The default is 5 seconds.
	Timeout time.Duration

	// Cooldown is the least time from a fetch for a kid that is not held, or one
	// that failed, to the next. Until then such tokens are refused without a wait:
	// it is how long a flood of them leaves the issuer alone, and how long a key
	// can stay unknown that is used as soon as it is published. After failures in
	// a row it doubles, up to a minute. The default is 10 seconds.
	Cooldown time.Duration

	// MaxStale is how long keys are used after their last good fetch, if none
	// succeeds. The default is 24 hours.
	MaxStale time.Duration
}

const (
	defaultFetchTimeout = 5 * time.Second
	defaultCooldown     = 10 * time.Second
	defaultMaxStale     = 24 * time.Hour

	defaultFresh = 15 * time.Minute
	minFresh     = time.Minute
	maxFresh     = time.Hour
	maxBackoff   = time.Minute

	// maxWaiting bounds the requests that wait for one fetch: those of a flood
	// would pile up while the issuer is slow.
	maxWaiting = 10_000
)

// open checks r, and fetches nothing yet.
func (r RemoteKeys) open(a *Auth, issuer string) (keySource, []string) {
	var problems []string
	for _, d := range []struct {
		field     string
		value     *time.Duration
		byDefault time.Duration
	}{
		{"Timeout", &r.Timeout, defaultFetchTimeout},
		{"Cooldown", &r.Cooldown, defaultCooldown},
		{"MaxStale", &r.MaxStale, defaultMaxStale},
	} {
		if *d.value < 0 {
			problems = append(problems, fmt.Sprintf("%s is %v: use a duration above zero, or 0 for %v", d.field, *d.value, d.byDefault))
		}
		if *d.value == 0 {
			*d.value = d.byDefault
		}
	}
	var at *discovery
	var err error
	switch {
	case r.URL != "":
		if _, err = parseURL(r.URL); err != nil {
			problems = append(problems, fmt.Sprintf("URL %v: give the address of the JWK Set", err))
		}
	case issuer == "":
		problems = append(problems, "has no name of an issuer to be found by: give RemoteKeys.URL, or Issuer")
	default:
		if at, err = newDiscovery(issuer); err != nil {
			problems = append(problems, fmt.Sprintf("cannot be found by the issuer's name, which %v: give the name that it has in its metadata, or RemoteKeys.URL", err))
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if r.Transport == nil {
		r.Transport = newTransport()
	}
	source := &remoteSource{RemoteKeys: r, auth: a, issuer: issuer, discovery: at, fetcher: newFetcher(r.Transport)}
	source.ctx, source.stop = context.WithCancel(context.Background())
	return source, nil
}

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
// fetched in the background.
func (r *remoteSource) used() {
	if last := r.last.Load(); last != nil && time.Since(last.at) < last.fresh {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.flight == nil && !r.closed && !time.Now().Before(r.retry) {
		r.launch(false)
	}
}

// seek is called when none of the keys in seen fits a token of the issuer. If it
// returns nil, the keys held now are all there is to know. It waits for a fetch,
// never for leave to start one.
func (r *remoteSource) seek(ctx context.Context, seen *keyTable) error {
	f, err := r.join(seen)
	if f == nil {
		return err
	}
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return r.unavailable(ctx.Err(), time.Second)
	}
}

var (
	errClosed  = errors.New("core: the Auth is closed")
	errCrowded = errors.New("core: too many requests wait for the issuer's keys")
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
	if r.flight.waiting++; r.flight.waiting > maxWaiting {
		return nil, r.unavailable(errCrowded, time.Second)
	}
	return r.flight, nil
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
	return fmt.Sprintf("core: the keys of %s are not to be had: %v", e.issuer, e.cause)
}

// Unwrap returns errMissing and the cause.
func (e *keysUnavailable) Unwrap() []error { return []error{errMissing, e.cause} }

var errMissing = errors.New("core: keys are missing")

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
