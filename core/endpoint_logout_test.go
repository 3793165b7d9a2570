package jwtgate_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestLogoutCarriers logs out with a refresh token of alice in the body, with an access token
// of bob in the header, or with both. Each row names the users who are still signed in then.
func TestLogoutCarriers(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	codec := s.codec()
	stranger := []byte("a key that nobody here has ever heard of, long enough")
	for _, row := range []struct {
		name string
		body func(alice reply) string // the parameter refresh_token
		head func(bob reply) []string // the lines of Authorization
		want string
	}{
		{"nothing", nil, nil, "alice bob"},
		{"body", refreshTokenOf, nil, "bob"},
		{"Bearer", nil, bearerLineOf, "alice"},
		{"both: the body goes first", refreshTokenOf, bearerLineOf, "bob"},
		{"garbage in the body, Bearer", fixedText("garbage"), bearerLineOf, "alice"},
		{"access token in the body, Bearer", accessTokenOf, bearerLineOf, "alice"},
		{"access token in the body", accessTokenOf, nil, "alice bob"},
		{"sid in the body", func(alice reply) string { return sidOf(t, alice.Access) }, nil, "alice bob"},
		{"forged refresh token, Bearer", func(alice reply) string { return alice.Refresh[:len(alice.Refresh)-4] + "AAAA" }, bearerLineOf, "alice"},
		{"session that never was, Bearer", fixedText(codec.Encode(refreshtoken.Token{ID: session.NewID(ownerOf("alice")), Nonce: refreshtoken.NewNonce()})), bearerLineOf, "alice"},
		{"session with another nonce, Bearer", func(alice reply) string {
			token, _ := codec.Decode(alice.Refresh)
			token.Nonce = refreshtoken.NewNonce()
			return codec.Encode(token)
		}, bearerLineOf, "alice"},
		{"refresh token that was replaced", func(alice reply) string {
			s.mustRefresh(alice.Refresh)
			s.clock.Advance(10 * time.Second)
			return alice.Refresh
		}, nil, "bob"},
		{"session that is over already, Bearer", func(alice reply) string {
			s.logout(alice.Refresh)
			return alice.Refresh
		}, bearerLineOf, "bob"},

		{"Bearer, expired", nil, func(bob reply) []string {
			return []string{"Bearer " + s.mint(sidOf(t, bob.Access), time.Hour, map[string]any{"sub": "bob"})}
		}, "alice"},
		{"bearer in small letters", nil, func(bob reply) []string { return []string{"bearer   " + bob.Access} }, "alice"},
		{"Bearer, forged", nil, func(bob reply) []string {
			return []string{"Bearer " + jwtgatetest.Sign(t, "HS256", stranger, `{"alg":"HS256"}`, fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"bob","sid":%q,"exp":%d}`, serverIssuer, serverAudience, sidOf(t, bob.Access), s.clock.Now().Unix()+600))}
		}, "alice bob"},
		{"Bearer, signature cut", nil, func(bob reply) []string { return []string{"Bearer " + bob.Access[:len(bob.Access)-1]} }, "alice bob"},
		{"Bearer, another audience", nil, func(bob reply) []string {
			return []string{"Bearer " + s.mint(sidOf(t, bob.Access), 0, map[string]any{"sub": "bob", "aud": "x"})}
		}, "alice bob"},
		{"Bearer, a refresh token", nil, func(bob reply) []string { return []string{"Bearer " + bob.Refresh} }, "alice bob"},
		{"Bearer, a sid", nil, func(bob reply) []string { return []string{"Bearer " + sidOf(t, bob.Access)} }, "alice bob"},
		{"Bearer, nothing", nil, func(reply) []string { return []string{"Bearer"} }, "alice bob"},
		{"two headers", nil, func(bob reply) []string { return append(bearerLineOf(bob), bearerLineOf(bob)...) }, "alice bob"},
		{"two headers, body", refreshTokenOf, func(bob reply) []string { return append(bearerLineOf(bob), bearerLineOf(bob)...) }, "bob"},
		{"another scheme", nil, func(bob reply) []string { return []string{"Token " + bob.Access} }, "alice bob"},
	} {
		alice, bob := s.login("alice"), s.login("bob")
		req := formRequest()
		if row.body != nil {
			req = formRequest("refresh_token", row.body(alice))
		}
		if row.head != nil {
			req = withField(req, "Authorization", row.head(bob)...)
		}
		if got := s.send(s.Logout, req).text; got != "204" {
			t.Errorf("%s: got %s; want 204", row.name, got)
		}
		var in []string
		for _, tokens := range []reply{alice, bob} {
			who := s.authenticate(tokens.Access)
			switch who {
			case "alice", "bob":
				in = append(in, who)
			case "401 token_expired", revoked:
			default:
				t.Errorf("%s: after it: %s", row.name, who)
			}
			if got := s.refresh(tokens.Refresh).text; got != refreshRevoked && who == revoked {
				t.Errorf("%s: refresh after it: got %s", row.name, got)
			}
		}
		if got := strings.Join(in, " "); got != row.want {
			t.Errorf("%s: still valid: %s; want %s", row.name, got, row.want)
		}
	}
}

// The functions from here to fixedText return what a row of TestLogoutCarriers sends.
func refreshTokenOf(tokens reply) string { return tokens.Refresh }

func accessTokenOf(tokens reply) string { return tokens.Access }

func bearerLineOf(tokens reply) []string { return []string{"Bearer " + tokens.Access} }

func fixedText(text string) func(reply) string { return func(reply) string { return text } }

// TestLogoutAgain checks that a logout can be repeated, and causes one event.
func TestLogoutAgain(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	s.events()
	for range 3 {
		if s.logout(tokens.Refresh).text != "204" || s.send(s.Logout, withToken(formRequest(), tokens.Access)).text != "204" {
			t.Error("a logout is refused")
		}
	}
	if got, want := s.events(), "ended alice "+sidOf(t, tokens.Access); got != want {
		t.Errorf("got events %q; want %q", got, want)
	}
}

// TestLogoutGarbage checks that an invalid token does not cause a call of the store.
func TestLogoutGarbage(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.login("alice")
	s.store.taken()
	for _, garbage := range []string{"", "x", "jgr1_", "jgr1_" + strings.Repeat("A", 99), "a.b.c", strings.Repeat("x", 60_000), "\x00", "null"} {
		for _, req := range []jwtgate.Request{formRequest("refresh_token", garbage), jsonRequest("refresh_token", garbage), withToken(formRequest(), garbage)} {
			if got := s.send(s.Logout, req).text; got != "204" {
				t.Errorf("%.20q: got %s", garbage, got)
			}
		}
	}
	if calls := s.store.taken(); calls != "" {
		t.Errorf("got store calls %s; want none", calls)
	}
}

// TestLogoutByTokenID checks that a logout with an access token without a session revokes this
// token alone by its jti, on every process.
func TestLogoutByTokenID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t)
		other := s.another()
		synctest.Wait()
		one, two := jwtgatetest.Token(t, s.Auth, "alice"), jwtgatetest.Token(t, s.Auth, "alice")
		session := s.login("alice")
		if got := s.send(s.Logout, withToken(formRequest(), one)).text; got != "204" {
			t.Fatalf("got %s", got)
		}
		for _, at := range []*testServer{s, other, s.another()} {
			synctest.Wait()
			if got := at.authenticate(one); got != revoked {
				t.Errorf("the token: got %s", got)
			}
			if at.authenticate(two) != "alice" || at.authenticate(session.Access) != "alice" {
				t.Error("other tokens of the subject are revoked, too")
			}
		}
		// Another token with the same jti is revoked, too.
		_, claims := claimsOf(t, one)
		if got := s.authenticate(s.mint("", 0, map[string]any{"jti": claims["jti"]})); got != revoked {
			t.Errorf("another spelling of the token: got %s", got)
		}
		// A token without jti cannot be revoked.
		nameless := s.mint("", 0, map[string]any{"jti": nil})
		s.store.taken()
		if got, calls := s.send(s.Logout, withToken(formRequest(), nameless)).text, s.store.taken(); got != "204" || calls != "" {
			t.Errorf("without jti: got %s, and store calls %q; want 204, and none", got, calls)
		}
		if got := s.authenticate(nameless); got != "alice" {
			t.Errorf("without jti: afterwards got %s", got)
		}
	})
}

// TestLogoutByTokenIDAtOnce checks that this process does not wait for the feed to revoke
// the token.
func TestLogoutByTokenIDAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		feed := &switchedFeed{}
		s := newTestServer(t).another(onFeed(feed))
		synctest.Wait()
		feed.set(feedMute)
		synctest.Wait()
		token := jwtgatetest.Token(t, s.Auth, "alice")
		s.send(s.Logout, withToken(formRequest(), token))
		if got := s.authenticate(token); got != revoked {
			t.Errorf("got %s; want %s", got, revoked)
		}
	})
}

// TestLogoutByTokenIDAgain checks that repeated logouts with one access token make one
// revocation, because each revocation takes memory on every process.
func TestLogoutByTokenIDAgain(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := jwtgatetest.Token(t, s.Auth, "alice")
	s.store.taken()
	for range 3 {
		s.send(s.Logout, withToken(formRequest(), token))
	}
	if got := s.store.taken(); got != "Revoke" {
		t.Errorf("got store calls %s; want one Revoke", got)
	}
}

// TestLogoutOfSessionThatStoreLost checks that a logout revokes its access token even if the
// store has lost the session.
func TestLogoutOfSessionThatStoreLost(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for name, endpoint := range map[string]jwtgate.Endpoint{"/logout": s.Logout, "/logout/all": s.LogoutAll} {
		token := s.mint(session.NewID(ownerOf("alice")).String(), 0, nil)
		if got := s.send(endpoint, withToken(formRequest(), token)).text; got != "204" {
			t.Errorf("%s: got %s", name, got)
		}
		if got := s.authenticate(token); got != revoked {
			t.Errorf("%s: afterwards got %s", name, got)
		}
	}
}

// TestLogoutTrusted checks access tokens of a trusted issuer: a logout revokes the token, but
// never affects the sessions of this server.
func TestLogoutTrusted(t *testing.T) {
	t.Parallel()
	secret := []byte("signs the tokens of a partner, whom we trust some way")
	partner := keys.HS256(secret)
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Keys: partner}}
	})
	theirs := func(jti, sid string) string {
		now := s.clock.Now().Unix()
		return jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"`+partner.ID()+`"}`,
			fmt.Sprintf(`{"iss":"https://partner.example","aud":%q,"sub":"alice","jti":%q,"sid":%q,"iat":%d,"exp":%d}`, serverAudience, jti, sid, now, now+600))
	}
	// The partner's alice is not the alice of this server.
	if err := s.EndSessions(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := s.authenticate(theirs("0", "")); got != "alice" {
		t.Errorf("partner's token after our alice's sessions have ended: got %s", got)
	}
	s.clock.Advance(time.Second)
	alice := s.login("alice")
	foreign := theirs("1", sidOf(t, alice.Access))
	if got := s.authenticate(foreign); got != "alice" {
		t.Fatalf("partner's token: got %s", got)
	}
	for _, row := range []struct {
		endpoint string
		serve    jwtgate.Endpoint
		method   string
		want     string
	}{
		{"/logout/all", s.LogoutAll, "POST", "403 insufficient_scope"},
		{"/sessions", s.ListSessions, "GET", "403 insufficient_scope"},
		{"/sessions/{id}", s.DeleteSession, "DELETE", "403 insufficient_scope"},
		{"/logout", s.Logout, "POST", "204"},
		{"/sessions", s.ListSessions, "GET", revoked},
	} {
		req := withToken(jwtgate.Request{Method: row.method, Path: "/sessions/" + sidOf(t, alice.Access)}, foreign)
		if got := s.send(row.serve, req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.endpoint, got, row.want)
		}
	}
	if got := s.authenticate(alice.Access); got != "alice" {
		t.Errorf("our session afterwards: got %s", got)
	}
	if got := s.refresh(alice.Refresh).text; got != "200" {
		t.Errorf("our session afterwards: got %s", got)
	}
	// A jti belongs to its issuer: a token of this server with the same jti stays valid.
	if got := s.authenticate(s.mint("", 0, map[string]any{"jti": "1"})); got != "alice" {
		t.Errorf("our token with the same jti: got %s", got)
	}
}

// TestLogoutFromOtherSite checks that a page of another site can log out with an access token
// that it sends itself, if Config.Cookies is not set.
func TestLogoutFromOtherSite(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	req := withField(withToken(formRequest(), tokens.Access), "Sec-Fetch-Site", "cross-site")
	if got := s.send(s.Logout, req).text; got != "204" {
		t.Errorf("got %s; want 204", got)
	}
	if got := s.authenticate(tokens.Access); got != revoked {
		t.Errorf("afterwards got %s; want %s", got, revoked)
	}
}
