package jwtgate_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestClose checks that Close stops the goroutines of New, can be called repeatedly and
// concurrently, and that a New that fails starts none. A synctest bubble does not end while
// one of them runs.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		synctest.Wait()
		tokens := s.login("alice")
		for range 3 {
			go s.Close()
		}
		s.Close()
		s.Close()
		if got := s.authenticate(tokens.Access); got != "alice" {
			t.Errorf("after Close: got %s", got)
		}
		next := s.mustRefresh(tokens.Refresh)
		s.logout(next.Refresh)
		if got := s.authenticate(next.Access); got != revoked {
			t.Errorf("after Close and logout: got %s", got)
		}
		second := s.login("alice")
		s.events()
		time.Sleep(30*time.Second - time.Millisecond) // of the fake clock
		if got := s.authenticate(second.Access); got != "alice" {
			t.Errorf("before MaxLag after Close: got %s", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := s.authenticate(second.Access); got != "503 unavailable" {
			t.Errorf("MaxLag after Close: got %s", got)
		}
		if events := s.events(); events != "" {
			t.Errorf("MaxLag after Close: got events %q; want none", events)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		config := jwtgate.Config{Issuer: serverIssuer, Audience: serverAudience, Keys: keys.HS256(signingSecret), Sessions: &jwtgate.SessionConfig{}}
		if _, err := jwtgate.New(config); err == nil {
			t.Error("no Subject, and no error")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		// Close waits for a feed that is slow to stop.
		feed := &slowFeed{}
		s := newTestServer(t, func(c *jwtgate.Config) { feed.Store, c.Sessions.Store = c.Sessions.Store, feed })
		synctest.Wait()
		s.Close()
		if !feed.ended {
			t.Error("Close did not wait")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		// Close works while the feed is disconnected.
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Store = failingFeed{c.Sessions.Store} })
		synctest.Wait()
		s.Close()
		if events := s.events(); strings.Count(events, "store_down") != 1 {
			t.Errorf("got events %q", events)
		}
	})
}

// A slowFeed is a store whose feed takes a second to stop.
type slowFeed struct {
	session.Store

	ended bool
}

func (s *slowFeed) Feed(ctx context.Context, _ func(session.Revocation), _ func()) error {
	<-ctx.Done()
	time.Sleep(time.Second) // of the fake clock
	s.ended = true
	return ctx.Err()
}

// A failingFeed is a store whose feed fails at once.
type failingFeed struct{ session.Store }

func (failingFeed) Feed(context.Context, func(session.Revocation), func()) error { return errBroken }

// TestSessionsConcurrent takes many sessions through their whole life concurrently, for the
// race detector.
func TestSessionsConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced, c.Sessions.MaxSessions = true, 4 })
		other := s.another()
		done := make(chan bool)
		for i := range 8 {
			go func() {
				defer func() { done <- true }()
				subject := fmt.Sprint("subject ", i%3)
				for range 5 {
					tokens := s.login(subject)
					other.refresh(tokens.Refresh)
					s.refresh(tokens.Refresh)
					other.authenticate(tokens.Access)
					s.clock.Advance(11 * time.Second)
					s.listSessions(tokens.Access)
					other.deleteSession(tokens.Access, "/"+sidOf(t, tokens.Access))
					s.refresh(tokens.Refresh)
					other.logout(tokens.Refresh)
					if i == 0 {
						s.send(s.LogoutAll, withToken(formRequest(), tokens.Access))
					}
				}
			}()
		}
		for range 8 {
			<-done
		}
	})
}
