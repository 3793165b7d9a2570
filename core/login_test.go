package jwtgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// A check that knows the password, but not whose it is, signs nobody in.
func TestTokenOfNobody(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	check := func(context.Context, string, string) (string, bool, error) { return "", true, nil }
	if got := d.ask(d.Auth.Token(check), formOf("username", "alice", "password", "x")).text; got != "401 invalid_credentials invalid_grant" {
		t.Errorf("got %s", got)
	}
}

// What a program gets is exactly what RFC 6749 §5.1 and RFC 9068 §2 have.
func TestToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, req := range []jwtgate.Request{
		formOf("username", "alice", "password", "wonderland"),
		jsonOf("username", "alice", "password", "wonderland"),
		formOf("grant_type", "password", "username", "alice", "password", "wonderland", "scope", "all"),
	} {
		res := d.ask(d.Auth.Token(deskUsers), req)
		if res.text != "200" || res.Expires != 15*time.Minute {
			t.Fatalf("got %s, good for %v", res.text, res.Expires)
		}
		var members map[string]any
		if err := json.Unmarshal(res.Body, &members); err != nil || len(members) != 4 || members["token_type"] != "Bearer" || members["expires_in"] != 900.0 {
			t.Errorf("answer is %s", res.Body)
		}
		if got := d.who(res.Access); got != "alice" {
			t.Errorf("access token is for %s", got)
		}
		header, claims := claimsOf(t, res.Access)
		if header["typ"] != "at+jwt" || header["alg"] != "HS256" || header["kid"] != keys.HS256(deskSecret).ID() || len(header) != 3 {
			t.Errorf("header is %v", header)
		}
		now := float64(deskOpens.Unix())
		for name, want := range map[string]any{
			"iss": deskIssuer, "aud": deskAudience, "sub": "alice", "iat": now, "exp": now + 900, "auth_time": now, "roles": "[user]",
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
	if got := d.live("alice"); got != 3 {
		t.Errorf("three logins made %d sessions", got)
	}
}

// No two tokens have anything in common that should be theirs alone.
func TestTokenUnique(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	seen := map[string]bool{}
	for range 100 {
		res := d.token("alice")
		_, claims := claimsOf(t, res.Access)
		for _, value := range []string{res.Access, res.Refresh, fmt.Sprint(claims["jti"]), fmt.Sprint(claims["sid"])} {
			if seen[value] {
				t.Fatalf("%q twice", value)
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
		broken     string // the store's
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
		{"trouble with the password check", []string{"username", "trouble", "password", "wonderland"}, nil, "", "503 unavailable"},
		{"subject is gone", good, noSubject, "", "401 invalid_credentials invalid_grant"},
		{"trouble with the subject", good, troubledSubject, "", "503 unavailable"},
		{"subject with a claim of ours", good, badSubject, "", "503 unavailable"},
		{"trouble with the store", good, nil, "Create", "503 unavailable"},
	} {
		d := newDesk(t)
		d.loads(row.subject)
		d.store.breaks(row.broken, false)
		res := d.ask(d.Auth.Token(deskUsers), jsonOf(row.parameters...))
		if res.text != row.want {
			t.Errorf("%s: got %s; want %s", row.name, res.text, row.want)
		}
		if got := d.live("alice"); got != 0 {
			t.Errorf("%s: %d sessions are there", row.name, got)
		}
		want := 0
		if strings.HasPrefix(row.want, "503") {
			want = 1
		}
		if got := d.book.count(jwtgate.EventStoreDown); got != want || d.book.count(jwtgate.EventSignedIn) != 0 {
			t.Errorf("%s: told %q", row.name, d.book.told())
		}
	}
}

func noSubject(context.Context, string) (jwtgate.Grant, error) {
	return jwtgate.Grant{}, fmt.Errorf("no such row: %w", jwtgate.ErrNoSubject)
}

func troubledSubject(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, errDesk }

// badSubject is good, but no token can be made of it.
func badSubject(context.Context, string) (jwtgate.Grant, error) {
	return jwtgate.Grant{Claims: map[string]any{"exp": 1 << 40}}, nil
}

// Who tries names must not learn which of them exist, or are disabled.
func TestTokenSaysNothingOfNames(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.loads(func(_ context.Context, subject string) (jwtgate.Grant, error) {
		if subject == "dormouse" {
			return jwtgate.Grant{}, jwtgate.ErrNoSubject
		}
		return jwtgate.Grant{}, nil
	})
	first := d.ask(d.Auth.Token(deskUsers), formOf("username", "alice", "password", "guess"))
	for name, req := range map[string]jwtgate.Request{
		"unknown":  formOf("username", "nobody", "password", "guess"),
		"disabled": formOf("username", "dormouse", "password", "wonderland"),
		"long":     formOf("username", strings.Repeat("alice", 1000), "password", "guess"),
		"binary":   formOf("username", "alice\x00\r\n", "password", "guess"),
		"JSON":     jsonOf("username", "bob", "password", "guess"),
	} {
		if res := d.ask(d.Auth.Token(deskUsers), req); fmt.Sprintf("%+v", res.Response) != fmt.Sprintf("%+v", first.Response) {
			t.Errorf("%s: got %+v; want %+v", name, res, first)
		}
	}
}

// A program's login has nothing to do with cookies, its own or a browser's.
func TestTokenAndCookies(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{} })
	browser, err := d.SignIn(t.Context(), jwtgate.Request{}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	req := withField(formOf("username", "mallory", "password", "wonderland"), "Cookie", "__Host-at="+browser.Access.Token+"; __Host-rt="+browser.Refresh)
	req = withField(withField(req, "Sec-Fetch-Site", "cross-site"), "Origin", "https://evil.example")
	req.Host = "api.example"
	if res := d.ask(d.Auth.Token(deskUsers), req); res.text != "200" {
		t.Errorf("got %s", res.text)
	}
	if got := d.who(browser.Access.Token); got != "alice" {
		t.Errorf("the browser's session after a program's login: %s", got)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	type call struct{ username, userAgent string }
	var asked []call
	checked := 0
	d := newDesk(t, func(c *jwtgate.Config) {
		c.Sessions.Throttle = func(_ context.Context, req jwtgate.Request, username string) (time.Duration, error) {
			asked = append(asked, call{username, req.First("User-Agent")})
			if username == "trouble" {
				return time.Hour, errDesk
			}
			wait, err := time.ParseDuration(username)
			return wait, err
		}
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
		{"290y", "503 unavailable", "1"}, // time.ParseDuration knows no years
		{"trouble", "503 unavailable", "1"},
	} {
		asked, checked = nil, 0
		req := withField(formOf("username", row.username, "password", "x"), "User-Agent", "looking glass")
		res := d.ask(d.Auth.Token(check), req)
		if got := headerOf(res.Response, "Retry-After"); res.text != row.want || got != row.after {
			t.Errorf("wait of %s: got %s, Retry-After: %s; want %s, %s", row.username, res.text, got, row.want, row.after)
		}
		if want := []call{{row.username, "looking glass"}}; !slices.Equal(asked, want) {
			t.Errorf("wait of %s: asked with %v", row.username, asked)
		}
		if want := map[string]int{"200": 1}[row.want]; checked != want {
			t.Errorf("wait of %s: %d passwords were checked; want %d", row.username, checked, want)
		}
	}
	asked = nil
	d.ask(d.Auth.Token(check), formOf("username", "alice"))
	if asked != nil {
		t.Errorf("asked for a request that is refused anyway")
	}
}

// At the bound a login ends the oldest session, with its access tokens, on every
// process.
func TestMaxSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.MaxSessions = 2 })
		other := d.another()
		bob := d.token("bob")
		var tokens []deskReply
		for i := range 4 {
			tokens = append(tokens, d.token("alice"))
			synctest.Wait()
			for j, res := range tokens {
				who, again := "alice", "200"
				if j < i-1 {
					who, again = "401 token_revoked", "401 refresh_revoked invalid_grant"
				}
				if got := d.who(res.Access); got != who {
					t.Errorf("after login %d, session %d: got %s; want %s", i, j, got, who)
				}
				if got := other.who(res.Access); got != who {
					t.Errorf("after login %d, session %d, elsewhere: got %s; want %s", i, j, got, who)
				}
				if got := d.refresh(res.Refresh).text; got != again {
					t.Errorf("after login %d, refresh of session %d: got %s; want %s", i, j, got, again)
				}
			}
			d.clock.Advance(time.Second)
		}
		if got := d.who(bob.Access); got != "bob" {
			t.Errorf("someone else: got %s", got)
		}
		if got := d.live("alice"); got != 2 {
			t.Errorf("%d sessions are live; want 2", got)
		}
	})
}

