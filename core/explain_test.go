package jwtgate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

func withDebug(c *jwtgate.Config) { c.Debug = true }

// detailOf returns the detail of the problem document in res.
func detailOf(t *testing.T, res jwtgate.Response) string {
	t.Helper()
	var problem struct{ Detail string }
	if err := json.Unmarshal(res.Body, &problem); err != nil {
		t.Fatalf("got %s: %v", res.Body, err)
	}
	return problem.Detail
}

// The conformance suite of adapters has the mistakes of newcomers. These are the other
// cases.
func TestExplained(t *testing.T) {
	t.Parallel()
	bearer := func(changes ...string) jwtgate.Request { return withBearer(signed(t, claims(changes...))) }
	text := func(token string) jwtgate.Request { return withBearer(token) }
	header := func(header string) jwtgate.Request {
		return withBearer(jwtgatetest.Sign(t, "HS256", secret, header, claims()))
	}
	removed := func(changes ...string) jwtgate.Request {
		return withBearer(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"m"}`, claims(append(changes, "iss", `"https://a.example"`)...)))
	}
	for _, row := range []struct {
		name   string
		config func(*jwtgate.Config)
		req    jwtgate.Request
		want   string
		rules  []jwtgate.Rule
	}{
		{"iss in another case", nil, bearer("iss", `"https://AUTH.example.com"`), "it differs from Config.Issuer by upper and lower case only", nil},
		{"iss a number", nil, bearer("iss", "1"), "the token has no iss", nil},
		{"iss of another key", withMatch, header(`{"alg":"HS256","kid":"b"}`), `which is configured, but the token is signed with a key of another issuer`, nil},
		{"iss a slash", withMatch, text(jwtgatetest.Sign(t, "HS256", signingSecret, hs256, claims("iss", `"/"`))), "; iss must equal Config.Issuer", nil},
		{"several audiences", func(c *jwtgate.Config) { c.OtherAudiences = []string{"web"} }, bearer("aud", `"x"`), `Config.Audience and OtherAudiences are "https://api.example.com", "web"`, nil},
		{"audience of another claim", func(c *jwtgate.Config) { c.AudienceClaim = "/client/id" }, bearer("client", `{"id":"x"}`), `/client/id is "x", but must name`, nil},
		{"subject of another claim", func(c *jwtgate.Config) { c.SubjectClaim = "/user/id" }, bearer("user", `{"id":true}`), `/user/id is true, but must be a string`, nil},
		{"subject of another claim, of no object", func(c *jwtgate.Config) { c.SubjectClaim = "/user/id" }, bearer("user", `"x"`, "id", "true"), `/user/id is missing`, nil},
		{"subject in two spellings", func(c *jwtgate.Config) { c.SubjectClaim = "/user/id" }, bearer("user", `{"id":"1","ID":"2"}`), "names are equal or differ only in case", nil},
		{"subject in two spellings, no exp", func(c *jwtgate.Config) { withPartner(c); c.SubjectClaim = "/user/id" }, bearer("user", `{"id":"1","ID":"2"}`, "exp", ""), "exp is missing", nil},
		{"audience beyond ASCII", func(c *jwtgate.Config) { c.AudienceClaim = "f\u00fcr" }, bearer(), "f\u00fcr is missing", nil},
		{"audience null", nil, bearer("aud", "null"), "aud is missing", nil},
		{"exp zero", nil, bearer("exp", "0"), "exp is 0, but must be there", nil},
		{"exp a string", nil, bearer("exp", `"1800000900"`), `exp is "1800000900", but must be a number of seconds`, nil},
		{"nbf ahead", nil, bearer("nbf", at(120)), "nbf is 2m0s ahead", nil},
		{"iat and nbf ahead", nil, bearer("iat", at(120), "nbf", at(120)), "iat is 2m0s ahead", nil},
		{"no iat", nil, bearer("exp", at(90000)), "exp minus now, is 25h0m0s", nil},
		{"100 years", nil, bearer("exp", at(3_153_600_000)), "exp minus now, is 876000h0m0s", nil},
		{"over 100 years", nil, bearer("exp", at(3_153_600_001)), "exp minus now, is 3153600001 seconds", nil},
		{"for ages", nil, bearer("exp", "9000000000000"), "is 8998200000000 seconds", nil},
		{"as long as seconds go", nil, bearer("exp", "100000000000"), "have the issuer shorten it", nil},
		{"in milliseconds", nil, bearer("exp", "100000000001"), "this looks like milliseconds", nil},
		{"expired long ago", nil, bearer("exp", at(-301)), "5m1s ago by the clock of this server, but must be in the future; Config.Leeway is 0s: refresh the token or sign in again.", nil},
		{"expired 5 minutes ago", nil, bearer("exp", at(-300)), "; if the clocks differ, correct them", nil},
		{"a logout token", nil, bearer("events", "{}"), "the token is a logout token or a security event", nil},
		{"a logout token of Keycloak", nil, bearer("typ", `"Logout"`), "the token is a logout token (typ in the payload is Logout)", nil},
		{"token_use of a refresh token", nil, bearer("token_use", `"refresh"`), `token_use is "refresh"`, nil},
		{"a bound token", nil, bearer("cnf", "{}"), "bound to a key of its client (cnf)", nil},
		{"an ID token of Keycloak", nil, bearer("typ", `"ID"`), "the token is an ID token (typ in the payload is ID", nil},
		{"typ", nil, header(`{"alg":"HS256","typ":"logout+jwt"}`), `typ in the header is "logout+jwt", but must be at+jwt, JWT or absent`, nil},
		{"alg none", nil, header(`{"alg":"none"}`), "a token without a signature is never accepted", nil},
		{"a secret for a public key", func(c *jwtgate.Config) { c.Keys = es256("e") }, bearer(), "a public key never verifies a token that is signed with a secret", nil},
		{"another algorithm for a public key", func(c *jwtgate.Config) { c.Keys = es256("e") }, text(jwtgatetest.Sign(t, "ES384", p384Key, `{"alg":"ES384"}`, claims())), `the only key in Config.Keys is ES256 "e".`, nil},
		{"another algorithm for a secret", func(c *jwtgate.Config) { c.Keys = keys.HS512(secret).WithID("a") }, bearer(), `the only key in Config.Keys is HS512 "a".`, nil},
		{"another algorithm and another iss", func(c *jwtgate.Config) { c.Keys = es256("e") }, bearer("iss", `"x"`), `the only key in Config.Keys is ES256 "e"`, nil},
		{"a kid of nobody", func(c *jwtgate.Config) { c.Keys = keys.Set{hs256Key("a"), hs256Key("b")} }, header(`{"alg":"HS256","kid":"c"}`), `kid "c"; the keys in Config.Keys are HS256 "a", HS256 "b"`, nil},
		{"a kid of nobody, and 8 keys", func(c *jwtgate.Config) { c.Keys = hs256Keys(8) }, header(`{"alg":"HS256","kid":"c"}`), `HS256 "7": add`, nil},
		{"a kid of nobody, and 9 keys", func(c *jwtgate.Config) { c.Keys = hs256Keys(9) }, header(`{"alg":"HS256","kid":"c"}`), `HS256 "7", 1 more: add`, nil},
		{"a kid of nobody, and a key of another algorithm", func(c *jwtgate.Config) { c.Keys = keys.Set{hs256Key("a"), keys.EdDSA(ed25519Key)} }, header(`{"alg":"HS256","kid":"c"}`), "add the key with this kid", nil},
		{"another secret", func(c *jwtgate.Config) { c.Keys = hs256Key("a") }, header(`{"alg":"HS256"}`), `none of the keys and alg "HS256"`, nil},
		{"another secret, any kid", func(c *jwtgate.Config) { c.Keys = keys.HS256(signingSecret) }, header(`{"alg":"HS256","kid":"c"}`), "takes every kid, but did not make the signature", nil},
		{"another private key", func(c *jwtgate.Config) { c.Keys = es256("e") }, text(jwtgatetest.Sign(t, "ES256", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), `{"alg":"ES256"}`, claims())), "or signed with another private key", nil},
		{"another private key, any kid", func(c *jwtgate.Config) { c.Keys = keys.EdDSA(ed25519.NewKeyFromSeed(secret[:32])) }, text(jwtgatetest.Sign(t, "EdDSA", ed25519Key, `{"alg":"Ed25519","kid":"c"}`, claims())), "takes every kid, but did not make the signature", nil},
		{"another secret and another iss", func(c *jwtgate.Config) { c.Keys = hs256Key("a") }, bearer("iss", `"x"`), `iss is "x", which is none`, nil},
		{"another secret than an insecure one", func(c *jwtgate.Config) { c.Keys = keys.InsecureHS256(secret[:8], time.Unix(start+900, 0)) }, bearer(), "the only key in Config.Keys is HS256.", nil},
		{"an insecure secret of the past", func(c *jwtgate.Config) { c.Keys = keys.InsecureHS256(secret[:8], time.Unix(start, 0)) }, bearer(), "there are no keys in Config.Keys.", nil},
		{"the word undefined", nil, text("undefined"), "the client sends a variable that is not set", nil},
		{"an opaque token", nil, text("abcdef"), "it is an opaque token", nil},
		{"encrypted", nil, text("a.b.c.d.e"), "it looks encrypted (JWE)", nil},
		{"payload not in base64url", nil, text(encode([]byte(hs256)) + ".a.AA"), "the token is not a well-formed JWT: segment is not canonical base64url", nil},
		{"signature not in base64url", nil, text(encode([]byte(hs256)) + "." + encode([]byte(claims())) + ".a"), "the token is not a well-formed JWT: segment is not canonical base64url", nil},
		{"crit", nil, header(`{"alg":"HS256","crit":[]}`), "header has crit", nil},
		{"Bearer twice", nil, text("Bearer abc"), "the word Bearer is there twice", nil},
		{"Bearer alone", nil, text(""), "there is no token after the word Bearer", nil},
		{"Bearer and a space", nil, text(" "), "there is no token after the word Bearer", nil},
		{"in quotation marks", nil, text(`"abc"`), "in quotation marks or brackets", nil},
		{"too long", nil, text(strings.Repeat("x", 9000)), "longer than 8192 bytes, which is Config.MaxTokenSize", nil},
		{"Basic", nil, withField(jwtgate.Request{Method: "GET"}, "Authorization", "basic YTpi"), "another scheme than Bearer (Basic)", nil},
		{"a secret as a scheme", nil, withField(jwtgate.Request{Method: "GET"}, "Authorization", "hunter2 x"), "another scheme than Bearer: send", nil},
		{"a secret with dots", nil, withField(jwtgate.Request{Method: "GET"}, "Authorization", "hunter2 a.b.c"), "another scheme than Bearer: send", nil},
		{"no credentials", func(c *jwtgate.Config) { c.Keys = hs256Key("a") }, jwtgate.Request{Method: "GET"}, "the request has no Authorization field: send", nil},
		{"no credentials, and cookies", withCookies, jwtgate.Request{Method: "GET"}, "and the access token, or sign in.", nil},
		{"no scope", nil, bearer(), "no scopes in scope or scp", []jwtgate.Rule{jwtgate.Scope("a")}},
		{"role with a space", nil, bearer("roles", `[" admin"]`), "spaces matter", []jwtgate.Rule{jwtgate.Role("admin")}},
		{"a Check or a role", nil, bearer(), `a Check of the route refuses the token; or the route needs the role "a"`, []jwtgate.Rule{jwtgate.AnyOf(always(false, nil), jwtgate.Role("a"))}},
		{"any of two", nil, bearer(), `the role "a", and the token has no roles in "roles" (Config.RoleClaims); or the route needs the scope "b"`, []jwtgate.Rule{jwtgate.AnyOf(jwtgate.Role("a"), jwtgate.Scope("b"))}},
		{"a Check", nil, bearer(), "a Check of the route refuses the token", []jwtgate.Rule{always(false, nil)}},
		{"the zero Rule", nil, bearer(), "a rule of the route is the zero Rule", []jwtgate.Rule{{}}},
		{"an old login", nil, bearer("auth_time", at(-600)), "needs a login at most 5m0s ago (RecentLogin), and auth_time is 10m0s ago", []jwtgate.Rule{jwtgate.RecentLogin(5 * time.Minute)}},
		{"no login", nil, bearer(), "the token has no auth_time", []jwtgate.Rule{jwtgate.RecentLogin(5 * time.Minute)}},
		{"a trusted issuer", withPartner, bearer("iss", `"https://partner.example"`, "aud", `"y"`), `Config.Trusted[0].Audience is "x"`, nil},
		{"an issuer of Match", withMatch, text(jwtgatetest.Sign(t, "HS256", secret, hs256, claims("iss", `"https://a.example"`, "aud", `"y"`))), `Config.Trusted[0].Audience is "m"`, nil},
		{"an issuer after Match", withMatch, text(jwtgatetest.Sign(t, "HS256", secret, hs256, claims("iss", `"https://b.example"`, "aud", `"y"`))), `Config.Trusted[1].Audience is "x"`, nil},
		{"a slash of a trusted issuer", withPartner, bearer("iss", `"https://partner.example/"`), "differs from Config.Trusted[0].Name by a slash", nil},
		{"a trusted issuer beside any other", func(c *jwtgate.Config) { withPartner(c); c.InsecureAnyIssuer = true }, bearer("iss", `"https://partner.example"`, "aud", `"y"`), `Config.Trusted[0].Audience is "x"`, nil},
		{"an issuer that was just removed, another audience", withRemoved, removed("aud", `"y"`), `aud is "y", but must name`, nil},
		{"an issuer that was just removed, no subject", withRemoved, removed("aud", `"m"`, "sub", ""), "sub is missing", nil},
		{"an issuer that was just removed, nbf ahead", withRemoved, removed("aud", `"m"`, "nbf", at(120)), "nbf is 2m0s ahead", nil},
		{"an issuer that was just removed, for a day", withRemoved, removed("aud", `"m"`, "exp", at(90000)), "exp minus now, is 25h0m0s", nil},
		{"an issuer that was just removed, expired", withRemoved, removed("aud", `"m"`, "exp", at(-301)), "5m1s ago", nil},
		{"roles of a trusted issuer", withPartner, bearer("iss", `"https://partner.example"`, "aud", `"x"`), `no roles in "groups" (Config.Trusted[0].RoleClaims)`, []jwtgate.Rule{jwtgate.Role("a")}},
		{"a null origin", func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{} }, withField(withField(jwtgate.Request{Method: "POST", Host: "api.example.com"}, "Cookie", "__Host-at=a"), "Origin", "null"), `Origin is "null", but must be that of this server, whose Host is "api.example.com", or one of Config.Cookies.TrustedOrigins, which is empty`, nil},
		{"a page of another site", withCookies, withField(withField(jwtgate.Request{Method: "POST"}, "Cookie", "__Host-at=a"), "Sec-Fetch-Site", "cross-site"), `Sec-Fetch-Site is "cross-site", and there is no Origin, or one of Config.Cookies.TrustedOrigins: "https://app.example"`, nil},
		{"a page of any site", func(c *jwtgate.Config) {
			c.Cookies = &jwtgate.CookieConfig{SameSite: http.SameSiteNoneMode, TrustedOrigins: []string{"https://app.example"}}
		}, withField(jwtgate.Request{Method: "POST"}, "Cookie", "__Host-at=a"), "the request has neither Origin nor Sec-Fetch-Site", nil},
		{"two cookies", withCookies, withField(jwtgate.Request{Method: "GET"}, "Cookie", "__Host-at=a; __Host-at=b"), "a cookie named __Host-at or __Host-rt twice.", nil},
		{"a cookie of an old key", func(c *jwtgate.Config) { withCookies(c); c.Keys = hs256Key("a") }, withCookie(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"c"}`, claims())), `the cookie __Host-at counts as absent: there is no key with the token's kid "c"`, nil},
		{"a cookie of an old key and of another iss", func(c *jwtgate.Config) { withCookies(c); withPartner(c) }, withCookie(jwtgatetest.Sign(t, "HS256", secret, `{"alg":"HS256","kid":"c"}`, claims("iss", `"x"`))), `(not verified: there is no key with the token's kid "c"; the keys are HS256 "own", `, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			config := row.config
			if config == nil {
				config = func(*jwtgate.Config) {}
			}
			var log strings.Builder
			auth := newVerifier(t, keys.HS256(secret), config, withDebug)
			silent := newVerifier(t, keys.HS256(secret), config, func(c *jwtgate.Config) { c.Logger = debugLogger(&log) })
			plain := newVerifier(t, keys.HS256(secret), config).Decide(t.Context(), row.req, row.rules...)
			d := auth.Decide(t.Context(), row.req, row.rules...)
			detail := detailOf(t, d.Response)
			if d.Refusal.Code != plain.Refusal.Code || !strings.Contains(detail, row.want) {
				t.Errorf("got %s, %s; want %s, %s", d.Refusal.Code, detail, plain.Refusal.Code, row.want)
			}
			checkNoEcho(t, d.Response, row.req)
			checkDescription(t, d.Response)
			// Without Debug, the log has the same words, and the answer has none of them.
			logged := silent.Decide(t.Context(), row.req, row.rules...)
			cause := strings.TrimSuffix(strings.TrimPrefix(detail, strings.TrimSuffix(detailOf(t, plain.Response), ".")+": "), ".")
			if got := logged.Refusal.Err.Error(); got != "jwtgate: "+cause || !strings.Contains(log.String(), strconv.Quote(got)) {
				t.Errorf("got the cause %s; want %s, and the log %s", got, cause, &log)
			}
			if string(logged.Response.Body) != string(plain.Response.Body) || !slices.Equal(logged.Response.Header, plain.Response.Header) {
				t.Errorf("got %s with a log; want %s", logged.Response.Body, plain.Response.Body)
			}
		})
	}
}

