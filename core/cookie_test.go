package jwtgate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
	"github.com/jwtgate/jwtgate/core/session"
)

// A cookieSite is an Auth for browsers, with a clock and a store that tests can
// take hold of.
type cookieSite struct {
	*jwtgate.Auth

	tb      testing.TB
	clock   *jwtgatetest.Clock
	store   *faultyStore
	subject func(ctx context.Context, subject string) (jwtgate.Grant, error)
}

const (
	cookieIssuer   = "https://auth.example"
	cookieAudience = "https://site.example"
)

var (
	cookieSecret = []byte("the secret of a site with cookies, 32 bytes or more")
	otherSecret  = []byte("a secret that this site has never heard of, as long")
	cookieStart  = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
)

// newCookieSite returns a site with all defaults but what change does to them.
func newCookieSite(tb testing.TB, change ...func(*jwtgate.Config)) *cookieSite {
	tb.Helper()
	clock := jwtgatetest.NewClock(cookieStart)
	s := &cookieSite{tb: tb, clock: clock, store: &faultyStore{Store: session.NewMemory(0, clock.Now)}}
	s.subject = func(context.Context, string) (jwtgate.Grant, error) {
		return jwtgate.Grant{Roles: []string{"user"}}, nil
	}
	s.Auth = s.another(change...)
	return s
}

// another returns one more Auth of the site, such as another process has.
func (s *cookieSite) another(change ...func(*jwtgate.Config)) *jwtgate.Auth {
	s.tb.Helper()
	config := jwtgate.Config{
		Issuer:   cookieIssuer,
		Audience: cookieAudience,
		Keys:     keys.HS256(cookieSecret),
		Cookies:  &jwtgate.CookieConfig{TrustedOrigins: []string{"https://app.example"}},
		Sessions: &jwtgate.SessionConfig{
			Store:   s.store,
			Subject: func(ctx context.Context, subject string) (jwtgate.Grant, error) { return s.subject(ctx, subject) },
		},
		Now: s.clock.Now,
	}
	for _, f := range change {
		f(&config)
	}
	auth, err := jwtgate.New(config)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(auth.Close)
	return auth
}

// signIn opens a session.
func (s *cookieSite) signIn(subject string) jwtgate.Tokens {
	s.tb.Helper()
	tokens, err := s.SignIn(s.tb.Context(), jwtgate.Request{}, subject)
	if err != nil {
		s.tb.Fatalf("sign in: %v", err)
	}
	return tokens
}

// refresh trades a refresh token for the next one.
func (s *cookieSite) refresh(refresh string) string {
	s.tb.Helper()
	res := s.Refresh(s.tb.Context(), jwtgate.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: strings.NewReader(fmt.Sprintf(`{"refresh_token":%q}`, refresh))})
	var body struct {
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(res.Body, &body); err != nil || res.Status != http.StatusOK {
		s.tb.Fatalf("refresh: %d %s", res.Status, res.Body)
	}
	return body.Refresh
}

// decide judges and tells the Decision in one line, see tell.
func (s *cookieSite) decide(req jwtgate.Request, rules ...jwtgate.Rule) string {
	s.tb.Helper()
	return tellDecision(s.tb, s.Decide(s.tb.Context(), req, rules...))
}

// mint returns a token by the site's key for alice in the session sid, issued
// age ago, with the members of more in place of what it would have.
func (s *cookieSite) mint(sid string, age time.Duration, more map[string]any) string {
	return s.mintBy(cookieSecret, keys.HS256(cookieSecret).ID(), sid, age, more)
}

func (s *cookieSite) mintBy(secret []byte, kid, sid string, age time.Duration, more map[string]any) string {
	s.tb.Helper()
	issued := s.clock.Now().Add(-age)
	claims := map[string]any{
		"iss": cookieIssuer, "aud": cookieAudience, "sub": "alice", "sid": sid, "jti": "minted", "roles": []string{"user"},
		"iat": issued.Unix(), "exp": issued.Add(15 * time.Minute).Unix(), "auth_time": issued.Unix(),
	}
	for name, value := range more {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		s.tb.Fatal(err)
	}
	return jwtgatetest.Sign(s.tb, "HS256", secret, fmt.Sprintf(`{"alg":"HS256","typ":"at+jwt","kid":%q}`, kid), string(payload))
}

// A jar is the two cookies as a browser has them; empty ones are not sent.
type jar struct{ access, refresh string }

func jarOf(t jwtgate.Tokens) jar { return jar{t.Access.Token, t.Refresh} }

// request returns what the browser sends from a page of the site itself.
func (j jar) request(method string) jwtgate.Request {
	return jwtgate.Request{Method: method, Path: "/notes", Host: "site.example", Header: http.Header{"Cookie": j.lines()}}
}

func (j jar) lines() []string {
	var pairs []string
	if j.access != "" {
		pairs = append(pairs, "__Host-at="+j.access)
	}
	if j.refresh != "" {
		pairs = append(pairs, "__Host-rt="+j.refresh)
	}
	if pairs == nil {
		return nil
	}
	return []string{strings.Join(pairs, "; ")}
}

// take does what the Set-Cookie lines of an answer say.
func (j *jar) take(header []jwtgate.Field) {
	for _, line := range fieldValues(header, "Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		if err != nil {
			panic(err)
		}
		if cookie.MaxAge < 0 {
			cookie.Value = ""
		}
		switch cookie.Name {
		case "__Host-at":
			j.access = cookie.Value
		case "__Host-rt":
			j.refresh = cookie.Value
		}
	}
}

func fieldValues(header []jwtgate.Field, name string) []string {
	var values []string
	for _, f := range header {
		if f.Name == name {
			values = append(values, f.Value)
		}
	}
	return values
}

