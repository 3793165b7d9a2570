package jwtgatetest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

// A mistake is a request that a newcomer sends by mistake.
type mistake struct {
	name string
	send string // the path begins with /SITE
	want answer // without Config.Debug

	// With Config.Debug, the detail has each of these texts: what was found, what was
	// wanted and the setting that is about it.
	explained []string
}

// runDebug tests that, with Config.Debug, a refusal names the mistake and the remedy,
// and that without it not a byte changes.
func runDebug(t *testing.T, serve Adapter) {
	configure := func(debug bool) *jwtgate.Auth {
		return siteAuth(t, withSessions, func(c *jwtgate.Config) {
			c.Keys, c.Debug = keys.HS256([]byte(siteSecret)).WithID("k"), debug
			c.Resource = "https://site.example"
		})
	}
	check := func(_ context.Context, username, password string) (string, bool, error) {
		return username, username == "alice" && password == "wonderland", nil
	}
	var s stage
	var routes []Route
	for prefix, auth := range map[string]*jwtgate.Auth{"/debug": configure(true), "/plain": configure(false)} {
		routes = append(routes,
			Route{Method: "GET", Path: prefix + "/me", Guards: guards(auth), Handler: s.who},
			Route{Method: "POST", Path: prefix + "/me", Guards: guards(auth), Handler: s.who},
			Route{Method: "GET", Path: prefix + "/admin", Guards: guards(auth, jwtgate.Role("admin")), Handler: s.who},
			Route{Method: "GET", Path: prefix + "/write", Guards: guards(auth, jwtgate.Scope("write")), Handler: s.who},
			Route{Method: "GET", Path: prefix + "/number", Guards: guards(auth, jwtgate.ClaimsOf[number]()), Handler: s.who},
			Route{Method: "POST", Path: prefix + "/login", Endpoint: auth.Login(check)})
	}
	s.addr = serve(t, Site{Routes: routes})
	for _, row := range mistakes(t) {
		t.Run(row.name, func(t *testing.T) {
			plain := strings.Replace(row.send, "/SITE/", "/plain/", 1)
			row.want.check(t, plain, exchange(t, s.addr, plain), 0)
			debug := strings.Replace(row.send, "/SITE/", "/debug/", 1)
			row.checkExplained(t, debug, exchange(t, s.addr, debug))
			if ran := s.ran.Load(); ran != 0 {
				t.Errorf("the handler ran %d times", ran)
			}
		})
	}
	t.Run("no explanation", func(t *testing.T) {
		// An unknown user is not told from a wrong password.
		for _, body := range []string{"username=alice&password=x", "username=mallet&password=wonderland"} {
			send := request("POST", "/debug/login", body, "Content-Type: application/x-www-form-urlencoded")
			withMetadata(refusalOf(jwtgate.CodeInvalidCredentials, 401, "invalid_grant")).check(t, send, exchange(t, s.addr, send), 0)
		}
	})
}

// withMetadata returns a, a 401, with the address of the metadata of the suite's resource in
// its challenge.
func withMetadata(a answer) answer {
	for i, f := range a.Header {
		if f.Name == "WWW-Authenticate" && a.Status == 401 {
			a.Header[i].Value = strings.Replace(f.Value+", "+siteMetadata, "Bearer, ", "Bearer ", 1)
		}
	}
	return a
}

const siteMetadata = `resource_metadata="https://site.example/.well-known/oauth-protected-resource"`