func hs256Key(id string) keys.Key { return keys.HS256(signingSecret).WithID(id) }

// hs256Keys returns n keys whose IDs are the numbers from 0.
func hs256Keys(n int) keys.Set {
	var set keys.Set
	for i := range n {
		set = append(set, keys.HS256(append(slices.Clone(signingSecret), byte(i))).WithID(strconv.Itoa(i)))
	}
	return set
}

func withPartner(c *jwtgate.Config) {
	c.Keys = keys.HS256(signingSecret).WithID("own")
	c.Trusted = []jwtgate.TrustedIssuer{{Name: "https://partner.example", Audience: "x", Keys: keys.HS256(secret), RoleClaims: []string{"groups"}}}
}

// withMatch trusts two issuers: those of a function, and then one by its name.
func withMatch(c *jwtgate.Config) {
	c.Keys = keys.HS256(signingSecret).WithID("own")
	c.Trusted = []jwtgate.TrustedIssuer{
		{Match: func(name string) bool { return strings.HasSuffix(name, ".example") }, Audience: "m", Keys: keys.HS256(secret).WithID("m")},
		{Name: "https://b.example", Audience: "x", Keys: keys.HS256(secret).WithID("b")},
	}
}

// withRemoved trusts the issuers of a function that accepts each of them only once, as if
// another goroutine removed an issuer from a list while its token is judged.
func withRemoved(c *jwtgate.Config) {
	withMatch(c)
	seen := map[string]bool{}
	c.Trusted[0].Match = func(name string) bool {
		again := seen[name]
		seen[name] = true
		return !again
	}
}

