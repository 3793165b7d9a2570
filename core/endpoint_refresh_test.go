package jwtgate_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestRefreshWithAccessToken sends an access token beside the refresh token. It must be of the
// same session, but may have expired or be signed with a key that is not held any more.
func TestRefreshWithAccessToken(t *testing.T) {
	t.Parallel()
	partner := keys.HS256([]byte("signs the tokens of a partner, whom we trust some way"))
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Keys: partner}}
	})
	alice, second, bob := s.login("alice"), s.login("alice"), s.login("bob")
	sid := sidOf(t, alice.Access)
	now := s.clock.Now().Unix()
	sign := func(secret []byte, header, payload string) string {
		return jwtgatetest.Sign(t, "HS256", secret, header, payload)
	}
	claims := fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"alice","sid":%q,"exp":%d}`, serverIssuer, serverAudience, sid, now+600)
	foreign := strings.Replace(claims, serverIssuer, "https://partner.example", 1)
	stranger := []byte("a key that nobody here has ever heard of, long enough")
	const invalid, malformed = "401 token_invalid invalid_grant", "400 malformed_credentials invalid_request"
	bearer := func(token string) []string { return []string{"Bearer " + token} }
	for _, row := range []struct {
		name          string
		authorization []string
		want          string
	}{
		{"none", nil, "200"},
		{"the session's own", bearer(alice.Access), "200"},
		{"the session's own, scheme in capitals", []string{"BEARER  " + alice.Access}, "200"},
		{"the session's own, expired", bearer(s.mint(sid, time.Hour, nil)), "200"},
		{"the session's own, minted elsewhere", bearer(s.mint(sid, 0, nil)), "200"},
		{"kid that is not held", bearer(sign(stranger, `{"alg":"HS256","kid":"last year's"}`, claims)), "200"},
		{"kid that is not held, another session", bearer(sign(stranger, `{"alg":"HS256","kid":"last year's"}`, `{}`)), "200"},
		{"Basic", []string{"Basic YWxpY2U6d29uZGVybGFuZA=="}, "200"},
		{"DPoP", []string{"DPoP " + bob.Access}, "200"},
		{"scheme that begins like ours", []string{"BearerX " + bob.Access}, "200"},
		{"empty line", []string{""}, "200"},

		{"another session of the subject", bearer(second.Access), invalid},
		{"another subject", bearer(bob.Access), invalid},
		{"another session, expired", bearer(s.mint(sidOf(t, bob.Access), time.Hour, nil)), invalid},
		{"no session", bearer(jwtgatetest.Token(t, s.Auth, "alice")), invalid},
		{"no session, expired", bearer(s.mint("", time.Hour, nil)), invalid},
		{"sid that is no session's", bearer(s.mint("x", 0, nil)), invalid},
		{"forged", bearer(sign(stranger, `{"alg":"HS256"}`, claims)), invalid},
		{"forged, our kid", bearer(sign(stranger, `{"alg":"HS256","kid":"`+keys.HS256(signingSecret).ID()+`"}`, claims)), invalid},
		{"forged, expired", bearer(sign(stranger, `{"alg":"HS256"}`, strings.Replace(claims, fmt.Sprint(now+600), fmt.Sprint(now-600), 1))), invalid},
		{"unsigned", bearer(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."), invalid},
		{"our kid with another algorithm", bearer(jwtgatetest.Sign(t, "HS384", signingSecret, `{"alg":"HS384","kid":"`+keys.HS256(signingSecret).ID()+`"}`, claims)), invalid},
		{"signature cut", bearer(alice.Access[:len(alice.Access)-1]), invalid},
		{"not yet good", bearer(s.mint(sid, 0, map[string]any{"nbf": now + 61})), "200"},
		{"not yet good, of another session", bearer(s.mint(sidOf(t, bob.Access), 0, map[string]any{"nbf": now + 61})), invalid},
		{"another audience", bearer(s.mint(sid, 0, map[string]any{"aud": "x"})), invalid},
		{"another issuer", bearer(s.mint(sid, 0, map[string]any{"iss": "x"})), invalid},
		{"another type", bearer(sign(signingSecret, `{"alg":"HS256","typ":"id+jwt"}`, claims)), invalid},
		{"a partner's", bearer(sign([]byte("signs the tokens of a partner, whom we trust some way"), `{"alg":"HS256","kid":"`+partner.ID()+`"}`, foreign)), invalid},
		{"a refresh token", bearer(alice.Refresh), invalid},
		{"no JWS", bearer("x"), invalid},

		{"two headers", []string{"Bearer " + alice.Access, "Bearer " + alice.Access}, malformed},
		{"two headers, one of another scheme", []string{"Basic eDp5", "Bearer " + alice.Access}, malformed},
		{"two in one line", []string{"Bearer " + alice.Access + ", Bearer " + alice.Access}, malformed},
		{"no token", []string{"Bearer"}, malformed},
		{"spaces", []string{"Bearer   "}, malformed},
		{"space after it", []string{"Bearer " + alice.Access + " "}, malformed},
		{"control character", []string{"Bearer " + alice.Access + "\x00"}, malformed},
		{"tab", []string{"Bearer\t" + alice.Access}, malformed},
		{"over the size limit", bearer(strings.Repeat("x", 8193)), malformed},
	} {
		s.store.taken()
		req := withField(formRequest("refresh_token", alice.Refresh), "Authorization", row.authorization...)
		if got := s.send(s.Refresh, req).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
		if calls := s.store.taken(); row.want != "200" && calls != "" {
			t.Errorf("%s: got store calls %s; want none", row.name, calls)
		}
	}
}

// TestRefreshLoadsSubject checks that each refresh loads the subject, and that a subject that
// is gone ends the session.
func TestRefreshLoadsSubject(t *testing.T) {
	t.Parallel()
	type key struct{}
	s := newTestServer(t)
	alice, second := s.login("alice"), s.login("alice")
	s.events()

	s.setSubject(func(ctx context.Context, subject string) (jwtgate.Grant, error) {
		if subject != "alice" || ctx.Value(key{}) != "kept" {
			t.Errorf("got subject %q and context %v", subject, ctx)
		}
		return jwtgate.Grant{Roles: []string{"admin", "auditor"}, Scopes: []string{"read"}, Claims: map[string]string{"tenant": "x"}}, nil
	})
	res := s.read(s.Refresh(context.WithValue(t.Context(), key{}, "kept"), formRequest("refresh_token", alice.Refresh)))
	_, before := claimsOf(t, alice.Access)
	_, after := claimsOf(t, res.Access)
	if fmt.Sprintf("%v %v %v", after["roles"], after["scope"], after["tenant"]) != "[admin auditor] read x" {
		t.Errorf("claims after the change: %v", after)
	}
	for _, name := range []string{"sub", "sid", "auth_time", "iss", "aud"} {
		if fmt.Sprint(before[name]) != fmt.Sprint(after[name]) {
			t.Errorf("%s was %v and is %v", name, before[name], after[name])
		}
	}
	if before["jti"] == after["jti"] {
		t.Error("two access tokens have one jti")
	}

	s.clock.Advance(time.Minute)
	s.setSubject(unknownSubject)
	s.events()
	s.store.taken()
	if got, calls := s.refresh(res.Refresh).text, s.store.taken(); got != refreshRevoked || calls != "Find End" {
		t.Errorf("subject is gone: got %s after %s; want %s after Find End", got, calls, refreshRevoked)
	}
	for _, access := range []string{alice.Access, res.Access} {
		if got := s.authenticate(access); got != revoked {
			t.Errorf("access token of a subject that is gone: got %s", got)
		}
	}
	if got, want := s.events(), "disabled alice "+sidOf(t, alice.Access); got != want {
		t.Errorf("got events %q; want %q", got, want)
	}
	s.setSubject(nil)
	if got := s.refresh(res.Refresh).text; got != refreshRevoked {
		t.Errorf("subject is back: got %s", got)
	}
	if got := s.refresh(second.Refresh).text; got != "200" {
		t.Errorf("another session of a subject that is back: got %s", got)
	}
}

// TestRefreshRefusedEarly checks that a refresh token that will be refused causes one call of
// Find, and does not load the subject.
func TestRefreshRefusedEarly(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Sessions.RefreshTTL = time.Hour })
	codec := s.codec()
	ended, idle := s.login("alice"), s.login("alice")
	s.logout(ended.Refresh)
	forged, _ := codec.Decode(idle.Refresh)
	forged.Nonce = refreshtoken.NewNonce()
	s.setSubject(func(context.Context, string) (jwtgate.Grant, error) {
		t.Error("the subject was loaded")
		return jwtgate.Grant{}, nil
	})
	for _, row := range []struct {
		name    string
		refresh string
		after   time.Duration
		want    string
	}{
		{"ended", ended.Refresh, 0, refreshRevoked},
		{"another nonce", codec.Encode(forged), 0, refreshInvalid},
		{"idle for too long", idle.Refresh, time.Hour, refreshExpired},
		{"never was", codec.Encode(refreshtoken.Token{ID: session.NewID(ownerOf("alice"))}), 0, refreshExpired},
	} {
		s.clock.Advance(row.after)
		s.store.taken()
		if got, calls := s.refresh(row.refresh).text, s.store.taken(); got != row.want || calls != "Find" {
			t.Errorf("%s: got %s after %s; want %s after Find", row.name, got, calls, row.want)
		}
	}
}

// TestRefreshKeys checks that refresh tokens stay valid when the keys of refresh tokens or the
// signing keys are rotated.
func TestRefreshKeys(t *testing.T) {
	t.Parallel()
	next := []byte("makes the refresh tokens of the test server from now on")
	secrets := func(secrets ...[]byte) func(*jwtgate.Config) {
		return func(c *jwtgate.Config) { c.Sessions.Keys = secrets }
	}
	s := newTestServer(t)
	both := s.another(secrets(next, refreshSecret))
	only := s.another(secrets(next))
	tokens := s.login("alice")
	if got := only.refresh(tokens.Refresh).text; got != refreshInvalid {
		t.Errorf("under a secret that is not held: got %s", got)
	}
	successor := both.mustRefresh(tokens.Refresh)
	if again := both.mustRefresh(tokens.Refresh); again.Refresh != successor.Refresh {
		t.Error("got two successors")
	}
	if got := s.refresh(successor.Refresh).text; got != refreshInvalid {
		t.Errorf("under a secret that is not held yet: got %s", got)
	}
	if got := only.refresh(successor.Refresh).text; got != "200" {
		t.Errorf("under the new secret: got %s", got)
	}

	signing := s.another(func(c *jwtgate.Config) { c.Keys = keys.HS256(next) })
	s.clock.Advance(10 * time.Second)
	second := s.login("bob")
	req := withToken(formRequest("refresh_token", second.Refresh), second.Access) // signed with a key that the server does not have any more
	if got := signing.send(signing.Refresh, req).text; got != "200" {
		t.Errorf("with another signing key: got %s", got)
	}
}

// TestRefreshAfterRestart checks that a restart with an empty store or with another secret
// ends the sessions, and has no other effect.
func TestRefreshAfterRestart(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	empty := s.another(func(c *jwtgate.Config) { c.Sessions.Store = session.NewMemory(0, s.clock.Now) })
	if got := empty.refresh(tokens.Refresh).text; got != refreshExpired {
		t.Errorf("with an empty store: got %s", got)
	}
	if got := empty.logout(tokens.Refresh).text; got != "204" {
		t.Errorf("logout with an empty store: got %s", got)
	}
	random := s.another(func(c *jwtgate.Config) {
		c.Keys, c.Sessions.Keys, c.Sessions.Store = keys.HS256([]byte("signs the access tokens of the test server from now on")), nil, nil
	})
	if got := random.refresh(tokens.Refresh).text; got != refreshInvalid {
		t.Errorf("with another secret: got %s", got)
	}
	if got := s.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("afterwards: got %s", got)
	}
}

// TestRefreshIgnores checks that only the method and the body of a program's refresh have an
// effect: other parameters and header fields are ignored.
func TestRefreshIgnores(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	req := formRequest("refresh_token", tokens.Refresh, "username", "bob", "scope", "admin", "client_id", "x", "client_secret", "y", "sub", "bob", "sid", "z")
	req.Path, req.Host = "//x/../y", "evil.example"
	req.Header = http.Header{
		"Content-Type": {formType}, "Cookie": {"__Host-rt=x", "__Host-rt=y"},
		"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Upgrade": {"websocket"},
	}
	res := s.send(s.Refresh, req)
	if res.text != "200" || s.authenticate(res.Access) != "alice" {
		t.Errorf("got %s", res.text)
	}
	if _, claims := claimsOf(t, res.Access); fmt.Sprintf("%v %v", claims["roles"], claims["scope"]) != "[user] <nil>" {
		t.Errorf("got claims %v", claims)
	}
	if got := s.send(s.Refresh, jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Cookie": {"__Host-rt=" + tokens.Refresh}}}).text; got != "401 refresh_missing invalid_grant" {
		t.Errorf("a cookie where none are configured: got %s", got)
	}
}
