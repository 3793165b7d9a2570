package jwtgate_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// TestRefreshForged checks that refresh tokens that differ from a genuine one in any bit are
// refused with the same answer, without a call of the store and without an effect.
func TestRefreshForged(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	alice, mallory := s.login("alice"), s.login("mallory")
	codec := func(secret []byte) *refreshtoken.Codec {
		c, err := refreshtoken.New(serverIssuer, serverAudience, secret)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	token, err := codec(refreshSecret).Decode(alice.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	sid := sidOf(t, alice.Access)
	raw, err := base64.RawURLEncoding.DecodeString(alice.Refresh[len("jgr1_"):])
	if err != nil {
		t.Fatal(err)
	}
	others, err := base64.RawURLEncoding.DecodeString(mallory.Refresh[len("jgr1_"):])
	if err != nil {
		t.Fatal(err)
	}
	const idAt, nonceAt, macAt = 4, 4 + 18, 4 + 18 + 16 + 4
	text := func(parts ...[]byte) string {
		var all []byte
		for _, part := range parts {
			all = append(all, part...)
		}
		return "jgr1_" + base64.RawURLEncoding.EncodeToString(all)
	}
	forged := map[string]string{
		"the session's id":            sid,
		"the id with our prefix":      "jgr1_" + sid,
		"an access token":             alice.Access,
		"an access token, prefixed":   "jgr1_" + alice.Access,
		"the prefix alone":            "jgr1_",
		"no prefix":                   alice.Refresh[5:],
		"another prefix":              "jgr2_" + alice.Refresh[5:],
		"prefix in capitals":          "JGR1_" + alice.Refresh[5:],
		"prefix twice":                "jgr1_" + alice.Refresh,
		"in small letters":            strings.ToLower(alice.Refresh),
		"space before":                " " + alice.Refresh,
		"space after":                 alice.Refresh + " ",
		"line end after":              alice.Refresh + "\n",
		"line end within":             alice.Refresh[:40] + "\n" + alice.Refresh[40:],
		"line end in place of one":    alice.Refresh[:40] + "\n" + alice.Refresh[41:],
		"NUL after":                   alice.Refresh + "\x00",
		"padding":                     alice.Refresh + "=",
		"cut":                         alice.Refresh[:len(alice.Refresh)-1],
		"two tokens":                  alice.Refresh + mallory.Refresh,
		"two tokens, comma":           alice.Refresh + "," + alice.Refresh,
		"quoted":                      `"` + alice.Refresh + `"`,
		"escaped twice":               strings.ReplaceAll(alice.Refresh, "_", "%5F"),
		"Bearer":                      "Bearer " + alice.Refresh,
		"long":                        strings.Repeat("A", 60_000),
		"id and nonce, other's MAC":   text(raw[:macAt], others[macAt:]),
		"id, other's nonce and MAC":   text(raw[:nonceAt], others[nonceAt:]),
		"other's id, nonce and MAC":   text(others[:nonceAt], raw[nonceAt:]),
		"nonce in other's token":      text(others[:nonceAt], raw[nonceAt:nonceAt+16], others[nonceAt+16:]),
		"id in other's token":         text(others[:idAt], raw[idAt:nonceAt], others[nonceAt:]),
		"no MAC":                      text(raw[:macAt]),
		"MAC of zeros":                text(raw[:macAt], make([]byte, 32)),
		"next generation":             text(raw[:macAt-1], []byte{raw[macAt-1] + 1}, raw[macAt:]),
		"under the signing key":       codec(signingSecret).Encode(token),
		"under a key of zeros":        codec(make([]byte, 32)).Encode(token),
		"under the kid":               codec([]byte(keys.HS256(signingSecret).ID() + "0123456789")).Encode(token),
		"under the refresh key's end": codec(append([]byte("x"), refreshSecret...)).Encode(token),
	}
	for i := range raw {
		for bit := range 8 {
			flipped := append([]byte(nil), raw...)
			flipped[i] ^= 1 << bit
			forged[fmt.Sprintf("bit %d of byte %d flipped", bit, i)] = text(flipped)
		}
	}
	// The last character has unused bits, which must be zero.
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. " {
		if spelling := alice.Refresh[:len(alice.Refresh)-1] + string(c); spelling != alice.Refresh {
			forged[fmt.Sprintf("last character %q", c)] = spelling
		}
	}
	s.store.taken()
	var first string
	for name, refresh := range forged {
		for _, encode := range []func(...string) jwtgate.Request{formRequest, jsonRequest} {
			res := s.send(s.Refresh, encode("refresh_token", refresh))
			if res.text != refreshInvalid {
				t.Errorf("%s: got %s; want %s", name, res.text, refreshInvalid)
			}
			if first == "" {
				first = fmt.Sprintf("%+v", res.Response)
			}
			if got := fmt.Sprintf("%+v", res.Response); got != first {
				t.Errorf("%s: got two answers: %s and %s", name, got, first)
			}
			if got := s.send(s.Logout, encode("refresh_token", refresh)).text; got != "204" {
				t.Errorf("%s: logout: got %s", name, got)
			}
		}
	}
	if calls := s.store.taken(); calls != "" {
		t.Errorf("got store calls %s; want none", calls)
	}
	if got := s.events(); strings.Count(got, "\n") != 1 {
		t.Errorf("got events %s; want two logins", got)
	}
	for _, tokens := range []reply{alice, mallory} {
		if s.refresh(tokens.Refresh).text != "200" {
			t.Error("the genuine token is refused afterwards")
		}
	}
}

// TestRefreshForgedByKey checks refresh tokens that were made with the server's key, but
// without the nonce of the session. They are refused with the same answer as any other, and
// cause an event, because they mean that the key is known to someone else.
func TestRefreshForgedByKey(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	alice, other := s.login("alice"), s.login("alice")
	codec := s.codec()
	token, _ := codec.Decode(alice.Refresh)
	others, _ := codec.Decode(other.Refresh)
	s.events()
	for name, nonce := range map[string]refreshtoken.Nonce{"random": refreshtoken.NewNonce(), "another session's": others.Nonce, "zero": {}, "derived": codec.DerivedNonce(token.ID)} {
		forged := token
		forged.Nonce = nonce
		req := withField(formRequest("refresh_token", codec.Encode(forged)), "User-Agent", "forge")
		if got, want := s.send(s.Refresh, req), s.refresh("x"); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s nonce: got %+v; want %+v", name, got, want)
		}
		if got, want := s.events(), "forged alice "+token.ID.String()+" by forge"; got != want {
			t.Errorf("%s nonce: got events %q; want %q", name, got, want)
		}
		s.send(s.Logout, formRequest("refresh_token", codec.Encode(forged)))
		if got := s.authenticate(alice.Access); got != "alice" {
			t.Errorf("%s nonce: the session after it: got %s", name, got)
		}
	}
	if got := s.warnings("a refresh token has a valid MAC but does not match its session"); got != 4 {
		t.Errorf("got %d lines in the log; want 4", got)
	}
	if got := s.refresh(alice.Refresh).text; got != "200" {
		t.Errorf("afterwards: got %s", got)
	}
	// A session that never existed.
	unknown := refreshtoken.Token{ID: session.NewID(ownerOf("alice")), Nonce: refreshtoken.NewNonce()}
	if got := s.refresh(codec.Encode(unknown)).text; got != refreshExpired {
		t.Errorf("a session that never was: got %s", got)
	}
}

// TestTokensAreNotInterchangeable checks that an access token is not accepted as a refresh
// token, nor a refresh token as an access token.
func TestTokensAreNotInterchangeable(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := s.login("alice")
	if got := s.refresh(tokens.Access).text; got != refreshInvalid {
		t.Errorf("access token as refresh token: got %s", got)
	}
	if got := s.authenticate(tokens.Refresh); got != "401 token_invalid" {
		t.Errorf("refresh token as access token: got %s", got)
	}
	for endpoint, serve := range map[string]jwtgate.Endpoint{"/sessions": s.ListSessions, "/logout/all": s.LogoutAll, "/logout/others": s.LogoutOthers, "/sessions/{id}": s.DeleteSession} {
		req := withToken(jwtgate.Request{Method: map[string]string{"/sessions": "GET", "/logout/all": "POST", "/logout/others": "POST", "/sessions/{id}": "DELETE"}[endpoint]}, tokens.Refresh)
		if got := s.send(serve, req).text; got != "401 token_invalid" {
			t.Errorf("refresh token as access token at %s: got %s", endpoint, got)
		}
	}
	if got := s.refresh(tokens.Refresh).text; got != "200" {
		t.Errorf("afterwards: got %s", got)
	}
}
