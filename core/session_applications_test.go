package jwtgate_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/session"
)

// forAudience and ofIssuer are options: another application with the same secrets and the same
// store.
func forAudience(audience string) func(*jwtgate.Config) {
	return func(c *jwtgate.Config) { c.Audience = audience }
}

func ofIssuer(issuer string) func(*jwtgate.Config) {
	return func(c *jwtgate.Config) { c.Issuer = issuer }
}

// applications are applications that share everything but their issuer or audience.
func applications() map[string]func(*jwtgate.Config) {
	return map[string]func(*jwtgate.Config){
		"another audience":          forAudience("https://other.example"),
		"another issuer":            ofIssuer("https://sso.example"),
		"names joined to the same":  func(c *jwtgate.Config) { c.Issuer, c.Audience = serverIssuer+"h", serverAudience[1:] },
		"names that are exchanged":  func(c *jwtgate.Config) { c.Issuer, c.Audience = serverAudience, serverIssuer },
		"an audience and much more": forAudience(serverAudience + "/v2"),
	}
}

// TestApplicationsApart checks that a refresh token, a session ID and a list are good at their
// own application only.
func TestApplicationsApart(t *testing.T) {
	t.Parallel()
	for name, option := range applications() {
		s := newTestServer(t)
		other := s.another(option)
		own, theirs := s.login("alice"), other.login("alice")

		s.store.taken()
		if got := other.refresh(own.Refresh).text; got != refreshInvalid {
			t.Errorf("%s: a refresh token of another application: got %s", name, got)
		}
		if got := s.store.taken(); got != "" {
			t.Errorf("%s: got store calls %s for a refresh token of another application; want none", name, got)
		}
		if got := other.send(other.Logout, formRequest("refresh_token", own.Refresh)).text; got != "204" || s.store.taken() != "" {
			t.Errorf("%s: /logout with a refresh token of another application: got %s, and store calls", name, got)
		}
		for at, token := range map[*testServer]reply{s: own, other: theirs} {
			infos, _, err := at.Sessions(t.Context(), "alice", "")
			if err != nil || len(infos) != 1 || infos[0].ID != sidOf(t, token.Access) {
				t.Errorf("%s: listed %+v, error %v; want the one session of the application", name, infos, err)
			}
		}
		if got := other.deleteSession(theirs.Access, "/sessions/"+sidOf(t, own.Access)).text; got != "404 not_found" {
			t.Errorf("%s: DELETE of another application's session: got %s", name, got)
		}
		if err := other.EndSession(t.Context(), sidOf(t, own.Access)); err != nil {
			t.Errorf("%s: EndSession: %v", name, err)
		}
		if got := s.authenticate(own.Access); got != "alice" || !s.isLive(sidOf(t, own.Access)) {
			t.Errorf("%s: the session is %s, or not live", name, got)
		}
		if s.refresh(own.Refresh).text != "200" || other.refresh(theirs.Refresh).text != "200" {
			t.Errorf("%s: a refresh token is refused at its own application", name)
		}
	}
}

// TestApplicationsBounds checks that MaxSessions is for one application.
func TestApplicationsBounds(t *testing.T) {
	t.Parallel()
	for name, option := range applications() {
		s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.MaxSessions = 1 })
		other := s.another(option)
		own := s.login("alice")
		other.login("alice")
		if got := s.refresh(own.Refresh).text; got != "200" {
			t.Errorf("%s: got %s after a login there; want 200", name, got)
		}
	}
}

// TestApplicationsAllowList checks that AllowList takes the sessions of the own application
// only, also if an access token is for both.
func TestApplicationsAllowList(t *testing.T) {
	t.Parallel()
	const theirs = "https://other.example"
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.AllowList = true })
	other := s.another(forAudience(theirs))
	sid := sidOf(t, other.login("alice").Access)
	own := sidOf(t, s.login("alice").Access)
	both := func(sid string) string {
		return s.mint(sid, 0, map[string]any{"aud": []string{serverAudience, theirs}})
	}
	for _, row := range []struct {
		at   *testServer
		sid  string
		want string
	}{{s, own, "alice"}, {s, sid, revoked}, {other, sid, "alice"}, {other, own, revoked}} {
		if got := row.at.authenticate(both(row.sid)); got != row.want {
			t.Errorf("session %s: got %s; want %s", row.sid, got, row.want)
		}
	}
}

// TestApplicationsLogoutAll checks that /logout/all refuses the subject's access tokens at every
// application of the issuer, whose refresh tokens go on, and at none of another issuer.
func TestApplicationsLogoutAll(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name          string
		option        func(*jwtgate.Config)
		access, fresh string // what the tokens of the other application are afterwards
	}{
		{"another audience", forAudience("https://other.example"), revoked, "alice"},
		{"another issuer", ofIssuer("https://sso.example"), "alice", "alice"},
	} {
		for _, off := range []time.Duration{0, time.Minute, -time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t)
				feed := &switchedFeed{Store: s.store}
				other := s.another(row.option, onStore(feed), func(c *jwtgate.Config) { c.Now = func() time.Time { return s.clock.Now().Add(off) } })
				synctest.Wait()
				own, theirs, bob := s.login("alice"), other.login("alice"), other.login("bob")
				feed.set(feedMute)
				synctest.Wait()
				s.clock.Advance(time.Millisecond)
				if got := s.send(s.LogoutAll, withToken(formRequest(), own.Access)).text; got != "204" {
					t.Fatalf("%s: got %s", row.name, got)
				}
				next := other.mustRefresh(theirs.Refresh) // before the feed announces the logout there
				feed.set(feedWorks)
				time.Sleep(35 * time.Second) // until the process reads the feed again
				synctest.Wait()
				got := fmt.Sprint(other.authenticate(theirs.Access), ", ", other.authenticate(next.Access), ", ", other.authenticate(bob.Access), ", ", s.refresh(own.Refresh).text)
				if want := fmt.Sprint(row.access, ", ", row.fresh, ", bob, ", refreshRevoked); got != want {
					t.Errorf("%s, clock off by %v: got %s; want %s", row.name, off, got, want)
				}
			})
		}
	}
}

// TestApplicationsOfOneIssuerKnown checks that a process ignores the revocations of subjects of
// another issuer, and those that only ask for a renewal.
func TestApplicationsOfOneIssuerKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		synctest.Wait()
		alice := s.login("alice")
		until := s.clock.Now().Add(time.Hour)
		if err := s.store.Revoke(t.Context(), session.Revocation{Issuer: "https://sso.example", Subject: "alice", From: until, Until: until}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := s.authenticate(alice.Access); got != "alice" {
			t.Errorf("got %s after a revocation of another issuer's alice", got)
		}
	})
}
