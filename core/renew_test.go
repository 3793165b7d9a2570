package jwtgate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/internal/refreshtoken"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// refreshStates make a refresh cookie for alice in a site, and tell which
// session an access token beside it is to be of.
var refreshStates = map[string]func(s *cookieSite) (refresh, sid string){
	"good": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh, tokens.SessionID
	},
	"rotated": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		next := s.refresh(tokens.Refresh)
		return next, tokens.SessionID
	},
	"just replaced": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		s.refresh(tokens.Refresh)
		s.clock.Advance(9 * time.Second)
		return tokens.Refresh, tokens.SessionID
	},
	"replayed": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		s.refresh(tokens.Refresh)
		s.clock.Advance(10 * time.Second)
		return tokens.Refresh, tokens.SessionID
	},
	"replaced twice": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		next := s.refresh(tokens.Refresh)
		s.clock.Advance(time.Minute)
		s.refresh(next)
		return tokens.Refresh, tokens.SessionID
	},
	"absent": func(s *cookieSite) (string, string) { return "", s.signIn("alice").SessionID },
	"expired": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		s.clock.Advance(7 * 24 * time.Hour)
		return tokens.Refresh, tokens.SessionID
	},
	"past SessionTTL": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		refresh := tokens.Refresh
		for range 5 {
			s.clock.Advance(6 * 24 * time.Hour)
			if s.clock.Now().Sub(cookieStart) < 30*24*time.Hour {
				refresh = s.refresh(refresh)
			}
		}
		return refresh, tokens.SessionID
	},
	"forged": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh[:60] + flip(tokens.Refresh[60:61]) + tokens.Refresh[61:], tokens.SessionID
	},
	"cut short": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh[:len(tokens.Refresh)-1], tokens.SessionID
	},
	"an access token": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Access.Token, tokens.SessionID
	},
	"of an unknown session": func(s *cookieSite) (string, string) {
		token := refreshtoken.Token{ID: session.NewID("alice"), Nonce: refreshtoken.NewNonce()}
		return refreshCodec(s).Encode(token), token.ID.String()
	},
	"our MAC, not its nonce": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		id, _ := session.ParseID(tokens.SessionID)
		return refreshCodec(s).Encode(refreshtoken.Token{ID: id, Nonce: refreshtoken.NewNonce()}), tokens.SessionID
	},
	"a step ahead": func(s *cookieSite) (string, string) { return ahead(s, 1) },
	"far ahead":    func(s *cookieSite) (string, string) { return ahead(s, 1000) },
	"subject gone": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		s.subject = func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, jwtgate.ErrNoSubject }
		return tokens.Refresh, tokens.SessionID
	},
	"ended": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		if err := s.EndSession(s.tb.Context(), tokens.SessionID); err != nil {
			s.tb.Fatal(err)
		}
		return tokens.Refresh, tokens.SessionID
	},
	"of another session": func(s *cookieSite) (string, string) {
		return s.signIn("robert").Refresh, s.signIn("alice").SessionID
	},
	"two cookies": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		return tokens.Refresh + "; __Host-rt=" + tokens.Refresh, tokens.SessionID
	},
	"malformed": func(s *cookieSite) (string, string) {
		tokens := s.signIn("alice")
		return `"` + tokens.Refresh + `"`, tokens.SessionID
	},
}

func flip(c string) string {
	if c == "A" {
		return "B"
	}
	return "A"
}

// refreshCodec is the one that a site makes refresh tokens with.
func refreshCodec(s *cookieSite) *refreshtoken.Codec {
	codec, err := refreshtoken.New(cookieSecret)
	if err != nil {
		s.tb.Fatal(err)
	}
	return codec
}

// ahead returns a refresh token that is ahead of its session's record.
func ahead(s *cookieSite, generations uint32) (refresh, sid string) {
	tokens := s.signIn("alice")
	token, err := refreshCodec(s).Decode(tokens.Refresh)
	if err != nil {
		s.tb.Fatal(err)
	}
	token.Generation += generations
	return refreshCodec(s).Encode(token), tokens.SessionID
}

// TestRenewalMatrix is the table of how both cookies together are judged: the
// rows are what the refresh cookie is, the columns what the access cookie is.
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
				s := newCookieSite(t)
				refresh, sid := refreshStates[row.refresh](s)
				j := jar{refresh: refresh}
				switch column.access {
				case "good":
					j.access = s.mint(sid, 0, nil)
				case "expired":
					j.access = s.mint(sid, time.Hour, nil)
				case "by a key that is gone":
					j.access = s.mintBy(otherSecret, "gone", sid, 0, nil)
				}
				s.store.taken()
				if got := s.decide(j.request(http.MethodPost)); got != column.want {
					t.Errorf("got %s; want %s", got, column.want)
				}
				calls := s.store.taken()
				if passed := !strings.HasSuffix(column.want, "new") && strings.HasPrefix(column.want, "pass"); passed && calls != "" {
					t.Errorf("passed, and the store was asked: %s", calls)
				}
				if column.want == "401 refresh_invalid clear" && row.refresh != "our MAC, not its nonce" && calls != "" {
					t.Errorf("not ours to the last bit, and the store was asked: %s", calls)
				}
			})
		}
	}
}

// TestRenewalRescuesNothing is about access cookies that no refresh cookie makes good.
func TestRenewalRescuesNothing(t *testing.T) {
	t.Parallel()
	kid := keys.HS256(cookieSecret).ID()
	const invalid = "401 token_invalid clear"
	for _, test := range []struct {
		name   string
		access func(s *cookieSite, sid string) string
		want   string
	}{
		{"no JWS", func(*cookieSite, string) string { return "abc" }, invalid},
		{"no JWS, three parts", func(*cookieSite, string) string { return "a.b.c" }, invalid},
		{"a refresh token", func(s *cookieSite, _ string) string { return s.signIn("alice").Refresh }, invalid},
		{"forged", func(s *cookieSite, sid string) string { return s.mintBy(otherSecret, kid, sid, 0, nil) }, invalid},
		{"forged, expired", func(s *cookieSite, sid string) string { return s.mintBy(otherSecret, kid, sid, time.Hour, nil) }, invalid},
		{"forged, no kid", func(s *cookieSite, sid string) string { return s.mintBy(otherSecret, "", sid, 0, nil) }, invalid},
		{"cut short", func(s *cookieSite, sid string) string { token := s.mint(sid, 0, nil); return token[:len(token)-1] }, invalid},
		{"unsigned", func(*cookieSite, string) string {
			return "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJhbGljZSJ9."
		}, invalid},
		{"other issuer", func(s *cookieSite, sid string) string { return s.mint(sid, 0, map[string]any{"iss": "x"}) }, invalid},
		{"other issuer, expired", func(s *cookieSite, sid string) string { return s.mint(sid, time.Hour, map[string]any{"iss": "x"}) }, invalid},
		{"other audience, expired", func(s *cookieSite, sid string) string { return s.mint(sid, time.Hour, map[string]any{"aud": "x"}) }, invalid},
		{"no subject, expired", func(s *cookieSite, sid string) string { return s.mint(sid, time.Hour, map[string]any{"sub": nil}) }, invalid},
		{"no exp", func(s *cookieSite, sid string) string { return s.mint(sid, 0, map[string]any{"exp": nil}) }, invalid},
		{"from the future", func(s *cookieSite, sid string) string { return s.mint(sid, -time.Minute, nil) }, invalid},
		{"cnf, expired", func(s *cookieSite, sid string) string {
			return s.mint(sid, time.Hour, map[string]any{"cnf": map[string]any{"jkt": "x"}})
		}, invalid},
		{"other alg, kid held", func(s *cookieSite, sid string) string {
			token := jwtgatetest.Sign(t, "HS512", cookieSecret, `{"alg":"HS512","typ":"at+jwt","kid":"`+kid+`"}`, `{}`)
			return token
		}, invalid},
		{"other typ by a key that is gone", func(*cookieSite, string) string {
			return jwtgatetest.Sign(t, "HS256", otherSecret, `{"alg":"HS256","typ":"logout+jwt","kid":"gone"}`, `{}`)
		}, invalid},
		{"revoked by its jti", func(s *cookieSite, _ string) string {
			token := s.mint("", 0, map[string]any{"sid": nil})
			s.Logout(t.Context(), jwtgate.Request{Method: http.MethodPost, Host: "site.example", Header: http.Header{"Authorization": {"Bearer " + token}}})
			return token
		}, "401 token_revoked clear"},
		{"of a session that was ended", func(s *cookieSite, _ string) string {
			ended := s.signIn("alice")
			s.Logout(t.Context(), jwtgate.Request{Method: http.MethodPost, Host: "site.example", Header: http.Header{"Authorization": {"Bearer " + ended.Access.Token}}})
			return ended.Access.Token
		}, "401 token_revoked clear"},
		{"malformed", func(s *cookieSite, sid string) string { return `"` + s.mint(sid, 0, nil) + `"` }, "400 malformed_credentials"},
		{"two cookies", func(s *cookieSite, sid string) string {
			return s.mint(sid, 0, nil) + "; __Host-at=" + s.mint(sid, 0, nil)
		}, "400 malformed_credentials"},
		{"over the size limit", func(*cookieSite, string) string { return strings.Repeat("a", 8193) }, "400 malformed_credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, setting := range []func(*jwtgate.Config){
				func(*jwtgate.Config) {},
				func(c *jwtgate.Config) { c.Cookies.ReissueRefresh, c.Cookies.RenewBefore = true, time.Minute },
			} {
				s := newCookieSite(t, setting)
				for name, make := range refreshStates {
					if name == "two cookies" || name == "malformed" || name == "subject gone" {
						continue
					}
					refresh, sid := make(s)
					j := jar{test.access(s, sid), refresh}
					s.store.taken()
					if got := s.decide(j.request(http.MethodGet)); got != test.want {
						t.Errorf("refresh %s: got %s; want %s", name, got, test.want)
					}
					if calls := s.store.taken(); calls != "" {
						t.Errorf("refresh %s: the store was asked: %s", name, calls)
					}
				}
			}
		})
	}
}

