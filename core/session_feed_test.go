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

// TestFeedBreaks checks that a feed that was disconnected is followed again, and that the
// revocations that were missed are received.
func TestFeedBreaks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		feed := &brokenFeed{Store: s.store.Store}
		other := s.another(func(c *jwtgate.Config) { c.Sessions.Store = feed })
		synctest.Wait()
		tokens, second := s.login("alice"), s.login("alice")
		feed.disconnect()
		synctest.Wait()
		if events := s.events(); strings.Count(events, "store_down") != 1 {
			t.Errorf("got events %q", events)
		}
		s.logout(tokens.Refresh)
		time.Sleep(2 * time.Second) // of the fake clock
		synctest.Wait()
		if got := other.authenticate(tokens.Access); got != revoked {
			t.Errorf("after the feed is back: got %s", got)
		}
		if feed.first.Err() == nil {
			t.Error("the context of the first feed is not done")
		}
		s.logout(second.Refresh)
		synctest.Wait()
		if got := other.authenticate(second.Access); got != revoked {
			t.Errorf("with the feed back: got %s", got)
		}
	})
}

// A brokenFeed is a store whose feed the test can disconnect.
type brokenFeed struct {
	session.Store

	mu    sync.Mutex
	stop  context.CancelFunc
	first context.Context // of the first call
}

func (s *brokenFeed) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	inner, stop := context.WithCancel(ctx)
	s.mu.Lock()
	s.stop = stop
	if s.first == nil {
		s.first = ctx
	}
	s.mu.Unlock()
	if err := s.Store.Feed(inner, announce, upToDate); ctx.Err() != nil {
		return err
	}
	return errBroken
}

func (s *brokenFeed) disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

// TestMaxLag checks that access tokens are refused when the revocations have not been up to
// date for MaxLag.
func TestMaxLag(t *testing.T) {
	t.Parallel()
	const unavailable = "503 unavailable"
	for _, row := range []struct {
		name   string
		change func(*jwtgate.SessionConfig)
		asked  time.Duration // after the feed was disconnected
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
				s := newTestServer(t, onFeed(feed), func(c *jwtgate.Config) {
					if row.change != nil {
						row.change(c.Sessions)
					}
				})
				synctest.Wait()
				tokens := s.login("alice")
				time.Sleep(time.Hour) // the feed has reported many times
				feed.set(feedFails)
				time.Sleep(row.asked) // of the fake clock
				synctest.Wait()
				if got := s.authenticate(tokens.Access); got != row.want {
					t.Errorf("after %v: got %s; want %s", row.asked, got, row.want)
				}
				// The refresh endpoint only needs the store.
				if got := s.refresh(tokens.Refresh).text; got != "200" {
					t.Errorf("refresh: got %s", got)
				}
				feed.set(feedWorks)
				time.Sleep(feedPause)
				synctest.Wait()
				if got := s.authenticate(tokens.Access); got != "alice" {
					t.Errorf("with the feed back: got %s", got)
				}
			})
		})
	}
}

// TestSilentFeed checks that a feed that announces nothing for MaxLag counts as failed, and is
// started again: its connection may be dead.
func TestSilentFeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		s := newTestServer(t, onFeed(feed))
		other := s.another(func(c *jwtgate.Config) { c.Sessions.Store = s.store })
		synctest.Wait()
		tokens, ended := s.login("alice"), s.login("alice")
		time.Sleep(time.Hour)
		feed.set(feedMute)
		other.logout(ended.Refresh)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := s.authenticate(tokens.Access); got != "503 unavailable" {
			t.Errorf("after 30 seconds of silence: got %s", got)
		}
		if events := s.events(); !strings.Contains(events, "jwtgate: revocation feed: jwtgate: the store's feed has reported nothing") {
			t.Errorf("got events %q; want one about the silence", events)
		}
		time.Sleep(feedPause)
		synctest.Wait()
		if got := feed.started(); got != 2 {
			t.Errorf("the feed was started %d times; want 2", got)
		}
		if got := s.authenticate(tokens.Access); got != "alice" {
			t.Errorf("with the feed back: got %s", got)
		}
		if got := s.authenticate(ended.Access); got != revoked {
			t.Errorf("signed out meanwhile: got %s", got)
		}
	})
}

// A talkingFeed is a store with so many revocations that its feed takes two minutes to
// announce them, one each second.
type talkingFeed struct {
	session.Store

	starts int
}

func (s *talkingFeed) Feed(ctx context.Context, announce func(session.Revocation), upToDate func()) error {
	s.starts++
	for range 120 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
			announce(session.Revocation{Issuer: serverIssuer, Subject: "carol", Until: time.Now().Add(time.Hour)})
		}
	}
	return s.Store.Feed(ctx, announce, upToDate)
}