var (
	newCookies   = regexp.MustCompile(`^__Host-at=[\w.-]+; Path=/; Max-Age=[1-9]\d*; HttpOnly; Secure; SameSite=Lax\n__Host-rt=jgr1_[\w-]+; Path=/; Max-Age=[1-9]\d*; HttpOnly; Secure; SameSite=Lax\n`)
	clearCookies = "__Host-at=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax\n__Host-rt=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax\n"
)

// tellCookies says what header does to the two cookies: " new", " clear", both
// in that order, or nothing.
func tellCookies(header []jwtgate.Field) string {
	lines := ""
	for _, line := range fieldValues(header, "Set-Cookie") {
		lines += line + "\n"
	}
	said := ""
	if found := newCookies.FindString(lines); found != "" {
		said, lines = " new", lines[len(found):]
	}
	if lines == clearCookies {
		said, lines = said+" clear", ""
	}
	if lines != "" {
		said += " and unexpectedly " + lines
	}
	return said
}

// tell says in one line what an answer is: "200", "204 clear", "401 token_expired clear".
func tell(tb testing.TB, res jwtgate.Response) string {
	tb.Helper()
	said := fmt.Sprint(res.Status)
	var problem struct{ Code, Error string }
	if bytes.HasPrefix(res.Body, []byte("{")) && json.Unmarshal(res.Body, &problem) == nil && problem.Code != "" {
		said += " " + problem.Code
	}
	cookies := tellCookies(res.Header)
	if got := fieldValues(res.Header, "Cache-Control"); (res.Status >= 400 || cookies != "") && (len(got) == 0 || got[len(got)-1] != "no-store") {
		tb.Errorf("an answer %s has Cache-Control %q; want no-store", said, got)
	}
	if status := res.Status; status == http.StatusServiceUnavailable && len(fieldValues(res.Header, "Retry-After")) != 1 {
		tb.Errorf("an answer %s has no Retry-After", said)
	}
	return said + cookies
}

// tellDecision says in one line what a Decision is: "pass alice", "pass alice
// new" if it was renewed, else what tell says. It checks that all of its parts
// tell the same.
func tellDecision(tb testing.TB, d jwtgate.Decision) string {
	tb.Helper()
	if d.Response.Status != 0 {
		if d.Refusal == nil || d.Identity != nil || d.Renewed {
			tb.Errorf("refused, with Refusal %v, Identity %v, Renewed %v", d.Refusal, d.Identity, d.Renewed)
		}
		return tell(tb, d.Response)
	}
	said := "pass nobody"
	if d.Identity != nil {
		said = "pass " + d.Identity.Subject()
	}
	if id, _ := jwtgate.IdentityFrom(d.Context); d.Refusal != nil || id != d.Identity {
		tb.Errorf("%s, with Refusal %v and %v in the context", said, d.Refusal, id)
	}
	cookies := tellCookies(d.Response.Header)
	if d.Renewed != (cookies == " new") {
		tb.Errorf("%s, with Renewed %v", said+cookies, d.Renewed)
	}
	return said + cookies
}

func post(cookies []string) jwtgate.Request {
	return jwtgate.Request{Method: http.MethodPost, Path: "/", Host: "site.example", Header: http.Header{"Cookie": cookies}}
}

func postJSON(cookies []string, body string) jwtgate.Request {
	req := withField(post(cookies), "Content-Type", "application/json")
	req.Body = strings.NewReader(body)
	return req
}

const (
	alicesPassword = `{"username":"alice","password":"wonderland"}`
	wrongPassword  = `{"username":"alice","password":"guess"}`
)

// checkAlice is a PasswordCheck.
func checkAlice(_ context.Context, username, password string) (string, bool, error) {
	return username, username == "alice" && password == "wonderland", nil
}

// live reports whether the session is live in the store.
func (s *cookieSite) live(sid string) bool {
	s.tb.Helper()
	id, ok := session.ParseID(sid)
	if !ok {
		s.tb.Fatalf("%q is no session", sid)
	}
	record, found, err := s.store.Store.Find(s.tb.Context(), id)
	if err != nil {
		s.tb.Fatal(err)
	}
	return found && record.LiveAt(s.clock.Now())
}

func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, test := range []struct {
		name   string
		change func(*jwtgate.Config)
		want   string // attributes of both
		names  string
	}{
		{"defaults", func(*jwtgate.Config) {}, "Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
		{"default mode", func(c *jwtgate.Config) { c.Cookies.SameSite = http.SameSiteDefaultMode }, "Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
		{"strict", func(c *jwtgate.Config) { c.Cookies.SameSite = http.SameSiteStrictMode }, "Path=/; Max-Age=604800; HttpOnly; Secure; SameSite=Strict", "__Host-at __Host-rt"},
		{"insecure", func(c *jwtgate.Config) { c.Cookies.InsecureHTTP = true }, "Path=/; Max-Age=604800; HttpOnly; SameSite=Lax", "at rt"},
		{"RefreshTTL", func(c *jwtgate.Config) { c.Sessions.RefreshTTL = time.Hour }, "Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
		{"SessionTTL", func(c *jwtgate.Config) { c.Sessions.SessionTTL = day }, "Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax", "__Host-at __Host-rt"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t, test.change)
			tokens := s.signIn("alice")
			res := tokens.Cookies()
			names := strings.Fields(test.names)
			want := []jwtgate.Field{
				{Name: "Set-Cookie", Value: names[0] + "=" + tokens.Access.Token + "; " + test.want},
				{Name: "Set-Cookie", Value: names[1] + "=" + tokens.Refresh + "; " + test.want},
				{Name: "Cache-Control", Value: "no-store"},
				{Name: "CDN-Cache-Control", Value: "no-store"},
				{Name: "Surrogate-Control", Value: "no-store"},
			}
			if !slices.Equal(res.Header, want) || res.Status != 0 || res.Body != nil {
				t.Errorf("got %d %q %q; want %q", res.Status, res.Header, res.Body, want)
			}
			for _, name := range names {
				req := jwtgate.Request{Method: http.MethodGet, Host: "site.example", Header: http.Header{"Cookie": {name + "=" + tokens.Access.Token}}}
				got := s.Decide(t.Context(), req)
				if name == names[0] && got.Identity == nil {
					t.Errorf("%s: refused: %v", name, got.Refusal)
				}
				if name == names[1] && got.Identity != nil {
					t.Errorf("%s is taken for an access token", name)
				}
			}
			// What clears has the same name, path and attributes, or it would not be the same cookie.
			gone := regexp.MustCompile(`Max-Age=\d+`).ReplaceAllString(test.want, "Max-Age=0")
			res = s.Logout(t.Context(), post([]string{names[0] + "=" + tokens.Access.Token}))
			if got, want := fieldValues(res.Header, "Set-Cookie"), []string{names[0] + "=; " + gone, names[1] + "=; " + gone}; !slices.Equal(got, want) {
				t.Errorf("logout: got %q; want %q", got, want)
			}
			if s.live(tokens.SessionID) {
				t.Error("logout: the session lives")
			}
		})
	}
}