// An expired access token that is of no session cannot vouch for the session of
// a refresh token, so the two are a pair that was stitched together.
func TestRenewalOfNoSession(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
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
			if got := s.decide(jar{access, test.refresh}.request(http.MethodGet)); got != test.want {
				t.Errorf("%s, refresh %.8q: got %s; want %s", name, test.refresh, got, test.want)
			}
		}
		if calls := s.store.taken(); calls != "" {
			t.Errorf("%s: the store was asked: %s", name, calls)
		}
	}
}

// TestRenewalOptional is about cookies where no credentials are needed: those
// that are there must be good all the same.
func TestRenewalOptional(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	good := func() jar { return jarOf(s.signIn("alice")) }
	expired := good()
	s.clock.Advance(time.Hour)
	for _, test := range []struct {
		name string
		req  jwtgate.Request
		want string
		vary string
	}{
		{"no cookies", post(nil), "pass nobody", "Authorization, Cookie"},
		{"others' cookies", post([]string{"theme=dark"}), "pass nobody", "Authorization, Cookie"},
		{"good", good().request(http.MethodGet), "pass alice", "Authorization, Cookie"},
		{"expired", expired.request(http.MethodGet), "pass alice new", "Authorization, Cookie"},
		{"absent, refresh good", jar{"", good().refresh}.request(http.MethodGet), "pass alice new", "Authorization, Cookie"},
		{"absent, refresh good, Upgrade", upgrade(jar{"", good().refresh}.request(http.MethodGet)), "pass nobody", "Authorization, Cookie"},
		{"absent, refresh good, CONNECT", jar{"", good().refresh}.request(http.MethodConnect), "pass nobody", "Authorization, Cookie"},
		{"expired, refresh absent", jar{expired.access, ""}.request(http.MethodGet), "401 token_expired clear", ""},
		{"forged", jar{"a.b.c", good().refresh}.request(http.MethodGet), "401 token_invalid clear", ""},
		{"absent, refresh forged", jar{"", "jgr1_x"}.request(http.MethodGet), "401 refresh_invalid clear", ""},
		{"malformed", jar{"(", ""}.request(http.MethodGet), "400 malformed_credentials", ""},
	} {
		d := s.Decide(t.Context(), test.req, jwtgate.Optional())
		if got := tellDecision(t, d); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
		if got := strings.Join(fieldValues(d.Response.Header, "Vary"), "; "); got != test.vary {
			t.Errorf("%s: got Vary %q; want %q", test.name, got, test.vary)
		}
	}
}

// TestRenewalNotOnUpgrade is about what opens a connection: there is no answer
// that would bring new cookies home, so the session is left as it is.
func TestRenewalNotOnUpgrade(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		shape func(jwtgate.Request) jwtgate.Request
		want  [3]string // access expired, absent, by a key that is gone
	}{
		{"Upgrade", upgrade, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"Upgrade, POST", func(r jwtgate.Request) jwtgate.Request { r.Method = "POST"; return withField(r, "Upgrade", "h2c") }, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
		{"CONNECT", func(r jwtgate.Request) jwtgate.Request { r.Method = "CONNECT"; return r }, [3]string{"401 token_expired", "401 token_missing", "401 token_missing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Cookies.ReissueRefresh = 5*time.Minute, true })
			tokens := s.signIn("alice")
			s.store.taken()
			for i, access := range []string{s.mint(tokens.SessionID, time.Hour, nil), "", s.mintBy(otherSecret, "gone", tokens.SessionID, 0, nil)} {
				if got := s.decide(test.shape(jar{access, tokens.Refresh}.request(http.MethodGet))); got != test.want[i] {
					t.Errorf("got %s; want %s", got, test.want[i])
				}
			}
			for name, j := range map[string]jar{
				"good":           jarOf(tokens),
				"due":            {s.mint(tokens.SessionID, 14*time.Minute, nil), tokens.Refresh},
				"refresh absent": {tokens.Access.Token, ""},
			} {
				if got := s.decide(test.shape(j.request(http.MethodGet))); got != "pass alice" {
					t.Errorf("%s: got %s", name, got)
				}
			}
			if calls := s.store.taken(); calls != "" {
				t.Errorf("the store was asked: %s", calls)
			}
			if got := s.decide(test.shape(jar{"a.b.c", tokens.Refresh}.request(http.MethodGet))); got != "401 token_invalid" {
				t.Errorf("forged: got %s; want 401 token_invalid", got)
			}
		})
	}
}

// TestRenewalNotByBearer is about a header beside cookies: it wins, and cookies
// have no part in what follows.
func TestRenewalNotByBearer(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Cookies.ReissueRefresh = 5*time.Minute, true })
	tokens, robert := s.signIn("alice"), s.signIn("robert")
	ended := s.signIn("alice")
	if err := s.EndSession(t.Context(), ended.SessionID); err != nil {
		t.Fatal(err)
	}
	s.store.taken()
	for _, test := range []struct {
		name string
		auth []string
		j    jar
		want string
	}{
		{"good", []string{"Bearer " + robert.Access.Token}, jarOf(tokens), "pass robert"},
		{"good, access cookie expired", []string{"Bearer " + robert.Access.Token}, jar{s.mint(tokens.SessionID, time.Hour, nil), tokens.Refresh}, "pass robert"},
		{"good, access cookie absent", []string{"Bearer " + robert.Access.Token}, jar{"", tokens.Refresh}, "pass robert"},
		{"good, cookies forged", []string{"Bearer " + robert.Access.Token}, jar{"a.b.c", "jgr1_x"}, "pass robert"},
		{"good, cookies malformed", []string{"Bearer " + robert.Access.Token}, jar{"(", "("}, "pass robert"},
		{"due", []string{"Bearer " + s.mint(tokens.SessionID, 14*time.Minute, nil)}, jarOf(tokens), "pass alice"},
		{"due, refresh absent", []string{"Bearer " + s.mint(tokens.SessionID, 14*time.Minute, nil)}, jar{}, "pass alice"},
		{"expired", []string{"Bearer " + s.mint(tokens.SessionID, time.Hour, nil)}, jarOf(tokens), "401 token_expired"},
		{"by a key that is gone", []string{"Bearer " + s.mintBy(otherSecret, "gone", tokens.SessionID, 0, nil)}, jarOf(tokens), "401 token_invalid"},
		{"forged", []string{"Bearer a.b.c"}, jarOf(tokens), "401 token_invalid"},
		{"a refresh token", []string{"Bearer " + tokens.Refresh}, jarOf(tokens), "401 token_invalid"},
		{"revoked", []string{"Bearer " + ended.Access.Token}, jarOf(tokens), "401 token_revoked"},
		{"malformed", []string{"Bearer"}, jarOf(tokens), "400 malformed_credentials"},
		{"two", []string{"Bearer " + tokens.Access.Token, "Bearer " + tokens.Access.Token}, jarOf(tokens), "400 malformed_credentials"},
		{"two, neither is Bearer", []string{"Basic a", "Basic b"}, jarOf(tokens), "400 malformed_credentials"},
	} {
		req := withField(test.j.request(http.MethodGet), "Authorization", test.auth...)
		if got := s.decide(req); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
	}
	if calls := s.store.taken(); calls != "" {
		t.Errorf("the store was asked: %s", calls)
	}
	req := withField(jar{"", tokens.Refresh}.request(http.MethodGet), "Authorization", "Basic YTpi")
	if got := s.decide(req); got != "pass alice new" {
		t.Errorf("another scheme: got %s", got)
	}
}