var description = regexp.MustCompile(`error="[a-z_]+"(, max_age="\d+")?, error_description="[ !#-\[\]-~]{1,256}"$`)

// checkDescription fails if the challenge of res has an error and no error_description
// of at most 256 of the characters of RFC 6750 §3.
func checkDescription(t *testing.T, res jwtgate.Response) {
	t.Helper()
	if got := field(res, "WWW-Authenticate"); strings.Contains(got, "error=") && !description.MatchString(got) {
		t.Errorf("got the challenge %s", got)
	}
}

// Values of a token are quoted, bounded and in ASCII.
func TestExplainedValues(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withDebug)
	long, many := strings.Repeat("x", 3000), strings.Repeat(`"role",`, 500)+`"role"`
	for _, row := range []struct{ name, payload, want string }{
		{"long iss", claims("iss", strconv.Quote(long)), strings.Repeat("x", 100) + `"...`},
		{"iss of 100 bytes", claims("iss", strconv.Quote(long[:100])), strings.Repeat("x", 100) + `", which`},
		{"iss with a tilde", claims("iss", `"~"`), `iss is "~"`},
		{"iss with a Cyrillic a", claims("iss", `"https://`+"\u0430"+`uth.example.com"`), `iss is "https://\u0430uth.example.com"`},
		{"iss with quotes and line ends", claims("iss", `"\"\u2028\\ x"`), `iss is "\"\u2028\\ x"`},
		{"iss from right to left", claims("iss", "\"\u202e\""), `iss is "\u202e"`},
		{"long aud", claims("aud", strconv.Quote(long)), strings.Repeat("x", 90)},
		{"aud of 100 bytes", claims("aud", strconv.Quote(long[:98])), `"` + strings.Repeat("x", 98) + `", but`},
		{"aud of 101 bytes", claims("aud", strconv.Quote(long[:99])), `"` + strings.Repeat("x", 99) + "..., but"},
		{"aud with a tilde", claims("aud", `"~"`), `aud is "~"`},
		{"aud beyond ASCII", claims("aud", "\"\u202e\""), `aud is "\u202e"`},
		{"sub an object", claims("sub", `{"a":"`+long+`"}`), `sub is {"a":"xxx`},
		{"8 roles", claims("roles", "["+many[:8*7-1]+"]"), `"role", "role", "role", "role" (`},
		{"many roles", claims("roles", "["+many+"]"), `"role", "role", "role", "role", "role", "role", "role", "role", and 493 more`},
	} {
		d := auth.Decide(t.Context(), withBearer(signed(t, row.payload)), jwtgate.Role("admin"))
		detail := detailOf(t, d.Response)
		if !strings.Contains(detail, row.want) || len(detail) > 600 {
			t.Errorf("%s: got %s; want %s", row.name, detail, row.want)
		}
		if strings.ContainsFunc(detail, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: got %q; want ASCII", row.name, detail)
		}
		checkDescription(t, d.Response)
	}
}