// The cookies of a site without Secure are others than those of one with it.
func TestCookieNamesByScheme(t *testing.T) {
	t.Parallel()
	secure := newCookieSite(t)
	insecure := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.InsecureHTTP = true })
	for _, test := range []struct {
		name string
		site *cookieSite
		line string
		want string
	}{
		{"secure, prefixed", secure, "__Host-at=", "pass alice"},
		{"secure, bare", secure, "at=", "401 token_missing"},
		{"secure, __Secure-", secure, "__Secure-at=", "401 token_missing"},
		{"insecure, prefixed", insecure, "__Host-at=", "401 token_missing"},
		{"insecure, bare", insecure, "at=", "pass alice"},
	} {
		req := jwtgate.Request{Method: http.MethodGet, Host: "site.example", Header: http.Header{"Cookie": {test.line + jwtgatetest.Token(t, test.site.Auth, "alice")}}}
		if got := test.site.decide(req); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
	}
}

// Both cookies stay until the session cannot be renewed any more.
func TestCookieMaxAge(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	s := newCookieSite(t)
	j := jarOf(s.signIn("alice"))
	for _, test := range []struct {
		after time.Duration
		want  int // seconds
	}{
		{3 * day, 7 * 86400},
		{6 * day, 7 * 86400},
		{6 * day, 7 * 86400},
		{6 * day, 7 * 86400},
		{6 * day, 3 * 86400},
		{2*day + 23*time.Hour, 3600},
		{59*time.Minute + 58*time.Second + 500*time.Millisecond, 2},
	} {
		s.clock.Advance(test.after)
		j.access = "" // browsers forget
		d := s.Decide(t.Context(), j.request(http.MethodGet))
		if got := tellDecision(t, d); got != "pass alice new" {
			t.Fatalf("%v later: got %s", test.after, got)
		}
		for _, line := range fieldValues(d.Response.Header, "Set-Cookie") {
			if want := fmt.Sprintf("; Max-Age=%d;", test.want); !strings.Contains(line, want) {
				t.Errorf("%v later: got %s; want %s", test.after, line, want)
			}
		}
		j.take(d.Response.Header)
	}
	s.clock.Advance(1500 * time.Millisecond)
	if got, want := s.decide(j.request(http.MethodGet)), "401 refresh_expired clear"; got != want {
		t.Errorf("past the end: got %s; want %s", got, want)
	}
}

// A browser must not drop an access token that is still good with the refresh
// token that is not: the contract has it pass, and ReissueRefresh lives on it.
func TestCookieMaxAgeOfAccess(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) {
		c.Sessions.RefreshTTL = 5 * time.Minute
		c.Cookies.ReissueRefresh = true
	})
	lines := fieldValues(s.signIn("alice").Cookies().Header, "Set-Cookie")
	if !strings.Contains(lines[0], "; Max-Age=900;") || !strings.Contains(lines[1], "; Max-Age=300;") {
		t.Errorf("got %q; want Max-Age 900 and 300", lines)
	}
}

