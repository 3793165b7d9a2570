package jwtgate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestAllowList checks that with AllowList, every access token of this issuer is looked up in
// the store.
func TestAllowList(t *testing.T) {
	t.Parallel()
	secret := []byte("signs the tokens of a partner, whom we trust some way")
	partner := keys.HS256(secret)
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Sessions.AllowList = true
		c.Sessions.RefreshTTL = 10 * time.Minute
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Keys: partner}}
	})
	alice, bob := s.login("alice"), s.login("bob")
	sid := sidOf(t, alice.Access)
	foreign := func(sid string) string {
		return jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"`+partner.ID()+`"}`,
			fmt.Sprintf(`{"iss":"https://partner.example","aud":%q,"sub":"carol","sid":%q,"exp":%d}`, serverAudience, sid, s.clock.Now().Unix()+600))
	}
	for _, row := range []struct{ name, access, want string }{
		{"live session", alice.Access, "alice"},
		{"live session, minted elsewhere", s.mint(sid, 0, nil), "alice"},
		{"no session", jwtgatetest.Token(t, s.Auth, "alice"), revoked},
		{"session that never was", s.mint(session.NewID(ownerOf("alice")).String(), 0, nil), revoked},
		{"sid that is no session's", s.mint("x", 0, nil), revoked},
		{"sid is empty", s.mint("", 0, map[string]any{"sid": ""}), revoked},
		{"someone else's session", s.mint(sidOf(t, bob.Access), 0, nil), revoked},
		{"a partner's, who have sessions of their own", foreign("x"), "carol"},
		{"a partner's with the id of ours", foreign(sid), "carol"},
	} {
		if got := s.authenticate(row.access); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	s.store.breaks("Find", false)
	if got := s.authenticate(alice.Access); got != "503 unavailable" {
		t.Errorf("store error: got %s", got)
	}
	if got := s.authenticate(jwtgatetest.Token(t, s.Auth, "alice")); got != revoked {
		t.Errorf("store error, no session: got %s; want %s, without the store", got, revoked)
	}
	if events := s.events(); !strings.Contains(events, "store_down alice "+sid) {
		t.Errorf("got events %q", events)
	}
	s.store.mend()
	if got := s.authenticate(alice.Access); got != "alice" {
		t.Errorf("after the store works again: got %s", got)
	}
	// The session is ended without an announcement.
	id, _ := session.ParseID(sid)
	if _, err := s.store.End(t.Context(), id, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := s.authenticate(alice.Access); got != revoked {
		t.Errorf("session that was ended: got %s", got)
	}
	s.clock.Advance(10 * time.Minute)
	if got := s.authenticate(bob.Access); got != revoked {
		t.Errorf("session that is idle for too long: got %s", got)
	}
}

// TestAllowListWithoutNews checks that with AllowList, the record of the session decides, even
// if the feed announces nothing.
func TestAllowListWithoutNews(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *testServer, id session.ID){
		"ended": func(s *testServer, id session.ID) {
			if _, err := s.store.End(t.Context(), id, time.Hour); err != nil {
				t.Fatal(err)
			}
		},
		"idle for too long": func(s *testServer, _ session.ID) { s.clock.Advance(10 * time.Minute) },
	} {
		s := newTestServer(t, func(c *jwtgate.Config) {
			c.Sessions.AllowList, c.Sessions.RefreshTTL = true, 10*time.Minute
			c.Sessions.Store = storeWithoutNews{c.Sessions.Store}
		})
		access := s.login("alice").Access
		if got := s.authenticate(access); got != "alice" {
			t.Fatalf("%s: before: got %s", name, got)
		}
		id, _ := session.ParseID(sidOf(t, access))
		end(s, id)
		if got := s.authenticate(access); got != revoked {
			t.Errorf("%s: got %s; want %s", name, got, revoked)
		}
	}
}

// TestTwoProcesses checks that a session that ends on one process ends on all of them.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(s *testServer, tokens reply){
		"/logout":         func(s *testServer, tokens reply) { s.logout(tokens.Refresh) },
		"/logout, Bearer": func(s *testServer, tokens reply) { s.send(s.Logout, withToken(formRequest(), tokens.Access)) },
		"/logout/all":     func(s *testServer, tokens reply) { s.send(s.LogoutAll, withToken(formRequest(), tokens.Access)) },
		"/sessions/{id}":  func(s *testServer, tokens reply) { s.deleteSession(tokens.Access, "/"+sidOf(s.tb, tokens.Access)) },
		"EndSession":      func(s *testServer, tokens reply) { _ = s.EndSession(s.tb.Context(), sidOf(s.tb, tokens.Access)) },
		"EndSessions":     func(s *testServer, _ reply) { _ = s.EndSessions(s.tb.Context(), "alice") },
		"replay": func(s *testServer, tokens reply) {
			s.use(s.mustRefresh(tokens.Refresh).Refresh)
			s.clock.Advance(30 * time.Second)
			s.refresh(tokens.Refresh)
		},
		"disabled": func(s *testServer, tokens reply) {
			s.setSubject(unknownSubject)
			s.refresh(tokens.Refresh)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t)
			other := s.another()
			synctest.Wait()
			tokens, bystander := other.login("alice"), other.login("bob")
			if got := s.authenticate(tokens.Access); got != "alice" {
				t.Fatalf("%s: before: got %s", name, got)
			}
			end(s, tokens)
			synctest.Wait()
			late := s.another()
			synctest.Wait()
			for where, at := range map[string]*testServer{"here": s, "elsewhere": other, "on a process that starts later": late} {
				if got := at.authenticate(tokens.Access); got != revoked {
					t.Errorf("%s: %s: access token: got %s", name, where, got)
				}
				if got := at.refresh(tokens.Refresh).text; got != refreshRevoked {
					t.Errorf("%s: %s: refresh token: got %s", name, where, got)
				}
				if got := at.authenticate(bystander.Access); got != "bob" {
					t.Errorf("%s: %s: another subject: got %s", name, where, got)
				}
			}
		})
	}
}

// TestManyRevocations checks that no revocation is forgotten while a token that it revokes has
// not expired.
func TestManyRevocations(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	type token struct {
		jwtgate.AccessToken
		how string
	}
	var ended []token
	for i := range 3000 {
		subject := fmt.Sprint("subject ", i)
		tokens, err := s.SignIn(t.Context(), jwtgate.Request{}, subject)
		if err != nil {
			t.Fatal(err)
		}
		loose, err := s.Issue(t.Context(), jwtgate.Grant{Subject: subject})
		if err != nil {
			t.Fatal(err)
		}
		switch i % 3 {
		case 0:
			err = s.EndSession(t.Context(), tokens.SessionID)
			ended = append(ended, token{tokens.Access, "by its session"})
		case 1:
			err = s.EndSessions(t.Context(), subject)
			ended = append(ended, token{tokens.Access, "with its session"}, token{loose, "with its subject"})
		case 2:
			s.send(s.Logout, withToken(formRequest(), loose.Token))
			ended = append(ended, token{loose, "by its jti"})
		}
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			s.clock.Advance(time.Second)
		}
	}
	for i, token := range ended {
		want := revoked
		if !s.clock.Now().Before(token.Expires) {
			want = "401 token_expired"
		}
		if got := s.authenticate(token.Token); got != want {
			t.Errorf("token %d, ended %s: got %s; want %s", i, token.how, got, want)
		}
	}
}

// TestRevocationsAreForgotten checks that revocations are removed from memory when they no
// longer matter.
func TestRevocationsAreForgotten(t *testing.T) {
	t.Parallel()
	const alive = 16 * 60 // one revocation a second, each remembered for 16 minutes
	s := newTestServer(t)
	for range 10 * alive {
		if err := s.EndSession(t.Context(), session.NewID(ownerOf("alice")).String()); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Second)
	}
	if got := s.HeldRevocations(); got < alive || got > 3*alive/2 {
		t.Errorf("got %d in memory, want the %d that matter and not many more", got, alive)
	}
}

// TestRevocationsOfAllKindsAreForgotten checks that each new revocation removes a few expired
// ones of its kind from memory, and never many at a time.
func TestRevocationsOfAllKindsAreForgotten(t *testing.T) {
	t.Parallel()
	const many = 100
	for name, make := range map[string]func(i int) session.Revocation{
		"sessions": func(int) session.Revocation { return session.Revocation{Session: session.NewID(ownerOf("alice"))} },
		"tokens":   func(i int) session.Revocation { return session.Revocation{Token: fmt.Sprint("a\n", i)} },
		"subjects": func(i int) session.Revocation {
			return session.Revocation{Issuer: serverIssuer, Subject: fmt.Sprint(i)}
		},
		"renewals": func(i int) session.Revocation {
			return session.Revocation{Issuer: serverIssuer, Subject: fmt.Sprint(i), Renew: true}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t)
			synctest.Wait()
			revoke := func(i int) {
				r := make(i)
				r.From, r.Until = s.clock.Now(), s.clock.Now().Add(time.Minute)
				if err := s.store.Revoke(t.Context(), r); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			for i := range many {
				revoke(i)
			}
			s.clock.Advance(time.Minute)
			revoke(many)
			if got := s.HeldRevocations(); got >= many || got < many-10 {
				t.Errorf("%s: got %d in memory after the first that came later; want a few less than %d", name, got, many)
			}
			for i := range many {
				revoke(many + 1 + i)
			}
			if got := s.HeldRevocations(); got > 3*many/2 {
				t.Errorf("%s: got %d in memory; want the %d that matter and not many more", name, got, many+1)
			}
		})
	}
}

// TestAnnouncedRevocations checks which tokens the announcements of a store revoke. There are
// three tokens: one of a session, of its generation 2; one without a session; and one without
// a session and without a jti.
func TestAnnouncedRevocations(t *testing.T) {
	t.Parallel()
	sid := session.NewID(ownerOf("alice"))
	retire := func(generation uint32, from time.Duration) session.Revocation {
		return session.Revocation{Session: sid, Generation: generation, From: serverStart.Add(from), Until: serverStart.Add(time.Hour)}
	}
	token := func(jti string, until time.Duration) session.Revocation {
		return session.Revocation{Token: serverIssuer + "\n" + jti, Until: serverStart.Add(until)}
	}
	const minute = time.Minute
	const all = "session loose unnamed"
	for _, row := range []struct {
		name      string
		announced []session.Revocation
		after     time.Duration
		good      string
	}{
		{"a session", []session.Revocation{{Session: sid, Until: serverStart.Add(time.Hour)}}, 0, "loose unnamed"},
		{"the zero session", []session.Revocation{{Until: serverStart.Add(time.Hour)}}, 0, all},
		{"a token", []session.Revocation{token("loose", time.Hour)}, 0, "session unnamed"},
		{"a token, until now", []session.Revocation{token("loose", minute)}, minute, all},
		{"a token without a name", []session.Revocation{token("", time.Hour)}, 0, all},
		{"a generation that is current", []session.Revocation{retire(2, minute)}, minute, all},
		{"a later generation, not yet", []session.Revocation{retire(3, minute)}, minute - 1, all},
		{"a later generation", []session.Revocation{retire(3, minute)}, minute, "loose unnamed"},
		{"two, one of them twice", []session.Revocation{retire(3, minute), retire(4, 2*minute), retire(4, 2*minute)}, minute - 1, all},
		{"two, in the other order", []session.Revocation{retire(4, 2*minute), retire(3, minute)}, minute, "loose unnamed"},
		{"three, the first of all last", []session.Revocation{retire(4, 2*minute), retire(3, minute), retire(2, 0)}, minute - 1, all},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestServer(t)
			synctest.Wait()
			tokens := map[string]string{
				"session": s.mint(sid.String(), 0, map[string]any{"gen": 2, "jti": "session"}),
				"loose":   s.mint("", 0, map[string]any{"jti": "loose"}),
				"unnamed": s.mint("", 0, map[string]any{"jti": nil}),
			}
			for _, r := range row.announced {
				if err := s.store.Revoke(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			s.clock.Advance(row.after)
			var good []string
			for name, access := range tokens {
				if s.authenticate(access) == "alice" {
					good = append(good, name)
				}
			}
			if got, want := sortedWords(good), sortedWords(strings.Fields(row.good)); got != want {
				t.Errorf("%s: got good tokens %q; want %q", row.name, got, want)
			}
		})
	}
}

// TestSubjectRevocation checks that EndSessions revokes the subject's tokens without a session
// that were issued until that second, and no others.
func TestSubjectRevocation(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	issued := func(subject string, at time.Duration) string {
		now := s.clock.Now().Add(at).Unix()
		return s.mint("", 0, map[string]any{"sub": subject, "iat": now, "exp": now + 900, "jti": fmt.Sprint(subject, at)})
	}
	s.clock.Advance(time.Minute + 500*time.Millisecond)
	before, same, bobs := issued("alice", -time.Minute), issued("alice", 0), issued("bob", 0)
	undated := s.mint("", 0, map[string]any{"iat": nil})
	s.clock.Advance(200 * time.Millisecond)
	if err := s.EndSessions(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Second)
	for _, row := range []struct{ name, access, want string }{
		{"issued a minute before", before, revoked},
		{"issued in the second of it", same, revoked},
		{"issued, nobody knows when", undated, revoked},
		{"issued a second after", issued("alice", 0), "alice"},
		{"someone else's", bobs, "bob"},
	} {
		if got := s.authenticate(row.access); got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// TestAsOf checks the claim as_of of a token without a session: it is zero while no revocation
// of its subject is known, and absent if revocations are not known.
func TestAsOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		blind := s.another(func(c *jwtgate.Config) { c.Sessions.Store = &switchedFeed{Store: s.store, state: feedHangs} })
		synctest.Wait()
		for name, row := range map[string]struct {
			at   *testServer
			want any
		}{"revocations are known": {s, 0.0}, "revocations are not known": {blind, nil}} {
			if _, claims := claimsOf(t, jwtgatetest.Token(t, row.at.Auth, "alice")); claims["as_of"] != row.want {
				t.Errorf("%s: got as_of %v; want %v", name, claims["as_of"], row.want)
			}
		}
	})
}

// TestSubjectRevocationBesideRetirement checks that a revocation of a subject concerns the tokens
// of a session whose earlier generations are revoked, and that the store has lost since.
func TestSubjectRevocationBesideRetirement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &switchedFeed{}
		s := newTestServer(t, onStore(store), func(c *jwtgate.Config) {
			store.Store, c.Sessions.RetireReplaced = session.NewMemory(0, c.Now), true
		})
		synctest.Wait()
		tokens := s.login("alice")
		for range 2 {
			s.clock.Advance(time.Minute)
			tokens = s.mustRefresh(tokens.Refresh)
		}
		synctest.Wait()
		store.empty(s.clock.Now)
		s.clock.Advance(time.Millisecond)
		synctest.Wait()
		if got := s.authenticate(tokens.Access); got != "alice" {
			t.Fatalf("before: got %s", got)
		}
		if err := s.EndSessions(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if got := s.authenticate(tokens.Access); got != revoked {
			t.Errorf("after: got %s; want %s", got, revoked)
		}
	})
}

// TestSubjectRevocationLasts checks that a revocation of a subject lasts for MaxLifetime, the
// longest lifetime of a token that was issued elsewhere.
func TestSubjectRevocationLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		long := s.mint("", 0, map[string]any{"exp": s.clock.Now().Add(12 * time.Hour).Unix()})
		if err := s.EndSessions(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(time.Hour)
		late := s.another()
		synctest.Wait()
		for where, at := range map[string]*testServer{"here": s, "on a process that starts later": late} {
			if got := at.authenticate(long); got != revoked {
				t.Errorf("%s: got %s", where, got)
			}
		}
	})
}

// TestSubjectRevocationOfAnyLifetime checks that a very long MaxLifetime does not overflow the
// end of a revocation.
func TestSubjectRevocationOfAnyLifetime(t *testing.T) {
	t.Parallel()
	for _, most := range []time.Duration{0, 100 * 365 * 24 * time.Hour, math.MaxInt64} {
		s := newTestServer(t, func(c *jwtgate.Config) { c.MaxLifetime = most })
		access := s.mint("", 0, nil)
		if err := s.EndSessions(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if got := s.authenticate(access); got != revoked {
			t.Errorf("MaxLifetime %v: got %s", most, got)
		}
	}
}
