package jwtgate_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// These tests change the signing keys while sessions are live.

// Refresh tokens have keys of their own, so sessions survive every change of the
// signing keys.
func TestSessionsOutliveSigningKeys(t *testing.T) {
	t.Parallel()
	ring := keys.NewRing(ringKey(1))
	s := newTestServer(t, func(c *jwtgate.Config) { c.Keys = ring })
	first := s.login("alice")
	do(t, ring.Replace(ringKey(2)))
	if got := s.authenticate(first.Access); got != "401 token_invalid" {
		t.Errorf("got %s by a key that is gone; want 401 token_invalid", got)
	}
	second := s.mustRefresh(first.Refresh)
	if got := s.authenticate(second.Access); got != "alice" {
		t.Errorf("got %s by the new key; want alice", got)
	}
	s.clock.Advance(11 * time.Second)
	rotateTo(t, ring, ringKey(3))
	again := s.send(s.Refresh, withToken(formRequest("refresh_token", second.Refresh), first.Access))
	if again.Status != 200 || s.authenticate(again.Access) != "alice" || s.authenticate(second.Access) != "alice" {
		t.Errorf("got %s from a client with a token by a key that is gone; want 200", again.text)
	}
}

// A browser is renewed if its access token was signed with a key that was removed.
func TestKeyRingRenewal(t *testing.T) {
	t.Parallel()
	ring := keys.NewRing(ringKey(1))
	auth := newVerifier(t, ring, withCookies, func(c *jwtgate.Config) {
		c.Now = nil
		c.Sessions = &jwtgate.SessionConfig{Subject: loadUser}
	})
	t.Cleanup(auth.Close)
	browser := jwtgate.Request{Method: "GET", Header: http.Header{"Cookie": {jwtgatetest.Cookie(t, auth, "alice")}}}
	rotateTo(t, ring, ringKey(2))
	if d := decide(t, auth, browser, accepted); d.Renewed {
		t.Error("renewed, though the retired key is held")
	}
	do(t, ring.Replace(ringKey(2)))
	if d := decide(t, auth, browser, accepted); !d.Renewed || d.Identity.Subject() != "alice" {
		t.Error("not renewed, though the key is gone")
	}
	access, _, _ := strings.Cut(browser.First("Cookie"), ";")
	decide(t, auth, withField(browser, "Cookie", access), jwtgate.CodeTokenMissing)
}

// A server changes from a secret to a key pair. With the secret in Sessions.Keys, its
// refresh tokens stay valid and have the same successors.
func TestFromSecretToKeyPair(t *testing.T) {
	t.Parallel()
	before := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.Keys = nil })
	for _, source := range []keys.Source{
		keys.Set{keys.RS256(rsaKey()), keys.HS256(signingSecret)},
		keys.NewRing(keys.RS256(rsaKey()), keys.HS256(signingSecret)),
	} {
		first := before.login("alice")
		after := before.another(func(c *jwtgate.Config) {
			c.Keys, c.Sessions.Keys = source, [][]byte{signingSecret}
		})
		if got := after.authenticate(first.Access); got != "alice" {
			t.Errorf("got %s for a token by the secret; want alice", got)
		}
		by, then := after.mustRefresh(first.Refresh), before.mustRefresh(first.Refresh)
		if by.Refresh != then.Refresh {
			t.Error("got another successor of the same refresh token")
		}
		if got := segment(t, by.Access, 0)["alg"]; got != "RS256" {
			t.Errorf("got a token by %v; want one by RS256", got)
		}
		if got := before.authenticate(by.Access); got != "401 token_invalid" {
			t.Errorf("got %s where the new key is not known yet; want 401 token_invalid", got)
		}
	}
}
