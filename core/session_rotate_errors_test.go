package jwtgate_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRefreshErrors makes the subject loader, the signing of tokens or the store fail: nothing
// changes, and the same refresh token works later. If the store failed after the rotation,
// the token works within the window and gets the same successor.
func TestRefreshErrors(t *testing.T) {
	t.Parallel()
	bad := func(grant jwtgate.Grant) func(context.Context, string) (jwtgate.Grant, error) {
		return func(context.Context, string) (jwtgate.Grant, error) { return grant, nil }
	}
	for _, row := range []struct {
		name    string
		subject func(context.Context, string) (jwtgate.Grant, error)
		call    string
		after   bool
		calls   string
		rotated bool
	}{
		{"subject", failingSubject, "", false, "Find", false},
		{"claims that are registered", subjectWithReservedClaim, "", false, "Find", false},
		{"claims that are no object", bad(jwtgate.Grant{Claims: "x"}), "", false, "Find", false},
		{"claims that do not encode", bad(jwtgate.Grant{Claims: make(chan int)}), "", false, "Find", false},
		{"scope that is none", bad(jwtgate.Grant{Scopes: []string{"a b"}}), "", false, "Find", false},
		{"Find", nil, "Find", false, "Find", false},
		{"Find, late", nil, "Find", true, "Find", false},
		{"Advance", nil, "Advance", false, "Find Advance", false},
		{"Advance, late", nil, "Advance", true, "Find Advance", true},
	} {
		s := newTestServer(t)
		tokens := s.login("alice")
		s.events()
		for range 3 {
			s.setSubject(row.subject)
			s.store.breaks(row.call, row.after)
			if got := s.refresh(tokens.Refresh).text; got != "503 unavailable" {
				t.Errorf("%s: got %s; want 503", row.name, got)
			}
			if calls := s.store.taken(); calls != row.calls {
				t.Errorf("%s: got store calls %s; want %s", row.name, calls, row.calls)
			}
			if events := s.events(); !strings.HasPrefix(events, "store_down ") || strings.Contains(events, "\n") {
				t.Errorf("%s: got events %q", row.name, events)
			}
			if got := s.authenticate(tokens.Access); got != "alice" {
				t.Errorf("%s: access token: got %s", row.name, got)
			}
			s.clock.Advance(time.Second)
		}
		s.setSubject(nil)
		s.store.mend()
		// The refresh may be repeated on another process.
		other := s.another()
		res := other.refresh(tokens.Refresh)
		if res.text != "200" || res.Refresh == tokens.Refresh {
			t.Fatalf("%s: when it is over: got %s", row.name, res.text)
		}
		if got, want := s.countEvents(jwtgate.EventRepeated) == 1, row.rotated; got != want {
			t.Errorf("%s: got events %q", row.name, s.events())
		}
		if again := s.mustRefresh(tokens.Refresh); again.Refresh != res.Refresh {
			t.Errorf("%s: two successors", row.name)
		}
		s.clock.Advance(10 * time.Second)
		if next := s.mustRefresh(res.Refresh); s.authenticate(next.Access) != "alice" {
			t.Errorf("%s: the session does not go on", row.name)
		}
	}
}

// TestRefreshSubjectGoneAndStoreFails checks that the session of a subject that is gone ends
// with a later refresh if the store fails at first.
func TestRefreshSubjectGoneAndStoreFails(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	s.setSubject(unknownSubject)
	s.store.breaks("End", false)
	if got := s.refresh(tokens.Refresh).text; got != "503 unavailable" {
		t.Errorf("End fails: got %s", got)
	}
	s.store.mend()
	if got := s.refresh(tokens.Refresh).text; got != refreshRevoked {
		t.Errorf("End works again: got %s", got)
	}
	if got := s.authenticate(tokens.Access); got != revoked {
		t.Errorf("access token: got %s", got)
	}
	// A replay is answered as such, even if the subject is gone.
	s.setSubject(nil)
	tokens = s.login("alice")
	s.use(s.mustRefresh(tokens.Refresh).Refresh)
	s.clock.Advance(30 * time.Second)
	s.setSubject(unknownSubject)
	if got := s.refresh(tokens.Refresh).text; got != refreshReused {
		t.Errorf("replayed: got %s", got)
	}
}

// TestRefreshAnswerLost checks that a refresh whose answer was lost in a crash can be repeated
// on another process.
func TestRefreshAnswerLost(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	crash := func() (crashed bool) {
		defer func() { crashed = recover() != nil }()
		s.store.hook(nil, func(_ context.Context, call string) error {
			if call == "Advance" {
				panic("the process is gone, and its answer with it")
			}
			return nil
		})
		s.refresh(tokens.Refresh)
		return false
	}
	if !crash() {
		t.Fatal("Advance was not called")
	}
	s.store.mend()
	restarted := s.another()
	res := restarted.mustRefresh(tokens.Refresh)
	if got := restarted.authenticate(res.Access); got != "alice" {
		t.Errorf("access token: got %s", got)
	}
	s.clock.Advance(10 * time.Second)
	restarted.mustRefresh(res.Refresh)
}

// TestRefreshCancelled checks that a refresh is completed when the client hangs up, and that
// the next refresh with the same token gets the same successor.
func TestRefreshCancelled(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "Find", "Subject", "Advance"} {
		s := newTestServer(t)
		tokens := s.login("alice")
		ctx, hangUp := context.WithCancel(t.Context())
		reached := func(ctx context.Context, call string) error {
			if call == at {
				hangUp()
			}
			if _, bounded := ctx.Deadline(); ctx.Err() != nil || !bounded {
				t.Errorf("hung up at %q: %s has a context that is done, or never will be", at, call)
			}
			return nil
		}
		s.store.hook(reached, nil)
		s.setSubject(func(ctx context.Context, _ string) (jwtgate.Grant, error) {
			return jwtgate.Grant{}, reached(ctx, "Subject")
		})
		if at == "" {
			hangUp()
		}
		res := s.read(s.Refresh(ctx, formRequest("refresh_token", tokens.Refresh)))
		hangUp()
		if res.text != "200" {
			t.Errorf("hung up at %q: got %s", at, res.text)
		}
		s.clock.Advance(9 * time.Second)
		if again := s.mustRefresh(tokens.Refresh); again.Refresh != res.Refresh {
			t.Errorf("hung up at %q: the next call gets another token", at)
		}
	}
}

// TestRefreshTimeout checks that a call that hangs is given up after Timeout, and that
// nothing has changed then.
func TestRefreshTimeout(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"Find", "Subject", "Advance"} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Timeout = 3 * time.Second })
			tokens := s.login("alice")
			hang := func(ctx context.Context, call string) error {
				if call != at {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}
			s.store.hook(hang, nil)
			s.setSubject(func(ctx context.Context, _ string) (jwtgate.Grant, error) {
				return jwtgate.Grant{}, hang(ctx, "Subject")
			})
			begun := time.Now()
			if got := s.refresh(tokens.Refresh).text; got != "503 unavailable" || time.Since(begun) != 3*time.Second {
				t.Errorf("%s hangs: got %s after %v; want 503 after 3s", at, got, time.Since(begun))
			}
			s.store.mend()
			s.setSubject(nil)
			if got := s.refresh(tokens.Refresh).text; got != "200" || s.countEvents(jwtgate.EventRotated) != 1 {
				t.Errorf("%s hung: the next refresh got %s", at, got)
			}
		})
	}
}