// An explanation in a challenge is shortened to 256 bytes if it is longer.
func TestExplainedChallenge(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), withDebug)
	lengths := map[int]bool{}
	for n := range 100 {
		d := auth.Decide(t.Context(), withBearer(signed(t, claims("iss", strconv.Quote("~"+strings.Repeat("x", n))))))
		text := strings.TrimSuffix(strings.TrimPrefix(detailOf(t, d.Response), "The access token is not valid: "), ".")
		lengths[len(text)] = true
		want := strings.ReplaceAll(text, `"`, "'")
		if len(want) > 256 {
			want = want[:253] + "..."
		}
		if got := field(d.Response, "WWW-Authenticate"); got != `Bearer error="invalid_token", error_description="`+want+`"` {
			t.Errorf("got %s; want %s", got, want)
		}
	}
	if !lengths[256] || !lengths[257] {
		t.Errorf("got explanations of the lengths %v; want 256 and 257 among them", slices.Sorted(maps.Keys(lengths)))
	}
}

// Refusals by endpoints, and of requests with the cookies of a session, are explained too.
func TestExplainedSessions(t *testing.T) {
	t.Parallel()
	s, bodies := newTestServer(t, withDebug, withCookies), newTestServer(t, withDebug)
	shared := newTestServer(t, withDebug, func(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{Domain: "site.example"} })
	token := s.Auth.Token(func(context.Context, string, string) (string, bool, error) { return "", false, nil })
	decide := func(ctx context.Context, req jwtgate.Request) jwtgate.Response { return s.Decide(ctx, req).Response }
	socket := withField(browser{refresh: s.signIn("alice").Refresh}.request("GET"), "Upgrade", "websocket")
	for _, row := range []struct {
		name     string
		endpoint jwtgate.Endpoint
		req      jwtgate.Request
		want     string
	}{
		{"a login without a type", token, bodyRequest("", "x"), ", in UTF-8: there is no Content-Type."},
		{"a login with another type", token, bodyRequest("text/plain", "x"), `, in UTF-8: Content-Type is "text/plain".`},
		{"a login without parameters", token, formRequest(), `: the body has no parameters that are strings and not empty, and its Content-Type is "` + formType + `".`},
		{"a refresh without a token", s.Auth.Refresh, formRequest(), ": the body has no parameter refresh_token, and there is no cookie __Host-rt."},
		{"a refresh without a token, and no cookies", bodies.Auth.Refresh, formRequest(), "This endpoint needs a refresh token: the body has no parameter refresh_token."},
		{"a refresh with another method", s.Auth.Refresh, withBearer("undefined"), "This endpoint does not have that method."},
		{"two cookies of a domain", shared.Auth.Refresh, postCookies([]string{"__Secure-at=a; __Secure-at=b"}, ""), "twice, one of the host and one of the domain (Config.Cookies.Domain): both are deleted."},
		{"no credentials", decide, jwtgate.Request{Method: "GET"}, "has no Authorization field and no cookie __Host-at: send"},
		{"a socket with a refresh token only", decide, socket, "has no Authorization field, and the cookie __Host-rt alone does not sign in a request that opens a channel"},
	} {
		if got := detailOf(t, row.endpoint(t.Context(), row.req)); !strings.Contains(got, row.want) {
			t.Errorf("%s: got %s; want %s", row.name, got, row.want)
		}
	}
}