func TestCookieConfigMistakes(t *testing.T) {
	t.Parallel()
	origin := func(origin string) func(*jwtgate.Config) {
		return func(c *jwtgate.Config) { c.Cookies.TrustedOrigins = []string{"https://good.example", origin} }
	}
	const origins = "Cookies.TrustedOrigins"
	for _, test := range []struct {
		name   string
		change func(*jwtgate.Config)
		want   string // the fields, empty for none
	}{
		{"SameSite None", func(c *jwtgate.Config) { c.Cookies.SameSite = http.SameSiteNoneMode }, "Cookies.SameSite"},
		{"SameSite unknown", func(c *jwtgate.Config) { c.Cookies.SameSite = 99 }, "Cookies.SameSite"},
		{"RenewBefore below zero", func(c *jwtgate.Config) { c.Cookies.RenewBefore = -1 }, "Cookies.RenewBefore"},
		{"RenewBefore too long", func(c *jwtgate.Config) { c.Cookies.RenewBefore = 7*time.Minute + 31*time.Second }, "Cookies.RenewBefore"},
		{"RenewBefore half", func(c *jwtgate.Config) { c.Cookies.RenewBefore = 7*time.Minute + 30*time.Second }, ""},
		{"RenewBefore and Jitter are all of AccessTTL", func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Sessions.Jitter = 450*time.Second, 450*time.Second }, "Cookies.RenewBefore"},
		{"RenewBefore without Sessions", func(c *jwtgate.Config) { c.Cookies.RenewBefore, c.Sessions = time.Minute, nil }, "Sessions"},
		{"ReissueRefresh without Sessions", func(c *jwtgate.Config) { c.Cookies.ReissueRefresh, c.Sessions = true, nil }, "Sessions"},
		{"no Sessions", func(c *jwtgate.Config) { c.Sessions = nil }, ""},
		{"two mistakes", func(c *jwtgate.Config) { c.Cookies.SameSite, c.Cookies.RenewBefore = 99, -1 }, "Cookies.SameSite Cookies.RenewBefore"},
		{"two origins", func(c *jwtgate.Config) { c.Cookies.TrustedOrigins = []string{"a", "b"} }, origins + " " + origins},
		{"origin", origin("https://app.example"), ""},
		{"origin with a port", origin("https://app.example:8443"), ""},
		{"origin, plain", origin("http://localhost:3000"), ""},
		{"origin, IPv6", origin("http://[::1]:3000"), ""},
		{"origin, empty", origin(""), origins},
		{"origin null", origin("null"), origins},
		{"origin *", origin("*"), origins},
		{"origin without scheme", origin("app.example"), origins},
		{"origin without host", origin("https://"), origins},
		{"origin with a slash", origin("https://app.example/"), origins},
		{"origin with a path", origin("https://app.example/a"), origins},
		{"origin with a query", origin("https://app.example?a"), origins},
		{"origin with a fragment", origin("https://app.example#a"), origins},
		{"origin with a user", origin("https://alice@app.example"), origins},
		{"origin with an empty user", origin("https://@app.example"), origins},
		{"origin in upper case", origin("https://App.example"), origins},
		{"origin, scheme in upper case", origin("HTTPS://app.example"), origins},
		{"origin with a space", origin(" https://app.example"), origins},
		{"origin with a space behind", origin("https://app.example "), origins},
		{"origin with a control character", origin("https://app.example\n"), origins},
		{"origin with an empty query", origin("https://app.example?"), origins},
		{"origin with an empty fragment", origin("https://app.example#"), origins},
		{"origin with an empty port", origin("https://app.example:"), origins},
		{"origin with the default port", origin("https://app.example:443"), origins},
		{"origin, plain, with the default port", origin("http://app.example:80"), origins},
		{"origin with a wildcard", origin("https://*.app.example"), origins},
		{"origin beyond ASCII", origin("https://bücher.example"), origins},
		{"origin of an app", origin("capacitor://localhost"), ""},
		{"origin, list", origin("https://app.example,https://b.example"), origins},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := jwtgate.Config{
				Issuer: cookieIssuer, Audience: cookieAudience, Keys: keys.HS256(cookieSecret),
				Cookies:  &jwtgate.CookieConfig{},
				Sessions: &jwtgate.SessionConfig{Subject: func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, nil }},
			}
			test.change(&config)
			auth, err := jwtgate.New(config)
			if err == nil {
				defer auth.Close()
			}
			var fields []string
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, err := range joined.Unwrap() {
					var wrong *jwtgate.ConfigError
					if !errors.As(err, &wrong) || wrong.Reason == "" {
						t.Fatalf("got %v, which is no ConfigError", err)
					}
					fields = append(fields, wrong.Field)
				}
			} else if err != nil {
				t.Fatalf("got %v; want several errors joined", err)
			}
			if got := strings.Join(fields, " "); got != test.want {
				t.Errorf("got mistakes in %q; want %q (%v)", got, test.want, err)
			}
		})
	}
}

// A cookie over 4096 bytes, name and value, is dropped by browsers without a
// word: better no sign-in at all than one that does not hold.
func TestCookieSize(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	size := 0
	s.subject = func(context.Context, string) (jwtgate.Grant, error) {
		return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", size)}}, nil
	}
	// base64url makes four characters of three bytes, so not every length can be met.
	for s.signIn("alice").Access.Token != "" && len("__Host-at")+len(s.signIn("alice").Access.Token) < 4092 {
		size++
	}
	for _, more := range []int{0, 1, 2, 3, 4, 5, 6, 100, 1_000} {
		size += more
		tokens := s.signIn("alice")
		length := len("__Host-at") + len(tokens.Access.Token)
		want := "0 new"
		if length > 4096 {
			want = "503 unavailable"
		}
		if got := tell(t, tokens.Cookies()); got != want {
			t.Errorf("cookie of %d bytes: got %s; want %s", length, got, want)
		}
		want = "200 new"
		if length > 4096 {
			want = "503 unavailable"
		}
		if got := tell(t, s.Auth.Login(checkAlice)(t.Context(), postJSON(nil, alicesPassword))); got != want {
			t.Errorf("login with a cookie of %d bytes: got %s; want %s", length, got, want)
		}
		size -= more
	}
}

// A login whose cookies cannot be sent must not leave a session behind, nor
// cost the one there was.
func TestCookieSizeAtLogin(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	old := s.signIn("alice")
	s.subject = func(context.Context, string) (jwtgate.Grant, error) {
		return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", 5000)}}, nil
	}
	if got, want := tell(t, s.Auth.Login(checkAlice)(t.Context(), postJSON(jarOf(old).lines(), alicesPassword))), "503 unavailable"; got != want {
		t.Fatalf("got %s; want %s", got, want)
	}
	records, err := s.store.List(t.Context(), "alice")
	if err != nil || len(records) != 1 || records[0].ID.String() != old.SessionID {
		t.Errorf("got %d sessions, %v; want the old one", len(records), err)
	}
}

// While the cookies cannot be sent, renewals fail, but the session must not:
// the browser has no way to know that its refresh token was used up.
func TestCookieSizeAtRenewal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ask  func(s *cookieSite, j jar) string
	}{
		{"on the way in", func(s *cookieSite, j jar) string { return s.decide(j.request(http.MethodGet)) }},
		{"at refresh", func(s *cookieSite, j jar) string { return tell(t, s.Refresh(t.Context(), post(j.lines()))) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t)
			j := jarOf(s.signIn("alice"))
			j.access = ""
			size := 5000
			s.subject = func(context.Context, string) (jwtgate.Grant, error) {
				return jwtgate.Grant{Claims: map[string]string{"padding": strings.Repeat("x", size)}}, nil
			}
			if got, want := test.ask(s, j), "503 unavailable"; got != want {
				t.Fatalf("got %s; want %s", got, want)
			}
			size = 10
			s.clock.Advance(time.Minute)
			if got, want := s.decide(j.request(http.MethodGet)), "pass alice new"; got != want {
				t.Errorf("when it fits again: got %s; want %s", got, want)
			}
		})
	}
}