// TestTalkingFeed checks that a feed counts as silent only while it announces nothing: it can
// need longer than MaxLag to be up to date.
func TestTalkingFeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &talkingFeed{}
		s := newTestServer(t, func(c *jwtgate.Config) { feed.Store, c.Sessions.Store = c.Sessions.Store, feed })
		tokens := s.login("alice")
		time.Sleep(2*time.Minute + time.Second)
		if got := s.authenticate(tokens.Access); got != "alice" || feed.starts != 1 {
			t.Errorf("got %s, after %d starts of the feed; want alice, after 1", got, feed.starts)
		}
	})
}

// TestFeedAtStart checks that a new process accepts no access token before its revocations are
// up to date, that no request waits for them longer than Timeout, and that a request that has
// waited is judged by what the process has learned meanwhile.
func TestFeedAtStart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		feed  feedState
		works time.Duration // when the feed begins to work; 0 for never
		of    string        // whose access token it is
		want  string
		waits time.Duration
	}{
		{"is slow", feedHangs, 2 * time.Second, "alice", "alice", 2 * time.Second},
		{"is slow, the session was ended", feedHangs, 2 * time.Second, "ended", revoked, 2 * time.Second},
		{"is slow, the subject was renewed", feedHangs, 2 * time.Second, "renewed", "401 token_expired", 2 * time.Second},
		{"is too slow", feedHangs, 10 * time.Second, "alice", "503 unavailable", 5 * time.Second},
		{"fails", feedFails, 0, "alice", "503 unavailable", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t)
				synctest.Wait()
				tokens := map[string]reply{"alice": s.login("alice"), "ended": s.login("ended"), "renewed": s.login("renewed")}
				s.logout(tokens["ended"].Refresh)
				s.clock.Advance(time.Second)
				if err := s.RenewSubject(t.Context(), "renewed"); err != nil {
					t.Fatal(err)
				}
				feed := &switchedFeed{Store: s.store, state: row.feed}
				fresh := s.another(func(c *jwtgate.Config) { c.Sessions.Store = feed })
				if row.works > 0 {
					time.AfterFunc(row.works, func() { feed.set(feedWorks) })
				}
				begin := time.Now()
				if got := fresh.authenticate(tokens[row.of].Access); got != row.want {
					t.Errorf("got %s; want %s", got, row.want)
				}
				if got := time.Since(begin); got != row.waits {
					t.Errorf("waited %v; want %v", got, row.waits)
				}
			})
		})
	}
}

// TestFeedAtStartHungUp checks that a request whose client hangs up stops waiting for the
// revocations.
func TestFeedAtStartHungUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		synctest.Wait()
		tokens := s.login("alice")
		fresh := s.another(func(c *jwtgate.Config) { c.Sessions.Store = &switchedFeed{Store: s.store, state: feedHangs} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		decision := fresh.Decide(ctx, withToken(jwtgate.Request{Method: "GET", Path: "/"}, tokens.Access))
		if decision.Refusal == nil || decision.Refusal.Code != jwtgate.CodeUnavailable || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v", decision.Refusal, time.Since(begin))
		}
	})
}

// TestFeedErrorIsReportedOnce checks that a feed that stays disconnected causes one event, and
// another one when access tokens are refused because of it.
func TestFeedErrorIsReportedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		s := newTestServer(t, onFeed(feed))
		synctest.Wait()
		feed.set(feedFails)
		time.Sleep(20 * time.Second)
		if events := s.events(); strings.Count(events, "store_down") != 1 {
			t.Errorf("got events %q; want one about the feed being disconnected", events)
		}
		time.Sleep(time.Minute)
		if events := s.events(); strings.Count(events, "store_down") != 1 {
			t.Errorf("got events %q; want one about access tokens being refused", events)
		}
		feed.set(feedWorks)
		time.Sleep(time.Minute)
		if events := s.events(); events != "" {
			t.Errorf("got events %q; want none", events)
		}
		feed.set(feedFails)
		time.Sleep(20 * time.Second)
		if events, want := s.events(), "store_down: jwtgate: revocation feed: broken by the test"; events != want {
			t.Errorf("disconnected again: got events %q; want %q", events, want)
		}
	})
}

// TestFeedLog checks the lines about a feed that is disconnected for longer than MaxLag.
func TestFeedLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		s := newTestServer(t, onFeed(feed))
		synctest.Wait()
		feed.set(feedFails)
		time.Sleep(40 * time.Second)
		feed.set(feedWorks)
		time.Sleep(5 * time.Second)
		for _, line := range []string{
			"ERROR msg=\"the feed of revocations has ended and is read again\" cause=\"broken by the test\"",
			"ERROR msg=\"jwtgate: revocations have been unknown for longer than Sessions.MaxLag\"",
			"INFO msg=\"the feed of revocations works again\"",
			"INFO msg=\"the revocations are known again\"",
		} {
			if got := s.warnings(line); got != 1 {
				t.Errorf("got %d lines %s; want 1", got, line)
			}
		}
	})
}

// feedPause is the time until a feed that was disconnected is followed again.
const feedPause = time.Second