// Internal errors and logins are never explained, because they may name secrets, and
// because an attacker must not learn which names exist.
func TestNotExplained(t *testing.T) {
	t.Parallel()
	failure := errors.New("postgres://user:hunter2@db.example")
	s := newTestServer(t, withDebug)
	check := func(_ context.Context, username, _ string) (string, bool, error) {
		if username == "unavailable" {
			return "", false, failure
		}
		return "", false, nil
	}
	for _, row := range []struct{ username, want string }{
		{"alice", "The name or the password is wrong."},
		{"nobody", "The name or the password is wrong."},
		{"unavailable", "The request cannot be judged at the moment."},
	} {
		res := s.Auth.Token(check)(t.Context(), formRequest("username", row.username, "password", "x"))
		if got := detailOf(t, res); got != row.want {
			t.Errorf("%s: got %s; want %s", row.username, got, row.want)
		}
	}
	auth := newVerifier(t, keys.HS256(secret), withDebug)
	d := auth.Decide(t.Context(), withBearer(signed(t, claims())), always(false, failure))
	if got := detailOf(t, d.Response); got != "The request cannot be judged at the moment." {
		t.Errorf("a failed Check: got %s", got)
	}
	forbidden := newVerifier(t, keys.HS256(secret)).Decide(t.Context(), withBearer(signed(t, claims())), jwtgate.Role("user")).Refusal.Unwrap()
	d = auth.Decide(t.Context(), withBearer(signed(t, claims())), jwtgate.AnyOf(always(false, fmt.Errorf("%w: %w", failure, forbidden)), jwtgate.Role("admin")))
	if got := detailOf(t, d.Response); !strings.Contains(got, `"user"`) || !strings.Contains(got, `"admin"`) || strings.Contains(got, "hunter2") {
		t.Errorf("a Check that returns the refusal of another request: got %s; want both roles, and not the error", got)
	}
	other := newVerifier(t, keys.HS256(secret), withDebug, func(c *jwtgate.Config) { c.SubjectClaim = "/user/id" })
	d = other.Decide(t.Context(), withBearer(signed(t, claims("iss", `"x"`, "user", `{"id":"1","ID":"2"}`))))
	if got := detailOf(t, d.Response); got != "The access token is not valid." {
		t.Errorf("a claim in two spellings, of another issuer: got %s", got)
	}
	byCookie := newVerifier(t, keys.HS256(secret), withDebug, withCookies)
	for _, code := range []jwtgate.Code{jwtgate.CodeTokenMissing, jwtgate.CodeTokenInvalid} {
		own := &jwtgate.Refusal{Status: 401, Code: code, Detail: "Own.", Err: failure}
		for _, req := range []jwtgate.Request{withBearer(signed(t, claims())), withCookie(jwtgatetest.Token(t, byCookie, "alice"))} {
			d = byCookie.Decide(t.Context(), req, always(false, own))
			if got := detailOf(t, d.Response); got != "Own." || d.Refusal != own {
				t.Errorf("the refusal %s of the application: got %s", code, got)
			}
		}
	}
}