// TestRenewalStoreDown is about trouble at each thing that a renewal, a reissue
// and the endpoints ask for: 503, cookies as they were, and it works later on.
func TestRenewalStoreDown(t *testing.T) {
	t.Parallel()
	none := func(*jwtgate.Config) {}
	allowList := func(c *jwtgate.Config) { c.Sessions.AllowList = true }
	early := func(c *jwtgate.Config) { c.Cookies.RenewBefore = 7 * time.Minute }
	reissue := func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true }
	renew := func(s *cookieSite, j jar) string { return s.decide(j.request(http.MethodPost)) }
	goodOnly := func(s *cookieSite, j jar) string { return s.decide(jar{j.access, ""}.request(http.MethodPost)) }
	refresh := func(s *cookieSite, j jar) string { return tell(t, s.Refresh(t.Context(), post(j.lines()))) }
	login := func(s *cookieSite, j jar) string {
		return tell(t, s.Auth.Login(checkAlice)(t.Context(), postJSON(j.lines(), alicesPassword)))
	}
	logout := func(s *cookieSite, j jar) string { return tell(t, s.Logout(t.Context(), post(j.lines()))) }
	logoutAll := func(s *cookieSite, j jar) string { return tell(t, s.LogoutAll(t.Context(), post(j.lines()))) }
	list := func(s *cookieSite, j jar) string {
		return tell(t, s.ListSessions(t.Context(), j.request(http.MethodGet)))
	}
	const (
		down = "503 unavailable"
		hour = time.Hour
		due  = 9 * time.Minute
	)
	for _, test := range []struct {
		name    string
		setting func(*jwtgate.Config)
		after   time.Duration
		call    string
		nth     int
		ask     func(s *cookieSite, j jar) string
		want    string
		later   string // once it works again
	}{
		{"renewal", none, hour, "Find", 1, renew, down, "pass alice new"},
		{"renewal", none, hour, "Subject", 1, renew, down, "pass alice new"},
		{"renewal", none, hour, "Advance", 1, renew, down, "pass alice new"},
		{"AllowList, good", allowList, 0, "Find", 1, renew, down, "pass alice"},
		{"AllowList, renewal", allowList, hour, "Find", 1, renew, down, "pass alice new"},
		{"RenewBefore", early, due, "Find", 1, renew, "pass alice", "pass alice new"},
		{"RenewBefore", early, due, "Subject", 1, renew, "pass alice", "pass alice new"},
		{"RenewBefore", early, due, "Advance", 1, renew, "pass alice", "pass alice new"},
		{"ReissueRefresh, refresh good", reissue, 0, "Find", 1, renew, "pass alice", "pass alice"},
		{"ReissueRefresh", reissue, 0, "Find", 1, goodOnly, "pass alice", "pass alice new"},
		{"ReissueRefresh", reissue, 0, "Find", 2, goodOnly, "pass alice", "pass alice new"},
		{"ReissueRefresh", reissue, 0, "Subject", 1, goodOnly, "pass alice", "pass alice new"},
		{"ReissueRefresh", reissue, 0, "Advance", 1, goodOnly, "pass alice", "pass alice new"},
		{"refresh", none, hour, "Find", 1, refresh, down, "200 new"},
		{"refresh", none, hour, "Subject", 1, refresh, down, "200 new"},
		{"refresh", none, hour, "Advance", 1, refresh, down, "200 new"},
		{"login", none, 0, "Find", 1, login, down, "200 new"},
		{"login", none, 0, "End", 1, login, down, "200 new"},
		{"login", none, 0, "Subject", 1, login, down, "200 new"},
		{"login", none, 0, "Create", 1, login, down, "200 new"},
		{"logout", none, 0, "Find", 1, logout, down + " clear", "204 clear"},
		{"logout", none, 0, "End", 1, logout, down + " clear", "204 clear"},
		{"logout of all, good", none, 0, "EndAll", 1, logoutAll, down, "204 clear"},
		{"logout of all, to be renewed", none, hour, "Find", 1, logoutAll, down, "204 new clear"},
		{"list, good", none, 0, "List", 1, list, down, "200"},
	} {
		t.Run(fmt.Sprintf("%s, %s %d", test.name, test.call, test.nth), func(t *testing.T) {
			t.Parallel()
			var kinds []jwtgate.EventKind
			s := newCookieSite(t, test.setting, func(c *jwtgate.Config) {
				c.Events = func(_ context.Context, e jwtgate.Event) { kinds = append(kinds, e.Kind) }
			})
			tokens := s.signIn("alice")
			s.clock.Advance(test.after)
			kinds = nil
			loads := s.subject
			if s.store.failAt(test.call, test.nth); test.call == "Subject" {
				s.subject = func(context.Context, string) (jwtgate.Grant, error) {
					return jwtgate.Grant{}, errors.New("no database")
				}
			}
			if got := test.ask(s, jarOf(tokens)); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if told := slices.Contains(kinds, jwtgate.EventStoreDown); !told && test.want != "pass alice" {
				t.Errorf("got events %q; want %s", kinds, jwtgate.EventStoreDown)
			}
			s.store.mend()
			s.subject = loads
			s.clock.Advance(5 * time.Second)
			if got := test.ask(s, jarOf(tokens)); got != test.later {
				t.Errorf("later: got %s; want %s", got, test.later)
			}
		})
	}
}

// TestRenewalKept is about endpoints that judge a request by themselves, and
// renew it: whatever they answer then must bring the new cookies, or the browser
// is left with a refresh token that was used up, and the session ends by it.
func TestRenewalKept(t *testing.T) {
	t.Parallel()
	remove := func(s *cookieSite, j jar, sid string) jwtgate.Response {
		req := j.request(http.MethodDelete)
		req.Path = "/sessions/" + sid
		return s.DeleteSession(t.Context(), req)
	}
	for _, test := range []struct {
		name string
		fail string
		nth  int
		ask  func(s *cookieSite, j jar) jwtgate.Response
		want string
	}{
		{"list", "", 0, func(s *cookieSite, j jar) jwtgate.Response {
			return s.ListSessions(t.Context(), j.request(http.MethodGet))
		}, "200 new"},
		{"delete another", "", 0, func(s *cookieSite, j jar) jwtgate.Response { return remove(s, j, s.signIn("alice").SessionID) }, "204 new"},
		{"delete, no session", "", 0, func(s *cookieSite, j jar) jwtgate.Response { return remove(s, j, "x") }, "404 not_found new"},
		{"delete, unknown session", "", 0, func(s *cookieSite, j jar) jwtgate.Response { return remove(s, j, session.NewID("alice").String()) }, "404 not_found new"},
		{"delete, someone else's", "", 0, func(s *cookieSite, j jar) jwtgate.Response { return remove(s, j, s.signIn("robert").SessionID) }, "404 not_found new"},
		{"delete, store down", "Find", 2, func(s *cookieSite, j jar) jwtgate.Response { return remove(s, j, session.NewID("alice").String()) }, "503 unavailable new"},
		{"delete, store down later", "End", 1, func(s *cookieSite, j jar) jwtgate.Response {
			sid := s.signIn("alice").SessionID
			return remove(s, j, sid)
		}, "503 unavailable new"},
		{"list, store down", "List", 1, func(s *cookieSite, j jar) jwtgate.Response {
			return s.ListSessions(t.Context(), j.request(http.MethodGet))
		}, "503 unavailable new"},
		{"logout of all, store down", "EndAll", 1, func(s *cookieSite, j jar) jwtgate.Response { return s.LogoutAll(t.Context(), post(j.lines())) }, "503 unavailable new"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t)
			j := jarOf(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			if test.fail != "" {
				s.store.failAt(test.fail, test.nth)
			}
			res := test.ask(s, j)
			if got := tell(t, res); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			s.store.mend()
			j.take(res.Header)
			s.clock.Advance(time.Hour)
			if got, want := s.decide(j.request(http.MethodGet)), "pass alice new"; got != want {
				t.Errorf("an hour later: got %s; want %s", got, want)
			}
		})
	}
}

