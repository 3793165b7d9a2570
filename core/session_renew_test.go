package jwtgate_test

import (
	"context"
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

// refreshStates make the refresh cookie of a browser of alice, by its state. They also
// return the ID of the session that an access cookie beside it is to be of.
var refreshStates = map[string]func(s *testServer) (refresh, sid string){
	"good": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh, tokens.SessionID
	},
	"rotated": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		next := s.mustRefresh(tokens.Refresh).Refresh
		return next, tokens.SessionID
	},
	"just replaced": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		s.mustRefresh(tokens.Refresh)
		s.clock.Advance(9 * time.Second)
		return tokens.Refresh, tokens.SessionID
	},
	"replayed": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		s.use(s.mustRefresh(tokens.Refresh).Refresh)
		s.clock.Advance(30 * time.Second)
		return tokens.Refresh, tokens.SessionID
	},
	"stale": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		s.use(s.mustRefresh(tokens.Refresh).Refresh)
		s.clock.Advance(10 * time.Second)
		return tokens.Refresh, tokens.SessionID
	},
	"late": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		s.mustRefresh(tokens.Refresh)
		s.clock.Advance(24 * time.Hour)
		return tokens.Refresh, tokens.SessionID
	},
	"late again": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		next := s.mustRefresh(tokens.Refresh).Refresh
		s.clock.Advance(time.Minute)
		s.mustRefresh(tokens.Refresh)
		s.clock.Advance(time.Minute)
		s.mustRefresh(next)
		s.clock.Advance(10 * time.Second)
		return next, tokens.SessionID
	},
	"replaced twice": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		next := s.mustRefresh(tokens.Refresh).Refresh
		s.clock.Advance(time.Minute)
		s.mustRefresh(next)
		return tokens.Refresh, tokens.SessionID
	},
	"absent": func(s *testServer) (string, string) { return "", s.signIn("alice").SessionID },
	"expired": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		s.clock.Advance(7 * 24 * time.Hour)
		return tokens.Refresh, tokens.SessionID
	},
	"past SessionTTL": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		refresh := tokens.Refresh
		for range 5 {
			s.clock.Advance(6 * 24 * time.Hour)
			if s.clock.Now().Sub(serverStart) < 30*24*time.Hour {
				refresh = s.mustRefresh(refresh).Refresh
			}
		}
		return refresh, tokens.SessionID
	},
	"forged": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh[:60] + otherLetter(tokens.Refresh[60:61]) + tokens.Refresh[61:], tokens.SessionID
	},
	"cut short": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh[:len(tokens.Refresh)-1], tokens.SessionID
	},
	"an access token": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Access.Token, tokens.SessionID
	},
	"of an unknown session": func(s *testServer) (string, string) {
		token := refreshtoken.Token{ID: session.NewID(ownerOf("alice")), Nonce: refreshtoken.NewNonce()}
		return s.codec().Encode(token), token.ID.String()
	},
	"our MAC, not its nonce": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		id, _ := session.ParseID(tokens.SessionID)
		return s.codec().Encode(refreshtoken.Token{ID: id, Nonce: refreshtoken.NewNonce()}), tokens.SessionID
	},
	"a step ahead": func(s *testServer) (string, string) { return refreshTokenAhead(s, 1) },
	"far ahead":    func(s *testServer) (string, string) { return refreshTokenAhead(s, 1000) },
	"subject gone": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		s.setSubject(func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, jwtgate.ErrNoSubject })
		return tokens.Refresh, tokens.SessionID
	},
	"ended": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		if err := s.EndSession(s.tb.Context(), tokens.SessionID); err != nil {
			s.tb.Fatal(err)
		}
		return tokens.Refresh, tokens.SessionID
	},
	"of another session": func(s *testServer) (string, string) {
		return s.signIn("robert").Refresh, s.signIn("alice").SessionID
	},
	"two cookies": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh + "; __Host-rt=" + tokens.Refresh, tokens.SessionID
	},
	"malformed": func(s *testServer) (string, string) {
		tokens := s.signIn("alice")
		return `"` + tokens.Refresh + `"`, tokens.SessionID
	},
}

// otherLetter returns a base64url letter that is not c.
func otherLetter(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}

// refreshTokenAhead returns a refresh token whose generation is ahead of its session's
// record by generations.
func refreshTokenAhead(s *testServer, generations uint32) (refresh, sid string) {
	tokens := s.signIn("alice")
	token, err := s.codec().Decode(tokens.Refresh)
	if err != nil {
		s.tb.Fatal(err)
	}
	token.Generation += generations
	return s.codec().Encode(token), tokens.SessionID
}