// TestCookieLines is about what counts as one of our cookies in lines as they
// come off the wire, and that nothing else does or hides one.
func TestCookieLines(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	tokens, others := s.signIn("alice"), s.signIn("robert")
	at, rt := "__Host-at="+tokens.Access.Token, "__Host-rt="+tokens.Refresh
	evil := others.Access.Token
	const (
		pass      = "pass alice"
		missing   = "401 token_missing"
		malformed = "400 malformed_credentials"
	)
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"none", nil, missing},
		{"empty line", []string{""}, missing},
		{"only separators", []string{"; ;; = ; =;"}, missing},
		{"ours", []string{at + "; " + rt}, pass},
		{"ours, no space", []string{at + ";" + rt}, pass},
		{"ours, several lines", []string{at, rt}, pass},
		{"ours, between others", []string{"a=1; " + at + "; b=2", "c=3; " + rt}, pass},
		{"ours, separators doubled", []string{";; " + at + " ;; "}, pass},
		{"ours, tabs around", []string{"\t__Host-at\t=\t" + tokens.Access.Token + "\t;"}, pass},
		{"ours, beside a nameless one", []string{"=x; " + at}, pass},
		{"ours, beside one without =", []string{"x; " + at}, pass},
		{"ours, beside one with many =", []string{"a=b=c==; " + at}, pass},
		{"ours, beside quotes", []string{`a="b; ` + at}, pass},
		{"ours, beside a comma", []string{"a=b, c=d; " + at}, pass},
		{"ours, beside UTF-8", []string{"né=ü; " + at}, pass},
		{"ours, beside bytes that are no UTF-8", []string{"\xff=\xfe; " + at}, pass},
		{"ours, beside NUL", []string{"a\x00=b\x00; " + at}, pass},
		{"ours, beside a name with spaces", []string{"__Host-at x=" + evil + "; " + at}, pass},

		// What an attacker could set, and what other servers take for ours.
		{"evil, behind a space and more", []string{"x __Host-at=" + evil + "; " + at}, pass},
		{"evil, other case", []string{"__host-at=" + evil + "; " + at}, pass},
		{"evil, upper case", []string{"__HOST-AT=" + evil + "; " + at}, pass},
		{"evil, percent-encoded", []string{"__Host%2Dat=" + evil + "; " + at}, pass},
		{"evil, percent-encoded underscore", []string{"%5F_Host-at=" + evil + "; " + at}, pass},
		{"evil, prefixed", []string{"x__Host-at=" + evil + "; " + at}, pass},
		{"evil, suffixed", []string{"__Host-at2=" + evil + "; " + at}, pass},
		{"evil, name with []", []string{"__Host-at[]=" + evil + "; " + at}, pass},
		{"evil, name with dots", []string{"__Host.at=" + evil + "; " + at}, pass},
		{"evil, name with +", []string{"+__Host-at=" + evil + "; " + at}, pass},
		{"evil, quoted name", []string{`"__Host-at"=` + evil + "; " + at}, pass},
		{"evil, NUL before the name", []string{"\x00__Host-at=" + evil + "; " + at}, pass},
		{"evil, NUL behind the name", []string{"__Host-at\x00=" + evil + "; " + at}, pass},
		{"evil, vertical tab", []string{"\v__Host-at=" + evil + "; " + at}, pass},
		{"evil, form feed", []string{"\f__Host-at=" + evil + "; " + at}, pass},
		{"evil, line feed", []string{"\n__Host-at=" + evil + "; " + at}, pass},
		{"evil, carriage return", []string{"\r__Host-at=" + evil + "; " + at}, pass},
		{"evil, unit separator", []string{"\x1f__Host-at=" + evil + "; " + at}, pass},
		{"evil, Latin-1 no-break space", []string{"\xa0__Host-at=" + evil + "; " + at}, pass},
		{"evil, Latin-1 next line", []string{"\x85__Host-at=" + evil + "; " + at}, pass},
		{"evil, no-break space", []string{"\u00a0__Host-at=" + evil + "; " + at}, pass},
		{"evil, em space", []string{"\u2003__Host-at=" + evil + "; " + at}, pass},
		{"evil, em space behind", []string{"__Host-at\u2003=" + evil + "; " + at}, pass},
		{"evil, ideographic space", []string{"\u3000__Host-at=" + evil + "; " + at}, pass},
		{"evil, zero-width space", []string{"\u200b__Host-at=" + evil + "; " + at}, pass},
		{"evil, byte order mark", []string{"\ufeff__Host-at=" + evil + "; " + at}, pass},
		{"evil, full-width letters", []string{"__Host-\uff41t=" + evil + "; " + at}, pass},
		{"evil, old syntax", []string{"$Version=1; $__Host-at=" + evil + "; " + at}, pass},
		{"evil, behind a comma", []string{"a=b, __Host-at=" + evil + "; " + at}, pass},
		{"evil, in a value", []string{"a=__Host-at=" + evil + "; " + at}, pass},
		{"evil, nameless with our name as its value", []string{"=__Host-at=" + evil + "; " + at}, pass},
		{"evil alone, other case", []string{"__host-at=" + evil}, missing},
		{"evil alone, no-break space", []string{"\u00a0__Host-at=" + evil}, missing},
		{"evil alone, nameless with our name as its value", []string{"=__Host-at=" + evil}, missing},
		{"evil alone, behind a comma", []string{"a=b, __Host-at=" + evil}, missing},

		// What cannot be told from ours is not passed over either.
		{"two", []string{at + "; __Host-at=" + evil}, malformed},
		{"two, the other first", []string{"__Host-at=" + evil + "; " + at}, malformed},
		{"two, the same", []string{at + "; " + at}, malformed},
		{"two, several lines", []string{at, "a=b; __Host-at=" + evil}, malformed},
		{"two, one in quotes that span", []string{`a="b; __Host-at=` + evil + `"; ` + at}, malformed},
		{"two, one empty", []string{"__Host-at=; " + at}, malformed},
		{"two, one without =", []string{"__Host-at; " + at}, malformed},
		{"two, spaces and tabs", []string{" \t__Host-at \t=" + evil + "; " + at}, malformed},
		{"two refresh cookies", []string{at + "; " + rt + "; " + rt}, malformed},
		{"two refresh cookies, several lines", []string{rt, at, rt}, malformed},
		{"two refresh cookies, one empty", []string{at + "; __Host-rt=; " + rt}, malformed},
		{"empty", []string{"__Host-at="}, malformed},
		{"empty, spaces", []string{"__Host-at= \t "}, malformed},
		{"without =", []string{"__Host-at"}, malformed},
		{"only padding", []string{"__Host-at==="}, malformed},
		{"in quotes", []string{`__Host-at="` + tokens.Access.Token + `"`}, malformed},
		{"percent-encoded", []string{strings.ReplaceAll(at, ".", "%2E")}, malformed},
		{"two parts", []string{at + " x"}, malformed},
		{"comma", []string{at + ",x"}, malformed},
		{"NUL behind", []string{at + "\x00"}, malformed},
		{"NUL before", []string{"__Host-at=\x00" + tokens.Access.Token}, malformed},
		{"no-break space behind", []string{at + "\u00a0"}, malformed},
		{"Latin-1 no-break space behind", []string{at + "\xa0"}, malformed},
		{"line feed behind", []string{at + "\n"}, malformed},
		{"over the size limit", []string{"__Host-at=" + strings.Repeat("a", 8193)}, malformed},
		{"refresh empty", []string{"__Host-rt="}, "401 token_missing"},
		{"refresh in quotes", []string{`__Host-rt="` + tokens.Refresh + `"`}, "401 refresh_invalid clear"},

		// One is never the other.
		{"refresh token as access cookie", []string{"__Host-at=" + tokens.Refresh}, "401 token_invalid clear"},
		{"refresh token as both", []string{"__Host-at=" + tokens.Refresh + "; " + rt}, "401 token_invalid clear"},
		{"access token as refresh cookie", []string{"__Host-rt=" + tokens.Access.Token}, "401 refresh_invalid clear"},
		{"swapped", []string{"__Host-at=" + tokens.Refresh + "; __Host-rt=" + tokens.Access.Token}, "401 token_invalid clear"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := *s
			s.tb = t
			s.store.taken()
			req := jwtgate.Request{Method: http.MethodGet, Host: "site.example", Header: http.Header{"Cookie": test.lines}}
			if got := s.decide(req); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if calls := s.store.taken(); calls != "" {
				t.Errorf("the store was asked: %s", calls)
			}
		})
	}
	if got := s.decide(jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + tokens.Refresh}}}); got != "401 token_invalid" {
		t.Errorf("refresh token as Bearer: got %s; want 401 token_invalid", got)
	}
}