func TestRefuseAtMax(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *jwtgate.Config) {
		c.Sessions.MaxSessions, c.Sessions.RefuseAtMax, c.Sessions.RefreshTTL = 2, true, time.Hour
	})
	login := func() deskReply {
		return d.ask(d.Auth.Token(deskUsers), formOf("username", "alice", "password", "wonderland"))
	}
	first, second := login(), login()
	if got := login().text; got != "403 too_many_sessions invalid_request" {
		t.Errorf("third login: got %s", got)
	}
	if d.who(first.Access) != "alice" || d.who(second.Access) != "alice" {
		t.Error("a refused login ended a session")
	}
	if got := d.ask(d.Auth.Token(deskUsers), formOf("username", "alice", "password", "guess")).text; got != "401 invalid_credentials invalid_grant" {
		t.Errorf("who does not know the password learns of the bound: %s", got)
	}
	_, err := d.SignIn(t.Context(), jwtgate.Request{}, "alice")
	if refusal := (*jwtgate.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != jwtgate.CodeTooManySessions || !errors.Is(err, session.ErrTooMany) {
		t.Errorf("SignIn at the bound: %v", err)
	}
	d.logout(first.Refresh)
	if got := login().text; got != "200" {
		t.Errorf("after a logout: got %s", got)
	}
	if got := login().text; got != "403 too_many_sessions invalid_request" {
		t.Errorf("at the bound again: got %s", got)
	}
	d.clock.Advance(time.Hour) // both are over
	if got := login().text; got != "200" {
		t.Errorf("after both expired: got %s", got)
	}
}