// TestRenewalThenRefused is about rules that refuse a request that was renewed
// on the way in: its old refresh token is used up, so the answer has the new one.
func TestRenewalThenRefused(t *testing.T) {
	t.Parallel()
	type misfit struct {
		Roles int `json:"roles"`
	}
	own := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) {
		return false, &jwtgate.Refusal{Status: http.StatusPaymentRequired, Code: "pay_first"}
	})
	trouble := jwtgate.Check(func(context.Context, *jwtgate.Identity) (bool, error) { return false, errStoreDown })
	for _, test := range []struct {
		name string
		rule jwtgate.Rule
		want string
		next string // with the cookies that came
	}{
		{"403", jwtgate.Role("admin"), "403 insufficient_scope new", "pass alice"},
		{"402 of the application's own", own, "402 pay_first new", "pass alice"},
		{"503", trouble, "503 unavailable new", "pass alice"},
		{"401, claims", jwtgate.ClaimsOf[misfit](), "401 token_invalid new clear", "401 token_missing"},
		{"401, login too old", jwtgate.RecentLogin(time.Minute), "401 login_too_old new", "pass alice"},
		{"zero Rule", jwtgate.Rule{}, "403 insufficient_scope new", "pass alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t)
			j := jarOf(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			d := s.Decide(t.Context(), j.request(http.MethodPost), test.rule)
			if got := tellDecision(t, d); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			j.take(d.Response.Header)
			if got := s.decide(j.request(http.MethodPost)); got != test.next {
				t.Errorf("after it: got %s; want %s", got, test.next)
			}
			// Without a renewal, the same refusal carries nothing.
			j = jarOf(s.signIn("alice"))
			s.clock.Advance(10 * time.Minute)
			want := strings.Replace(test.want, " new", "", 1)
			if got := s.decide(j.request(http.MethodPost), test.rule); got != want {
				t.Errorf("not renewed: got %s; want %s", got, want)
			}
		})
	}
}

// A refused answer with cookies in it is kept from shared caches as an admitted
// one is, even if outer middleware has told a CDN to keep what it gets.
func TestRenewalThenRefusedCaches(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	d := s.Decide(t.Context(), j.request(http.MethodGet), jwtgate.Role("admin"))
	header := http.Header{"Cdn-Cache-Control": {"max-age=60"}, "Cache-Control": {"max-age=60"}}
	d.Response.CopyHeader(header)
	d.Commit(header.Set)
	for _, name := range []string{"Cache-Control", "CDN-Cache-Control", "Surrogate-Control"} {
		if got := header.Get(name); got != "no-store" {
			t.Errorf("got %s %q; want no-store", name, got)
		}
	}
}

// TestRenewalRefuse is about answers of the application's own to refusals of
// requests by cookie: what happens to the cookies is not for it to forget.
func TestRenewalRefuse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		header []jwtgate.Field // of the application's answer
		access time.Duration
		rule   []jwtgate.Rule
		want   string // Set-Cookie, Cache-Control
	}{
		{"renewed", nil, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt, [no-store]"},
		{"renewed, own cookie", []jwtgate.Field{{Name: "Set-Cookie", Value: "flash=1"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt flash, [no-store]"},
		{"renewed, own caching", []jwtgate.Field{{Name: "Cache-Control", Value: "public"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt, [no-store]"},
		{"renewed, own caching in lower case", []jwtgate.Field{{Name: "cache-control", Value: "public"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt, [no-store]"},
		{"renewed, own cookie in lower case", []jwtgate.Field{{Name: "set-cookie", Value: "flash=1"}}, time.Hour, []jwtgate.Rule{jwtgate.Role("admin")}, "__Host-at __Host-rt flash, [no-store]"},
		{"good", nil, 0, []jwtgate.Rule{jwtgate.Role("admin")}, ", [no-store]"},
		{"good, own caching", []jwtgate.Field{{Name: "Cache-Control", Value: "public"}}, 0, []jwtgate.Rule{jwtgate.Role("admin")}, ", [no-store]"},
		{"too old a login", nil, 10 * time.Minute, []jwtgate.Rule{jwtgate.RecentLogin(time.Minute)}, ", [no-store]"},
		{"no session any more", nil, 30 * 24 * time.Hour, nil, "-__Host-at -__Host-rt, [no-store]"},
		{"no session any more, own cookie", []jwtgate.Field{{Name: "Set-Cookie", Value: "flash=1"}}, 30 * 24 * time.Hour, nil, "flash -__Host-at -__Host-rt, [no-store]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t, func(c *jwtgate.Config) {
				c.Refuse = func(context.Context, jwtgate.Request, *jwtgate.Refusal) jwtgate.Response {
					return jwtgate.Response{Status: http.StatusSeeOther, Header: test.header}
				}
			})
			j := jarOf(s.signIn("alice"))
			s.clock.Advance(test.access)
			d := s.Decide(t.Context(), j.request(http.MethodGet), test.rule...)
			header := http.Header{}
			d.Response.CopyHeader(header)
			var names []string
			for _, line := range header["Set-Cookie"] {
				name, rest, _ := strings.Cut(line, "=")
				if strings.Contains(rest, "Max-Age=0;") {
					name = "-" + name
				}
				names = append(names, name)
			}
			if got := fmt.Sprintf("%s, %v", strings.Join(names, " "), header["Cache-Control"]); got != test.want || d.Response.Status != http.StatusSeeOther {
				t.Errorf("got %d %s; want 303 %s", d.Response.Status, got, test.want)
			}
		})
	}
}

// The renewed identity is the subject's as it is now, in the rules of the same
// request and in its handler.
func TestRenewalLoadsSubject(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	s.subject = func(_ context.Context, subject string) (jwtgate.Grant, error) {
		if subject != "alice" {
			t.Errorf("asked for %q", subject)
		}
		return jwtgate.Grant{Subject: "someone else", Roles: []string{"admin"}, Scopes: []string{"write"}, Claims: map[string]int{"level": 3}}, nil
	}
	if got, want := s.decide(j.request(http.MethodGet), jwtgate.Role("admin")), "403 insufficient_scope"; got != want {
		t.Errorf("before: got %s; want %s", got, want)
	}
	s.clock.Advance(15 * time.Minute)
	d := s.Decide(t.Context(), j.request(http.MethodGet), jwtgate.Role("admin"), jwtgate.Scope("write"))
	if got, want := tellDecision(t, d), "pass alice new"; got != want {
		t.Fatalf("got %s; want %s", got, want)
	}
	claims, err := jwtgate.Claims[struct {
		Subject  string `json:"sub"`
		Level    int    `json:"level"`
		AuthTime int64  `json:"auth_time"`
		Issued   int64  `json:"iat"`
	}](d.Context)
	if err != nil || claims.Subject != "alice" || claims.Level != 3 || claims.AuthTime != cookieStart.Unix() || claims.Issued != cookieStart.Add(15*time.Minute).Unix() {
		t.Errorf("got %+v, %v", claims, err)
	}
	if d.Identity.HasRole("user") || d.Identity.AuthTime().Unix() != cookieStart.Unix() {
		t.Errorf("the identity has old roles, or a new auth_time %v", d.Identity.AuthTime())
	}
}

// TestRenewalStacked is about several guards on the way to one handler.
func TestRenewalStacked(t *testing.T) {
	t.Parallel()
	type misfit struct {
		Roles int `json:"roles"`
	}
	for _, test := range []struct {
		name  string
		outer []jwtgate.Rule
		inner []jwtgate.Rule
		want  string
	}{
		{"passes", nil, []jwtgate.Rule{jwtgate.Role("user")}, "pass alice"},
		{"403", nil, []jwtgate.Rule{jwtgate.Role("admin")}, "403 insufficient_scope"},
		{"401", nil, []jwtgate.Rule{jwtgate.ClaimsOf[misfit]()}, "401 token_invalid clear"},
		{"login too old", nil, []jwtgate.Rule{jwtgate.RecentLogin(time.Minute)}, "401 login_too_old"},
		{"optional outside", []jwtgate.Rule{jwtgate.Optional()}, []jwtgate.Rule{jwtgate.Role("user")}, "pass alice"},
		{"optional inside", nil, []jwtgate.Rule{jwtgate.Optional()}, "pass alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t)
			j := jarOf(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			s.store.taken()
			outer := s.Decide(t.Context(), j.request(http.MethodPost), test.outer...)
			if got, want := tellDecision(t, outer), "pass alice new"; got != want {
				t.Fatalf("outer: got %s; want %s", got, want)
			}
			// The inner guard sees the request as the browser sent it: with the old cookies.
			s.clock.Advance(time.Hour)
			inner := s.Decide(outer.Context, j.request(http.MethodPost), test.inner...)
			if got := tellDecision(t, inner); got != test.want {
				t.Errorf("inner: got %s; want %s", got, test.want)
			}
			if inner.Refusal == nil && (len(inner.Response.Header) != 0 || inner.Identity != outer.Identity || inner.Context != outer.Context) {
				t.Errorf("inner: got %+v; want what the outer one found, and no header", inner)
			}
			if got, want := s.store.taken(), "Find Advance"; got != want {
				t.Errorf("the store was asked: %s; want %s", got, want)
			}
		})
	}
}

// Another Auth's guard judges by itself, and agrees on the session.
func TestRenewalTwoAuths(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	second := s.another()
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	first := s.Decide(t.Context(), j.request(http.MethodGet))
	then := second.Decide(first.Context, j.request(http.MethodGet))
	if got := tellDecision(t, first) + ", " + tellDecision(t, then); got != "pass alice new, pass alice new" {
		t.Fatalf("got %s", got)
	}
	var one, two jar
	one.take(first.Response.Header)
	two.take(then.Response.Header)
	if one.refresh != two.refresh {
		t.Error("the session has two refresh tokens")
	}
}

// TestRenewalCaches is about what answers say to caches.
func TestRenewalCaches(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	good := s.signIn("alice")
	spent := s.signIn("alice")
	s.clock.Advance(10 * time.Minute)
	for _, test := range []struct {
		name  string
		req   jwtgate.Request
		rules []jwtgate.Rule
		want  string
	}{
		{"by cookie", jarOf(good).request("GET"), nil, "Cache-Control: private, Vary: Cookie"},
		{"by cookie, POST", jarOf(good).request("POST"), nil, "Cache-Control: private, Vary: Cookie"},
		{"by cookie, optional", jarOf(good).request("GET"), []jwtgate.Rule{jwtgate.Optional()}, "Cache-Control: private, Vary: Authorization, Cookie"},
		{"renewed", jar{"", spent.Refresh}.request("GET"), nil, "Cache-Control: private, Vary: Cookie, Set-Cookie, Set-Cookie, Cache-Control: no-store, CDN-Cache-Control: no-store, Surrogate-Control: no-store"},
		{"renewed, optional", jar{"", spent.Refresh}.request("GET"), []jwtgate.Rule{jwtgate.Optional()}, "Cache-Control: private, Vary: Authorization, Cookie, Set-Cookie, Set-Cookie, Cache-Control: no-store, CDN-Cache-Control: no-store, Surrogate-Control: no-store"},
		{"by header", jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + good.Access.Token}}}, nil, ""},
		{"by header, optional", jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + good.Access.Token}}}, []jwtgate.Rule{jwtgate.Optional()}, "Vary: Authorization, Cookie"},
		{"nobody, optional", jwtgate.Request{Method: "GET"}, []jwtgate.Rule{jwtgate.Optional()}, "Vary: Authorization, Cookie"},
	} {
		d := s.Decide(t.Context(), test.req, test.rules...)
		var said []string
		for _, f := range d.Response.Header {
			if f.Name == "Set-Cookie" {
				said = append(said, f.Name)
			} else {
				said = append(said, f.Name+": "+f.Value)
			}
		}
		if got := strings.Join(said, ", "); got != test.want || d.Refusal != nil {
			t.Errorf("%s: got %q, %v; want %q", test.name, got, d.Refusal, test.want)
		}
		// What an adapter does with the header of one answer is not seen in the next.
		for i := range d.Response.Header[:cap(d.Response.Header)][len(d.Response.Header):] {
			t.Errorf("%s: room for %d more fields, which others may share", test.name, i+1)
			break
		}
	}
}