func FuzzCookieLines(f *testing.F) {
	s := newCookieSite(f)
	token := jwtgatetest.Token(f, s.Auth, "alice")
	for _, seed := range []string{"", "a=b", `a="b; c"`, "__Host-at=x", "__Host-at", "=", ";;", "\x00", "\u00a0__Host-at=", "__Host-rt=", "a=b, __Host-at=c"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, before, behind string) {
		// Whatever stands beside our cookie, it is found or the request refused.
		got := s.Decide(t.Context(), jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": {before + "; __Host-at=" + token + ";" + behind}}})
		if got.Identity == nil && got.Refusal.Code != jwtgate.CodeMalformedCredentials && got.Refusal.Code != jwtgate.CodeRefreshInvalid {
			t.Errorf("got %v", got.Refusal)
		}
		if got.Identity != nil && got.Identity.Subject() != "alice" {
			t.Errorf("got %s", got.Identity.Subject())
		}
	})
}

// TestCookieLogin is about what a login does to the session that there was, and
// with cookies that are not good.
func TestCookieLogin(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	login := s.Auth.Login(checkAlice)
	for _, test := range []struct {
		name  string
		lines func(j jar) []string
		body  string
		want  string
		ends  bool // the old session
	}{
		{"no cookies", func(jar) []string { return nil }, alicesPassword, "200 new", false},
		{"live session", func(j jar) []string { return j.lines() }, alicesPassword, "200 new", true},
		{"live session, refresh only", func(j jar) []string { return jar{"", j.refresh}.lines() }, alicesPassword, "200 new", true},
		{"live session, access only", func(j jar) []string { return jar{j.access, ""}.lines() }, alicesPassword, "200 new", true},
		{"live session, refresh forged", func(j jar) []string { return jar{j.access, "jgr1_x"}.lines() }, alicesPassword, "200 new", true},
		{"live session, access forged", func(j jar) []string { return jar{"a.b.c", j.refresh}.lines() }, alicesPassword, "200 new", true},
		{"all forged", func(jar) []string { return jar{"a.b.c", "jgr1_x"}.lines() }, alicesPassword, "200 new", false},
		{"malformed", func(jar) []string { return []string{`__Host-at="x"`} }, alicesPassword, "200 new", false},
		{"empty", func(jar) []string { return []string{"__Host-at=; __Host-rt="} }, alicesPassword, "200 new", false},
		{"two", func(j jar) []string { return append(j.lines(), j.lines()...) }, alicesPassword, "200 new", false},
		{"wrong password", func(j jar) []string { return j.lines() }, wrongPassword, "401 invalid_credentials", false},
		{"wrong password, no cookies", func(jar) []string { return nil }, wrongPassword, "401 invalid_credentials", false},
		{"no body", func(j jar) []string { return j.lines() }, "", "400 malformed_request", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := *s
			s.tb = t
			old := s.signIn("alice")
			res := login(t.Context(), postJSON(test.lines(jarOf(old)), test.body))
			if got := tell(t, res); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := !s.live(old.SessionID); got != test.ends {
				t.Errorf("old session ended: %v; want %v", got, test.ends)
			}
			if bytes.Contains(res.Body, []byte("token\"")) || bytes.Contains(res.Body, []byte("jgr1_")) {
				t.Errorf("a token in the body: %s", res.Body)
			}
			if res.Status != http.StatusOK {
				return
			}
			var j jar
			j.take(res.Header)
			if got := s.decide(j.request(http.MethodGet)); got != "pass alice" {
				t.Errorf("with the new cookies: got %s", got)
			}
			if j == jarOf(old) || j.refresh == old.Refresh || j.access == old.Access.Token {
				t.Error("the login kept a token that was known before it")
			}
			if want := "401 token_revoked clear"; test.ends {
				if got := s.decide(jarOf(old).request(http.MethodGet)); got != want {
					t.Errorf("with the old cookies: got %s; want %s", got, want)
				}
			}
		})
	}
}

