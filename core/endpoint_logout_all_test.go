package jwtgate_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestLogoutAll checks that a logout from everywhere ends all sessions and access tokens of
// the subject on every process, and those of no other subject.
func TestLogoutAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		other := s.another()
		synctest.Wait()
		first, second, bob := s.login("alice"), s.login("alice"), s.login("bob")
		loose := jwtgatetest.Token(t, s.Auth, "alice")
		bobs := jwtgatetest.Token(t, s.Auth, "bob")
		s.events()
		if got := s.send(s.LogoutAll, withToken(formRequest(), first.Access)).text; got != "204" {
			t.Fatalf("got %s", got)
		}
		if got, want := s.events(), "ended_all alice"; got != want {
			t.Errorf("got events %q; want %q", got, want)
		}
		again := s.login("alice") // in the same millisecond
		for _, at := range []*testServer{s, other, s.another()} {
			synctest.Wait()
			for name, access := range map[string]string{"first": first.Access, "second": second.Access, "without a session": loose} {
				if got := at.authenticate(access); got != revoked {
					t.Errorf("%s access token: got %s", name, got)
				}
			}
			for name, refresh := range map[string]string{"first": first.Refresh, "second": second.Refresh} {
				if got := at.refresh(refresh).text; got != refreshRevoked {
					t.Errorf("%s refresh token: got %s", name, got)
				}
			}
			if at.authenticate(bob.Access) != "bob" || at.authenticate(bobs) != "bob" {
				t.Error("sessions of another subject were ended")
			}
			if got := at.authenticate(again.Access); got != "alice" {
				t.Errorf("the login right after it: got %s", got)
			}
		}
		if got := s.refresh(again.Refresh).text; got != "200" {
			t.Errorf("refresh of the login right after it: got %s", got)
		}
		s.clock.Advance(time.Second)
		if got := s.authenticate(jwtgatetest.Token(t, s.Auth, "alice")); got != "alice" {
			t.Errorf("a token without a session, a second later: got %s", got)
		}
		if got := s.send(s.LogoutAll, withToken(formRequest(), first.Access)).text; got != revoked {
			t.Errorf("again with a token that is revoked: got %s", got)
		}
		if got := s.authenticate(again.Access); got != "alice" {
			t.Errorf("the login after that: got %s", got)
		}
	})
}

// TestLogoutAllByEarlyToken checks that LogoutAll revokes a token of a process whose clock is
// ahead, and the other tokens of its session, even if the store has lost that session.
func TestLogoutAllByEarlyToken(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	lost := session.NewID(ownerOf("alice")).String()
	for _, row := range []struct {
		name, sid, own, other string // the session, and the jti of each token
	}{
		{"without a session", "", "a", "a"},
		{"of a session", lost, "b", "c"},
	} {
		own, other := s.mint(row.sid, -30*time.Second, map[string]any{"jti": row.own}), s.mint(row.sid, -30*time.Second, map[string]any{"jti": row.other})
		if got := s.send(s.LogoutAll, withToken(formRequest(), own)).text; got != "204" {
			t.Errorf("%s: got %s; want 204", row.name, got)
		}
		if got := s.authenticate(other); got != revoked {
			t.Errorf("%s: afterwards got %s; want %s", row.name, got, revoked)
		}
	}
}

func TestLogoutAllRefusals(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	alice := s.login("alice")
	ended := s.login("alice")
	s.logout(ended.Refresh)
	for _, row := range []struct {
		name string
		req  jwtgate.Request
		want string
	}{
		{"nobody", formRequest(), "401 token_missing"},
		{"refresh token in the body", formRequest("refresh_token", alice.Refresh), "401 token_missing"},
		{"refresh token as Bearer", withToken(formRequest(), alice.Refresh), "401 token_invalid"},
		{"expired", withToken(formRequest(), s.mint("", 15*time.Minute, nil)), "401 token_expired"},
		{"forged", withToken(formRequest(), alice.Access[:len(alice.Access)-4]+"AAAA"), "401 token_invalid"},
		{"session that is over", withToken(formRequest(), ended.Access), revoked},
		{"two headers", jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Bearer " + alice.Access, "Bearer " + alice.Access}}}, "400 malformed_credentials"},
		{"another scheme", jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"Basic " + alice.Access}}}, "401 token_missing"},
	} {
		if got := s.send(s.LogoutAll, row.req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	if got := s.authenticate(alice.Access); got != "alice" {
		t.Errorf("afterwards: got %s", got)
	}
}