// The refusal of another Auth, which a rule returns, is explained once.
func TestExplainedOnce(t *testing.T) {
	t.Parallel()
	inner := newVerifier(t, keys.HS256(signingSecret), withDebug)
	rule := jwtgate.Check(func(ctx context.Context, _ *jwtgate.Identity) (bool, error) {
		return false, inner.Decide(ctx, withBearer(signed(t, claims("exp", "")))).Refusal
	})
	d := newVerifier(t, keys.HS256(secret), withDebug).Decide(t.Context(), withBearer(signed(t, claims())), rule)
	if got := detailOf(t, d.Response); strings.Count(got, "the signature does not match") != 1 {
		t.Errorf("got %s; want one explanation", got)
	}
}

// A function of the application can return the refusal of another request by another Auth.
// The request that is refused because of it does not explain that refusal.
func TestRefusalOfAnotherRequest(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, withDebug, withCookies)
	inner := newVerifier(t, keys.HS256(secret))
	for _, row := range []struct {
		name string
		req  jwtgate.Request
		want string
	}{
		{"no token", jwtgate.Request{}, "This resource needs an access token."},
		{"no JWT", withBearer("undefined"), "The access token is not valid."},
		{"no exp", withBearer(signed(t, claims("exp", ""))), "The access token is not valid."},
		{"expired", withBearer(signed(t, claims("exp", at(-301)))), "The access token has expired."},
		{"two tokens", withBearer("a b"), "The credentials are not exactly one well-formed token."},
	} {
		refusal := inner.Decide(t.Context(), row.req).Refusal
		refresh := s.signIn("alice").Refresh
		for _, subject := range []struct {
			err            error
			login, refresh string
		}{
			{refusal, "The request cannot be judged at the moment.", "The request cannot be judged at the moment."},
			{errors.Join(jwtgate.ErrNoSubject, refusal), "The name or the password is wrong.", "The session has been ended."},
		} {
			s.setSubject(func(context.Context, string) (jwtgate.Grant, error) { return jwtgate.Grant{}, subject.err })
			if got := detailOf(t, s.tokenEndpoint()(t.Context(), formRequest("username", "alice", "password", "wonderland"))); got != subject.login {
				t.Errorf("%s, login: got %s; want %s", row.name, got, subject.login)
			}
			if got := detailOf(t, s.Auth.Refresh(t.Context(), formRequest("refresh_token", refresh))); got != subject.refresh {
				t.Errorf("%s, refresh: got %s; want %s", row.name, got, subject.refresh)
			}
		}
		s.setSubject(nil)
		for _, answer := range []struct {
			err  error
			want string
		}{
			{refusal, row.want},
			{fmt.Errorf("introspect: %w", refusal), row.want},
			{fmt.Errorf("introspect: %w", refusal.Err), "The request cannot be judged at the moment."},
		} {
			tokens := s.signIn("alice")
			for _, req := range []jwtgate.Request{withBearer(tokens.Access.Token), browser{refresh: tokens.Refresh}.request("GET")} {
				d := s.Decide(t.Context(), req, always(false, answer.err))
				if got := detailOf(t, d.Response); got != answer.want {
					t.Errorf("%s, %v: got %s; want %s", row.name, answer.err, got, answer.want)
				}
			}
		}
	}
}

