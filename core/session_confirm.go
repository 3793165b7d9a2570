package jwtgate

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

// confirmations reports to the store which generations of sessions are in use: that
// a client has received the answer to a refresh. See [session.Step].
//
// Reports are sent in batches and off the path of requests. If there are too many, or
// the store fails, they are dropped: a report that is lost only delays the detection
// of a stolen token.
type confirmations struct {
	seed    maphash.Seed
	known   atomic.Pointer[[confirmedSize]atomic.Uint64] // hashes of what was reported
	queue   chan session.Confirmation
	stopped chan struct{}
}

const (
	confirmedSize = 1 << 16 // 512 KiB, allocated with the first report
	confirmBatch  = 1 << 12 // the most reports that wait
	confirmPause  = 100 * time.Millisecond
)

// newConfirmations returns confirmations that Auth.sendConfirmations sends.
func newConfirmations() confirmations {
	return confirmations{
		seed:    maphash.MakeSeed(),
		queue:   make(chan session.Confirmation, confirmBatch),
		stopped: make(chan struct{}),
	}
}

// confirm reports that the access token of id came with a request and was accepted.
// It is called for tokens that are not in the cache of verified tokens, and reports
// each generation once. The first generation has no predecessor.
func (c *confirmations) confirm(id *Identity) {
	sid, ours := id.session()
	if !ours || id.claims.Generation == 0 {
		return
	}
	use := session.Confirmation{ID: sid, Generation: id.claims.Generation}
	if c.reported(use) {
		return
	}
	select {
	case c.queue <- use:
	default:
	}
}

// reported records that use is reported, and returns whether it was before. It may
// forget earlier reports, which are then repeated.
func (c *confirmations) reported(use session.Confirmation) bool {
	known := c.known.Load()
	if known == nil {
		c.known.CompareAndSwap(nil, new([confirmedSize]atomic.Uint64))
		known = c.known.Load()
	}
	hash := maphash.Comparable(c.seed, use) | 1 // never zero, the value of an empty place
	return known[hash/2%confirmedSize].Swap(hash) == hash
}

// sendConfirmations sends what is reported until ctx is done, and then the rest.
func (a *Auth) sendConfirmations(ctx context.Context) {
	c := &a.sessions.confirmations
	defer close(c.stopped)
	for done := false; !done; {
		var batch []session.Confirmation
		select {
		case <-ctx.Done():
			done = true
		case use := <-c.queue:
			batch = append(batch, use)
			select {
			case <-ctx.Done():
				done = true
			case <-time.After(confirmPause):
			}
		}
		for len(c.queue) > 0 {
			batch = append(batch, <-c.queue)
		}
		if len(batch) == 0 {
			continue
		}
		_ = a.sendBatch(ctx, batch) // logged by the store
	}
}

func (a *Auth) sendBatch(ctx context.Context, batch []session.Confirmation) error {
	ctx, cancel := a.sessions.detach(ctx)
	defer cancel()
	return a.sessions.Store.Confirm(ctx, batch, a.sessions.policy)
}
