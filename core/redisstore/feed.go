package redisstore

import (
	"context"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	// beat is how long a read waits for news. Each that is answered, with news or
	// without, says that nothing of its streams was missed until then.
	beat = 500 * time.Millisecond

	// beatTimeout is how long the server has to answer.
	beatTimeout = beat + 2*time.Second
)

// Feed implements [session.Store]. It holds a connection for as long as it runs:
// to a cluster one for each of the 16 slots, as a read that waits is about one.
// It ends as soon as one of them does, and when a server is no longer the master
// that it was. A server that was emptied is read anew.
func (s *Store) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	reading, stop := context.WithCancel(ctx)
	defer stop() // which the readers see within a beat
	readers := s.readers()
	pages := make(chan page)
	for i, r := range readers {
		go r.follow(reading, func(p page) bool {
			p.reader = i
			select {
			case pages <- p:
				return true
			case <-reading.Done():
				return false
			}
		})
	}
	complete := make([]bool, len(readers))
	for {
		select {
		case <-ctx.Done():
			return failed(ctx, "feed", ctx.Err())
		case p := <-pages:
			if p.err != nil {
				return failed(ctx, "feed", p.err)
			}
			for _, r := range p.revocations {
				announce(r)
			}
			complete[p.reader] = p.complete
			if !slices.Contains(complete, false) {
				upToDate()
				clear(complete)
			}
		}
	}
}