// Without Debug, and with a Logger that is not enabled at debug level, refusals have no
// explanation.
func TestExplanationsAreOff(t *testing.T) {
	t.Parallel()
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Logger = slog.New(slog.DiscardHandler) })
	for _, row := range []struct {
		req  jwtgate.Request
		want string
	}{
		{jwtgate.Request{}, "token_missing"},
		{withBearer(signed(t, claims())), "insufficient_scope: jwtgate: a rule refuses this identity: a Check of the application"},
	} {
		if got := auth.Decide(t.Context(), row.req, always(false, nil)).Refusal.Error(); got != row.want {
			t.Errorf("got %s; want %s", got, row.want)
		}
	}
}

// Functions for Refuse and error handlers get the explanation.
func TestExplainedToRefuse(t *testing.T) {
	t.Parallel()
	const want = "exp is missing"
	req := withBearer(signed(t, claims("exp", "")))
	seen := ""
	auth := newVerifier(t, keys.HS256(secret), withDebug, func(c *jwtgate.Config) {
		c.Refuse = func(_ context.Context, _ jwtgate.Request, r *jwtgate.Refusal) jwtgate.Response {
			seen = r.Detail
			return jwtgate.Response{Status: http.StatusTeapot}
		}
	})
	auth.Decide(t.Context(), req)
	handOver := newVerifier(t, keys.HS256(secret), withDebug, func(c *jwtgate.Config) { c.Refuse = jwtgate.HandOver })
	var refusal *jwtgate.Refusal
	errors.As(handOver.Decide(t.Context(), req).Response.Err, &refusal)
	if !strings.Contains(seen, want) || !strings.Contains(refusal.Detail, want) || !strings.Contains(refusal.Challenge, want) {
		t.Errorf("got %s, and %+v; want %s", seen, refusal, want)
	}
}