// mistakes returns the mistakes of newcomers.
func mistakes(t *testing.T) []mistake {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const claims = `{"iss":"https://issuer.example","aud":"https://site.example","sub":"alice","iat":2000000000,"exp":2000000900}`
	const header = `{"alg":"HS256","kid":"k"}`
	bearer := func(header, payload string) string {
		return "Authorization: Bearer " + Sign(t, "HS256", []byte(siteSecret), header, payload)
	}
	// with returns the header line of a token in which one claim is replaced.
	with := func(claim, by string) string {
		if by != "" {
			by += ","
		}
		changed := regexp.MustCompile(`"`+claim+`":[^,}]+,?`).ReplaceAllString(claims, by)
		return bearer(header, strings.NewReplacer(",}", "}").Replace(changed))
	}
	also := func(claim string) string { return bearer(header, strings.TrimSuffix(claims, "}")+","+claim+"}") }
	good := bearer(header, claims)
	token := strings.TrimPrefix(good, "Authorization: Bearer ")
	refresh := signIn(t, siteAuth(t, withSessions, func(c *jwtgate.Config) { c.Keys = keys.HS256([]byte(siteSecret)).WithID("k") }), "alice").Refresh
	const (
		form = "Content-Type: application/x-www-form-urlencoded"
		json = "Content-Type: application/json"
	)
	var (
		invalid   = withMetadata(refusal(jwtgate.CodeTokenInvalid))
		expired   = withMetadata(refusal(jwtgate.CodeTokenExpired))
		missing   = withMetadata(refusal(jwtgate.CodeTokenMissing))
		malformed = refusal(jwtgate.CodeMalformedCredentials)
		forbids   = refusal(jwtgate.CodeInsufficientScope)
	)
	unusable := func(status int, detail string) answer {
		return refusalOf(jwtgate.CodeMalformedRequest, status, "invalid_request").detailed(jwtgate.CodeMalformedRequest, detail)
	}
	const types = "JSON (application/json) or a form (application/x-www-form-urlencoded)"
	return []mistake{
		{"other iss", get("/SITE/me", with("iss", `"iss":"https://other.example"`)), invalid,
			[]string{`iss is "https://other.example"`, `configured issuers: "https://issuer.example"`, "Config.Issuer"}},
		{"iss but for a slash", get("/SITE/me", with("iss", `"iss":"https://issuer.example/"`)), invalid,
			[]string{`iss is "https://issuer.example/"`, `"https://issuer.example"`, "it differs from Config.Issuer by a slash at the end only"}},
		{"no iss", get("/SITE/me", with("iss", "")), invalid, []string{"the token has no iss", `"https://issuer.example"`, "Config.Issuer"}},
		{"other aud", get("/SITE/me", with("aud", `"aud":["https://other.example","x"]`)), invalid,
			[]string{`aud is ["https://other.example","x"]`, `Config.Audience is "https://site.example"`, "OtherAudiences"}},
		{"no aud", get("/SITE/me", with("aud", `"client_id":"shop"`)), invalid,
			[]string{"aud is missing", `Config.Audience is "https://site.example"`, "set AudienceClaim, such as client_id, which the token has"}},
		{"no sub", get("/SITE/me", with("sub", `"user_id":7`)), invalid,
			[]string{"sub is missing", "must be a string that is not empty, or a whole number", "set SubjectClaim, such as user_id, which the token has", "Config.OptionalSubject"}},
		{"number as sub", get("/SITE/me", with("sub", `"sub":1.5`)), invalid,
			[]string{"sub is 1.5", "must be a string that is not empty, or a whole number", "SubjectClaim"}},
		{"no exp", get("/SITE/me", with("exp", "")), invalid, []string{"exp is missing", "tokens that never expire are not accepted"}},
		{"exp not after iat", get("/SITE/me", with("exp", `"exp":2000000000`)), invalid, []string{"exp must be later than iat"}},
		{"expired an hour ago", get("/SITE/me", bearer(header, strings.NewReplacer("2000000000", "1999995000", "2000000900", "1999996400").Replace(claims))), expired,
			[]string{"exp is 2033-05-18T02:33:20Z, 1h0m0s ago by the clock of this server", "must be in the future", "Config.Leeway is 0s: refresh the token or sign in again"}},
		{"expired by a clock", get("/SITE/me", bearer(header, strings.NewReplacer("2000000000", "1999999000", "2000000900", "1999999998").Replace(claims))), expired,
			[]string{"exp is 2033-05-18T03:33:18Z, 2s ago", "Config.Leeway is 0s", "if the clocks differ, correct them, or allow more"}},
		{"iat two minutes ahead", get("/SITE/me", with("iat", `"iat":2000000120`)), invalid,
			[]string{"iat is 2m0s ahead of the clock of this server", "Config.ClockSkew is 1m0s"}},
		{"30 days of life", get("/SITE/me", with("exp", `"exp":2002592000`)), invalid,
			[]string{"exp minus iat, is 720h0m0s", "Config.MaxLifetime is 24h0m0s"}},
		{"exp in milliseconds", get("/SITE/me", with("exp", `"exp":2000000900000`)), invalid, []string{"looks like milliseconds", "Config.MaxLifetime is 24h0m0s"}},
		{"HS256 key for an RS256 token", get("/SITE/me", "Authorization: Bearer "+Sign(t, "RS256", private, `{"alg":"RS256","kid":"k"}`, claims)), invalid,
			[]string{`alg is "RS256"`, `the only key in Config.Keys is HS256 "k"`, "keys.Remote"}},
		{"unknown kid", get("/SITE/me", bearer(`{"alg":"HS256","kid":"other"}`, claims)), invalid,
			[]string{`no key with the token's kid "other"`, `the only key in Config.Keys is HS256 "k"`, "Config.Keys"}},
		{"bad signature", get("/SITE/me", "Authorization: Bearer "+Sign(t, "HS256", []byte("another secret, of 32 bytes or more"), header, claims)), invalid,
			[]string{"the signature does not match", `HS256 "k"`, "Config.Keys", "signed with another secret"}},
		{"an ID token", get("/SITE/me", also(`"nonce":"n"`)), invalid, []string{"the token is an ID token (it has nonce)", "Config.AcceptIDTokens"}},
		{"a refresh token of Keycloak", get("/SITE/me", also(`"typ":"Refresh"`)), invalid, []string{"the token is a refresh token", "send the access token"}},
		{"a refresh token", get("/SITE/me", "Authorization: Bearer "+refresh), invalid, []string{"the token is a refresh token of this server", "the refresh endpoint"}},
		{"no Bearer", get("/SITE/me", "Authorization: "+token), missing, []string{"a token without the word Bearer", `send "Authorization: Bearer "`}},
		{"two tokens", get("/SITE/me", good+" "+token), malformed, []string{"one token after the word Bearer, and there is more"}},
		{"two Authorization fields", get("/SITE/me", good, good), malformed, []string{"more than one Authorization field"}},
		{"role missing, none there", get("/SITE/admin", good), forbids, []string{`the route needs the role "admin", and the token has no roles in "roles"`, "Config.RoleClaims"}},
		{"role in another claim", get("/SITE/admin", also(`"realm_access":{"roles":["admin"]}`)), forbids, []string{`it has "/realm_access/roles", which Config.RoleClaims can name`}},
		{"role missing", get("/SITE/admin", also(`"roles":["user","guest"]`)), forbids, []string{`the route needs the role "admin"`, `the roles "user", "guest"`, "Config.RoleClaims"}},
		{"role spelled otherwise", get("/SITE/admin", also(`"roles":["user","Admin"]`)), forbids, []string{`the roles "user", "Admin"`, "upper and lower case matter"}},
		{"roles in one string", get("/SITE/admin", also(`"roles":"user admin"`)), forbids, []string{`the roles "user admin"`, "one string is one role, and is never split"}},
		{"scope missing", get("/SITE/write", also(`"scope":"read list"`)), forbids, []string{`the route needs the scope "write"`, `the scopes "read", "list"`}},
		{"claims that do not fit", get("/SITE/number", good), invalid, []string{"ClaimsOf", "cannot unmarshal string into Go struct field", "of type int"}},
		{"origin not trusted", post("/SITE/me", "Cookie: __Host-at="+token, "Origin: https://app.example"), refusal(jwtgate.CodeCrossSite),
			[]string{`Origin is "https://app.example"`, `Host is "site.example"`, "Config.Cookies.TrustedOrigins"}},
		{"multipart login", request("POST", "/SITE/login", "--x--", "Content-Type: multipart/form-data; boundary=x"), unusable(415, "The request body must be "+types+", in UTF-8."),
			[]string{types, `Content-Type is "multipart/form-data; boundary=x"`}},
		{"email for username", request("POST", "/SITE/login", `{"email":"a@b.example","password":"wonderland"}`, json),
			unusable(400, "The parameter username is missing from the request body, which must be "+types+"."), []string{"the body has email, but must have username"}},
		{"unencoded password", request("POST", "/SITE/login", "password=a&bc=d", form),
			unusable(400, "The parameter username is missing from the request body, which must be "+types+"."), []string{"the body has other parameters (1), but must have username"}},
		{"cookies dropped on plain HTTP", get("/SITE/me"), missing,
			[]string{"no cookie __Host-at", `browsers drop Secure cookies of "site.example", because it is plain HTTP`, "Config.Cookies.InsecureHTTP"}},
	}
}

