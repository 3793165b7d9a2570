package jwtgate_test

import (
	"context"
	"sync"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// A switchedFeed is a store whose feed has a state that the test sets.
type switchedFeed struct {
	session.Store

	mu       sync.Mutex
	state    feedState
	switched []context.CancelFunc // end the contexts of current
	starts   int
}

type feedState int

const (
	feedWorks feedState = iota
	feedFails           // Feed returns an error
	feedHangs           // Feed waits, without being up to date, until the state changes
	feedMute            // followers get no more announcements; new followers do
)

// onFeed puts feed in front of the store of a server.
func onFeed(feed *switchedFeed) func(*jwtgate.Config) {
	return func(c *jwtgate.Config) { feed.Store, c.Sessions.Store = c.Sessions.Store, feed }
}

// set sets the state, and disconnects all followers.
func (s *switchedFeed) set(state feedState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
	for _, end := range s.switched {
		end()
	}
	s.switched = nil
}

// current returns the state, and a context that ends when the state changes.
func (s *switchedFeed) current(ctx context.Context) (feedState, context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, end := context.WithCancel(ctx)
	s.switched = append(s.switched, end)
	return s.state, ctx
}

// started returns how often the feed was followed.
func (s *switchedFeed) started() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts
}

func (s *switchedFeed) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	s.mu.Lock()
	s.starts++
	s.mu.Unlock()
	for ctx.Err() == nil {
		state, inner := s.current(ctx)
		switch state {
		case feedFails:
			return errBroken
		case feedHangs:
			<-inner.Done()
		case feedWorks, feedMute:
			_ = s.Store.Feed(inner, announce, upToDate)
			if state, _ := s.current(ctx); state == feedMute {
				<-ctx.Done()
			}
		}
	}
	return ctx.Err()
}
