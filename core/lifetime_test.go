package jwtgate_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// ages returns the Max-Age of each cookie in header, 0 for none, and "" if there are no
// cookies.
func ages(t *testing.T, header []jwtgate.Field) string {
	t.Helper()
	var found []string
	for _, line := range fieldValues(header, "Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, (time.Duration(cookie.MaxAge) * time.Second).String())
	}
	return strings.Join(found, " ")
}

// TestLifetime checks that the lifetime that a login has chosen is that of the cookies and
// of the session, also after it was renewed in each way, on another process.
func TestLifetime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, row := range []struct {
		name        string
		chosen      []jwtgate.Lifetime
		ages        string        // of both cookies, whenever they are set
		idle, limit time.Duration // when the session ends
	}{
		{"none", nil, "168h0m0s 168h0m0s", 7 * day, 30 * day},
		{"zero", []jwtgate.Lifetime{{}}, "168h0m0s 168h0m0s", 7 * day, 30 * day},
		{"browser session", []jwtgate.Lifetime{{Transient: true}}, "0s 0s", 7 * day, 30 * day},
		{"short browser session", []jwtgate.Lifetime{{RefreshTTL: time.Hour, SessionTTL: 5 * time.Hour, Transient: true}}, "0s 0s", time.Hour, 5 * time.Hour},
		{"long", []jwtgate.Lifetime{{RefreshTTL: 90 * day, SessionTTL: 365 * day}}, "2160h0m0s 2160h0m0s", 90 * day, 365 * day},
		{"a second", []jwtgate.Lifetime{{RefreshTTL: time.Second}}, "15m0s 1s", time.Second, 30 * day},
		{"rounded up", []jwtgate.Lifetime{{RefreshTTL: time.Hour + time.Millisecond}}, "1h0m1s 1h0m1s", time.Hour + time.Second, 30 * day},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for way, renew := range map[string]func(s *testServer, b browser) jwtgate.Response{
				"guard": func(s *testServer, b browser) jwtgate.Response {
					return s.Decide(t.Context(), browser{"", b.refresh}.request(http.MethodGet)).Response
				},
				"endpoint": func(s *testServer, b browser) jwtgate.Response { return s.Refresh(t.Context(), b.post()) },
			} {
				s := newTestServer(t, withCookies)
				tokens, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice", row.chosen...)
				if err != nil {
					t.Fatal(err)
				}
				if got := ages(t, tokens.Cookies().Header); got != row.ages {
					t.Errorf("login: got cookies for %s; want %s", got, row.ages)
				}
				b := browserWith(tokens)
				for range 3 {
					if row.idle > time.Minute {
						s.clock.Advance(time.Minute)
					}
					s = s.another()
					answer := renew(s, b).Header
					if got := ages(t, answer); got != row.ages {
						t.Errorf("%s: got cookies for %s; want %s", way, got, row.ages)
					}
					b.receive(answer)
				}
				s.clock.Advance(row.idle - time.Millisecond)
				b.receive(renew(s, b).Header)
				s.clock.Advance(row.idle)
				if got, want := s.decide(browser{"", b.refresh}.request(http.MethodGet)), "401 refresh_expired clear"; got != want {
					t.Errorf("%s: %v after the last refresh: got %s; want %s", way, row.idle, got, want)
				}

				s = newTestServer(t)
				if tokens, err = s.SignIn(t.Context(), jwtgate.Request{}, "alice", row.chosen...); err != nil {
					t.Fatal(err)
				}
				if got := s.sessionOf(tokens.Refresh).Limit.Sub(serverStart); got != row.limit {
					t.Errorf("got a session for at most %v; want %v", got, row.limit)
				}
			}
		})
	}
}

// TestLifetimeAccess checks that no access token outlives the session that its login has
// chosen.
func TestLifetimeAccess(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	tokens, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice", jwtgate.Lifetime{SessionTTL: time.Minute})
	if err != nil || tokens.Access.TTL != time.Minute {
		t.Errorf("got an access token for %v, error %v; want a minute", tokens.Access.TTL, err)
	}
}

// TestLifetimeShortened checks that a RefreshTTL that was made shorter also holds for sessions
// that were opened before.
func TestLifetimeShortened(t *testing.T) {
	t.Parallel()
	before := newTestServer(t)
	s := before.another(func(c *jwtgate.Config) { c.Sessions.RefreshTTL = time.Hour })
	for _, row := range []struct {
		after time.Duration
		want  string
	}{{time.Hour - time.Millisecond, "200"}, {time.Hour, refreshExpired}} {
		tokens := before.login("alice")
		before.clock.Advance(row.after)
		if got := s.refresh(tokens.Refresh).text; got != row.want {
			t.Errorf("after %v: got %s; want %s", row.after, got, row.want)
		}
	}
}

