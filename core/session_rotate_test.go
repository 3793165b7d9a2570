package jwtgate_test

import (
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRefreshWindow presents refresh tokens of one session at times after the login. Token 0
// is that of the login, token 1 is its successor. Each step gets the token of a generation
// or a refusal. The step "used" confirms the use of the token's generation.
func TestRefreshWindow(t *testing.T) {
	t.Parallel()
	type present struct {
		at    time.Duration
		token int
		want  any
	}
	const ms, used = time.Millisecond, "used"
	for _, row := range []struct {
		name  string
		steps []present
	}{
		{"a login opens no window", []present{{0, 0, 1}}},
		{"late", []present{{6 * 24 * time.Hour, 0, 1}}},
		{"replaced, again and again", []present{{0, 0, 1}, {0, 0, 1}, {9 * time.Second, 0, 1}, {9999 * ms, 0, 1}}},
		{"current, again and again", []present{{0, 0, 1}, {0, 1, 1}, {9 * time.Second, 1, 1}, {9999 * ms, 1, 1}}},
		{"the window closes for the current", []present{{0, 0, 1}, {9 * time.Second, 1, 1}, {10 * time.Second, 1, 2}}},
		{"replaced, while its successor is unused", []present{{0, 0, 1}, {9 * time.Second, 0, 1}, {10 * time.Second, 0, 1}, {6 * 24 * time.Hour, 0, 1}, {6*24*time.Hour + 9*time.Second, 1, 1}}},
		{"the window after the first use", []present{{0, 0, 1}, {time.Minute, 1, used}, {time.Minute + 9*time.Second, 0, 1}, {time.Minute + 10*time.Second, 0, refreshStale}, {time.Minute + 29*time.Second, 0, refreshStale}, {time.Minute + 29*time.Second, 1, 2}}},
		{"the window does not slide", []present{{0, 0, 1}, {0, 1, used}, {6 * time.Second, 0, 1}, {12 * time.Second, 0, refreshStale}}},
		{"used by the refresh token", []present{{0, 0, 1}, {9 * time.Second, 1, 1}, {18 * time.Second, 0, 1}, {19 * time.Second, 0, refreshStale}, {39 * time.Second, 0, refreshReused}}},
		{"late twice", []present{{0, 0, 1}, {time.Hour, 0, 1}, {2 * time.Hour, 1, 2}, {2*time.Hour + 9*time.Second, 1, 2}, {2*time.Hour + 10*time.Second, 1, busy}, {2*time.Hour + 20*time.Second, 1, 3}, {2*time.Hour + 25*time.Second, 2, 3}, {2*time.Hour + 30*time.Second, 2, refreshReused}}},
		{"late twice, the successor is displaced again", []present{{0, 0, 1}, {time.Hour, 0, 1}, {2 * time.Hour, 1, 2}, {3 * time.Hour, 1, 3}, {4 * time.Hour, 1, 4}, {4 * time.Hour, 4, 4}, {5 * time.Hour, 4, 5}}},
		{"a late answer is not a rotation", []present{{0, 0, 1}, {24 * time.Hour, 0, 1}, {7 * 24 * time.Hour, 1, refreshExpired}}},
		{"one after the other", []present{{0, 0, 1}, {10 * time.Second, 1, 2}, {20 * time.Second, 2, 3}, {29 * time.Second, 2, 3}, {29 * time.Second, 3, 3}, {30 * time.Second, 3, 4}}},
		{"two behind, within the window", []present{{0, 0, 1}, {10 * time.Second, 1, 2}, {11 * time.Second, 0, refreshReused}}},
		{"replayed, then current", []present{{0, 0, 1}, {0, 1, used}, {30 * time.Second, 0, refreshReused}, {30 * time.Second, 1, refreshRevoked}}},
		{"replayed twice", []present{{0, 0, 1}, {0, 1, used}, {30 * time.Second, 0, refreshReused}, {31 * time.Second, 0, refreshRevoked}}},
		{"remembered", []present{{0, 0, 1}, {0, 1, used}, {30 * time.Second, 0, refreshReused}, {30*time.Second + 16*time.Minute - ms, 0, refreshRevoked}}},
		{"forgotten", []present{{0, 0, 1}, {0, 1, used}, {30 * time.Second, 0, refreshReused}, {30*time.Second + 16*time.Minute, 0, refreshExpired}}},
		{"idle", []present{{7*24*time.Hour - ms, 0, 1}, {14*24*time.Hour - 2*ms, 1, 2}}},
		{"idle for too long", []present{{7 * 24 * time.Hour, 0, refreshExpired}}},
		{"idle for too long after a rotation", []present{{time.Hour, 0, 1}, {time.Hour + 7*24*time.Hour, 1, refreshExpired}}},
		{"answers again do not count as use", []present{{0, 0, 1}, {9 * time.Second, 1, 1}, {7 * 24 * time.Hour, 1, refreshExpired}}},
		{"old", []present{{7*24*time.Hour - ms, 0, 1}, {14*24*time.Hour - 2*ms, 1, 2}, {21*24*time.Hour - 3*ms, 2, 3}, {28*24*time.Hour - 4*ms, 3, 4}, {30*24*time.Hour - time.Second, 4, 5}}},
		{"too old", []present{{7*24*time.Hour - ms, 0, 1}, {14*24*time.Hour - 2*ms, 1, 2}, {21*24*time.Hour - 3*ms, 2, 3}, {28*24*time.Hour - 4*ms, 3, 4}, {30 * 24 * time.Hour, 4, refreshExpired}}},
	} {
		s := newTestServer(t)
		tokens := []string{s.login("alice").Refresh}
		for i, step := range row.steps {
			s.clock.Advance(serverStart.Add(step.at).Sub(s.clock.Now()))
			if step.want == used {
				s.use(tokens[step.token])
				continue
			}
			res := s.refresh(tokens[step.token])
			if generation, good := step.want.(int); good && res.text == "200" {
				if generation == len(tokens) {
					tokens = append(tokens, res.Refresh)
				}
				if res.Refresh != tokens[generation] {
					t.Errorf("%s: step %d: got another token than that of generation %d", row.name, i, generation)
				}
				if got := s.authenticate(res.Access); got != "alice" {
					t.Errorf("%s: step %d: access token: got %s", row.name, i, got)
				}
			} else if res.text != step.want {
				t.Errorf("%s: step %d: got %s; want %v", row.name, i, res.text, step.want)
			}
		}
	}
}

// TestRefreshWindowConfigured checks ReuseWindow and SingleUse.
func TestRefreshWindowConfigured(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		window time.Duration
		single bool
		after  time.Duration
		want   string
	}{
		{time.Minute, false, time.Minute - time.Millisecond, "200"},
		{time.Minute, false, time.Minute, refreshStale},
		{time.Minute, false, 3 * time.Minute, refreshReused},
		{time.Second, false, 999 * time.Millisecond, "200"},
		{time.Second, false, time.Second, refreshStale},
		{time.Second, false, 3 * time.Second, refreshReused},
		{0, true, 0, refreshReused},
		{0, true, time.Second, refreshReused},
	} {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.ReuseWindow, c.Sessions.SingleUse = row.window, row.single })
		tokens := s.login("alice")
		next := s.mustRefresh(tokens.Refresh)
		if got := s.mustRefresh(tokens.Refresh).Refresh; got != next.Refresh {
			t.Errorf("window of %v, single use %v: got another successor, although the first is unused", row.window, row.single)
		}
		s.use(next.Refresh)
		s.clock.Advance(row.after)
		if got := s.refresh(tokens.Refresh).text; got != row.want {
			t.Errorf("window of %v, single use %v, after %v: got %s; want %s", row.window, row.single, row.after, got, row.want)
		}
	}
	// With SingleUse, every refresh returns a new token, however soon.
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.SingleUse = true })
	token := s.login("alice").Refresh
	for range 3 {
		next := s.mustRefresh(token).Refresh
		if next == token {
			t.Error("a token that works once was given out again")
		}
		token = next
	}
	codec := s.codec()
	ahead, _ := codec.Decode(token)
	ahead.Generation++ // as if the store had lost a rotation
	if got := s.refresh(codec.Encode(ahead)).text; got != "200" {
		t.Errorf("from ahead: got %s", got)
	}
}

