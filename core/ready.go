package jwtgate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// Ready returns nil if this process can judge requests and begin sessions. Otherwise the
// error names all that is missing: the session store cannot be reached or written to,
// the revocations are not known, an issuer that is required has no keys, or the process
// is shutting down. The text of the error has no details that must stay secret, and can
// be shown to anyone; errors.Is finds the causes.
//
// Ready takes less than a second, even if the store hangs. At most four times a second, it
// writes a short-lived session of no subject to the store, and reads the one before: so
// it also notices that the store has lost its data, which is logged and reported as
// [EventStoreEmptied], but is no reason not to be ready. It fetches the keys of an issuer
// that has none yet.
func (a *Auth) Ready(ctx context.Context) error {
	if a == nil {
		return errNilAuth
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	missing := &notReadyError{}
	if a.draining.Load() {
		missing.add("this process is shutting down", nil)
	}
	if a.sessions != nil {
		missing.add(a.probe.check(ctx, a))
		missing.add(a.sessions.feed.missing(a.sessions))
	}
	for i := range a.issuers {
		missing.add(a.issuers[i].missing(ctx))
	}
	if len(missing.reasons) == 0 {
		return nil
	}
	return missing
}

// Drain makes [Auth.Ready] say that this process is shutting down. Everything else goes
// on. Call it some seconds before the server stops, so that a load balancer that asks
// for readiness sends no more requests by then. Close includes it.
func (a *Auth) Drain() {
	if a != nil {
		a.draining.Store(true)
	}
}

// Readiness is an [Endpoint] for the readiness probe of a load balancer or of Kubernetes.
// It takes GET and HEAD. It answers 200 if [Auth.Ready] returns nil, and otherwise 503
// with a detail that names what is missing.
func (a *Auth) Readiness(ctx context.Context, req Request) (answer Response) {
	defer a.answered(ctx, "readiness", &req, a.answering(&req), &answer)
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return a.wrongMethod(ctx, &req, "GET, HEAD")
	}
	err := a.Ready(ctx)
	if err == nil {
		return Response{Status: http.StatusOK, Header: readyHeader, Body: []byte("ready\n")}
	}
	r := refuse(CodeUnavailable, loggedError{err})
	if missing := (*notReadyError)(nil); errors.As(err, &missing) {
		r.Detail = missing.sentence()
	}
	return a.refused(ctx, &req, false, r).Response
}

var readyHeader = []Field{{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}}

// A notReadyError says what is missing.
type notReadyError struct {
	reasons []string
	causes  []error
}

// add adds a reason and its cause, unless the reason is empty.
func (e *notReadyError) add(reason string, cause error) {
	if reason == "" {
		return
	}
	e.reasons = append(e.reasons, reason)
	if cause != nil {
		e.causes = append(e.causes, cause)
	}
}

func (e *notReadyError) Error() string {
	return "jwtgate: not ready: " + strings.Join(e.reasons, "; ")
}

func (e *notReadyError) Unwrap() []error { return e.causes }

// sentence returns the reasons for the detail of an answer.
func (e *notReadyError) sentence() string {
	text := strings.Join(e.reasons, "; ") + "."
	return strings.ToUpper(text[:1]) + text[1:]
}

const (
	readyTimeout  = 900 * time.Millisecond
	probeTimeout  = 500 * time.Millisecond
	probeInterval = 250 * time.Millisecond // the shortest time between two probes
	probeTTL      = time.Minute            // of the session that a probe creates
	probeSubject  = "jwtgate readiness probe"
)

// A probe checks whether the session store works. Its result is used for a moment, so
// that a flood of requests for readiness does not reach the store.
type probe struct {
	running chan struct{} // has one element while a probe runs
	result  atomic.Pointer[probeResult]
}

type probeResult struct {
	at     time.Time
	reason string
	cause  error
	last   session.ID // of the session that the probe has created
}

func newProbe() probe { return probe{running: make(chan struct{}, 1)} }

// check returns what is wrong with the store of a.
func (p *probe) check(ctx context.Context, a *Auth) (reason string, cause error) {
	select {
	case p.running <- struct{}{}:
		defer func() { <-p.running }()
	case <-ctx.Done():
		return unreachable, ctx.Err()
	}
	last := p.result.Load()
	if last != nil && time.Since(last.at) < probeInterval {
		return last.reason, last.cause
	}
	next := a.tryStore(ctx, last)
	p.result.Store(next)
	return next.reason, next.cause
}

const unreachable = "the session store cannot be reached"

// tryStore reads the session that the last probe has created, and creates another one.
func (a *Auth) tryStore(ctx context.Context, last *probeResult) *probeResult {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
	defer cancel()
	store, owner := a.sessions.Store, a.owner(probeSubject)
	next := &probeResult{at: time.Now()}
	if last == nil || last.last == (session.ID{}) {
		last = &probeResult{last: session.NewID(owner)}
	}
	_, found, err := store.Find(ctx, last.last)
	if err != nil {
		next.reason, next.cause = unreachable, err
		return next
	}
	if !found && !last.at.IsZero() && time.Since(last.at) < probeTTL/2 {
		a.emptied(ctx)
	}
	n := session.New{ID: session.NewID(owner), Owner: owner, Idle: probeTTL, Limit: probeTTL}
	_, _ = rand.Read(n.NonceHash[:]) // never fails; nobody has the nonce
	switch _, err := store.Create(ctx, n, session.Bound{}); {
	case err == nil:
		next.last = n.ID
	case errors.Is(err, session.ErrFull):
		next.reason, next.cause = "the session store is full", err
	case ctx.Err() != nil:
		next.reason, next.cause = unreachable, err
	default:
		next.reason, next.cause = "the session store cannot be written to", err
	}
	return next
}

// emptied reports that the store has lost its data.
func (a *Auth) emptied(ctx context.Context) {
	a.outages.failed(ctx, outageEmptied, errEmptied)
	a.tell(ctx, Event{Kind: EventStoreEmptied, Err: errEmptied})
}

var errEmptied = errors.New("jwtgate: a session that was created a moment ago is not in the store")

// missing returns what is wrong with f, the feed of s.
func (f *feed) missing(s *sessions) (reason string, cause error) {
	switch {
	case !f.unconfirmed.Load() || s.InsecureAnyLag:
		return "", nil
	case f.last.Load() == 0:
		return "the revocations have not been read yet", errUnconfirmed
	}
	return fmt.Sprintf("the revocations have been unknown for %v, and the limit is %v", f.age().Round(time.Second), s.MaxLag), errUnconfirmed
}

// missing returns what is wrong with the keys of i.
func (i *issuer) missing(ctx context.Context) (reason string, cause error) {
	if i.remote == nil || !i.required {
		return "", nil
	}
	if _, held := i.remote.Age(); held {
		return "", nil
	}
	err := i.remote.Seek(ctx, i.remote.Current())
	if _, held := i.remote.Age(); held {
		return "", nil
	}
	if i.name == "" { // of several issuers
		return "the keys of " + i.option("Keys") + " are missing", err
	}
	return fmt.Sprintf("the keys of the issuer %q are missing", i.name), err
}