// However many sign in at once, the bound holds.
func TestMaxSessionsRacers(t *testing.T) {
	t.Parallel()
	for _, refuse := range []bool{false, true} {
		d := newDesk(t, func(c *jwtgate.Config) { c.Sessions.MaxSessions, c.Sessions.RefuseAtMax = 3, refuse })
		var in atomic.Int64
		var racers sync.WaitGroup
		for range 32 {
			racers.Go(func() {
				if _, err := d.SignIn(t.Context(), jwtgate.Request{}, "alice"); err == nil {
					in.Add(1)
				}
			})
		}
		racers.Wait()
		if got := d.live("alice"); got != 3 {
			t.Errorf("refuse %v: %d sessions are live; want 3", refuse, got)
		}
		if got := in.Load(); refuse && got != 3 || !refuse && got != 32 {
			t.Errorf("refuse %v: %d logins were let in", refuse, got)
		}
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tokens, err := d.SignIn(t.Context(), jwtgate.Request{Header: http.Header{"User-Agent": {"looking glass"}}}, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if got := d.who(tokens.Access.Token); got != "alice" {
		t.Errorf("access token is for %s", got)
	}
	if tokens.SessionID != sidOf(t, tokens.Access.Token) {
		t.Errorf("SessionID is %s", tokens.SessionID)
	}
	if !tokens.Access.Expires.Equal(deskOpens.Add(15*time.Minute)) || tokens.Access.TTL != 15*time.Minute || !tokens.RefreshExpires.Equal(deskOpens.Add(7*24*time.Hour)) {
		t.Errorf("times are %+v", tokens)
	}
	if res := d.read(tokens.Response()); res.Access != tokens.Access.Token || res.Refresh != tokens.Refresh {
		t.Errorf("answer is %s", res.Body)
	}
	if res := tokens.Cookies(); res.Status != http.StatusServiceUnavailable {
		t.Errorf("cookies without Config.Cookies: %+v", res)
	}
	if got, want := d.book.told(), "signed_in alice "+tokens.SessionID+" by looking glass"; !strings.HasPrefix(got, want) {
		t.Errorf("told %q; want %q", got, want)
	}

	for _, row := range []struct {
		name    string
		subject func(ctx context.Context, subject string) (jwtgate.Grant, error)
		as      string
		want    string
	}{
		{"gone", noSubject, "alice", "401 invalid_credentials"},
		{"trouble", troubledSubject, "alice", "503 unavailable"},
		{"no token can be made", badSubject, "alice", "503 unavailable"},
		{"nobody", nil, "", "503 unavailable"},
	} {
		d.loads(row.subject)
		_, err := d.SignIn(t.Context(), jwtgate.Request{}, row.as)
		refusal := (*jwtgate.Refusal)(nil)
		if !errors.As(err, &refusal) {
			t.Fatalf("%s: %v", row.name, err)
		}
		if got := d.read(refusal.Response()).text; got != row.want {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
	if got := d.live("alice"); got != 1 {
		t.Errorf("%d sessions are live; want 1", got)
	}
}

// Whatever the loader calls the subject, the session's is who signed in.
func TestGrantOfSomeoneElse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.loads(func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{Subject: "mallory"}, nil })
	tokens := d.token("alice")
	if got := d.who(tokens.Access); got != "alice" {
		t.Errorf("after login: %s", got)
	}
	if got := d.who(d.rotated(tokens.Refresh).Access); got != "alice" {
		t.Errorf("after refresh: %s", got)
	}
}

// A user agent is kept short and well-formed, and never becomes part of a header.
func TestUserAgent(t *testing.T) {
	t.Parallel()
	for _, userAgent := range []string{
		"", "looking glass", strings.Repeat("x", 1<<20), strings.Repeat("é", 200), strings.Repeat("\xff", 500),
		"a\r\nSet-Cookie: __Host-at=evil", "a\x00b", "<script>alert(1)</script>", `"},{"id":"`, "\u202egnol", "a\xffb",
	} {
		d := newDesk(t)
		req := withField(formOf("username", "alice", "password", "wonderland"), "User-Agent", userAgent)
		tokens := d.ask(d.Auth.Token(deskUsers), req)
		res := d.ask(d.ListSessions, bearing(tokens.Access, jwtgate.Request{Method: http.MethodGet}))
		var infos []jwtgate.SessionInfo
		if err := strictly(res.Body, &infos); err != nil || len(infos) != 1 {
			t.Fatalf("%.20q: list is %s, %v", userAgent, res.Body, err)
		}
		got := infos[0].UserAgent
		if len(got) > 256 || !utf8.ValidString(got) || !strings.HasPrefix(strings.ToValidUTF8(userAgent, ""), got) {
			t.Errorf("%.20q: kept as %q", userAgent, got)
		}
		if len(userAgent) <= 256 && utf8.ValidString(userAgent) && got != userAgent {
			t.Errorf("%.20q: kept as %q", userAgent, got)
		}
		if strings.ContainsAny(string(res.Body), "<>\r\x00") {
			t.Errorf("%.20q: list is %q", userAgent, res.Body)
		}
	}
}

// What is kept of a request is copied: its buffers are the next one's.
func TestRequestIsNotKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	userAgent, name := []byte("looking glass"), []byte("username=alice&password=wonderland")
	req := withField(bodyOf(formType, unsafeText(name)), "User-Agent", unsafeText(userAgent))
	tokens := d.ask(d.Auth.Token(deskUsers), req)
	presented := []byte("refresh_token=" + tokens.Refresh)
	again := withField(bodyOf(formType, unsafeText(presented)), "User-Agent", unsafeText(userAgent))
	d.ask(d.Refresh, again)
	for _, buffer := range [][]byte{userAgent, name, presented} {
		for i := range buffer {
			buffer[i] = 'x'
		}
	}
	infos, err := d.Sessions(t.Context(), "alice")
	if err != nil || len(infos) != 1 || infos[0].UserAgent != "looking glass" {
		t.Errorf("sessions are %+v, %v", infos, err)
	}
	if told := d.book.told(); strings.Contains(told, "xx") {
		t.Errorf("told %q", told)
	}
}

// An Auth that cannot sign in says so, and does not panic.
func TestEndpointsWithoutSessions(t *testing.T) {
	t.Parallel()
	none, err := jwtgate.New(jwtgate.Config{Issuer: deskIssuer, Audience: deskAudience, Keys: keys.HS256(deskSecret)})
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	for name, auth := range map[string]*jwtgate.Auth{"nil": nil, "without sessions": none} {
		for endpoint, serve := range map[string]jwtgate.Endpoint{
			"Token": auth.Token(deskUsers), "Login": auth.Login(deskUsers), "Refresh": auth.Refresh, "Logout": auth.Logout,
			"LogoutAll": auth.LogoutAll, "ListSessions": auth.ListSessions, "DeleteSession": auth.DeleteSession,
		} {
			for _, method := range []string{"POST", "GET", "DELETE"} {
				req := formOf("username", "alice", "password", "wonderland", "refresh_token", "x")
				req.Method = method
				if got := d.ask(serve, req).text; got != "503 unavailable" {
					t.Errorf("%s of an Auth that is %s: got %s", endpoint, name, got)
				}
			}
		}
		if _, err := auth.SignIn(t.Context(), jwtgate.Request{}, "alice"); err == nil {
			t.Errorf("SignIn of an Auth that is %s: no error", name)
		}
		if _, err := auth.Sessions(t.Context(), "alice"); err == nil {
			t.Errorf("Sessions of an Auth that is %s: no error", name)
		}
		if auth.EndSessions(t.Context(), "alice") == nil || auth.EndSession(t.Context(), "x") == nil {
			t.Errorf("EndSession of an Auth that is %s: no error", name)
		}
		auth.Close() // must not panic
	}
}
