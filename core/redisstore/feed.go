package redisstore

import (
	"context"
	"slices"
	"time"

	"github.com/jwtgate/jwtgate/core/session"
)

const (
	// beat is how long a read waits for new revocations. Each reply, with or
	// without revocations, shows that none was missed until then.
	beat = 500 * time.Millisecond

	// beatTimeout is how long a reader waits for the reply to a read.
	beatTimeout = beat + 2*time.Second
)

// Feed implements [session.Store]. It uses one connection for as long as it
// runs. In a cluster, it uses one for each of the 16 slots, because a blocking
// read is limited to one slot. Feed returns an error when one of the
// connections fails, and when a server is not the same master as before. If a
// server is emptied, Feed reads its streams from the start.
func (s *Store) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	reading, stop := context.WithCancel(ctx)
	defer stop() // the readers notice within a beat
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
