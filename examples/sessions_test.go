package examples

import (
	"encoding/json"
	"strings"
	"testing"
)

// A tokenAnswer is the JSON that /token and /refresh answer to a program.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
}

// tokens sends a request to /token or /refresh and returns the tokens in the answer.
func tokens(t *testing.T, p *process, path, body string, fields ...string) tokenAnswer {
	t.Helper()
	got := p.send(t, "POST", path, body, fields...)
	var tokens tokenAnswer
	if err := json.Unmarshal([]byte(got.body), &tokens); err != nil || got.status != 200 || tokens.TokenType != "Bearer" || tokens.ExpiresIn < 1 ||
		tokens.RefreshToken == "" || got.header.Get("Cache-Control") != "no-store" || len(got.header["Set-Cookie"]) > 0 {
		t.Fatalf("%s: POST %s: %v\n%s", p.name, path, err, got.text())
	}
	return tokens
}

// login returns an access token for the name and the password in form.
func login(t *testing.T, p *process, form string) string {
	t.Helper()
	return tokens(t, p, "/token", form, asForm).AccessToken
}

// browser signs in with POST /login and returns the two cookies, each as
// "name=value".
func browser(t *testing.T, p *process, form string, fields ...string) (access, refresh string) {
	t.Helper()
	got := p.send(t, "POST", "/login", form, append(fields, asForm)...)
	return setCookies(t, p, got)
}

// setCookies returns the two cookies that an answer sets, and checks their
// attributes.
func setCookies(t *testing.T, p *process, got answer) (access, refresh string) {
	t.Helper()
	set := got.header["Set-Cookie"]
	if got.status != 200 || len(set) != 2 || strings.Contains(got.body, "_token") || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s\n%s", p.name, got.text())
	}
	for _, line := range set {
		if !strings.HasSuffix(line, "; HttpOnly; Secure; SameSite=Lax") || !strings.Contains(line, "; Path=/;") || strings.Contains(line, "Domain") {
			t.Errorf("%s: Set-Cookie: %s", p.name, line)
		}
	}
	access, _, _ = strings.Cut(set[0], ";")
	refresh, _, _ = strings.Cut(set[1], ";")
	if !strings.HasPrefix(access, "__Host-at=ey") || !strings.HasPrefix(refresh, "__Host-rt=") {
		t.Fatalf("%s: %q", p.name, set)
	}
	return access, refresh
}

// want sends a request and checks that the answer has this status and contains part.
func (p *process) want(t *testing.T, status int, part, method, path, body string, fields ...string) answer {
	t.Helper()
	got := p.send(t, method, path, body, fields...)
	if got.status != status || !strings.Contains(got.text(), part) {
		t.Errorf("%s: %s %s\ngot %s\nwant %d and %s", p.name, method, path, got.text(), status, part)
	}
	return got
}

func TestProgramSession(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret) {
		first := tokens(t, p, "/token", `{"username":"alice","password":"wonderland","grant_type":"password"}`, asJSON)
		second := tokens(t, p, "/refresh", "grant_type=refresh_token&refresh_token="+first.RefreshToken, asForm)
		again := tokens(t, p, "/refresh", `{"refresh_token":"`+first.RefreshToken+`"}`, asJSON)
		if second.RefreshToken == first.RefreshToken || second.RefreshToken != again.RefreshToken {
			t.Errorf("%s: got refresh tokens %q; want two different ones, the second one twice", p.name, []string{first.RefreshToken, second.RefreshToken, again.RefreshToken})
		}
		p.want(t, 401, `"error":"invalid_grant"`, "POST", "/refresh", "refresh_token=mine", asForm)
		p.want(t, 401, `"code":"token_invalid"`, "GET", "/me", "", bearer(second.RefreshToken))
		p.want(t, 200, `"sid":"`, "GET", "/me", "", bearer(second.AccessToken))
		p.want(t, 200, `"auth_time":`, "GET", "/recent", "", bearer(second.AccessToken))
		p.want(t, 200, `"current":true`, "GET", "/sessions", "", bearer(second.AccessToken))
		p.want(t, 204, "", "POST", "/logout", "", bearer(second.AccessToken))
		p.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", bearer(first.AccessToken))
		p.want(t, 401, `"code":"refresh_revoked"`, "POST", "/refresh", "refresh_token="+second.RefreshToken, asForm)
		p.want(t, 204, "", "POST", "/logout", "")
	}
}