// TestRefreshTokenAheadOfStore checks genuine tokens that are ahead of the record, which
// means that the store lost rotations.
func TestRefreshTokenAheadOfStore(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		ahead uint32
		after time.Duration
		want  string
	}{
		{1, 0, "200"},
		{2, 0, refreshReused},
		{2, 10 * time.Second, "200"},
		{361, time.Hour, "200"},
		{362, time.Hour, refreshReused},
		{1<<32 - 2, time.Hour, refreshReused},
		{1<<32 - 1, time.Hour, refreshExpired}, // the highest generation
	} {
		s := newTestServer(t)
		tokens := s.login("alice")
		s.clock.Advance(row.after)
		codec := s.codec()
		token, _ := codec.Decode(tokens.Refresh)
		token.Generation = row.ahead
		s.events()
		res := s.refresh(codec.Encode(token))
		if res.text != row.want {
			t.Errorf("%d ahead after %v: got %s; want %s", row.ahead, row.after, res.text, row.want)
		}
		if got, want := s.warnings("the session store has lost rotations of a session") == 1, row.want == "200"; got != want {
			t.Errorf("%d ahead: logged once: %v; want %v", row.ahead, got, want)
		}
		if res.text != "200" {
			continue
		}
		if got, want := s.events(), "healed alice "+token.ID.String(); got != want {
			t.Errorf("got events %q; want %q", got, want)
		}
		if next, err := codec.Decode(res.Refresh); err != nil || next.Generation != row.ahead {
			t.Errorf("%d ahead: the answer is of generation %d", row.ahead, next.Generation)
		}
		s.clock.Advance(10 * time.Second)
		want := refreshReused
		if row.ahead == 1 {
			want = refreshStale // it is the one before
		}
		if got := s.refresh(tokens.Refresh).text; got != want {
			t.Errorf("%d ahead: the token that was current in the store: got %s", row.ahead, got)
		}
	}
}

