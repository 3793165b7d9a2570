package jwtgate

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	// breakerParts is how many parts of a store a breaker distinguishes. A store may
	// keep them on different servers, of which only one hangs.
	breakerParts = 16

	// trialPause is the time from one trial of a part to the next while the first
	// waits. A trial that waits for a lost packet may learn late that the store is
	// back.
	trialPause = time.Second

	// trialWait is how long after a trial was sent calls wait for its answer.
	trialWait = 250 * time.Millisecond
)

var errHangs = errors.New("jwtgate: the session store does not answer in time, and is asked once a second until it does")

// A breaker is a [session.Store] that stops waiting for a store that hangs (circuit
// breaker). A call that fails, but not quickly, shows that the store hangs, unless the
// caller did not wait for long. From then on, calls fail without reaching the store, until
// a trial shows that it answers again. A store whose calls fail quickly, such as one that
// refuses connections, is called as before.
//
// The next call after that sends a trial, so that a breaker needs no goroutine of its own
// while there are no calls. Calls that arrive with the trial wait for it for up to
// trialWait: the first call after the store is back succeeds.
//
// Feed and Confirm are passed on, because no request waits for them.
type breaker struct {
	session.Store
	limit   time.Duration // of a trial, as of a call
	quick   time.Duration // calls that fail within this time have not waited
	outages *outages

	open  context.Context // until close, after which all calls pass
	stop  context.CancelFunc
	parts [breakerParts]storePart

	mu     sync.Mutex // guards the trials
	trials sync.WaitGroup
}

// A storePart is the part of a store with the sessions of some slots.
type storePart struct {
	hangs atomic.Bool
	trial trial // the last one
}

// A trial is a call that shows whether a part still hangs.
type trial struct {
	sent time.Time
	over chan struct{} // closed when the call has returned
}

// newBreaker returns a breaker for calls of store of up to limit, or nil if store is
// in the memory of the process, and so does not hang.
func newBreaker(store session.Store, limit time.Duration, outages *outages) *breaker {
	if local, ok := store.(interface{ InProcess() bool }); ok && local.InProcess() {
		return nil
	}
	b := &breaker{Store: store, limit: limit, quick: limit / 5, outages: outages}
	b.open, b.stop = context.WithCancel(context.Background())
	return b
}

// close ends the trials. A nil breaker has none.
func (b *breaker) close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.trials.Wait()
}

// do calls the store for the sessions of slot, or returns errHangs.
func (b *breaker) do(ctx context.Context, slot uint16, call func() error) error {
	p := &b.parts[slot%breakerParts]
	if p.hangs.Load() && b.open.Err() == nil {
		b.awaitTrial(ctx, p, slot)
		if p.hangs.Load() {
			return errHangs
		}
	}
	start := time.Now()
	err := call()
	switch {
	case err == nil:
		b.answers(p)
	case time.Since(start) <= b.quick, b.impatient(ctx, start):
	case errors.Is(err, session.ErrTooMany), errors.Is(err, session.ErrFull):
	default:
		b.hangs(ctx, err)
	}
	return err
}

// impatient reports whether a call that began at start had so little time, as those of
// [Auth.Ready] have, that its failure says nothing about the store.
func (b *breaker) impatient(ctx context.Context, start time.Time) bool {
	end, limited := ctx.Deadline()
	return limited && end.Sub(start) < b.limit/2
}

// hangs makes the calls of all parts wait for a trial.
func (b *breaker) hangs(ctx context.Context, cause error) {
	for i := range b.parts {
		b.parts[i].hangs.Store(true)
	}
	b.outages.failed(ctx, outageHanging, cause)
}

// answers lets the calls of p pass.
func (b *breaker) answers(p *storePart) {
	if p.hangs.Load() && p.hangs.Swap(false) {
		b.outages.works(outageHanging)
	}
}

// awaitTrial sends a trial of p if it is time to, and waits for the last one, unless
// that was sent a while ago.
func (b *breaker) awaitTrial(ctx context.Context, p *storePart, slot uint16) {
	last := b.lastTrial(p, slot)
	enough := time.NewTimer(time.Until(last.sent.Add(trialWait)))
	defer enough.Stop()
	select {
	case <-last.over:
	case <-enough.C:
	case <-ctx.Done():
	}
}

// lastTrial returns the last trial of p, which it sends if it is time to.
func (b *breaker) lastTrial(p *storePart, slot uint16) trial {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open.Err() == nil && (!p.trial.waits() || time.Since(p.trial.sent) >= trialPause) {
		p.trial = trial{time.Now(), make(chan struct{})}
		sent := p.trial
		b.trials.Go(func() { b.send(p, slot, sent) })
	}
	return p.trial
}

// waits reports whether p was sent, and has no answer yet.
func (p trial) waits() bool {
	select {
	case <-p.over:
		return false
	default:
		return p.over != nil
	}
}

// send looks for a session of slot that does not exist.
func (b *breaker) send(p *storePart, slot uint16, sent trial) {
	defer close(sent.over)
	ctx, cancel := context.WithTimeout(b.open, b.limit)
	defer cancel()
	var id session.ID
	binary.BigEndian.PutUint16(id[:], slot)
	if _, _, err := b.Store.Find(ctx, id); err == nil || time.Since(sent.sent) <= b.quick {
		b.answers(p)
	}
}

// Create implements [session.Store], as do the methods below.
func (b *breaker) Create(ctx context.Context, n session.New, bound session.Bound) (r session.Record, err error) {
	err = b.do(ctx, n.ID.Slot(), func() error { r, err = b.Store.Create(ctx, n, bound); return err })
	return r, err
}

func (b *breaker) Find(ctx context.Context, id session.ID) (r session.Record, found bool, err error) {
	err = b.do(ctx, id.Slot(), func() error { r, found, err = b.Store.Find(ctx, id); return err })
	return r, found, err
}

func (b *breaker) Advance(ctx context.Context, p session.Presented, policy session.Policy) (r session.Record, v session.Verdict, err error) {
	err = b.do(ctx, p.ID.Slot(), func() error { r, v, err = b.Store.Advance(ctx, p, policy); return err })
	return r, v, err
}

func (b *breaker) End(ctx context.Context, id session.ID, remember time.Duration) (live bool, err error) {
	err = b.do(ctx, id.Slot(), func() error { live, err = b.Store.End(ctx, id, remember); return err })
	return live, err
}

func (b *breaker) EndAll(ctx context.Context, e session.Ending) (ended []session.ID, from time.Time, err error) {
	err = b.do(ctx, e.Owner.Slot(), func() error { ended, from, err = b.Store.EndAll(ctx, e); return err })
	return ended, from, err
}

func (b *breaker) List(ctx context.Context, owner session.Owner, after session.Cursor, limit int) (records []session.Record, err error) {
	err = b.do(ctx, owner.Slot(), func() error { records, err = b.Store.List(ctx, owner, after, limit); return err })
	return records, err
}

// Revoke counts as a call for slot 0 if it revokes no session, because only the store
// knows where it announces that.
func (b *breaker) Revoke(ctx context.Context, r session.Revocation) error {
	return b.do(ctx, r.Session.Slot(), func() error { return b.Store.Revoke(ctx, r) })
}