func TestBrowserSession(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret) {
		access, refresh := browser(t, p, alice)
		both := "Cookie: " + access + "; " + refresh
		etag := p.want(t, 200, "public, max-age=3600", "GET", "/report", "", both).header.Get("Etag")
		p.want(t, 304, "", "GET", "/report", "", both, "If-None-Match: "+etag)
		p.want(t, 403, `"code":"cross_site"`, "POST", "/login", alice, asForm, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example.test")

		// Without the access cookie, the server renews both cookies first.
		got := p.send(t, "GET", "/report", "", "Cookie: "+refresh, "If-None-Match: "+etag)
		access, refresh = setCookies(t, p, got)
		both = "Cookie: " + access + "; " + refresh
		p.want(t, 201, "", "POST", "/notes", `{"text":"once"}`, asJSON, "Cookie: "+refresh)
		p.want(t, 200, `[{"text":"once"}]`, "GET", "/notes", "", both)
		p.want(t, 403, "__Host-at=ey", "GET", "/admin", "", "Cookie: "+second(browser(t, p, bob)))

		got = p.want(t, 200, `{"expires_in":900}`, "POST", "/refresh", "", both)
		_, _ = setCookies(t, p, got)
		p.want(t, 400, `"error":"invalid_request"`, "POST", "/refresh", "refresh_token=both", asForm, both)
		p.want(t, 204, "__Host-at=;", "POST", "/logout", "", both)
		p.want(t, 401, "__Host-rt=;", "GET", "/me", "", both)
	}
}

func second(_, s string) string { return s }

func TestManySessions(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret, "MAX_SESSIONS=2") {
		oldest, _ := browser(t, p, alice, "User-Agent: old")
		phone, _ := browser(t, p, alice, "User-Agent: phone")
		laptop, _ := browser(t, p, alice, "User-Agent: laptop")
		other := login(t, p, bob)
		p.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", "Cookie: "+oldest)

		var sessions []struct {
			ID        string `json:"id"`
			UserAgent string `json:"user_agent"`
			Current   bool   `json:"current"`
		}
		list := p.want(t, 200, `"last_used":"`, "GET", "/sessions", "", "Cookie: "+laptop)
		if err := json.Unmarshal([]byte(list.body), &sessions); err != nil || len(sessions) != 2 || sessions[0].UserAgent != "phone" || sessions[0].Current || !sessions[1].Current {
			t.Fatalf("%s: %v\n%s", p.name, err, list.text())
		}
		p.want(t, 404, `"code":"not_found"`, "DELETE", "/sessions/"+sessions[0].ID, "", bearer(other))
		p.want(t, 404, `"code":"not_found"`, "DELETE", "/sessions/none", "", "Cookie: "+laptop)
		p.want(t, 204, "", "DELETE", "/sessions/"+sessions[0].ID, "", "Cookie: "+laptop)
		p.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", "Cookie: "+phone)
		tablet, _ := browser(t, p, alice, "User-Agent: tablet")
		p.want(t, 204, "", "POST", "/logout/others", "", "Cookie: "+laptop)
		p.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", "Cookie: "+tablet)
		p.want(t, 200, `{"sub":null}`, "GET", "/public", "", "Cookie: "+tablet)
		p.want(t, 200, `"sub":"alice"`, "GET", "/me", "", "Cookie: "+laptop)
		p.want(t, 204, "", "POST", "/logout/all", "", "Cookie: "+laptop)
		p.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", "Cookie: "+laptop)
		p.want(t, 200, "", "GET", "/me", "", bearer(login(t, p, alice)))
		p.want(t, 200, "", "GET", "/me", "", bearer(other))
	}
}

