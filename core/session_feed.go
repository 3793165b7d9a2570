package jwtgate

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

var (
	errUnconfirmed = errors.New("jwtgate: revocations have been unknown for longer than Sessions.MaxLag")
	errSilent      = errors.New("jwtgate: the store's feed has reported nothing for longer than Sessions.MaxLag")
)

// feedPause is the wait before a feed that has ended is read again.
const feedPause = time.Second

// feed is whether this process knows the current revocations.
type feed struct {
	unconfirmed atomic.Bool
	start       time.Time          // when the feed was opened
	last        atomic.Int64       // when the current revocations were known last, in nanoseconds after start
	lag         *time.Timer        // fires when they have been unknown for too long
	opening     context.Context    // done when they are known, or reading them has failed
	opened      context.CancelFunc // ends opening
}

// openFeed starts to read the feed of a's store, and to send confirmations to it,
// until Close.
func (a *Auth) openFeed() {
	s := a.sessions
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.feed.unconfirmed.Store(true)
	s.feed.start = time.Now()
	s.feed.opening, s.feed.opened = context.WithTimeout(ctx, s.Timeout)
	s.feed.lag = time.AfterFunc(s.MaxLag, a.lagged)
	go a.follow(ctx)
	go a.sendConfirmations(ctx)
}

// confirmed reports whether the current revocations are known. When the process has
// just started, it waits until they are.
func (f *feed) confirmed(ctx context.Context) bool {
	if !f.unconfirmed.Load() {
		return true
	}
	select {
	case <-f.opening.Done():
	case <-ctx.Done():
	}
	return !f.unconfirmed.Load()
}

// follow reads the feed again and again until ctx is done.
func (a *Auth) follow(ctx context.Context) {
	s := a.sessions
	defer close(s.stopped)
	broken := false
	for {
		err := a.readFeed(ctx, func() {
			broken = false
			a.outages.works(outageFeed)
			a.confirm()
		})
		if ctx.Err() != nil {
			return
		}
		a.outages.failed(ctx, outageFeed, err)
		if !broken {
			broken = true
			a.tell(ctx, Event{Kind: EventStoreDown, Err: fmt.Errorf("jwtgate: revocation feed: %w", err)})
		}
		s.feed.opened()
		select {
		case <-ctx.Done():
			return
		case <-time.After(feedPause):
		}
	}
}

// readFeed reads the store's feed until it ends, or reports nothing for too long.
func (a *Auth) readFeed(ctx context.Context, upToDate func()) error {
	s := a.sessions
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(s.MaxLag, func() { stop(errSilent) })
	defer silence.Stop()
	err := s.Store.Feed(ctx, func(r session.Revocation) {
		silence.Reset(s.MaxLag)
		s.revoked.add(r, a.config.Now())
	}, func() {
		silence.Reset(s.MaxLag)
		upToDate()
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// age returns how long ago the current revocations were known.
func (f *feed) age() time.Duration { return time.Since(f.start) - time.Duration(f.last.Load()) }

// confirm records that the current revocations are known.
func (a *Auth) confirm() {
	f := &a.sessions.feed
	f.lag.Reset(a.sessions.MaxLag)
	f.last.Store(int64(time.Since(f.start)))
	a.outages.works(outageLag)
	f.unconfirmed.Store(false)
	f.opened()
}

// lagged records that the current revocations have been unknown for too long.
func (a *Auth) lagged() {
	a.sessions.feed.unconfirmed.Store(true)
	if !a.outages.closed.Load() { // after Close, this is no failure
		ctx := context.Background()
		a.outages.failed(ctx, outageLag, errUnconfirmed)
		a.tell(ctx, Event{Kind: EventStoreDown, Err: errUnconfirmed})
	}
	if !a.sessions.InsecureAnyLag {
		a.sessions.revoked.watches.wakeAll()
	}
}
