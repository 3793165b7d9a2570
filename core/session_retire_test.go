package jwtgate_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestRetireReplaced checks that with RetireReplaced, an access token is valid until a window
// after the first use of the next generation.
func TestRetireReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true })
		s.store.confirms = true
		other := s.another()
		synctest.Wait()
		second := s.login("alice") // another session, never refreshed
		loose := jwtgatetest.Token(t, s.Auth, "alice")
		generations := []reply{s.login("alice")}
		check := func(when string, good ...bool) { // of the first generations
			t.Helper()
			synctest.Wait()
			for _, at := range []*testServer{s, other} {
				for i, want := range good {
					if got := at.authenticate(generations[i].Access) == "alice"; got != want {
						t.Errorf("%s: generation %d is good: %v; want %v", when, i, got, want)
					}
				}
				if at.authenticate(second.Access) != "alice" || at.authenticate(loose) != "alice" {
					t.Errorf("%s: other tokens are refused", when)
				}
			}
			time.Sleep(time.Second) // for confirmations
		}
		check("after login", true)
		generations = append(generations, s.mustRefresh(generations[0].Refresh))
		check("after a rotation", true)
		s.clock.Advance(time.Minute)
		check("while the next generation is unused", true)
		if again := s.mustRefresh(generations[0].Refresh); again.Refresh != generations[1].Refresh {
			t.Fatal("got two successors")
		}
		check("after the first use", true, true)
		s.clock.Advance(10*time.Second - time.Millisecond)
		check("at the end of the window", true, true)
		s.clock.Advance(time.Millisecond)
		check("after the window", false, true)
		generations = append(generations, s.mustRefresh(generations[1].Refresh))
		check("after the next rotation", false, true)
		s.clock.Advance(10 * time.Second)
		check("a window after it", false, true)
		s.mustRefresh(generations[2].Refresh) // uses it, and rotates it
		check("after its use", false, true, true)
		s.clock.Advance(10 * time.Second)
		check("a window after that", false, false, true)
		fresh := s.another() // a process that starts now
		synctest.Wait()
		if fresh.authenticate(generations[1].Access) != revoked || fresh.authenticate(generations[2].Access) != "alice" {
			t.Error("a process that starts later judges otherwise")
		}
		s.logout(generations[2].Refresh)
		check("after logout", false, false, false)
	})
}

// TestRetireReplacedInARow checks first uses that come as late and as soon as they can: each
// generation is refused a window after the first use of the next one, and not before.
func TestRetireReplacedInARow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const late = 9900 * time.Millisecond
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true })
		synctest.Wait()
		generations := []reply{s.login("alice")}
		generations = append(generations, s.mustRefresh(generations[0].Refresh))
		for i := 1; i <= 2; i++ {
			s.clock.Advance(late)
			s.mustRefresh(generations[i].Refresh) // the first use
			s.clock.Advance(10*time.Second - late)
			generations = append(generations, s.mustRefresh(generations[i].Refresh))
		}
		s.mustRefresh(generations[3].Refresh) // the first use, at once
		for _, row := range []struct {
			after time.Duration
			good  [4]bool
		}{
			{0, [4]bool{false, true, true, true}},
			{late - 1, [4]bool{false, true, true, true}},
			{1, [4]bool{false, false, true, true}},
			{10*time.Second - late, [4]bool{false, false, false, true}},
		} {
			s.clock.Advance(row.after)
			synctest.Wait()
			for i, want := range row.good {
				if got := s.authenticate(generations[i].Access) == "alice"; got != want {
					t.Errorf("%v later: generation %d is good: %v; want %v", row.after, i, got, want)
				}
			}
		}
	})
}

// TestRetireReplacedSingleUse checks that with SingleUse as well, an access token is valid until
// its successor is used.
func TestRetireReplacedSingleUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced, c.Sessions.SingleUse = true, true })
		s.store.confirms = true
		synctest.Wait()
		before := s.login("alice")
		for range 5 {
			after := s.mustRefresh(before.Refresh)
			time.Sleep(time.Second)
			if got := s.authenticate(before.Access); got != "alice" {
				t.Fatalf("before the use of its successor: got %s", got)
			}
			if got := s.authenticate(after.Access); got != "alice" {
				t.Fatalf("the successor: got %s", got)
			}
			time.Sleep(time.Second)
			if got := s.authenticate(before.Access); got != revoked {
				t.Fatalf("after the use of its successor: got %s", got)
			}
			before = after
		}
	})
}

// TestRetireReplacedConcurrent checks that a refresh that is overtaken by another one, or by the
// end of the window, returns an access token of the generation that is current then.
func TestRetireReplacedConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true })
		s.store.confirms = true
		tokens := s.login("alice")
		answers := make([]reply, 16)
		var racers sync.WaitGroup
		for i := range answers {
			racers.Go(func() { answers[i] = s.refresh(tokens.Refresh) })
		}
		racers.Wait()
		// A refresh that finds the record before a rotation, and advances after it.
		late := s.login("alice")
		var winner reply
		s.store.hook(func(_ context.Context, call string) error {
			if call == "Advance" && winner.text == "" {
				winner.text = "being refreshed"
				winner = s.mustRefresh(late.Refresh)
			}
			return nil
		}, nil)
		answers = append(answers, s.mustRefresh(late.Refresh), winner)
		s.store.mend()
		// A refresh that finds the window open, and advances after its end.
		slow := s.login("alice")
		replaced := s.mustRefresh(slow.Refresh)
		s.clock.Advance(9 * time.Second)
		s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
			s.clock.Advance(time.Second)
			return jwtgate.Grant{}, nil
		})
		current := s.mustRefresh(replaced.Refresh)
		if current.Refresh == replaced.Refresh {
			t.Fatal("the window was open")
		}
		answers = append(answers, current)
		for _, res := range answers {
			s.authenticate(res.Access) // uses it
		}
		time.Sleep(time.Second)
		s.clock.Advance(time.Minute)
		for i, res := range answers {
			if got := s.authenticate(res.Access); got != "alice" {
				t.Errorf("racer %d: access token: got %s", i, got)
			}
		}
		for i, res := range []reply{tokens, late, slow, replaced} {
			if got := s.authenticate(res.Access); got != revoked {
				t.Errorf("access token %d of those that were replaced: got %s", i, got)
			}
		}
	})
}