// TestLifetimeReissued checks that a refresh token that is issued anew is for the lifetime
// of the login.
func TestLifetimeReissued(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
	tokens, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice", jwtgate.Lifetime{RefreshTTL: time.Minute, Transient: true})
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(2 * time.Minute)
	d := s.Decide(t.Context(), browser{tokens.Access.Token, tokens.Refresh}.request(http.MethodGet))
	if got := ages(t, d.Response.Header); got != "0s 0s" || d.Identity == nil {
		t.Errorf("got cookies for %q, refusal %v; want those of a browser session", got, d.Refusal)
	}
}

// remember is a LifetimeChoice: without the parameter remember, the session is that of the
// browser.
func remember(_ context.Context, subject string, parameter func(string) string) jwtgate.Lifetime {
	switch {
	case subject == "mistake":
		return jwtgate.Lifetime{RefreshTTL: time.Millisecond}
	case parameter("remember") == "":
		return jwtgate.Lifetime{RefreshTTL: time.Hour, Transient: true}
	}
	return jwtgate.Lifetime{RefreshTTL: 90 * 24 * time.Hour, SessionTTL: 365 * 24 * time.Hour}
}

// TestLifetimeChoice checks how the endpoints for logins ask for the lifetime.
func TestLifetimeChoice(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		req  func() jwtgate.Request
		want int
		ages string
		idle time.Duration // of the session
	}{
		{"form, checked", func() jwtgate.Request {
			return formRequest("username", "alice", "password", "wonderland", "remember", "on")
		}, 200, "2160h0m0s 2160h0m0s", 90 * 24 * time.Hour},
		{"form, not checked", func() jwtgate.Request { return formRequest("username", "alice", "password", "wonderland") }, 200, "0s 0s", time.Hour},
		{"JSON", func() jwtgate.Request {
			return jsonRequest("username", "alice", "password", "wonderland", "remember", "yes")
		}, 200, "2160h0m0s 2160h0m0s", 90 * 24 * time.Hour},
		{"wrong password", func() jwtgate.Request { return formRequest("username", "alice", "password", "guess", "remember", "on") }, 401, "", 0},
		{"mistake", func() jwtgate.Request { return formRequest("username", "mistake", "password", "wonderland") }, 503, "", 0},
	} {
		s := newTestServer(t, withCookies)
		for name, endpoint := range map[string]jwtgate.Endpoint{"login": s.Auth.Login(checkTestPassword, remember), "token": s.Auth.Token(checkTestPassword, remember)} {
			res := endpoint(t.Context(), row.req())
			if res.Status != row.want {
				t.Errorf("%s at %s: got status %d; want %d", row.name, name, res.Status, row.want)
			}
			if got := ages(t, res.Header); name == "login" && got != row.ages {
				t.Errorf("%s: got cookies for %q; want %q", row.name, got, row.ages)
			}
		}
		records, _, err := s.Sessions(t.Context(), "alice", "")
		if err != nil || len(records) != map[bool]int{true: 2, false: 0}[row.idle > 0] {
			t.Errorf("%s: got %d sessions, error %v", row.name, len(records), err)
		}
		for _, r := range records {
			if got := r.Expires.Sub(serverStart); got != row.idle {
				t.Errorf("%s: got a session for %v; want %v", row.name, got, row.idle)
			}
		}
	}
}

// TestLifetimeNilChoice checks that a nil LifetimeChoice chooses the default.
func TestLifetimeNilChoice(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	res := s.Auth.Login(checkTestPassword, nil)(t.Context(), formRequest("username", "alice", "password", "wonderland"))
	if got, want := ages(t, res.Header), "168h0m0s 168h0m0s"; got != want {
		t.Errorf("got status %d and cookies for %q; want %q", res.Status, got, want)
	}
}

// TestLifetimeMistakes checks that a lifetime that cannot be meant opens no session.
func TestLifetimeMistakes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, l := range []jwtgate.Lifetime{{RefreshTTL: -time.Second}, {RefreshTTL: time.Second - 1}, {SessionTTL: -1}, {SessionTTL: time.Millisecond}} {
		_, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice", l)
		if err == nil || !strings.Contains(err.Error(), "use at least a second") {
			t.Errorf("%+v: got error %v", l, err)
		}
	}
	if got := s.liveSessions("alice"); got != 0 {
		t.Errorf("got %d sessions; want none", got)
	}
}
