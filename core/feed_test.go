package jwtgate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// A feed that breaks off is taken up again, and what was missed is made up for.
func TestFeedBreaks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		feed := &brokenFeed{Store: d.store.Store}
		other := d.another(func(c *jwtgate.Config) { c.Sessions.Store = feed })
		synctest.Wait()
		tokens, second := d.token("alice"), d.token("alice")
		feed.snap()
		synctest.Wait()
		if told := d.book.told(); strings.Count(told, "store_down") != 1 {
			t.Errorf("told %q", told)
		}
		d.logout(tokens.Refresh)
		time.Sleep(2 * time.Second) // of the bubble's time
		synctest.Wait()
		if got := other.who(tokens.Access); got != revoked {
			t.Errorf("after the feed is back: got %s", got)
		}
		d.logout(second.Refresh)
		synctest.Wait()
		if got := other.who(second.Access); got != revoked {
			t.Errorf("with the feed back: got %s", got)
		}
	})
}

// brokenFeed is a store whose feed snaps on demand.
type brokenFeed struct {
	session.Store

	mu   sync.Mutex
	stop context.CancelFunc
}

func (s *brokenFeed) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	inner, stop := context.WithCancel(ctx)
	s.mu.Lock()
	s.stop = stop
	s.mu.Unlock()
	if err := s.Store.Feed(inner, announce, upToDate); ctx.Err() != nil {
		return err
	}
	return errDesk
}

func (s *brokenFeed) snap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

// Who cannot know what is revoked must not let everyone in for ever.
func TestMaxLag(t *testing.T) {
	t.Parallel()
	const unavailable = "503 unavailable"
	for _, row := range []struct {
		name   string
		change func(*jwtgate.SessionConfig)
		asked  time.Duration // after the feed's last word
		want   string
	}{
		{"at once", nil, 0, "alice"},
		{"for a while", nil, 30*time.Second - time.Millisecond, "alice"},
		{"for too long", nil, 30 * time.Second, unavailable},
		{"for much too long", nil, time.Hour, unavailable},
		{"less, for a while", func(c *jwtgate.SessionConfig) { c.MaxLag = time.Second }, 999 * time.Millisecond, "alice"},
		{"less, for too long", func(c *jwtgate.SessionConfig) { c.MaxLag = time.Second }, time.Second, unavailable},
		{"more, for a while", func(c *jwtgate.SessionConfig) { c.MaxLag = 2 * time.Minute }, time.Minute, "alice"},
		{"any", func(c *jwtgate.SessionConfig) { c.InsecureAnyLag = true }, time.Hour, "alice"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				feed := &switchedFeed{}
				d := newDesk(t, func(c *jwtgate.Config) {
					feed.Store, c.Sessions.Store = c.Sessions.Store, feed
					if row.change != nil {
						row.change(c.Sessions)
					}
				})
				synctest.Wait()
				tokens := d.token("alice")
				feed.turn(off)
				time.Sleep(row.asked) // of the bubble's time
				synctest.Wait()
				if got := d.who(tokens.Access); got != row.want {
					t.Errorf("after %v: got %s; want %s", row.asked, got, row.want)
				}
				// What the store itself is asked goes on.
				if got := d.refresh(tokens.Refresh).text; got != "200" {
					t.Errorf("refresh: got %s", got)
				}
				feed.turn(on)
				time.Sleep(feedPause)
				synctest.Wait()
				if got := d.who(tokens.Access); got != "alice" {
					t.Errorf("with the feed back: got %s", got)
				}
			})
		})
	}
}

// A feed that says nothing at all is no better than one that fails, and is
// started anew: it may hang on a connection that is dead.
func TestSilentFeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		d := newDesk(t, func(c *jwtgate.Config) { feed.Store, c.Sessions.Store = c.Sessions.Store, feed })
		other := d.another(func(c *jwtgate.Config) { c.Sessions.Store = d.store })
		synctest.Wait()
		tokens, ended := d.token("alice"), d.token("alice")
		feed.turn(mute)
		other.logout(ended.Refresh)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := d.who(tokens.Access); got != "503 unavailable" {
			t.Errorf("after 30 seconds of silence: got %s", got)
		}
		time.Sleep(feedPause)
		synctest.Wait()
		if got := feed.started(); got != 2 {
			t.Errorf("the feed was started %d times; want 2", got)
		}
		if got := d.who(tokens.Access); got != "alice" {
			t.Errorf("with the feed back: got %s", got)
		}
		if got := d.who(ended.Access); got != revoked {
			t.Errorf("signed out meanwhile: got %s", got)
		}
	})
}