// New warns of Debug, once.
func TestDebugWarning(t *testing.T) {
	t.Parallel()
	for debug, want := range map[bool]int{false: 0, true: 1} {
		var log strings.Builder
		auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Debug, c.Logger = debug, debugLogger(&log) })
		auth.Decide(t.Context(), withBearer("x"))
		auth.Decide(t.Context(), withBearer("x"))
		if got := strings.Count(log.String(), "level=WARN"); got != want || strings.Contains(log.String(), "Debug is set") != debug {
			t.Errorf("Debug %v: got %d warnings, want %d: %s", debug, got, want, &log)
		}
	}
}

// FuzzExplain checks that an explanation never changes what is decided, repeats no part
// of a token, and fits into a challenge.
func FuzzExplain(f *testing.F) {
	f.Add("Bearer "+signed(f, claims("iss", `"x"`)), claims("aud", "[1]"), hs256)
	f.Add("Basic YTpi", claims("sub", "1.5"), `{"alg":"HS256","kid":"\u0022x"}`)
	f.Add(`Bearer "`, claims("exp", "1e300", "realm_access", `{"roles":1}`), `{"alg":"none"}`)
	f.Add("Bearer Bearer", `{"sub":`, `{"alg":"RS256","typ":"x"}`)
	debug := newVerifier(f, keys.HS256(secret), withDebug, withCookies)
	plain := newVerifier(f, keys.HS256(secret), withCookies)
	f.Fuzz(func(t *testing.T, authorization, payload, header string) {
		for _, req := range []jwtgate.Request{
			withField(jwtgate.Request{Method: "GET"}, "Authorization", authorization),
			withField(jwtgate.Request{Method: "POST"}, "Cookie", authorization),
			withBearer(jwtgatetest.Sign(t, "HS256", secret, header, payload)),
			withCookie(jwtgatetest.Sign(t, "HS256", signingSecret, header, payload)),
		} {
			want, got := plain.Decide(t.Context(), req, jwtgate.Role("admin")), debug.Decide(t.Context(), req, jwtgate.Role("admin"))
			if (got.Refusal == nil) != (want.Refusal == nil) || got.Refusal != nil && got.Refusal.Code != want.Refusal.Code {
				t.Fatalf("got %v; want %v", got.Refusal, want.Refusal)
			}
			if got.Refusal == nil {
				continue
			}
			if detail := detailOf(t, got.Response); len(detail) > 2000 || strings.ContainsFunc(detail, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("got the detail %q", detail)
			}
			checkDescription(t, got.Response)
			if token := strings.TrimPrefix(req.First("Authorization"), "Bearer "); len(token) > 100 && strings.Contains(string(got.Response.Body), token[len(token)-43:]) {
				t.Errorf("got the signature in %s", got.Response.Body)
			}
		}
	})
}