// An attacker who plants the cookies of a session of his own is not in the one
// that the victim signs in to, and cannot follow it there.
func TestCookieFixation(t *testing.T) {
	t.Parallel()
	for _, reissue := range []bool{false, true} {
		s := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.ReissueRefresh = reissue })
		planted := s.signIn("mallory")
		res := s.Auth.Login(checkAlice)(t.Context(), postJSON(jarOf(planted).lines(), alicesPassword))
		var victim jar
		victim.take(res.Header)
		d := s.Decide(t.Context(), victim.request(http.MethodGet))
		if got := tellDecision(t, d); got != "pass alice" {
			t.Fatalf("the victim: got %s", got)
		}
		if d.Identity.SessionID() == planted.SessionID {
			t.Error("the login went on with the session that was planted")
		}
		for _, j := range []jar{jarOf(planted), {"", planted.Refresh}, {planted.Access.Token, ""}} {
			d := s.Decide(t.Context(), j.request(http.MethodGet))
			if d.Identity != nil {
				t.Errorf("the attacker is in as %s", d.Identity.Subject())
			}
		}
	}
}

// Another subdomain can toss cookies at a site without the __Host- prefix. It
// must not get more than a refusal, and signing in must mend it.
func TestCookieTossing(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t, func(c *jwtgate.Config) { c.Cookies.InsecureHTTP = true })
	alice, mallory := s.signIn("alice"), s.signIn("mallory")
	at, rt := "at="+alice.Access.Token, "rt="+alice.Refresh
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"access", []string{"at=" + mallory.Access.Token + "; " + at + "; " + rt}, "400 malformed_credentials"},
		{"refresh", []string{at + "; rt=" + mallory.Refresh + "; " + rt}, "400 malformed_credentials"},
		{"refresh only, access gone", []string{"rt=" + mallory.Refresh + "; " + rt}, "400 malformed_credentials"},
		{"refresh in place of ours", []string{at + "; rt=" + mallory.Refresh}, "pass alice"},
		{"prefixed names are nothing here", []string{at + "; __Host-at=" + mallory.Access.Token}, "pass alice"},
	} {
		s.store.taken()
		if got := s.decide(jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": test.lines}}); got != test.want {
			t.Errorf("%s: got %s; want %s", test.name, got, test.want)
		}
		if calls := s.store.taken(); calls != "" {
			t.Errorf("%s: the store was asked: %s", test.name, calls)
		}
	}
	s.clock.Advance(time.Hour)
	s.store.taken()
	stitched := jwtgate.Request{Method: http.MethodGet, Header: http.Header{"Cookie": {at + "; rt=" + mallory.Refresh}}}
	if d := s.Decide(t.Context(), stitched); d.Refusal == nil || d.Refusal.Code != jwtgate.CodeTokenInvalid || s.store.taken() != "" {
		t.Errorf("alice's old access and mallory's refresh: got %v, %v", d.Refusal, d.Identity)
	}
	res := s.Auth.Login(checkAlice)(t.Context(), postJSON([]string{rt, "rt=" + mallory.Refresh}, alicesPassword))
	if res.Status != http.StatusOK {
		t.Errorf("login with tossed cookies: got %d", res.Status)
	}
}

// TestCookieLogout is about which session a logout by cookies ends.
func TestCookieLogout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		after time.Duration
		lines func(j jar) []string
		body  string
		want  string
		ends  bool
	}{
		{"both", 0, func(j jar) []string { return j.lines() }, "", "204 clear", true},
		{"refresh only", 0, func(j jar) []string { return jar{"", j.refresh}.lines() }, "", "204 clear", true},
		{"access only", 0, func(j jar) []string { return jar{j.access, ""}.lines() }, "", "204 clear", true},
		{"access only, expired", time.Hour, func(j jar) []string { return jar{j.access, ""}.lines() }, "", "204 clear", true},
		{"refresh forged", 0, func(j jar) []string { return jar{j.access, "jgr1_x"}.lines() }, "", "204 clear", true},
		{"access forged", 0, func(j jar) []string { return jar{"a.b.c", j.refresh}.lines() }, "", "204 clear", true},
		{"none", 0, func(jar) []string { return nil }, "", "204 clear", false},
		{"forged", 0, func(jar) []string { return jar{"a.b.c", "jgr1_x"}.lines() }, "", "204 clear", false},
		{"malformed", 0, func(jar) []string { return []string{"__Host-at=; __Host-rt="} }, "", "204 clear", false},
		{"two", 0, func(j jar) []string { return append(j.lines(), j.lines()...) }, "", "204 clear", false},
		{"unreadable body", 0, func(j jar) []string { return j.lines() }, "{", "400 malformed_request clear", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newCookieSite(t)
			tokens, other := s.signIn("alice"), s.signIn("alice")
			s.clock.Advance(test.after)
			if got := tell(t, s.Logout(t.Context(), postJSON(test.lines(jarOf(tokens)), test.body))); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if got := !s.live(tokens.SessionID); got != test.ends {
				t.Errorf("ended: %v; want %v", got, test.ends)
			}
			if !s.live(other.SessionID) {
				t.Error("the other session is over too")
			}
		})
	}
}

