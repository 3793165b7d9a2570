package examples

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

const (
	secret = "a secret for tests, of thirty-two bytes or more"

	asJSON = "Content-Type: application/json"
	asForm = "Content-Type: application/x-www-form-urlencoded"

	alice = "username=alice&password=wonderland"
	bob   = "username=bob&password=builder"
)

// mint returns a token as another program with the same secret issues it. more adds
// or replaces claims.
func mint(t *testing.T, header string, more map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": "https://auth.example.test", "aud": "https://api.example.test", "sub": "carol", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range more {
		claims[name] = value
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return jwtgatetest.Sign(t, "HS256", []byte(secret), header, string(payload))
}

func bearer(token string) string { return "Authorization: Bearer " + token }
func cookie(token string) string { return "Cookie: __Host-at=" + token }

// TestServers sends the same requests to all servers, in order, and compares
// the answers.
func TestServers(t *testing.T) {
	servers := startAll(t, "JWT_KEY="+secret, "TRUSTED_ORIGINS=https://app.example.test, https://other.example.test")
	a, b := login(t, servers[0], alice), login(t, servers[0], bob)
	plain := `{"alg":"HS256"}`
	expired := mint(t, plain, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	forged := a[:len(a)-6] + strings.Map(func(r rune) rune { return 'A' + (r+1)%26 }, a[len(a)-6:])
	etag := servers[0].send(t, "GET", "/report", "", bearer(a)).header.Get("Etag")
	module := servers[0].send(t, "GET", "/jwtgate.js", "").header.Get("Etag")

	const (
		same    = "same bytes"   // refusals and other answers of core
		content = "same content" // answers of handlers, in the style of each framework
		native  = "any answer"   // refusals by the framework itself
	)
	for _, test := range []struct {
		method, path, body string
		fields             []string
		how                string
		status             int
		want               string // parts of the answer in order, separated by " … "
	}{
		{"GET", "/healthz", "", nil, content, 200, "ok"},
		{"GET", "/", "", nil, content, 200, "text/html … alice"},
		{"GET", "/.well-known/jwks.json", "", nil, same, 200, `application/jwk-set+json … {"keys":[]}`},
		{"HEAD", "/.well-known/jwks.json", "", nil, same, 200, "max-age=300 … application/jwk-set+json … Etag"},
		{"GET", "/.well-known/oauth-protected-resource", "", nil, same, 404, `no-store … application/problem+json … "code":"not_found"`},
		{"GET", "/jwtgate.js", "", nil, content, 200, "no-cache … text/javascript … export class Session"},
		{"GET", "/jwtgate.js", "", []string{"If-None-Match: " + module}, content, 304, "no-cache"},
		{"GET", "/jwtgate.js", "", []string{"If-None-Match: " + etag}, content, 200, ""},
		{"GET", "/nowhere", "", nil, native, 404, ""},

		{"POST", "/token", `{"username":"alice","password":"builder"}`, []string{asJSON}, same, 401, `no-store … "Bearer" … "code":"invalid_credentials" … "error":"invalid_grant"`},
		{"POST", "/token", "username=mallory&password=wonderland", []string{asForm}, same, 401, `"code":"invalid_credentials"`},
		{"POST", "/token", "username=alice&password=wonderland%00wonderland", []string{asForm}, same, 401, `"code":"invalid_credentials"`},
		{"POST", "/token", "username=alice", []string{asForm}, same, 400, `"code":"malformed_request" … "error":"invalid_request"`},
		{"POST", "/token", "{", []string{asJSON}, same, 400, `"code":"malformed_request"`},
		{"POST", "/token", "username=%zz", []string{asForm}, same, 400, `"code":"malformed_request"`},
		{"POST", "/token", "username=" + strings.Repeat("a", 64<<10), []string{asForm}, same, 413, `"code":"malformed_request"`},
		{"POST", "/token", "<alice/>", []string{"Content-Type: text/xml"}, same, 415, `"code":"malformed_request"`},
		{"POST", "/token", alice, nil, same, 415, `"code":"malformed_request"`},

		{"GET", "/me", "", nil, same, 401, `no-store … application/problem+json … "Bearer" … "code":"token_missing"`},
		{"GET", "/me", "", []string{"Authorization: Basic YTpi"}, same, 401, `"code":"token_missing"`},
		{"GET", "/me", "", []string{bearer(a)}, content, 200, `application/json … "aud":"https://api.example.test" … "roles":["admin","user"] … "sub":"alice"`},
		{"GET", "/me", "", []string{"Authorization: bEARER   " + b}, content, 200, `"roles":["user"] … "sub":"bob"`},
		{"GET", "/me", "", []string{cookie(a)}, content, 200, `Cache-Control: ["private"] … Vary: ["Cookie"] … "sub":"alice"`},
		{"GET", "/me", "", []string{bearer(b), cookie(a)}, content, 200, `"sub":"bob"`},
		{"GET", "/me", "", []string{bearer(forged), cookie(a)}, same, 401, `error=\"invalid_token\" … "code":"token_invalid"`},
		{"GET", "/me", "", []string{bearer(expired)}, same, 401, `error=\"invalid_token\" … "code":"token_expired"`},
		{"GET", "/me", "", []string{cookie(expired)}, same, 401, `__Host-at=; … __Host-rt=; … "code":"token_expired"`},
		{"GET", "/me", "", []string{bearer("abc")}, same, 401, `"code":"token_invalid"`},
		{"GET", "/me", "", []string{"Authorization: Bearer"}, same, 400, `error=\"invalid_request\" … "code":"malformed_credentials"`},
		{"GET", "/me", "", []string{bearer(a + " " + b)}, same, 400, `"code":"malformed_credentials"`},
		{"GET", "/me", "", []string{bearer(a), bearer(b)}, same, 400, `"code":"malformed_credentials"`},
		{"GET", "/me", "", []string{cookie(a), cookie(b)}, same, 400, `"code":"malformed_credentials"`},
		{"GET", "/me", "", []string{bearer(strings.Repeat("a", 9000))}, same, 400, `"code":"malformed_credentials"`},
		{"GET", "/me?access_token=" + a, "", nil, same, 401, `"code":"token_missing"`},
		{"GET", "/me", "", []string{bearer(mint(t, plain, map[string]any{"note": strings.Repeat("a", 5000)}))}, content, 200, `"sub":"carol"`},
		{"GET", "/me", "", []string{bearer(mint(t, `{"alg":"HS256","typ":"JWT"}`, map[string]any{"n": 9007199254740993}))}, content, 200, `"n":9007199254740993`},
		{"GET", "/me", "", []string{bearer(mint(t, `{"alg":"HS256","typ":"at+jwt"}`, nil))}, content, 200, `"sub":"carol"`},
		{"GET", "/me", "", []string{bearer(mint(t, `{"alg":"HS256","typ":"logout+jwt"}`, nil))}, same, 401, `"code":"token_invalid"`},
		{"GET", "/me", "", []string{bearer(mint(t, `{"alg":"HS256","kid":"other"}`, nil))}, content, 200, `"sub":"carol"`},
		{"GET", "/me", "", []string{bearer(mint(t, plain, map[string]any{"iss": "https://evil.example.test"}))}, same, 401, `"code":"token_invalid"`},
		{"GET", "/me", "", []string{bearer(mint(t, plain, map[string]any{"aud": "https://elsewhere.example.test"}))}, same, 401, `"code":"token_invalid"`},

		{"GET", "/public", "", nil, content, 200, `Vary: ["Authorization, Cookie"] … {"sub":null}`},
		{"GET", "/public", "", []string{bearer(a)}, content, 200, `{"sub":"alice"}`},
		{"GET", "/public", "", []string{cookie(a)}, content, 200, `["private"] … {"sub":"alice"}`},
		{"GET", "/public", "", []string{bearer(forged)}, same, 401, `"code":"token_invalid"`},

		{"GET", "/admin", "", nil, same, 401, `"code":"token_missing"`},
		{"GET", "/admin", "", []string{bearer(a)}, content, 200, `alice`},
		{"GET", "/admin", "", []string{bearer(b)}, same, 403, `error=\"insufficient_scope\" … "code":"insufficient_scope"`},
		{"GET", "/admin", "", []string{bearer(mint(t, plain, map[string]any{"roles": "admin"}))}, content, 200, "Welcome, carol"},
		{"GET", "/admin", "", []string{bearer(mint(t, plain, map[string]any{"roles": map[string]any{"admin": true}}))}, content, 200, "Welcome, carol"},
		{"GET", "/admin", "", []string{bearer(mint(t, plain, map[string]any{"roles": "user admin"}))}, same, 403, `"code":"insufficient_scope"`},
		{"GET", "/me", "", []string{bearer(mint(t, plain, map[string]any{"jti": 1, "sid": nil, "auth_time": "x", "nonce": "n", "scope": "a", "iat": time.Now().Unix() + 30}))}, content, 200, `"sub":"carol"`},
		{"GET", "/me", "", []string{bearer(mint(t, plain, map[string]any{"nonce": "n"}))}, same, 401, `"code":"token_invalid"`},
		{"GET", "/me", "", []string{bearer(mint(t, plain, map[string]any{"scope": "a", "events": map[string]any{}}))}, same, 401, `"code":"token_invalid"`},

		{"GET", "/notes", "", []string{bearer(a)}, content, 200, `[]`},
		{"POST", "/notes", `{"text":"mine"}`, []string{asJSON}, same, 401, `"code":"token_missing"`},
		{"POST", "/notes", `{"text":"mine <&>"}`, []string{asJSON, bearer(a)}, content, 201, `{"text":"mine \u003c\u0026\u003e"}`},
		{"POST", "/notes", `{"text":"from here"}`, []string{asJSON, cookie(a), "Sec-Fetch-Site: same-origin"}, content, 201, `from here`},
		{"POST", "/notes", `{"text":"from a friend"}`, []string{asJSON, cookie(a), "Sec-Fetch-Site: cross-site", "Origin: https://other.example.test"}, content, 201, `from a friend`},
		{"POST", "/notes", `{"text":"from afar"}`, []string{asJSON, cookie(a), "Sec-Fetch-Site: cross-site", "Origin: https://evil.example.test"}, same, 403, `"code":"cross_site"`},
		{"POST", "/notes", `{"text":"from afar"}`, []string{asJSON, cookie(a), "Origin: https://evil.example.test"}, same, 403, `"code":"cross_site"`},
		{"POST", "/notes", `{"text":"with a header"}`, []string{asJSON, bearer(a), "Sec-Fetch-Site: cross-site", "Origin: https://evil.example.test"}, content, 201, `with a header`},
		{"POST", "/notes", `{"text":`, []string{asJSON, bearer(a)}, native, 400, ""},
		{"POST", "/notes", `{"text":7}`, []string{asJSON, bearer(a)}, native, 400, ""},
		{"POST", "/notes", `{"text":""}`, []string{asJSON, bearer(a)}, native, 400, ""},
		{"POST", "/notes", `[]`, []string{asJSON, bearer(a)}, native, 400, ""},
		{"POST", "/notes", "", []string{asJSON, bearer(a)}, native, 400, ""},
		{"POST", "/notes", "text=form", []string{asForm, bearer(a)}, native, 400, ""},
		{"GET", "/notes", "", []string{bearer(a)}, content, 200, `[{"text":"mine \u003c\u0026\u003e"},{"text":"from here"},{"text":"from a friend"},{"text":"with a header"}]`},
		{"GET", "/notes", "", []string{bearer(b)}, content, 200, `[]`},

		{"GET", "/report", "", nil, same, 401, `"code":"token_missing"`},
		{"GET", "/report", "", []string{bearer(a)}, content, 200, `["public, max-age=3600"] … text/plain … Etag: `},
		{"GET", "/report", "", []string{cookie(a)}, content, 200, `["public, max-age=3600"] … Vary: ["Cookie"]`},
		{"GET", "/report", "", []string{bearer(a), "If-None-Match: " + etag}, content, 304, `["public, max-age=3600"]`},
		{"GET", "/report", "", []string{bearer(a), `If-None-Match: "other", W/` + etag}, content, 304, ""},
		{"GET", "/report", "", []string{bearer(a), `If-None-Match: "other"`}, content, 200, ""},
		{"GET", "/report", "", []string{bearer(a), "If-Modified-Since: Mon, 02 Jan 2040 15:04:05 GMT"}, content, 200, ""},
	} {
		var first string
		for _, p := range servers {
			got := p.send(t, test.method, test.path, test.body, test.fields...)
			about := fmt.Sprintf("%s: %s %.40s %.60s %.200s", p.name, test.method, test.path, test.body, test.fields)
			if right := got.status == test.status || test.how == native && test.status == 400 && got.status/100 == 4; !right {
				t.Errorf("%s\ngot %s\nwant status %d", about, got.text(), test.status)
			}
			rest := got.text()
			for part := range strings.SplitSeq(test.want, " … ") {
				var found bool
				if _, rest, found = strings.Cut(rest, part); !found {
					t.Errorf("%s\ngot %s\nwant %s", about, got.text(), part)
				}
			}
			text := ""
			switch test.how {
			case same:
				text = got.text()
			case content:
				text = got.content()
			}
			if p == servers[0] {
				first = text
			} else if text != first {
				t.Errorf("%s\ngot %s\nwant the same answer as from %s\n%s", about, text, servers[0].name, first)
			}
		}
	}
}

// TestResourceURL checks the metadata of the resource on the four servers, and that a
// 401 leads to it.
func TestResourceURL(t *testing.T) {
	const (
		parameter = `resource_metadata="https://shop.example.test/.well-known/oauth-protected-resource"`
		alone     = `{"resource":"https://shop.example.test","bearer_methods_supported":["header"]}`
		trusting  = `{"resource":"https://shop.example.test","authorization_servers":["https://id.example.test"],"bearer_methods_supported":["header"]}`
	)
	for _, p := range startAll(t, "RESOURCE_URL=https://shop.example.test") {
		p.want(t, 200, alone, "GET", "/.well-known/oauth-protected-resource", "")
		p.want(t, 200, "application/json", "HEAD", "/.well-known/oauth-protected-resource", "")
		p.want(t, 401, strconv.Quote("Bearer "+parameter), "GET", "/me", "")
		p.want(t, 401, strconv.Quote(`Bearer error="invalid_token", `+parameter), "GET", "/me", "", bearer("garbage"))
	}
	other := start(t, "nethttp", "RESOURCE_URL=https://shop.example.test", "OIDC_ISSUER=https://id.example.test")
	other.want(t, 200, trusting, "GET", "/.well-known/oauth-protected-resource", "")
}

// TestMaxLifetime checks that a server refuses a token of a longer lifetime.
func TestMaxLifetime(t *testing.T) {
	p := start(t, "nethttp", "JWT_KEY="+secret, "MAX_LIFETIME=48h")
	token := func(life time.Duration) string {
		now := time.Now().Unix()
		return bearer(mint(t, `{"alg":"HS256"}`, map[string]any{"iat": now, "exp": now + int64(life/time.Second)}))
	}
	p.want(t, 200, "", "GET", "/me", "", token(48*time.Hour))
	p.want(t, 401, "token_invalid", "GET", "/me", "", token(48*time.Hour+time.Second))
}

// TestAccessTokenExpires checks that a token with a lifetime of one second expires.
func TestAccessTokenExpires(t *testing.T) {
	p := start(t, "nethttp", "ACCESS_TTL=1s")
	token := login(t, p, alice)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got := p.send(t, "GET", "/me", "", bearer(token))
		if got.status == http.StatusUnauthorized && strings.Contains(got.body, "token_expired") {
			return
		}
		if got.status != http.StatusOK || time.Now().After(deadline) {
			t.Fatal(got.text())
		}
	}
}

// TestIntroduction runs the commands that a server prints when it starts.
func TestIntroduction(t *testing.T) {
	installed(t, "curl")
	for _, p := range startAll(t) {
		_, script, _ := strings.Cut(p.intro, "Try:\n")
		out, err := exec.Command("sh", "-c", script).CombinedOutput()
		if err != nil || strings.Count(p.intro, "curl ") != 3 || !strings.Contains(string(out), `"sub":"alice"`) || !strings.Contains(string(out), "token_missing") {
			t.Errorf("%s: %v\n%s\n%s", p.name, err, p.intro, out)
		}
		if !strings.Contains(p.intro, "alice / wonderland") || !strings.Contains(p.intro, "JWT_KEY is not set") {
			t.Errorf("%s: %s", p.name, p.intro)
		}
	}
}