// TestRenewalCommit is about the last word on the header of a renewed answer,
// and what its handler gets to see of the request.
func TestRenewalCommit(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	request := func(j jar) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "https://site.example/report", nil)
		r.Header["Cookie"] = j.lines()
		for _, name := range conditional {
			r.Header.Set(name, "x")
		}
		return r
	}
	handler := http.Header{"Cache-Control": {"public, max-age=3600", "immutable"}, "Cdn-Cache-Control": {"max-age=60"}}

	r := request(j)
	d := s.Decide(r.Context(), jwtgate.HTTPRequest(r))
	header := handler.Clone()
	if d.Commit(header.Set); fmt.Sprint(header) != fmt.Sprint(handler) || d.Renewed {
		t.Errorf("not renewed: got %v", header)
	}
	forwarded := d.Forward(r)
	if forwarded.Header.Get("If-None-Match") != "x" || forwarded.Header.Get("Range") != "x" || forwarded.Context() != d.Context {
		t.Errorf("not renewed: got %v", forwarded.Header)
	}

	s.clock.Advance(time.Hour)
	r = request(j)
	d = s.Decide(r.Context(), jwtgate.HTTPRequest(r))
	header = handler.Clone()
	d.Commit(header.Set)
	if got, want := fmt.Sprint(header), "map[Cache-Control:[no-store] Cdn-Cache-Control:[no-store] Surrogate-Control:[no-store]]"; got != want || !d.Renewed {
		t.Errorf("renewed: got %s; want %s", got, want)
	}
	forwarded = d.Forward(r)
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"} {
		if forwarded.Header.Get(name) != "" {
			t.Errorf("renewed: the handler sees %s", name)
		}
		if r.Header.Get(name) != "x" {
			t.Errorf("renewed: %s is gone from the request that came in", name)
		}
	}
	if id, _ := jwtgate.IdentityFrom(forwarded.Context()); id != d.Identity || forwarded == r {
		t.Error("renewed: the handler has not the identity")
	}

	// Nothing to change: the same request.
	d = s.Decide(forwarded.Context(), jwtgate.HTTPRequest(forwarded))
	if d.Forward(forwarded) != forwarded {
		t.Error("an inner guard made another request of it")
	}
}

// TestRenewalParallel is about many requests of a browser at once.
func TestRenewalParallel(t *testing.T) {
	t.Parallel()
	const n = 64
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	s.store.taken()
	arrived := make(chan struct{})
	s.store.before = func(_ context.Context, call string) error {
		if call == "Advance" {
			<-arrived // until all others have been told to go
		}
		return nil
	}
	var (
		wait  sync.WaitGroup
		ready sync.WaitGroup
		jars  [n]jar
		said  [n]string
	)
	ready.Add(n)
	for i := range n {
		wait.Go(func() {
			ready.Done()
			d := s.Decide(t.Context(), j.request(http.MethodPost))
			said[i] = tellDecision(t, d)
			jars[i].take(d.Response.Header)
		})
	}
	ready.Wait()
	close(arrived)
	wait.Wait()
	for i := range n {
		if said[i] != "pass alice new" || jars[i].refresh != jars[0].refresh || jars[i].refresh == j.refresh {
			t.Errorf("request %d: got %s, refresh token as the first: %v", i, said[i], jars[i].refresh == jars[0].refresh)
		}
		if got := s.decide(jars[i].request(http.MethodGet)); got != "pass alice" {
			t.Errorf("request %d: with its new cookies: got %s", i, got)
		}
	}
	// Those who came while a step was under way share it, whoever came later
	// takes one that changes nothing.
	if record := s.record(jars[0].refresh); record.Generation != 1 {
		t.Errorf("got generation %d; want 1", record.Generation)
	}
}

// record returns the record that a refresh token is of.
func (s *cookieSite) record(refresh string) session.Record {
	s.tb.Helper()
	token, err := refreshCodec(s).Decode(refresh)
	if err != nil {
		s.tb.Fatal(err)
	}
	record, found, err := s.store.Store.Find(s.tb.Context(), token.ID)
	if err != nil || !found {
		s.tb.Fatalf("find: %v, %v", found, err)
	}
	return record
}

// A doneAsked is a context that says when someone begins to wait for its end: a
// request that waits for the flight of another does.
type doneAsked struct {
	context.Context
	asked chan struct{}
}

func (c doneAsked) Done() <-chan struct{} {
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return c.Context.Done()
}

// flight starts one request that is stopped inside call, and n that wait for it.
// It returns once they do. What the leader does goes on when release is called.
func (s *cookieSite) flight(j jar, call string, n int, waiter context.Context) (results chan string, release func()) {
	s.tb.Helper()
	inside, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	stop := func() { once.Do(func() { close(inside) }); <-gate }
	if call == "Subject" {
		loads := s.subject
		s.subject = func(ctx context.Context, subject string) (jwtgate.Grant, error) { stop(); return loads(ctx, subject) }
	} else {
		s.store.before = func(_ context.Context, called string) error {
			if called == call {
				stop()
			}
			return nil
		}
	}
	results = make(chan string, n+1)
	ask := func(ctx context.Context) {
		said := "panic"
		defer func() {
			_ = recover()
			results <- said
		}()
		said = tellDecision(s.tb, s.Decide(ctx, j.request(http.MethodGet)))
	}
	go ask(s.tb.Context())
	<-inside
	for range n {
		asked := doneAsked{waiter, make(chan struct{}, 1)}
		go ask(asked)
		<-asked.asked
	}
	return results, func() { close(gate) }
}

func TestRenewalSingleFlight(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"Find", "Subject", "Advance"} {
		s := newCookieSite(t)
		j := jarOf(s.signIn("alice"))
		s.clock.Advance(time.Hour)
		s.store.taken()
		results, release := s.flight(j, call, 63, t.Context())
		release()
		for range 64 {
			if got := <-results; got != "pass alice new" {
				t.Errorf("%s: got %s", call, got)
			}
		}
		if got, want := s.store.taken(), "Find Advance"; got != want {
			t.Errorf("%s: the store was asked: %s; want %s", call, got, want)
		}
	}
}