// TestRefreshLimits checks that no access token outlives its session, and that expires_in
// is its lifetime.
func TestRefreshLimits(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.SessionTTL = 20 * time.Minute })
	ends := serverStart.Add(20 * time.Minute).Unix()
	res := s.login("alice")
	for _, row := range []struct {
		at   time.Duration
		want time.Duration // the lifetime of the access token, or 0 for a refusal
	}{
		{0, 15 * time.Minute},
		{5 * time.Minute, 15 * time.Minute},
		{5*time.Minute + time.Second, 15*time.Minute - time.Second},
		{10*time.Minute + 1500*time.Millisecond, 599 * time.Second},
		{20*time.Minute - time.Second, time.Second},
		{20*time.Minute - 999*time.Millisecond, time.Second},
		{20 * time.Minute, 0},
	} {
		s.clock.Advance(serverStart.Add(row.at).Sub(s.clock.Now()))
		next := s.refresh(res.Refresh)
		if row.want == 0 {
			if next.text != refreshExpired {
				t.Errorf("at %v: got %s", row.at, next.text)
			}
			continue
		}
		if next.text != "200" || next.Expires != row.want {
			t.Fatalf("at %v: got %s, valid for %v; want %v", row.at, next.text, next.Expires, row.want)
		}
		if _, claims := claimsOf(t, next.Access); claims["exp"].(float64) > float64(ends) {
			t.Errorf("at %v: exp is %.0f s past the session's end", row.at, claims["exp"].(float64)-float64(ends))
		}
		res = next
	}
	if got := s.authenticate(res.Access); got != "401 token_expired" {
		t.Errorf("access token at the session's end: got %s", got)
	}
}