// TestRenewalMatrix checks what the server decides about each pair of cookies: the rows
// are states of the refresh cookie, the columns states of the access cookie.
func TestRenewalMatrix(t *testing.T) {
	t.Parallel()
	const (
		pass  = "pass alice"
		renew = "pass alice new"
		bad   = "400 malformed_credentials"
	)
	for _, row := range []struct{ refresh, good, expired, absent, gone string }{
		{"good", pass, renew, renew, renew},
		{"rotated", pass, renew, renew, renew},
		{"just replaced", pass, renew, renew, renew},
		{"stale", pass, "401 refresh_stale", "401 refresh_stale", "401 refresh_stale"},
		{"late", pass, renew, renew, renew},
		{"late again", pass, "503 unavailable", "503 unavailable", "503 unavailable"},
		{"a step ahead", pass, renew, renew, renew},
		{"replayed", pass, "401 refresh_reused clear", "401 refresh_reused clear", "401 refresh_reused clear"},
		{"replaced twice", pass, "401 refresh_reused clear", "401 refresh_reused clear", "401 refresh_reused clear"},
		{"far ahead", pass, "401 refresh_reused clear", "401 refresh_reused clear", "401 refresh_reused clear"},
		{"absent", pass, "401 token_expired clear", "401 token_missing", "401 token_missing clear"},
		{"expired", pass, "401 refresh_expired clear", "401 refresh_expired clear", "401 refresh_expired clear"},
		{"past SessionTTL", pass, "401 refresh_expired clear", "401 refresh_expired clear", "401 refresh_expired clear"},
		{"of an unknown session", pass, "401 refresh_expired clear", "401 refresh_expired clear", "401 refresh_expired clear"},
		{"forged", pass, "401 refresh_invalid clear", "401 refresh_invalid clear", "401 refresh_invalid clear"},
		{"cut short", pass, "401 refresh_invalid clear", "401 refresh_invalid clear", "401 refresh_invalid clear"},
		{"an access token", pass, "401 refresh_invalid clear", "401 refresh_invalid clear", "401 refresh_invalid clear"},
		{"our MAC, not its nonce", pass, "401 refresh_invalid clear", "401 refresh_invalid clear", "401 refresh_invalid clear"},
		{"subject gone", pass, "401 refresh_revoked clear", "401 refresh_revoked clear", "401 refresh_revoked clear"},
		{"ended", "401 token_revoked clear", "401 refresh_revoked clear", "401 refresh_revoked clear", "401 refresh_revoked clear"},
		{"of another session", pass, "401 token_invalid clear", "pass robert new", "pass robert new"},
		{"two cookies", bad, bad, bad, bad},
		{"malformed", pass, "401 refresh_invalid clear", "401 refresh_invalid clear", "401 refresh_invalid clear"},
	} {
		for _, column := range []struct{ access, want string }{{"good", row.good}, {"expired", row.expired}, {"absent", row.absent}, {"by a key that is gone", row.gone}} {
			t.Run(row.refresh+", access "+column.access, func(t *testing.T) {
				t.Parallel()
				s := newTestServer(t, withCookies)
				refresh, sid := refreshStates[row.refresh](s)
				b := browser{refresh: refresh}
				switch column.access {
				case "good":
					b.access = s.mint(sid, 0, nil)
				case "expired":
					b.access = s.mint(sid, time.Hour, nil)
				case "by a key that is gone":
					b.access = s.mintWith(unknownSecret, "gone", sid, 0, nil)
				}
				s.store.taken()
				if got := s.decide(b.request(http.MethodPost)); got != column.want {
					t.Errorf("got %s; want %s", got, column.want)
				}
				calls := s.store.taken()
				if passed := !strings.HasSuffix(column.want, "new") && strings.HasPrefix(column.want, "pass"); passed && calls != "" {
					t.Errorf("got store calls %s for an access token that is valid; want none", calls)
				}
				if column.want == "401 refresh_invalid clear" && row.refresh != "our MAC, not its nonce" && calls != "" {
					t.Errorf("got store calls %s for a token that is not ours; want none", calls)
				}
			})
		}
	}
}