// A client that hangs up does not wait, and does not take the others with it.
func TestRenewalWaiterGivesUp(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	results, release := s.flight(j, "Advance", 3, ctx)
	cancel()
	for range 3 {
		if got := <-results; got != "503 unavailable" {
			t.Errorf("waiter: got %s", got)
		}
	}
	release()
	if got := <-results; got != "pass alice new" {
		t.Errorf("the one it waited for: got %s", got)
	}
}

// A rotation is finished for a client that has hung up, and the request is
// served: an answer may still reach it.
func TestRenewalGoesOn(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := tellDecision(t, s.Decide(ctx, j.request(http.MethodGet))); got != "pass alice new" {
		t.Errorf("got %s", got)
	}
}

func TestRenewalPanics(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(time.Hour)
	loads := s.subject
	s.subject = func(context.Context, string) (jwtgate.Grant, error) { panic("the application's own") }
	results, release := s.flight(j, "Subject", 5, t.Context())
	release()
	said := make(map[string]int)
	for range 6 {
		said[<-results]++
	}
	if said["panic"] != 1 || said["503 unavailable"] != 5 {
		t.Errorf("got %v; want one panic, and the others told", said)
	}
	s.subject = loads
	if got := s.decide(j.request(http.MethodGet)); got != "pass alice new" {
		t.Errorf("afterwards: got %s", got)
	}
}

// TestRenewalTabs is about two tabs with the same cookies, one after the other.
func TestRenewalTabs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		setting func(*jwtgate.Config)
		between time.Duration
		want    string
		lives   bool
	}{
		{"at once", nil, 0, "pass alice new", true},
		{"inside the window", nil, 10*time.Second - time.Millisecond, "pass alice new", true},
		{"at its end", nil, 10 * time.Second, "401 refresh_reused clear", false},
		{"a longer window", func(c *jwtgate.Config) { c.Sessions.ReuseWindow = time.Minute }, 59 * time.Second, "pass alice new", true},
		{"single use", func(c *jwtgate.Config) { c.Sessions.SingleUse = true }, 0, "401 refresh_reused clear", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var settings []func(*jwtgate.Config)
			if test.setting != nil {
				settings = append(settings, test.setting)
			}
			s := newCookieSite(t, settings...)
			old := jarOf(s.signIn("alice"))
			other := jarOf(s.signIn("alice"))
			s.clock.Advance(time.Hour)
			one, two := old, old
			d := s.Decide(t.Context(), old.request(http.MethodPost))
			one.take(d.Response.Header)
			s.clock.Advance(test.between)
			d = s.Decide(t.Context(), old.request(http.MethodPost))
			if got := tellDecision(t, d); got != test.want {
				t.Fatalf("got %s; want %s", got, test.want)
			}
			two.take(d.Response.Header)
			if test.lives && one.refresh != two.refresh {
				t.Error("the tabs have different refresh tokens")
			}
			// Whichever answer the browser took last, it goes on, or is out at once.
			for _, j := range []jar{one, {"", one.refresh}} {
				want := "401 refresh_revoked clear"
				if j.access != "" {
					want = "401 token_revoked clear"
				}
				if test.lives {
					want = "pass alice"
					if j.access == "" {
						want += " new"
					}
				}
				if got := s.decide(j.request(http.MethodGet)); got != want {
					t.Errorf("the first tab: got %s; want %s", got, want)
				}
			}
			if got := s.decide(other.request(http.MethodGet)); got != "pass alice new" {
				t.Errorf("another session of alice: got %s", got)
			}
		})
	}
}

// A thief's access tokens die with the session that a replayed refresh token ends.
func TestRenewalReplayEndsSession(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	victim := jarOf(s.signIn("alice"))
	stolen := victim
	s.clock.Advance(time.Hour)
	d := s.Decide(t.Context(), stolen.request(http.MethodGet))
	stolen.take(d.Response.Header)
	s.clock.Advance(time.Minute)
	if got, want := s.decide(victim.request(http.MethodGet)), "401 refresh_reused clear"; got != want {
		t.Errorf("the victim: got %s; want %s", got, want)
	}
	if got, want := s.decide(stolen.request(http.MethodGet)), "401 token_revoked clear"; got != want {
		t.Errorf("the thief: got %s; want %s", got, want)
	}
	if got, want := s.decide(jwtgate.Request{Method: "GET", Header: http.Header{"Authorization": {"Bearer " + stolen.access}}}), "401 token_revoked"; got != want {
		t.Errorf("the thief, by header: got %s; want %s", got, want)
	}
}

// TestRenewBefore is about renewing an access token that is still good.
func TestRenewBefore(t *testing.T) {
	t.Parallel()
	const before = 2 * time.Minute
	for _, test := range []struct {
		name    string
		after   time.Duration
		refresh string
		want    string
		end     bool // the session
	}{
		{"fresh", 0, "good", "pass alice", false},
		{"not yet due", 13*time.Minute - time.Millisecond, "good", "pass alice", false},
		{"just due", 13 * time.Minute, "good", "pass alice new", false},
		{"in its last second", 15*time.Minute - time.Millisecond, "good", "pass alice new", false},
		{"expired", 15 * time.Minute, "good", "pass alice new", false},
		{"due, refresh absent", 14 * time.Minute, "absent", "pass alice", false},
		{"due, refresh forged", 14 * time.Minute, "forged", "pass alice", false},
		{"due, refresh of another session", 14 * time.Minute, "other", "pass alice", false},
		{"due, refresh replayed", 14 * time.Minute, "replayed", "401 token_revoked clear", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.RenewBefore = before })
			tokens := s.signIn("alice")
			j := jarOf(tokens)
			switch test.refresh {
			case "absent":
				j.refresh = ""
			case "forged":
				j.refresh = "jgr1_x"
			case "other":
				j.refresh = s.signIn("robert").Refresh
			case "replayed":
				s.refresh(j.refresh)
			}
			s.clock.Advance(test.after)
			d := s.Decide(t.Context(), j.request(http.MethodPost))
			if got := tellDecision(t, d); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := !s.live(tokens.SessionID); got != test.end {
				t.Errorf("session ended: %v; want %v", got, test.end)
			}
			if !d.Renewed {
				return
			}
			if left := d.Identity.Expires().Sub(s.clock.Now()); left < 14*time.Minute {
				t.Errorf("the handler has an identity for %v more", left)
			}
			j.take(d.Response.Header)
			if got := s.decide(j.request(http.MethodPost)); got != "pass alice" {
				t.Errorf("right after it: got %s", got)
			}
		})
	}
}

// Near the end of a session no renewal gives an access token a longer life, so
// none should be made: each takes a step of the store and of the subject loader,
// and makes an answer that no cache may keep.
func TestRenewBeforeAtTheEnd(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) {
		c.Cookies.RenewBefore = 2 * time.Minute
		c.Sessions.SessionTTL = 20 * time.Minute
	})
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(19 * time.Minute)
	d := s.Decide(t.Context(), j.request(http.MethodGet))
	j.take(d.Response.Header)
	if got := s.decide(j.request(http.MethodGet)); got != "pass alice" {
		t.Errorf("the next request: got %s", got)
	}
}