func TestCookieLogoutAll(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	s.signIn("alice")
	j, robert := jarOf(s.signIn("alice")), s.signIn("robert")
	if got, want := tell(t, s.LogoutAll(t.Context(), post(nil))), "401 token_missing"; got != want {
		t.Errorf("nobody: got %s; want %s", got, want)
	}
	s.clock.Advance(time.Hour)
	if got, want := tell(t, s.LogoutAll(t.Context(), post(j.lines()))), "204 new clear"; got != want {
		t.Errorf("renewed: got %s; want %s", got, want)
	}
	if records, _ := s.store.List(t.Context(), "alice"); len(records) != 0 || !s.live(robert.SessionID) {
		t.Errorf("alice has %d sessions; robert's lives: %v", len(records), s.live(robert.SessionID))
	}
	if got, want := s.decide(j.request(http.MethodGet)), "401 refresh_revoked clear"; got != want {
		t.Errorf("after it: got %s; want %s", got, want)
	}
	res := s.Auth.Login(checkAlice)(t.Context(), postJSON(j.lines(), alicesPassword))
	j.take(res.Header)
	if got, want := s.decide(j.request(http.MethodGet)), "pass alice"; got != want {
		t.Errorf("a login right after it: got %s; want %s", got, want)
	}
}

// TestCookieRefresh is about the refresh endpoint for browsers.
func TestCookieRefresh(t *testing.T) {
	t.Parallel()
	s := newCookieSite(t)
	a, b := jarOf(s.signIn("alice")), jarOf(s.signIn("alice"))
	sid := s.signIn("alice").SessionID
	body := func(refresh string) string { return fmt.Sprintf(`{"refresh_token":%q}`, refresh) }
	bearer := func(token string) []string { return []string{"Bearer " + token} }
	for _, test := range []struct {
		name  string
		lines []string
		auth  []string
		body  string
		want  string
	}{
		{"nothing", nil, nil, "", "401 refresh_missing"},
		{"access only", jar{a.access, ""}.lines(), nil, "", "401 refresh_missing clear"},
		{"both carriers", a.lines(), nil, body(a.refresh), "400 malformed_request"},
		{"both carriers, other sessions", a.lines(), nil, body(b.refresh), "400 malformed_request"},
		{"two refresh cookies", append(a.lines(), b.lines()...), nil, "", "400 malformed_credentials"},
		{"empty refresh cookie", []string{"__Host-rt="}, nil, "", "401 refresh_missing"},
		{"forged", jar{"", "jgr1_x"}.lines(), nil, "", "401 refresh_invalid clear"},
		{"access token in its place", jar{"", a.access}.lines(), nil, "", "401 refresh_invalid clear"},
		{"access cookie of another session", jar{b.access, a.refresh}.lines(), nil, "", "401 token_invalid clear"},
		{"access cookie forged", jar{"a.b.c", a.refresh}.lines(), nil, "", "401 token_invalid clear"},
		{"Bearer of another session", a.lines(), bearer(b.access), "", "401 token_invalid clear"},
		{"Bearer forged", a.lines(), bearer("a.b.c"), "", "401 token_invalid clear"},
		{"Bearer of no session", a.lines(), bearer(jwtgatetest.Token(t, s.Auth, "alice")), "", "401 token_invalid clear"},
		{"Bearer malformed", a.lines(), []string{"Bearer"}, "", "400 malformed_credentials"},
		{"two Bearer headers", a.lines(), append(bearer(a.access), bearer(a.access)...), "", "400 malformed_credentials"},
		{"access token as Bearer and nothing else", nil, bearer(a.access), "", "401 refresh_missing"},
		{"refresh token as Bearer", nil, bearer(a.refresh), "", "401 refresh_missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := withField(postJSON(test.lines, test.body), "Authorization", test.auth...)
			s.store.taken()
			res := s.Refresh(t.Context(), req)
			if got := tell(t, res); got != test.want {
				t.Errorf("got %s; want %s", got, test.want)
			}
			if calls := s.store.taken(); calls != "" {
				t.Errorf("the store was asked: %s", calls)
			}
			want := `"error":"invalid_request"`
			if res.Status == http.StatusUnauthorized {
				want = `"error":"invalid_grant"`
			}
			if !bytes.Contains(res.Body, []byte(want)) {
				t.Errorf("got %s; want %s", res.Body, want)
			}
		})
	}
	for _, test := range []struct {
		name   string
		access string // the cookie
		auth   []string
	}{
		{"no access token", "", nil},
		{"good access cookie", a.access, nil},
		{"good Bearer", "", bearer(a.access)},
		{"good Bearer beside another's access cookie", b.access, bearer(a.access)},
		{"another scheme", "", []string{"Basic YTpi"}},
		{"Bearer by a key that is gone", "", bearer(s.mintBy(otherSecret, "gone", sid, 0, nil))},
		{"access cookie by a key that is gone", s.mintBy(otherSecret, "gone", sid, 0, nil), nil},
	} {
		req := withField(post(jar{test.access, a.refresh}.lines()), "Authorization", test.auth...)
		res := s.Refresh(t.Context(), req)
		if got, want := tell(t, res), "200 new"; got != want {
			t.Errorf("%s: got %s; want %s", test.name, got, want)
		}
		if bytes.Contains(res.Body, []byte("jgr1_")) || bytes.Contains(res.Body, []byte("eyJ")) {
			t.Errorf("%s: a token in the body: %s", test.name, res.Body)
		}
		a.take(res.Header)
	}
}