// TestRefreshInTheLastSecond checks that a session that ends within a second is not renewed:
// times in tokens are whole seconds, so the new access token would have expired already.
func TestRefreshInTheLastSecond(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.SessionTTL = 20 * time.Minute })
	s.clock.Advance(500 * time.Millisecond)
	tokens := s.login("alice")
	s.clock.Advance(20*time.Minute - 501*time.Millisecond)
	tokens = s.mustRefresh(tokens.Refresh)
	if tokens.Expires != time.Second {
		t.Errorf("got an access token for %v; want a second", tokens.Expires)
	}
	s.clock.Advance(time.Millisecond)
	if got := s.refresh(tokens.Refresh).text; got != refreshExpired {
		t.Errorf("half a second before the end: got %s; want %s", got, refreshExpired)
	}
}

// TestJitter checks that Jitter makes the lifetimes of access tokens vary, and never longer.
func TestJitter(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Jitter = 5 * time.Minute })
	seen := map[time.Duration]bool{}
	for range 200 {
		res := s.login("alice")
		if res.Expires < 10*time.Minute || res.Expires > 15*time.Minute {
			t.Fatalf("got an access token valid for %v", res.Expires)
		}
		if _, claims := claimsOf(t, res.Access); claims["exp"].(float64)-claims["iat"].(float64) != res.Expires.Seconds() {
			t.Errorf("expires_in is %v, got claims %v", res.Expires, claims)
		}
		seen[res.Expires] = true
	}
	if len(seen) < 20 {
		t.Errorf("200 access tokens have %d lifetimes", len(seen))
	}
	s = newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Jitter = time.Second })
	clear(seen)
	for range 100 {
		seen[s.signIn("alice").Access.TTL] = true
	}
	if len(seen) != 2 || !seen[15*time.Minute] || !seen[15*time.Minute-time.Second] {
		t.Errorf("Jitter of a second: got lifetimes %v; want 15m0s and 14m59s", seen)
	}
}

// TestReplay checks that a replayed refresh token ends its session at once on every process,
// and no other session.
func TestReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		other := s.another()
		synctest.Wait()
		alice, second, bob := s.login("alice"), s.login("alice"), s.login("bob")
		next := s.mustRefresh(alice.Refresh)
		s.clock.Advance(10 * time.Second)
		last := s.mustRefresh(next.Refresh)
		s.events()
		req := withField(formRequest("refresh_token", alice.Refresh), "User-Agent", "thief")
		if got := s.send(s.Refresh, req).text; got != refreshReused {
			t.Fatalf("replayed: got %s", got)
		}
		if got, want := s.events(), "reused alice "+sidOf(t, alice.Access)+" by thief"; got != want {
			t.Errorf("got events %q; want %q", got, want)
		}
		for _, at := range []*testServer{s, other} {
			for i, access := range []string{alice.Access, next.Access, last.Access} {
				if got := at.authenticate(access); got != revoked {
					t.Errorf("access token of generation %d: got %s", i, got)
				}
			}
			for i, refresh := range []string{alice.Refresh, next.Refresh, last.Refresh} {
				if got := at.refresh(refresh).text; got != refreshRevoked {
					t.Errorf("refresh token of generation %d: got %s", i, got)
				}
			}
			if at.authenticate(second.Access) != "alice" || at.authenticate(bob.Access) != "bob" {
				t.Error("other sessions were ended")
			}
		}
		if s.refresh(second.Refresh).text != "200" || s.refresh(bob.Refresh).text != "200" {
			t.Error("other sessions were ended")
		}
		if got := s.countEvents(jwtgate.EventReused); got != 0 {
			t.Errorf("got %d more events; want none", got)
		}
	})
}

// TestReplayWhileLoaderFails checks that a replay ends the session even if Sessions.Subject
// fails. Otherwise a thief who can make it fail could keep a stolen session.
func TestReplayWhileLoaderFails(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	next := s.mustRefresh(tokens.Refresh)
	s.use(next.Refresh)
	s.clock.Advance(30 * time.Second)
	s.setSubject(failingSubject)
	s.refresh(tokens.Refresh)
	if got := s.authenticate(next.Access); got != revoked {
		t.Errorf("access token after a replay while the loader fails: got %s; want %s", got, revoked)
	}
}
