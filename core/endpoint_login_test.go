package jwtgate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// TestToken checks that the token endpoint answers exactly as RFC 6749 §5.1 and RFC 9068 §2
// require.
func TestToken(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, req := range []jwtgate.Request{
		formRequest("username", "alice", "password", "wonderland"),
		jsonRequest("username", "alice", "password", "wonderland"),
		formRequest("grant_type", "password", "username", "alice", "password", "wonderland", "scope", "all"),
	} {
		res := s.send(s.tokenEndpoint(), req)
		if res.text != "200" || res.Expires != 15*time.Minute {
			t.Fatalf("got %s, valid for %v", res.text, res.Expires)
		}
		var members map[string]any
		if err := json.Unmarshal(res.Body, &members); err != nil || len(members) != 4 || members["token_type"] != "Bearer" || members["expires_in"] != 900.0 {
			t.Errorf("answer is %s", res.Body)
		}
		if got := s.authenticate(res.Access); got != "alice" {
			t.Errorf("access token is for %s", got)
		}
		header, claims := claimsOf(t, res.Access)
		if header["typ"] != "at+jwt" || header["alg"] != "HS256" || header["kid"] != keys.HS256(signingSecret).ID() || len(header) != 3 {
			t.Errorf("header is %v", header)
		}
		now := float64(serverStart.Unix())
		for name, want := range map[string]any{
			"iss": serverIssuer, "aud": serverAudience, "sub": "alice", "iat": now, "exp": now + 900, "auth_time": now, "roles": "[user]",
		} {
			if got := claims[name]; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s is %v; want %v", name, got, want)
			}
		}
		for _, name := range []string{"jti", "sid"} {
			if text, ok := claims[name].(string); !ok || len(text) < 22 {
				t.Errorf("%s is %v", name, claims[name])
			}
		}
		if !strings.HasPrefix(res.Refresh, "jgr1_") || strings.Contains(res.Refresh, ".") {
			t.Errorf("refresh token has a shape that is not its own")
		}
	}
	if got := s.liveSessions("alice"); got != 3 {
		t.Errorf("three logins made %d sessions", got)
	}
}

// TestTokenUnique checks that no two logins share a token, a jti or a sid.
func TestTokenUnique(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	seen := map[string]bool{}
	for range 100 {
		res := s.login("alice")
		_, claims := claimsOf(t, res.Access)
		for _, value := range []string{res.Access, res.Refresh, fmt.Sprint(claims["jti"]), fmt.Sprint(claims["sid"])} {
			if seen[value] {
				t.Fatalf("got %q twice", value)
			}
			seen[value] = true
		}
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	good := []string{"username", "alice", "password", "wonderland"}
	for _, row := range []struct {
		name       string
		parameters []string
		subject    func(ctx context.Context, subject string) (jwtgate.Grant, error)
		broken     string // the method of the store that fails
		want       string
	}{
		{"wrong password", []string{"username", "alice", "password", "guess"}, nil, "", "401 invalid_credentials invalid_grant"},
		{"password with more", []string{"username", "alice", "password", "wonderland "}, nil, "", "401 invalid_credentials invalid_grant"},
		{"empty name", []string{"username", "", "password", "wonderland"}, nil, "", "400 malformed_request invalid_request"},
		{"empty password", []string{"username", "alice", "password", ""}, nil, "", "400 malformed_request invalid_request"},
		{"no password", good[:2], nil, "", "400 malformed_request invalid_request"},
		{"no name", good[2:], nil, "", "400 malformed_request invalid_request"},
		{"neither", []string{"x", "y"}, nil, "", "400 malformed_request invalid_request"},
		{"other names", []string{"Username", "alice", "Password", "wonderland"}, nil, "", "400 malformed_request invalid_request"},
		{"trouble with the password check", []string{"username", "broken", "password", "wonderland"}, nil, "", "503 unavailable"},
		{"subject is gone", good, unknownSubject, "", "401 invalid_credentials invalid_grant"},
		{"trouble with the subject", good, failingSubject, "", "503 unavailable"},
		{"subject with a claim of ours", good, subjectWithReservedClaim, "", "503 unavailable"},
		{"trouble with the store", good, nil, "Create", "503 unavailable"},
	} {
		s := newTestServer(t)
		s.setSubject(row.subject)
		s.store.breaks(row.broken, false)
		res := s.send(s.tokenEndpoint(), jsonRequest(row.parameters...))
		if res.text != row.want {
			t.Errorf("%s: got %s; want %s", row.name, res.text, row.want)
		}
		if got := s.liveSessions("alice"); got != 0 {
			t.Errorf("%s: %d sessions are there", row.name, got)
		}
		want := 0
		if strings.HasPrefix(row.want, "503") {
			want = 1
		}
		if got := s.countEvents(jwtgate.EventStoreDown); got != want || s.countEvents(jwtgate.EventSignedIn) != 0 {
			t.Errorf("%s: got events %q", row.name, s.events())
		}
	}
}

// TestTokenWithoutSubject checks that a PasswordCheck that accepts a password without naming
// a subject signs nobody in.
func TestTokenWithoutSubject(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	check := func(context.Context, string, string) (string, bool, error) { return "", true, nil }
	if got := s.send(s.Auth.Token(check), formRequest("username", "alice", "password", "x")).text; got != "401 invalid_credentials invalid_grant" {
		t.Errorf("got %s", got)
	}
}

// TestTokenDoesNotRevealUserNames checks that the answer to a failed login does not tell
// whether the user exists or is disabled.
func TestTokenDoesNotRevealUserNames(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.setSubject(func(_ context.Context, subject string) (jwtgate.Grant, error) {
		if subject == "dormouse" {
			return jwtgate.Grant{}, jwtgate.ErrNoSubject
		}
		return jwtgate.Grant{}, nil
	})
	first := s.send(s.tokenEndpoint(), formRequest("username", "alice", "password", "guess"))
	for name, req := range map[string]jwtgate.Request{
		"unknown":  formRequest("username", "nobody", "password", "guess"),
		"disabled": formRequest("username", "dormouse", "password", "wonderland"),
		"long":     formRequest("username", strings.Repeat("alice", 1000), "password", "guess"),
		"binary":   formRequest("username", "alice\x00\r\n", "password", "guess"),
		"JSON":     jsonRequest("username", "bob", "password", "guess"),
	} {
		if res := s.send(s.tokenEndpoint(), req); fmt.Sprintf("%+v", res.Response) != fmt.Sprintf("%+v", first.Response) {
			t.Errorf("%s: got %+v; want %+v", name, res, first)
		}
	}
}

// TestTokenAndCookies checks that the login of a program neither uses nor changes the cookies
// in its request.
func TestTokenAndCookies(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{} })
	browser, err := s.SignIn(t.Context(), jwtgate.Request{}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	req := withField(formRequest("username", "mallory", "password", "wonderland"), "Cookie", "__Host-at="+browser.Access.Token+"; __Host-rt="+browser.Refresh)
	req = withField(withField(req, "Sec-Fetch-Site", "cross-site"), "Origin", "https://evil.example")
	req.Host = "api.example"
	if res := s.send(s.tokenEndpoint(), req); res.text != "200" {
		t.Errorf("got %s", res.text)
	}
	if got := s.authenticate(browser.Access.Token); got != "alice" {
		t.Errorf("the browser's session after a program's login: %s", got)
	}
}

