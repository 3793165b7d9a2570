package jwtgate_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
)

// TestRecentLogin checks RecentLogin against the age of a login, with tokens by cookie and by
// header.
func TestRecentLogin(t *testing.T) {
	t.Parallel()
	const maxAge, clockSkew = 5 * time.Minute, time.Minute // the default
	s := newTestServer(t, withCookies)
	now := s.clock.Now()
	const tooOld = "401 login_too_old"
	for _, test := range []struct {
		name     string
		authTime any // nil for no claim
		want     string
	}{
		{"just now", now.Unix(), "pass alice"},
		{"within it", now.Add(-maxAge + time.Second).Unix(), "pass alice"},
		{"as old as it may be", now.Add(-maxAge).Unix(), "pass alice"},
		{"a second older", now.Add(-maxAge - time.Second).Unix(), tooOld},
		{"long ago", now.Add(-300 * 24 * time.Hour).Unix(), tooOld},
		{"absent", nil, tooOld},
		{"zero", 0, tooOld},
		{"a moment ahead", now.Unix() + 1, "pass alice"},
		{"as far ahead as clocks may be", now.Add(clockSkew).Unix(), "pass alice"},
		{"a second further ahead", now.Add(clockSkew + time.Second).Unix(), tooOld},
		{"in the future", now.Add(time.Hour).Unix(), tooOld},
		{"in milliseconds", now.UnixMilli(), tooOld},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token := s.mint("", 0, map[string]any{"auth_time": test.authTime})
			for name, req := range map[string]jwtgate.Request{
				"cookie": browser{access: token}.request(http.MethodGet),
				"header": {Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + token}}},
			} {
				d := s.Decide(t.Context(), req, jwtgate.RecentLogin(maxAge))
				if got := s.describe(d); got != test.want {
					t.Errorf("%s: got %s; want %s", name, got, test.want)
				}
			}
		})
	}
}

func TestRecentLoginChallenge(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	token := s.mint("", 0, map[string]any{"auth_time": nil})
	for _, test := range []struct {
		maxAge time.Duration
		want   string
	}{
		{5 * time.Minute, `Bearer error="insufficient_user_authentication", max_age="300"`},
		{time.Second, `Bearer error="insufficient_user_authentication", max_age="1"`},
		{1500 * time.Millisecond, `Bearer error="insufficient_user_authentication", max_age="1"`},
		{0, `Bearer error="insufficient_user_authentication", max_age="0"`},
		{30 * 24 * time.Hour, `Bearer error="insufficient_user_authentication", max_age="2592000"`},
	} {
		d := s.Decide(t.Context(), browser{access: token}.request(http.MethodGet), jwtgate.RecentLogin(test.maxAge))
		want := jwtgate.Response{
			Status: http.StatusUnauthorized,
			Header: []jwtgate.Field{
				{Name: "Content-Type", Value: "application/problem+json"},
				{Name: "Cache-Control", Value: "no-store"},
				{Name: "WWW-Authenticate", Value: test.want},
			},
			Body: []byte(`{"type":"https://github.com/jwtgate/jwtgate#login_too_old","title":"Unauthorized","status":401,"detail":"This resource needs a more recent login.","code":"login_too_old"}` + "\n"),
		}
		got := d.Response
		if got.Status != want.Status || !slices.Equal(got.Header, want.Header) || string(got.Body) != string(want.Body) || got.Err != nil {
			t.Errorf("got %d %q %s; want %d %q %s", got.Status, got.Header, got.Body, want.Status, want.Header, want.Body)
		}
	}
}

// TestRecentLoginAfterRefresh checks that only a new login makes a login recent: no way of
// refreshing does.
func TestRecentLoginAfterRefresh(t *testing.T) {
	t.Parallel()
	recent := jwtgate.RecentLogin(5 * time.Minute)
	for _, test := range []struct {
		name  string
		after time.Duration
		do    func(s *testServer, b *browser)
		want  string
	}{
		{"nothing", 4 * time.Minute, func(*testServer, *browser) {}, "pass alice"},
		{"nothing, too late", 6 * time.Minute, func(*testServer, *browser) {}, "401 login_too_old"},
		{"renewed by the same request", time.Hour, func(*testServer, *browser) {}, "401 login_too_old new"},
		{"renewed before", time.Hour, func(s *testServer, b *browser) {
			b.receive(s.Decide(t.Context(), b.request(http.MethodGet)).Response.Header)
		}, "401 login_too_old"},
		{"refreshed", 6 * time.Minute, func(s *testServer, b *browser) {
			b.receive(s.Refresh(t.Context(), b.post()).Header)
		}, "401 login_too_old"},
		{"reissued by the same request", 6 * time.Minute, func(_ *testServer, b *browser) { b.refresh = "" }, "401 login_too_old new"},
		{"signed in again", 6 * time.Minute, func(s *testServer, b *browser) {
			b.receive(s.send(s.loginEndpoint(), b.postJSON(aliceLogin)).Header)
		}, "pass alice"},
		{"signed in again in one's own way", 6 * time.Minute, func(s *testServer, b *browser) {
			tokens, err := s.SignIn(t.Context(), b.request(http.MethodGet), "alice")
			if err != nil {
				t.Fatal(err)
			}
			b.receive(tokens.Cookies().Header)
		}, "pass alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, withCookies, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = true })
			b := browserWith(s.signIn("alice"))
			s.clock.Advance(test.after)
			test.do(s, &b)
			d := s.Decide(t.Context(), b.request(http.MethodPost), recent)
			if got := s.describe(d); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			// The refusal does not end the session.
			b.receive(d.Response.Header)
			if got := s.decide(b.request(http.MethodPost)); got != "pass alice" {
				t.Errorf("elsewhere: got %s", got)
			}
		})
	}
}

// TestRecentLoginCombined checks RecentLogin together with other rules.
func TestRecentLoginCombined(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withCookies)
	b := browserWith(s.signIn("alice"))
	s.clock.Advance(10 * time.Minute)
	recent, older := jwtgate.RecentLogin(5*time.Minute), jwtgate.RecentLogin(15*time.Minute)
	for _, test := range []struct {
		name  string
		rules []jwtgate.Rule
		want  string
	}{
		{"role first", []jwtgate.Rule{jwtgate.Role("admin"), recent}, "403 insufficient_scope"},
		{"recent first", []jwtgate.Rule{recent, jwtgate.Role("admin")}, "401 login_too_old"},
		{"optional", []jwtgate.Rule{jwtgate.Optional(), recent}, "401 login_too_old"},
		{"any of", []jwtgate.Rule{jwtgate.AnyOf(jwtgate.Role("user"), recent)}, "pass alice"},
		{"any of, none", []jwtgate.Rule{jwtgate.AnyOf(jwtgate.Role("admin"), recent)}, "401 login_too_old"},
		{"all of", []jwtgate.Rule{jwtgate.AllOf(jwtgate.Role("user"), older)}, "pass alice"},
		{"all of, one not", []jwtgate.Rule{jwtgate.AllOf(jwtgate.Role("user"), recent)}, "401 login_too_old"},
	} {
		if got := s.decide(b.request(http.MethodGet), test.rules...); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
	}
	if got, want := s.decide(upgrade(b.request(http.MethodGet)), recent), "401 login_too_old"; got != want {
		t.Errorf("Upgrade: got %s; want %s", got, want)
	}
	if got, want := s.decide(browser{}.post(), jwtgate.Optional(), recent), "401 token_missing"; got != want {
		t.Errorf("nobody: got %s; want %s", got, want)
	}
}