// TestReissueRefresh is about a browser with a good access cookie, but without a
// refresh cookie that is good.
func TestReissueRefresh(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		access  time.Duration // AccessTTL
		after   time.Duration
		refresh func(s *cookieSite, j jar) string
		on, off string
	}{
		{"good", 0, time.Minute, func(_ *cookieSite, j jar) string { return j.refresh }, "pass alice", "pass alice"},
		{"absent", 0, time.Minute, func(*cookieSite, jar) string { return "" }, "pass alice new", "pass alice"},
		{"forged", 0, time.Minute, func(*cookieSite, jar) string { return "jgr1_x" }, "pass alice new", "pass alice"},
		{"of another key", 0, time.Minute, func(s *cookieSite, j jar) string {
			codec, _ := refreshtoken.New(otherSecret)
			token, _ := refreshCodec(s).Decode(j.refresh)
			return codec.Encode(token)
		}, "pass alice new", "pass alice"},
		{"of an unknown session", 0, time.Minute, func(s *cookieSite, _ jar) string {
			return refreshCodec(s).Encode(refreshtoken.Token{ID: session.NewID("alice"), Nonce: refreshtoken.NewNonce()})
		}, "pass alice new", "pass alice"},
		{"of another session, live", 0, time.Minute, func(s *cookieSite, _ jar) string { return s.signIn("robert").Refresh }, "pass alice", "pass alice"},
		{"idle-expired", 2 * time.Hour, 90 * time.Minute, func(_ *cookieSite, j jar) string { return j.refresh }, "pass alice new", "pass alice"},
		{"idle-expired and absent", 2 * time.Hour, 90 * time.Minute, func(*cookieSite, jar) string { return "" }, "pass alice new", "pass alice"},
		{"just replaced", 2 * time.Hour, 5 * time.Minute, func(s *cookieSite, j jar) string { s.refresh(j.refresh); return j.refresh }, "pass alice", "pass alice"},
		{"idle-expired, access too", 2 * time.Hour, 2 * time.Hour, func(_ *cookieSite, j jar) string { return j.refresh }, "401 refresh_expired clear", "401 refresh_expired clear"},
		{"absent, access expired", 0, time.Hour, func(*cookieSite, jar) string { return "" }, "401 token_expired clear", "401 token_expired clear"},
	} {
		for _, on := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, %v", test.name, on), func(t *testing.T) {
				t.Parallel()
				s := newCookieSite(t, func(c *jwtgate.Config) {
					c.Cookies.ReissueRefresh = on
					c.AccessTTL = test.access
					c.Sessions.RefreshTTL = time.Hour
				})
				tokens := s.signIn("alice")
				j := jarOf(tokens)
				s.clock.Advance(test.after)
				j.refresh = test.refresh(s, j)
				want := test.off
				if on {
					want = test.on
				}
				d := s.Decide(t.Context(), j.request(http.MethodPost))
				if got := tellDecision(t, d); got != want {
					t.Fatalf("got %s; want %s", got, want)
				}
				if !d.Renewed {
					return
				}
				if d.Identity.SessionID() != tokens.SessionID || d.Identity.AuthTime().Unix() != cookieStart.Unix() {
					t.Errorf("got session %s of %v; want the same one", d.Identity.SessionID(), d.Identity.AuthTime())
				}
				j.take(d.Response.Header)
				s.clock.Advance(time.Minute)
				j.access = ""
				if got := s.decide(j.request(http.MethodPost)); got != "pass alice new" {
					t.Errorf("with the reissued refresh token: got %s", got)
				}
			})
		}
	}
}

// A reissue never makes a session longer than SessionTTL.
func TestReissueRefreshLimit(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.Sessions.SessionTTL = time.Hour
	})
	j := jarOf(s.signIn("alice"))
	var d jwtgate.Decision
	for range 5 {
		s.clock.Advance(12*time.Minute - time.Second)
		j.refresh = ""
		d = s.Decide(t.Context(), j.request(http.MethodGet))
		if got := tellDecision(t, d); got != "pass alice new" {
			t.Fatalf("after %v: got %s", s.clock.Now().Sub(cookieStart), got)
		}
		j.take(d.Response.Header)
	}
	if end := cookieStart.Add(time.Hour); d.Identity.Expires().After(end) {
		t.Errorf("the access token expires %v after the session", d.Identity.Expires().Sub(end))
	}
	for _, line := range fieldValues(d.Response.Header, "Set-Cookie") {
		if !strings.Contains(line, "; Max-Age=5;") {
			t.Errorf("got %s; want Max-Age 5", line)
		}
	}
	s.clock.Advance(5 * time.Second)
	for name, j := range map[string]jar{"both": j, "refresh": {"", j.refresh}} {
		if got, want := s.decide(j.request(http.MethodGet)), "401 refresh_expired clear"; got != want {
			t.Errorf("past the end, %s: got %s; want %s", name, got, want)
		}
	}
	// By a token that somehow is good for longer, the session is not reissued either.
	sid := s.record(s.signIn("alice").Refresh).ID.String()
	s.clock.Advance(time.Hour)
	if got := s.decide(jar{s.mint(sid, 0, nil), ""}.request(http.MethodGet)); got != "pass alice" {
		t.Errorf("past SessionTTL: got %s", got)
	}
}

// Requests that ask for a reissue at once get the same refresh token.
func TestReissueRefreshParallel(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
	second := s.another(func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
	tokens := s.signIn("alice")
	j := jar{tokens.Access.Token, ""}
	var wait sync.WaitGroup
	var jars [32]jar
	for i := range jars {
		wait.Go(func() {
			auth := s.Auth
			if i%2 == 0 {
				auth = second
			}
			d := auth.Decide(t.Context(), j.request(http.MethodPost))
			if got := tellDecision(t, d); got != "pass alice new" {
				t.Errorf("got %s", got)
			}
			jars[i].take(d.Response.Header)
		})
	}
	wait.Wait()
	for i := range jars {
		if jars[i].refresh != jars[0].refresh {
			t.Fatal("the session has several refresh tokens")
		}
	}
	if record := s.record(jars[0].refresh); record.Generation != 1 {
		t.Errorf("got generation %d; want 1", record.Generation)
	}
	// The one that was lost is a replayed one when someone has it after all.
	s.clock.Advance(time.Minute)
	if got, want := s.decide(jar{"", tokens.Refresh}.request(http.MethodGet)), "401 refresh_reused clear"; got != want {
		t.Errorf("the lost one: got %s; want %s", got, want)
	}
}

// TestReissueRefreshNot is about sessions that are not reissued.
func TestReissueRefreshNot(t *testing.T) {
	t.Parallel()
	on := func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true }
	for _, test := range []struct {
		name string
		make func(s *cookieSite) jar
		want string
	}{
		{"begun before it was set", func(s *cookieSite) jar {
			tokens, err := s.another().SignIn(t.Context(), jwtgate.Request{}, "alice")
			if err != nil {
				t.Fatal(err)
			}
			return jar{tokens.Access.Token, ""}
		}, "pass alice"},
		{"revoked here", func(s *cookieSite) jar {
			tokens := s.signIn("alice")
			_ = s.EndSession(t.Context(), tokens.SessionID)
			return jar{tokens.Access.Token, ""}
		}, "401 token_revoked clear"},
		{"subject gone", func(s *cookieSite) jar {
			tokens := s.signIn("alice")
			s.subject = func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, jwtgate.ErrNoSubject }
			return jar{tokens.Access.Token, ""}
		}, "401 token_revoked clear"},
		{"token of no session", func(s *cookieSite) jar { return jar{jwtgatetest.Token(t, s.Auth, "alice"), ""} }, "pass alice"},
		{"session unknown", func(s *cookieSite) jar { return jar{s.mint(session.NewID("alice").String(), 0, nil), ""} }, "pass alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t, on)
			if got := s.decide(test.make(s).request(http.MethodPost)); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
		})
	}
}

// A session that was ended on another process is not reissued, even before the
// news of it is here.
func TestReissueRefreshEndedElsewhere(t *testing.T) {
	t.Parallel()
	memory := session.NewMemory(0, nil)
	s := newCookieSite(t, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.Sessions.Store = deafStore{memory}
		c.Sessions.Keys = [][]byte{cookieSecret}
		c.Now = nil
	})
	tokens := s.signIn("alice")
	id, _ := session.ParseID(tokens.SessionID)
	if live, err := memory.End(t.Context(), id, time.Hour); !live || err != nil {
		t.Fatal(live, err)
	}
	for range 2 {
		if got := s.decide(jar{tokens.Access.Token, ""}.request(http.MethodGet)); got != "pass alice" {
			t.Errorf("got %s; want pass alice, and no new cookies", got)
		}
	}
}

// A deafStore is a Store whose news do not arrive.
type deafStore struct{ session.Store }

func (deafStore) Feed(ctx context.Context, _ func(session.Revocation), upToDate func()) error {
	upToDate()
	<-ctx.Done()
	return ctx.Err()
}

// At the refresh endpoint an idle-expired refresh token is refused, whatever
// ReissueRefresh says of access tokens.
func TestReissueRefreshNotAtEndpoint(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.AccessTTL = 2 * time.Hour
		c.Sessions.RefreshTTL = time.Hour
	})
	tokens := s.signIn("alice")
	s.clock.Advance(time.Hour)
	s.store.taken()
	if got, want := tell(t, s.Refresh(t.Context(), post(jarOf(tokens).lines()))), "401 refresh_expired clear"; got != want {
		t.Errorf("by cookie: got %s; want %s", got, want)
	}
	if got, want := tell(t, s.Refresh(t.Context(), postJSON(nil, `{"refresh_token":"`+tokens.Refresh+`"}`))), "401 refresh_expired"; got != want {
		t.Errorf("by body: got %s; want %s", got, want)
	}
	if calls := s.store.taken(); strings.Contains(calls, "Advance") {
		t.Errorf("the store was asked: %s", calls)
	}
	if got := s.decide(jarOf(tokens).request(http.MethodGet)); got != "pass alice new" {
		t.Errorf("by the access token: got %s", got)
	}
}