// TestCookieNames checks that the cookies have the name and the attributes that the
// settings ask for, and that two servers on one host leave each other's cookies alone.
func TestCookieNames(t *testing.T) {
	for i, name := range names {
		env := []string{"JWT_KEY=" + secret, "COOKIE_NAME=shop"}
		prefix, secure := "__Host-shop-", "; HttpOnly; Secure; SameSite=Lax"
		if i%2 == 0 {
			env = append(env, "INSECURE_HTTP=true")
			prefix, secure = "shop-", "; HttpOnly; SameSite=Lax"
		}
		p := start(t, name, env...)
		var pairs []string
		for _, line := range p.want(t, 200, "", "POST", "/login", alice, asForm).header["Set-Cookie"] {
			if !strings.HasPrefix(line, prefix) || !strings.HasSuffix(line, secure) {
				t.Errorf("%s: got cookie %.30q…; want %s… %s", name, line, prefix, secure)
			}
			pair, _, _ := strings.Cut(line, ";")
			pairs = append(pairs, pair)
		}
		p.want(t, 200, `"sub":"alice"`, "GET", "/me", "", "Cookie: "+strings.Join(pairs, "; "))
		p.want(t, 401, `"code":"token_missing"`, "GET", "/me", "", "Cookie: __Host-at=of-another-application")
	}
}

// TestLoginFailures checks that a server refuses logins after too many wrong passwords for
// a name, known or not, the right password included.
func TestLoginFailures(t *testing.T) {
	for _, p := range startAll(t, "JWT_KEY="+secret, "LOGIN_FAILURES=2") {
		for _, name := range []string{"alice", "nobody"} {
			for _, path := range []string{"/login", "/token"} {
				p.want(t, 401, `"error":"invalid_grant"`, "POST", path, "username="+name+"&password=guess", asForm)
			}
			got := p.want(t, 429, `"code":"throttled"`, "POST", "/token", "username="+name+"&password=wonderland", asForm, "X-Forwarded-For: 192.0.2.1")
			if after := got.header.Get("Retry-After"); after != "30" && after != "29" {
				t.Errorf("%s: got Retry-After %q; want half a minute", p.name, after)
			}
		}
		p.want(t, 200, "", "POST", "/token", bob, asForm)
	}
}

// TestSettingsOfSessions checks that the session settings take effect.
func TestSettingsOfSessions(t *testing.T) {
	p := start(t, "echo", "JWT_KEY="+secret, "RECENT_LOGIN=1ns", "ALLOW_LIST=true", "REUSE_WINDOW=0s")
	got := tokens(t, p, "/token", alice, asForm)
	p.want(t, 401, `"code":"login_too_old"`, "GET", "/recent", "", bearer(got.AccessToken))
	p.want(t, 401, `"code":"token_revoked"`, "GET", "/me", "", bearer(mint(t, `{"alg":"HS256"}`, nil)))
	next := tokens(t, p, "/refresh", "refresh_token="+got.RefreshToken, asForm)
	if again := tokens(t, p, "/refresh", "refresh_token="+got.RefreshToken, asForm); again.RefreshToken != next.RefreshToken {
		t.Error("got another successor, although the first is unused")
	}
	tokens(t, p, "/refresh", "refresh_token="+next.RefreshToken, asForm)
	p.want(t, 401, `"code":"refresh_reused"`, "POST", "/refresh", "refresh_token="+got.RefreshToken, asForm)
	p.want(t, 401, "", "GET", "/me", "", bearer(got.AccessToken))

	p = start(t, "gin", "JWT_KEY="+secret, "REISSUE_REFRESH=true")
	access, _ := browser(t, p, alice)
	_, _ = setCookies(t, p, p.send(t, "GET", "/me", "", "Cookie: "+access))

	p = start(t, "fiber", "JWT_KEY="+secret, "SESSION_TTL=1h", "REFRESH_TTL=30m")
	p.want(t, 200, "Max-Age=1", "POST", "/login", alice, asForm)

	p = start(t, "nethttp", "JWT_ALG=EdDSA", "REFRESH_KEY="+secret)
	got = tokens(t, p, "/token", alice, asForm)
	p = start(t, "nethttp", "JWT_ALG=EdDSA", "REFRESH_KEY="+secret)
	p.want(t, 401, `"code":"refresh_expired"`, "POST", "/refresh", "refresh_token="+got.RefreshToken, asForm) // genuine, but the session was in the memory of the first process
}