// A process that has just started lets nobody in before it knows what is
// revoked, and keeps nobody waiting for longer than a use of the store may take.
func TestFeedAtStart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		feed  feedState
		works time.Duration // when it begins to
		want  string
		waits time.Duration
	}{
		{"is slow", hangs, 2 * time.Second, "alice", 2 * time.Second},
		{"is too slow", hangs, 10 * time.Second, "503 unavailable", 5 * time.Second},
		{"fails", off, 0, "503 unavailable", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				synctest.Wait()
				tokens := d.token("alice")
				feed := &switchedFeed{Store: d.store, state: row.feed}
				fresh := d.another(func(c *jwtgate.Config) { c.Sessions.Store = feed })
				if row.works > 0 {
					time.AfterFunc(row.works, func() { feed.turn(on) })
				}
				begin := time.Now()
				if got := fresh.who(tokens.Access); got != row.want {
					t.Errorf("got %s; want %s", got, row.want)
				}
				if got := time.Since(begin); got != row.waits {
					t.Errorf("waited %v; want %v", got, row.waits)
				}
			})
		})
	}
}

// A client that hangs up does not wait.
func TestFeedAtStartHungUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		synctest.Wait()
		tokens := d.token("alice")
		fresh := d.another(func(c *jwtgate.Config) { c.Sessions.Store = &switchedFeed{Store: d.store, state: hangs} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		decision := fresh.Decide(ctx, bearing(tokens.Access, jwtgate.Request{Method: "GET", Path: "/"}))
		if decision.Refusal == nil || decision.Refusal.Code != jwtgate.CodeUnavailable || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v", decision.Refusal, time.Since(begin))
		}
	})
}

// Trouble with a feed is told once, and so is its end.
func TestFeedTroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		d := newDesk(t, func(c *jwtgate.Config) { feed.Store, c.Sessions.Store = c.Sessions.Store, feed })
		synctest.Wait()
		feed.turn(off)
		time.Sleep(20 * time.Second)
		if told := d.book.told(); strings.Count(told, "store_down") != 1 {
			t.Errorf("told %q; want it once that the feed broke off", told)
		}
		time.Sleep(time.Minute)
		if told := d.book.told(); strings.Count(told, "store_down") != 1 {
			t.Errorf("told %q; want it once that access tokens are refused", told)
		}
		feed.turn(on)
		time.Sleep(time.Minute)
		if told := d.book.told(); told != "" {
			t.Errorf("told %q; want nothing", told)
		}
	})
}

// feedPause is how long it takes until a feed that broke off is asked again.
const feedPause = time.Second

// switchedFeed is a store whose feed can be switched.
type switchedFeed struct {
	session.Store

	mu       sync.Mutex
	state    feedState
	switched []context.CancelFunc // of those who follow
	starts   int
}

type feedState int

const (
	on    feedState = iota
	off             // it fails
	hangs           // it says nothing until it is switched again
	mute            // those who follow hear nothing any more; those who come anew do
)

func (s *switchedFeed) turn(state feedState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
	for _, end := range s.switched {
		end()
	}
	s.switched = nil
}

// now returns the state, and a context that ends with it.
func (s *switchedFeed) now(ctx context.Context) (feedState, context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, end := context.WithCancel(ctx)
	s.switched = append(s.switched, end)
	return s.state, ctx
}

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
		state, inner := s.now(ctx)
		switch state {
		case off:
			return errDesk
		case hangs:
			<-inner.Done()
		case on, mute:
			_ = s.Store.Feed(inner, announce, upToDate)
			if state, _ := s.now(ctx); state == mute {
				<-ctx.Done()
			}
		}
	}
	return ctx.Err()
}