// A store that hangs must not hang every request by cookie.
func TestReissueRefreshTimeout(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) {
		c.Cookies.ReissueRefresh = true
		c.Sessions.Timeout = time.Hour
	})
	j := jarOf(s.signIn("alice"))
	var left time.Duration
	s.store.before = func(ctx context.Context, _ string) error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return nil
	}
	if got := s.decide(j.request(http.MethodGet)); got != "pass alice" || left > time.Hour || left < time.Minute {
		t.Errorf("got %s, with %v left", got, left)
	}
}

// With RetireReplaced, what a browser that missed nothing has is always good.
func TestRenewalRetireReplaced(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) {
		c.Sessions.RetireReplaced = true
		c.Cookies.RenewBefore = 7 * time.Minute
	})
	j := jarOf(s.signIn("alice"))
	s.clock.Advance(10 * time.Minute)
	old := j
	d := s.Decide(t.Context(), j.request(http.MethodGet))
	j.take(d.Response.Header)
	if got, want := s.decide(old.request(http.MethodGet)), "pass alice new"; got != want {
		t.Errorf("the old one inside the window: got %s; want %s", got, want)
	}
	s.clock.Advance(10 * time.Second)
	if got, want := s.decide(j.request(http.MethodGet)), "pass alice"; got != want {
		t.Errorf("the new one: got %s; want %s", got, want)
	}
}

// TestBrowserWalk has a browser do whatever browsers do, in random order, and
// compares with what must follow: as long as it takes one answer of those that
// a window brings, it never sees a login page before the session's end.
func TestBrowserWalk(t *testing.T) {
	t.Parallel()
	for name, setting := range map[string]func(*jwtgate.Config){
		"defaults":    func(*jwtgate.Config) {},
		"RenewBefore": func(c *jwtgate.Config) { c.Cookies.RenewBefore = 5 * time.Minute },
		"retire":      func(c *jwtgate.Config) { c.Sessions.RetireReplaced = true },
		"allow list":  func(c *jwtgate.Config) { c.Sessions.AllowList = true },
		"reissue":     func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true },
	} {
		for seed := range uint64(8) {
			t.Run(fmt.Sprintf("%s, %d", name, seed), func(t *testing.T) {
				t.Parallel()
				walk(t, newCookieSite(t, setting), rand.New(rand.NewPCG(seed, 1)))
			})
		}
	}
}

func walk(t *testing.T, s *cookieSite, random *rand.Rand) {
	login := s.Auth.Login(checkAlice)
	var (
		browser jar
		limit   time.Time // when the session is over for certain
		idle    time.Time
		stolen  []jar // what the browser had before
	)
	signIn := func() {
		res := login(t.Context(), postJSON(browser.lines(), alicesPassword))
		if got := tell(t, res); got != "200 new" {
			t.Fatalf("login: got %s", got)
		}
		stolen = nil
		browser.take(res.Header)
		limit = s.clock.Now().Add(30 * 24 * time.Hour)
		idle = s.clock.Now().Add(7 * 24 * time.Hour)
	}
	live := func() bool { now := s.clock.Now(); return now.Before(limit) && now.Before(idle) }
	signIn()
	for step := range 150 {
		switch action := random.IntN(20); {
		case action == 0:
			if got := tell(t, s.Logout(t.Context(), post(browser.lines()))); got != "204 clear" {
				t.Fatalf("step %d: logout: got %s", step, got)
			}
			if browser.access != "" || browser.refresh != "" {
				if got := s.decide(browser.request(http.MethodGet)); !strings.HasPrefix(got, "401 ") {
					t.Fatalf("step %d: after logout: got %s", step, got)
				}
			}
			browser = jar{}
			if got := s.decide(browser.request(http.MethodGet)); got != "401 token_missing" {
				t.Fatalf("step %d: got %s", step, got)
			}
			signIn()
		case action == 1:
			signIn() // over the live session
		case action == 2 && live() && browser.access != "":
			browser.access = "" // the browser forgets one
		case action == 3 && len(stolen) > 0:
			// A thief uses an old pair, after any window: at most one more request is served to anyone.
			s.clock.Advance(16 * time.Minute)
			thief := jar{"", stolen[random.IntN(len(stolen))].refresh}
			if thief.refresh == browser.refresh || !live() {
				break
			}
			if got := s.decide(thief.request(http.MethodGet)); got != "401 refresh_reused clear" {
				t.Fatalf("step %d: the thief: got %s", step, got)
			}
			if got := s.decide(browser.request(http.MethodGet)); got != "401 refresh_revoked clear" {
				t.Fatalf("step %d: the victim: got %s", step, got)
			}
			signIn()
		case action < 12:
			waits := []time.Duration{time.Second, 9 * time.Second, 11 * time.Second, time.Minute, 11 * time.Minute, 15 * time.Minute, time.Hour, 50 * time.Hour}
			s.clock.Advance(waits[random.IntN(len(waits))])
			if !live() {
				j := jar{"", browser.refresh}
				if got := s.decide(j.request(http.MethodGet)); got != "401 refresh_expired clear" {
					t.Fatalf("step %d: past the end: got %s", step, got)
				}
				signIn()
			}
		default:
			// A page with several requests: all leave with the same cookies, are
			// served within the window, and some answers are lost or come in
			// another order; but for one.
			if live() {
				batch(t, s, random, step, &browser, &stolen)
			} else {
				signIn()
			}
			record := s.record(browser.refresh)
			idle = record.Used().Add(7 * 24 * time.Hour)
		}
	}
}

// batch has the browser send several requests with the same cookies, which are
// served within one window, and lose or reorder all answers but one.
func batch(t *testing.T, s *cookieSite, random *rand.Rand, step int, browser *jar, stolen *[]jar) {
	t.Helper()
	sent := *browser
	var answers [][]jwtgate.Field
	for i := range 1 + random.IntN(6) {
		s.clock.Advance(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
		method := []string{http.MethodGet, http.MethodPost}[random.IntN(2)]
		d := s.Decide(t.Context(), sent.request(method))
		got := tellDecision(t, d)
		if got != "pass alice" && got != "pass alice new" {
			t.Fatalf("step %d: request %d of the page: got %s", step, i, got)
		}
		if d.Renewed {
			answers = append(answers, d.Response.Header)
		}
	}
	if len(answers) == 0 {
		return
	}
	last := answers[len(answers)-1]
	random.Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
	for _, header := range answers[:1+random.IntN(len(answers))] {
		browser.take(header)
	}
	// Only if a window ended between the requests do answers differ in their
	// refresh token. Then the last one must get through.
	if token, err := refreshCodec(s).Decode(browser.refresh); err != nil || token.Generation != s.record(browser.refresh).Generation {
		browser.take(last)
	}
	if browser.refresh != sent.refresh {
		*stolen = append(*stolen, sent)
	}
}

// A browser that loses every answer of a window, and asks again within it, goes on.
func TestBrowserLosesAnswers(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	for range 20 {
		s.clock.Advance(time.Hour)
		var d jwtgate.Decision
		for range 4 {
			d = s.Decide(t.Context(), j.request(http.MethodPost))
			if got := tellDecision(t, d); got != "pass alice new" {
				t.Fatalf("got %s", got)
			}
			s.clock.Advance(3 * time.Second)
		}
		j.take(d.Response.Header)
	}
}

// No answer to one user has the cookies of another, however they are mixed.
func TestRenewalKeepsUsersApart(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh, c.Cookies.RenewBefore = true, 5*time.Minute })
	const users = 8
	var wait sync.WaitGroup
	var mixed atomic.Int64
	tokens := make([]jwtgate.Tokens, users)
	for i := range tokens {
		tokens[i] = s.signIn(fmt.Sprint("user", i))
	}
	s.clock.Advance(14 * time.Minute)
	for i := range tokens {
		for k := range 16 {
			wait.Go(func() {
				own, other := tokens[i], tokens[(i+k)%users]
				for _, j := range []jar{
					jarOf(own), {own.Access.Token, ""}, {"", own.Refresh}, {own.Access.Token, other.Refresh}, {own.Access.Token, "jgr1_x"},
				} {
					d := s.Decide(t.Context(), j.request(http.MethodPost))
					if d.Identity == nil || d.Identity.Subject() != fmt.Sprint("user", i) {
						t.Errorf("user%d: got %v, %v", i, d.Identity, d.Refusal)
						continue
					}
					var got jar
					got.take(d.Response.Header)
					if got.refresh != "" && s.record(got.refresh).Subject != fmt.Sprint("user", i) {
						mixed.Add(1)
					}
					if got.access != "" {
						if d := s.Decide(t.Context(), jar{got.access, ""}.request(http.MethodGet)); d.Identity == nil || d.Identity.SessionID() != own.SessionID {
							mixed.Add(1)
						}
					}
				}
			})
		}
	}
	wait.Wait()
	if mixed.Load() > 0 {
		t.Errorf("%d answers had another user's cookies", mixed.Load())
	}
}