// A limiterFunc is a LoginLimiter that does not want to know the results of checks.
type limiterFunc func(login jwtgate.LoginAttempt) (wait time.Duration, err error)

func (f limiterFunc) Begin(_ context.Context, login jwtgate.LoginAttempt) (func(bool), time.Duration, error) {
	wait, err := f(login)
	return nil, wait, err
}

// TestLimiter checks what an application's own LoginLimiter is asked, and what follows.
func TestLimiter(t *testing.T) {
	t.Parallel()
	type call struct{ username, userAgent string }
	var asked []call
	checked := 0
	s := newTestServer(t, func(c *jwtgate.Config) {
		c.Sessions.Limiter = limiterFunc(func(login jwtgate.LoginAttempt) (time.Duration, error) {
			asked = append(asked, call{login.Username, login.Request.First("User-Agent")})
			if login.Request.Body != nil {
				t.Error("the limiter could read the password")
			}
			if login.Username == "trouble" {
				return time.Hour, errBroken
			}
			return time.ParseDuration(login.Username)
		})
	})
	check := func(context.Context, string, string) (string, bool, error) {
		checked++
		return "alice", true, nil
	}
	for _, row := range []struct{ username, want, after string }{
		{"0s", "200", ""},
		{"-1s", "200", ""},
		{"1ns", "429 throttled", "1"},
		{"1s", "429 throttled", "1"},
		{"1.001s", "429 throttled", "2"},
		{"1h", "429 throttled", "3600"},
		{"290y", "503 unavailable", "1"}, // the limiter returns an error: time.ParseDuration has no years
		{"trouble", "503 unavailable", "1"},
	} {
		asked, checked = nil, 0
		req := withField(formRequest("username", row.username, "password", "x"), "User-Agent", "looking glass")
		res := s.send(s.Auth.Token(check), req)
		if got := field(res.Response, "Retry-After"); res.text != row.want || got != row.after {
			t.Errorf("wait of %s: got %s, Retry-After: %s; want %s, %s", row.username, res.text, got, row.want, row.after)
		}
		if want := []call{{row.username, "looking glass"}}; !slices.Equal(asked, want) {
			t.Errorf("wait of %s: got calls %v", row.username, asked)
		}
		if want := map[string]int{"200": 1}[row.want]; checked != want {
			t.Errorf("wait of %s: %d passwords were checked; want %d", row.username, checked, want)
		}
	}
	asked = nil
	s.send(s.Auth.Token(check), formRequest("username", "alice"))
	if asked != nil {
		t.Errorf("the limiter was asked for a request without a password")
	}
}
