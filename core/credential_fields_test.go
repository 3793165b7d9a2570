package jwtgate_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// withTokenFields turns on every place for tokens besides Authorization.
func withTokenFields(c *jwtgate.Config) {
	c.WebSocketProtocol = true
	c.TokenHeaders = []jwtgate.TokenHeader{
		{Name: "cf-access-jwt-assertion"},
		{Name: "X-Token", Scheme: "Bearer", InsecureAnyOrigin: true},
		{Name: "X-Token", Scheme: "JWT"},
		{Name: "Authorization", Scheme: "Token"},
	}
}

func TestTokenFields(t *testing.T) {
	t.Parallel()
	const missing, malformed, invalid = jwtgate.CodeTokenMissing, jwtgate.CodeMalformedCredentials, jwtgate.CodeTokenInvalid
	plain := newVerifier(t, keys.HS256(secret), withCookies)
	auth := newVerifier(t, keys.HS256(secret), withCookies, withTokenFields)
	alice, bob := jwtgatetest.Token(t, auth, "alice"), jwtgatetest.Token(t, auth, "bob")
	private := func(vary string) string { return "private; " + vary }
	for _, row := range []struct {
		name  string
		lines []string
		want  jwtgate.Code
		cache string // Cache-Control and Vary of the answer
	}{
		{"a field with the token alone", []string{"Cf-Access-Jwt-Assertion: " + alice}, accepted, private("Cf-Access-Jwt-Assertion")},
		{"space around it", []string{"Cf-Access-Jwt-Assertion:  " + alice + "\t"}, accepted, private("Cf-Access-Jwt-Assertion")},
		{"a field with a scheme", []string{"X-Token: Bearer " + alice}, accepted, private("X-Token")},
		{"a field with a scheme in another case", []string{"X-Token: bearer  " + alice}, accepted, private("X-Token")},
		{"a field with its other scheme", []string{"X-Token: JWT " + alice}, accepted, private("X-Token")},
		{"Authorization with another scheme", []string{"Authorization: Token " + alice}, accepted, private("Authorization")},
		{"Authorization with Bearer", []string{"Authorization: Bearer " + alice}, accepted, ""},
		{"an empty field", []string{"Cf-Access-Jwt-Assertion: "}, missing, ""},
		{"an empty field beside Authorization", []string{"Cf-Access-Jwt-Assertion: ", "Authorization: Bearer " + alice}, accepted, ""},
		{"a field without its scheme", []string{"X-Token: " + alice}, missing, ""},
		{"a field that is not configured", []string{"X-Access-Token: " + alice}, missing, ""},
		{"a scheme that is not configured", []string{"Authorization: JWT " + alice}, missing, ""},
		{"a scheme alone", []string{"X-Token: JWT"}, malformed, ""},
		{"a bad token", []string{"X-Token: JWT " + alice + "A"}, invalid, ""},
		{"no token", []string{"Cf-Access-Jwt-Assertion: a b"}, malformed, ""},
		{"a scheme where none is", []string{"Cf-Access-Jwt-Assertion: Bearer " + alice}, malformed, ""},
		{"too long", []string{"Cf-Access-Jwt-Assertion: " + strings.Repeat("x", 8193)}, malformed, ""},

		{"two lines of one field", []string{"X-Token: JWT " + alice, "X-Token: JWT " + alice}, malformed, ""},
		{"two lines of one field, one empty", []string{"X-Token: JWT " + alice, "X-Token:"}, malformed, ""},
		{"two fields", []string{"X-Token: JWT " + alice, "Cf-Access-Jwt-Assertion: " + alice}, malformed, ""},
		{"a field and Authorization", []string{"X-Token: JWT " + alice, "Authorization: Bearer " + alice}, malformed, ""},
		{"a field and another scheme of Authorization", []string{"X-Token: JWT " + alice, "Authorization: Basic YTpi"}, accepted, private("X-Token")},
		{"a field and a cookie", []string{"X-Token: JWT " + alice, "Cookie: __Host-at=" + bob}, accepted, private("X-Token")},
		{"a bad field and a good cookie", []string{"X-Token: JWT " + alice + "A", "Cookie: __Host-at=" + bob}, invalid, ""},
		{"an empty field and a cookie", []string{"Cf-Access-Jwt-Assertion:", "Cookie: __Host-at=" + alice}, accepted, private("Cookie")},

		{"a handshake", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, jwtgate.bearer." + alice}, accepted, ""},
		{"a handshake, the token first", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: jwtgate.bearer." + alice + " ,chat"}, accepted, ""},
		{"a handshake, in two lines", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat", "Sec-Websocket-Protocol: jwtgate.bearer." + alice}, accepted, ""},
		{"a handshake and a cookie", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, jwtgate.bearer." + alice, "Cookie: __Host-at=" + bob}, accepted, ""},
		{"a handshake from another site", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, jwtgate.bearer." + alice, "Origin: https://app.example"}, accepted, ""},
		{"a handshake without a token", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat"}, missing, ""},
		{"a handshake with the token alone", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: jwtgate.bearer." + alice}, malformed, ""},
		{"a handshake with an empty token", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, jwtgate.bearer."}, malformed, ""},
		{"a handshake with a bad token", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, jwtgate.bearer." + alice + "A"}, invalid, ""},
		{"a handshake with two tokens", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, jwtgate.bearer." + alice + ", jwtgate.bearer." + alice}, malformed, ""},
		{"a handshake with two tokens in two lines", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: jwtgate.bearer." + alice + ", chat", "Sec-Websocket-Protocol: jwtgate.bearer." + bob}, malformed, ""},
		{"a handshake and Authorization", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, jwtgate.bearer." + alice, "Authorization: Bearer " + alice}, malformed, ""},
		{"a handshake in another case", []string{"Upgrade: websocket", "Sec-Websocket-Protocol: chat, Jwtgate.bearer." + alice}, missing, ""},
		{"no handshake", []string{"Sec-Websocket-Protocol: chat, jwtgate.bearer." + alice}, missing, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := decide(t, auth, withLines("GET", row.lines...), row.want)
			if row.want == accepted && d.Identity.Subject() != "alice" {
				t.Errorf("got %s; want alice", d.Identity.Subject())
			}
			if row.want == accepted {
				if got := strings.Trim(field(d.Response, "Cache-Control")+"; "+field(d.Response, "Vary"), "; "); got != row.cache {
					t.Errorf("got %q for caches; want %q", got, row.cache)
				}
			}
			// Without the options, only Authorization with Bearer and cookies count.
			if d := plain.Decide(t.Context(), withLines("GET", row.lines...)); d.Identity != nil && !strings.Contains(strings.Join(row.lines, "\n"), "Bearer ") && !strings.Contains(strings.Join(row.lines, "\n"), "Cookie: ") {
				t.Errorf("got %s by a field that is not configured", d.Identity.Subject())
			}
		})
	}
}

// TestTokenFieldsAndCaches checks what an answer to a visitor depends on.
func TestTokenFieldsAndCaches(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withCookies, withTokenFields)
	alice := jwtgatetest.Token(t, auth, "alice")
	const all = "Authorization, Cookie, Cf-Access-Jwt-Assertion, X-Token"
	for _, row := range []struct{ line, cache, vary string }{
		{"X-Other: 1", "", all},
		{"Authorization: Bearer " + alice, "", all},
		{"Cookie: __Host-at=" + alice, "private", all},
		{"X-Token: JWT " + alice, "private", all},
	} {
		d := decide(t, auth, withLines("GET", row.line), accepted, jwtgate.Optional())
		if cache, vary := field(d.Response, "Cache-Control"), field(d.Response, "Vary"); cache != row.cache || vary != row.vary {
			t.Errorf("%.20s: got Cache-Control %q and Vary %q; want %q and %q", row.line, cache, vary, row.cache, row.vary)
		}
	}
}

// TestTokenFieldsFromOtherSites checks that a field that a proxy can add to a browser's
// requests does not let pages of other sites change state.
func TestTokenFieldsFromOtherSites(t *testing.T) {
	t.Parallel()
	const cross = jwtgate.CodeCrossSite
	for _, cookies := range []bool{true, false} {
		s := newTestServer(t, withTokenFields, func(c *jwtgate.Config) {
			if cookies {
				withCookies(c)
			} else {
				c.Cookies = nil
			}
		})
		alice := jwtgatetest.Token(t, s.Auth, "alice")
		proxy, client := "Cf-Access-Jwt-Assertion: "+alice, "X-Token: Bearer "+alice
		for _, row := range []struct {
			name, method string
			lines        []string
			want         jwtgate.Code
		}{
			{"a page of this site", "POST", []string{proxy, "Sec-Fetch-Site: same-origin"}, accepted},
			{"a program", "POST", []string{proxy}, accepted},
			{"a page of another site", "POST", []string{proxy, "Sec-Fetch-Site: cross-site"}, cross},
			{"a page of another site, by Origin", "POST", []string{proxy, "Origin: https://evil.example"}, cross},
			{"a page of another site, WebSocket", "GET", []string{proxy, "Origin: https://evil.example", "Upgrade: websocket"}, cross},
			{"a page of another site, GET", "GET", []string{proxy, "Sec-Fetch-Site: cross-site"}, accepted},
			{"a page of another site that sets the field", "POST", []string{client, "Sec-Fetch-Site: cross-site"}, accepted},
		} {
			t.Run(row.name, func(t *testing.T) { decide(t, s.Auth, withLines(row.method, row.lines...), row.want) })
		}
		// Logout does not pass through Decide.
		if res := s.Logout(t.Context(), withLines("POST", proxy, "Sec-Fetch-Site: cross-site")); res.Status != http.StatusForbidden {
			t.Errorf("got %d from Logout for a page of another site; want 403", res.Status)
		}
		if res := s.Logout(t.Context(), withLines("POST", "Cf-Access-Jwt-Assertion: a b", "Sec-Fetch-Site: cross-site")); res.Status != http.StatusNoContent {
			t.Errorf("got %d from Logout for a field that is not one token; want 204", res.Status)
		}
		decide(t, s.Auth, withLines("GET", proxy), accepted)
		if res := s.Logout(t.Context(), withLines("POST", proxy)); res.Status != http.StatusNoContent {
			t.Errorf("got %d from Logout; want 204", res.Status)
		}
		decide(t, s.Auth, withLines("GET", proxy), jwtgate.CodeTokenRevoked)
	}
}

// TestTokenFieldsAndTrustedOrigins checks that Config.TokenHeaders does not change which origins
// are trusted.
func TestTokenFieldsAndTrustedOrigins(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withTokenFields, func(c *jwtgate.Config) {
		c.Cookies = &jwtgate.CookieConfig{TrustedOrigins: []string{"https://app.example"}}
	})
	cookie := "Cookie: __Host-at=" + jwtgatetest.Token(t, auth, "alice")
	decide(t, auth, withLines("POST", cookie, "Sec-Fetch-Site: cross-site", "Origin: https://app.example"), accepted)
	decide(t, auth, withLines("POST", cookie, "Sec-Fetch-Site: cross-site", "Origin: https://evil.example"), jwtgate.CodeCrossSite)
}

func TestTokenFieldMistakes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		headers []jwtgate.TokenHeader
		want    []string
	}{
		{"none", nil, nil},
		{"all that work", []jwtgate.TokenHeader{{Name: "X-Token"}, {Name: "Authorization", Scheme: "JWT"}, {Name: "X-B", Scheme: "A"}, {Name: "X-B", Scheme: "B"}}, nil},
		{"a name with the first and the last character", []jwtgate.TokenHeader{{Name: "!X~"}}, nil},
		{"no name", []jwtgate.TokenHeader{{}}, []string{"TokenHeaders[0].Name"}},
		{"a name with a space", []jwtgate.TokenHeader{{Name: "X Token"}}, []string{"TokenHeaders[0].Name"}},
		{"a name beyond ASCII", []jwtgate.TokenHeader{{Name: "X-Tökén"}}, []string{"TokenHeaders[0].Name"}},
		{"Cookie", []jwtgate.TokenHeader{{Name: "cookie"}}, []string{"TokenHeaders[0].Name"}},
		{"Host", []jwtgate.TokenHeader{{Name: "Host"}}, []string{"TokenHeaders[0].Name"}},
		{"the WebSocket protocol", []jwtgate.TokenHeader{{Name: "Sec-WebSocket-Protocol"}}, []string{"TokenHeaders[0].Name"}},
		{"Authorization with Bearer", []jwtgate.TokenHeader{{Name: "authorization", Scheme: "bearer"}}, []string{"TokenHeaders[0].Scheme"}},
		{"Authorization with nothing", []jwtgate.TokenHeader{{Name: "Authorization"}}, []string{"TokenHeaders[0].Scheme"}},
		{"a scheme of two words", []jwtgate.TokenHeader{{Name: "X-Token", Scheme: "a b"}}, []string{"TokenHeaders[0].Scheme"}},
		{"twice", []jwtgate.TokenHeader{{Name: "X-Token"}, {Name: "x-token", Scheme: "A"}}, []string{"TokenHeaders[1].Name"}},
		{"twice with one scheme", []jwtgate.TokenHeader{{Name: "X-Token", Scheme: "A"}, {Name: "X-Token", Scheme: "a"}}, []string{"TokenHeaders[1].Name"}},
	} {
		_, err := jwtgate.New(jwtgate.Config{Issuer: issuer, Audience: audience, Keys: keys.HS256(secret), TokenHeaders: row.headers})
		if got := fields(err); !slices.Equal(got, row.want) {
			t.Errorf("%s: got mistakes in %q, want %q: %v", row.name, got, row.want, err)
		}
	}
}

// FuzzProtocols looks for a Sec-WebSocket-Protocol header that is accepted although it
// does not have one token and another protocol.
func FuzzProtocols(f *testing.F) {
	auth := newVerifier(f, keys.HS256(secret), withTokenFields)
	token := jwtgatetest.Token(f, auth, "alice")
	f.Add("chat, jwtgate.bearer.%", "")
	f.Add("chat", "jwtgate.bearer.%")
	f.Add("jwtgate.bearer.%,", " ,jwtgate.bearer.%")
	f.Add("\tjwtgate.bearer.% ", ",x")
	f.Fuzz(func(t *testing.T, first, second string) {
		lines := []string{strings.ReplaceAll(first, "%", token), strings.ReplaceAll(second, "%", token)}
		d := auth.Decide(t.Context(), jwtgate.Request{Method: "GET", Header: http.Header{"Upgrade": {"websocket"}, "Sec-Websocket-Protocol": lines}})
		if d.Identity == nil {
			checkRefused(t, d)
			return
		}
		tokens, others := 0, 0
		for _, protocol := range strings.Split(strings.Join(lines, ","), ",") {
			switch protocol = strings.Trim(protocol, " \t"); {
			case strings.HasPrefix(protocol, "jwtgate.bearer."):
				tokens++
			case protocol != "":
				others++
			}
		}
		if tokens != 1 || others == 0 {
			t.Errorf("got %s for %q", d.Identity.Subject(), lines)
		}
	})
}

// withLines returns a request with the header lines "Name: value".
func withLines(method string, lines ...string) jwtgate.Request {
	header := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		header[name] = append(header[name], strings.TrimPrefix(value, " "))
	}
	return jwtgate.Request{Method: method, Path: "/", Host: "api.example.com", Header: header}
}