// TestRenewalNotForInvalidToken checks that a session is not renewed, whatever the
// refresh cookie, if the access cookie was not merely expired or signed with a key that
// is gone.
func TestRenewalNotForInvalidToken(t *testing.T) {
	t.Parallel()
	kid := keys.HS256(signingSecret).ID()
	const invalid = "401 token_invalid clear"
	for _, test := range []struct {
		name   string
		access func(s *testServer, sid string) string
		want   string
	}{
		{"no JWS", func(*testServer, string) string { return "abc" }, invalid},
		{"no JWS, three parts", func(*testServer, string) string { return "a.b.c" }, invalid},
		{"a refresh token", func(s *testServer, _ string) string { return s.signIn("alice").Refresh }, invalid},
		{"forged", func(s *testServer, sid string) string { return s.mintWith(unknownSecret, kid, sid, 0, nil) }, invalid},
		{"forged, expired", func(s *testServer, sid string) string { return s.mintWith(unknownSecret, kid, sid, time.Hour, nil) }, invalid},
		{"forged, no kid", func(s *testServer, sid string) string { return s.mintWith(unknownSecret, "", sid, 0, nil) }, invalid},
		{"cut short", func(s *testServer, sid string) string { token := s.mint(sid, 0, nil); return token[:len(token)-1] }, invalid},
		{"unsigned", func(*testServer, string) string {
			return "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJhbGljZSJ9."
		}, invalid},
		{"other issuer", func(s *testServer, sid string) string { return s.mint(sid, 0, map[string]any{"iss": "x"}) }, invalid},
		{"other issuer, expired", func(s *testServer, sid string) string { return s.mint(sid, time.Hour, map[string]any{"iss": "x"}) }, invalid},
		{"other audience, expired", func(s *testServer, sid string) string { return s.mint(sid, time.Hour, map[string]any{"aud": "x"}) }, invalid},
		{"no subject, expired", func(s *testServer, sid string) string { return s.mint(sid, time.Hour, map[string]any{"sub": nil}) }, invalid},
		{"no exp", func(s *testServer, sid string) string { return s.mint(sid, 0, map[string]any{"exp": nil}) }, invalid},
		{"from the future", func(s *testServer, sid string) string { return s.mint(sid, -2*time.Minute, nil) }, invalid},
		{"cnf, expired", func(s *testServer, sid string) string {
			return s.mint(sid, time.Hour, map[string]any{"cnf": map[string]any{"jkt": "x"}})
		}, invalid},
		{"other alg, kid held", func(s *testServer, sid string) string {
			token := jwtgatetest.Sign(t, "HS512", signingSecret, `{"alg":"HS512","typ":"at+jwt","kid":"`+kid+`"}`, `{}`)
			return token
		}, invalid},
		{"other typ by a key that is gone", func(*testServer, string) string {
			return jwtgatetest.Sign(t, "HS256", unknownSecret, `{"alg":"HS256","typ":"logout+jwt","kid":"gone"}`, `{}`)
		}, invalid},
		{"revoked by its jti", func(s *testServer, _ string) string {
			token := s.mint("", 0, nil)
			s.Logout(t.Context(), jwtgate.Request{Method: http.MethodPost, Host: "site.example", Header: http.Header{"Authorization": {"Bearer " + token}}})
			return token
		}, "401 token_revoked clear"},
		{"of a session that was ended", func(s *testServer, _ string) string {
			ended := s.signIn("alice")
			s.Logout(t.Context(), jwtgate.Request{Method: http.MethodPost, Host: "site.example", Header: http.Header{"Authorization": {"Bearer " + ended.Access.Token}}})
			return ended.Access.Token
		}, "401 token_revoked clear"},
		{"malformed", func(s *testServer, sid string) string { return `"` + s.mint(sid, 0, nil) + `"` }, "400 malformed_credentials"},
		{"two cookies", func(s *testServer, sid string) string {
			return s.mint(sid, 0, nil) + "; __Host-at=" + s.mint(sid, 0, nil)
		}, "400 malformed_credentials"},
		{"over the size limit", func(*testServer, string) string { return strings.Repeat("a", 8193) }, "400 malformed_credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, setting := range []func(*jwtgate.Config){
				func(*jwtgate.Config) {},
				func(c *jwtgate.Config) { c.Cookies.ReissueRefresh, c.Cookies.RenewBefore = true, time.Minute },
			} {
				s := newTestServer(t, withCookies, setting)
				for name, make := range refreshStates {
					if name == "two cookies" || name == "malformed" || name == "subject gone" {
						continue
					}
					refresh, sid := make(s)
					b := browser{test.access(s, sid), refresh}
					s.store.taken()
					if got := s.decide(b.request(http.MethodGet)); got != test.want {
						t.Errorf("refresh %s: got %s; want %s", name, got, test.want)
					}
					if calls := s.store.taken(); calls != "" {
						t.Errorf("refresh %s: got store calls %s; want none", name, calls)
					}
				}
			}
		})
	}
}

// TestRenewalNotForTokenWithoutSession checks that an expired access token renews no
// session unless it is of the same session as the refresh token: otherwise someone may
// have combined the cookies of two users.
func TestRenewalNotForTokenWithoutSession(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	refresh := s.signIn("alice").Refresh
	for name, access := range map[string]string{
		"no sid":            s.mint("", time.Hour, map[string]any{"sid": nil}),
		"sid is no session": s.mint("x", time.Hour, nil),
		"another's session": s.mint(s.signIn("alice").SessionID, time.Hour, nil),
	} {
		s.store.taken()
		for _, test := range []struct {
			refresh, want string
		}{
			{refresh, "401 token_invalid clear"},
			{"jgr1_x", "401 refresh_invalid clear"},
			{"", "401 token_expired clear"},
		} {
			if got := s.decide(browser{access, test.refresh}.request(http.MethodGet)); got != test.want {
				t.Errorf("%s, refresh %.8q: got %s; want %s", name, test.refresh, got, test.want)
			}
		}
		if calls := s.store.taken(); calls != "" {
			t.Errorf("%s: got store calls %s; want none", name, calls)
		}
	}
}