// description matches an error_description (RFC 6750 §3).
var description = regexp.MustCompile(`, error_description="([ !#-\[\]-~]{1,256})"`)

// checkExplained compares raw, the answer to the request send with Config.Debug, with
// that without it.
func (m *mistake) checkExplained(t *testing.T, send string, raw []byte) {
	t.Helper()
	checkEcho(t, send, raw)
	got, err := parse(raw, "")
	if err != nil {
		t.Fatal(err)
	}
	var problem, plain struct {
		Code   jwtgate.Code
		Detail string
	}
	if err := json.Unmarshal([]byte(got.body), &problem); err != nil {
		t.Fatalf("got %s: %v", got.body, err)
	}
	if err := json.Unmarshal(m.want.Body, &plain); err != nil {
		t.Fatal(err)
	}
	explanation, found := strings.CutPrefix(problem.Detail, strings.TrimSuffix(plain.Detail, ".")+": ")
	if got.status != m.want.Status || problem.Code != plain.Code || !found {
		t.Errorf("got %d %s; want %d %s, and more in the detail", got.status, got.body, m.want.Status, m.want.Body)
	}
	for _, want := range m.explained {
		if !strings.Contains(problem.Detail, want) {
			t.Errorf("got the detail %s; want %s", problem.Detail, want)
		}
	}
	challenge := strings.Join(got.header.Values("WWW-Authenticate"), ", ")
	want := strings.Join(m.want.values("WWW-Authenticate"), ", ")
	if parts := description.FindStringSubmatch(challenge); parts != nil {
		challenge = strings.Replace(challenge, parts[0], "", 1)
		explained := strings.NewReplacer(`"`, `'`, `\`, `%`).Replace(strings.TrimSuffix(explanation, "."))
		if start, short := strings.CutSuffix(parts[1], "..."); parts[1] != explained && (!short || !strings.HasPrefix(explained, start) || len(parts[1]) != 256) {
			t.Errorf("got the error_description %s; want %s", parts[1], explained)
		}
	} else if strings.Contains(want, "error=") {
		t.Errorf("got the challenge %q; want an error_description", challenge)
	}
	if challenge != want {
		t.Errorf("got the challenge %q without error_description; want %q", challenge, want)
	}
}
