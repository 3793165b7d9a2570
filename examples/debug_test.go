package examples

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jwtgate/jwtgate/core/jwtgatetest"
)

// TestDebug sends the mistakes of newcomers to all servers with DEBUG=true. The answer
// and the log name the mistake and the setting that is about it.
func TestDebug(t *testing.T) {
	servers := startAll(t, "JWT_KEY="+secret, "DEBUG=true")
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const plain = `{"alg":"HS256"}`
	now := time.Now().Unix()
	with := func(name string, value any) string {
		return bearer(mint(t, plain, map[string]any{name: value}))
	}
	without := func(name string) string { return with(name, nil) } // null counts as absent
	good := mint(t, plain, nil)
	forged := func(header string) string {
		return bearer(jwtgatetest.Sign(t, "HS256", []byte("another secret, of thirty-two bytes or more"), header, `{"iss":"https://auth.example.test"}`))
	}
	refresh := tokens(t, servers[0], "/token", alice, asForm).RefreshToken
	for _, row := range []struct {
		name, method, path, body string
		fields                   []string
		status                   int
		want                     string // parts of the detail in order, separated by " … "
	}{
		{"other iss", "GET", "/me", "", []string{with("iss", "https://other.test")}, 401, `iss is "https://other.test" … "https://auth.example.test" … Config.Issuer`},
		{"iss but for a slash", "GET", "/me", "", []string{with("iss", "https://auth.example.test/")}, 401, `iss is "https://auth.example.test/" … differs from Config.Issuer by a slash at the end`},
		{"no iss", "GET", "/me", "", []string{without("iss")}, 401, `the token has no iss … Config.Issuer`},
		{"other aud", "GET", "/me", "", []string{with("aud", "x")}, 401, `aud is "x" … Config.Audience is "https://api.example.test"`},
		{"no aud", "GET", "/me", "", []string{without("aud")}, 401, `aud is missing … Config.Audience … AudienceClaim`},
		{"no sub", "GET", "/me", "", []string{without("sub")}, 401, `sub is missing … SubjectClaim … OptionalSubject`},
		{"number as sub", "GET", "/me", "", []string{with("sub", 1.5)}, 401, `sub is 1.5 … whole number … SubjectClaim`},
		{"no exp", "GET", "/me", "", []string{without("exp")}, 401, `exp is missing … never expire`},
		{"expired", "GET", "/me", "", []string{with("exp", now-3600)}, 401, `exp is … 1h0m … ago … must be in the future`},
		{"expired by a clock", "GET", "/me", "", []string{with("exp", now-10)}, 401, `exp is … 1 … s ago … Config.Leeway is 0s … clocks differ`},
		{"iat two minutes ahead", "GET", "/me", "", []string{with("iat", now+120)}, 401, `iat is … ahead … Config.ClockSkew is 1m0s`},
		{"30 days of life", "GET", "/me", "", []string{with("exp", now+30*24*3600)}, 401, `Config.MaxLifetime is 24h0m0s`},
		{"HS256 key for an RS256 token", "GET", "/me", "", []string{bearer(jwtgatetest.Sign(t, "RS256", private, `{"alg":"RS256"}`, `{"iss":"https://auth.example.test"}`))}, 401, `alg is "RS256" … the only key in Config.Keys is HS256 … keys.Remote`},
		{"unknown kid", "GET", "/me", "", []string{forged(`{"alg":"HS256","kid":"other"}`)}, 401, `no key with the token's kid "other" … the only key in Config.Keys is HS256 … signed with another secret`},
		{"bad signature", "GET", "/me", "", []string{forged(plain)}, 401, `the signature does not match … Config.Keys … signed with another secret`},
		{"an ID token", "GET", "/me", "", []string{with("at_hash", "h")}, 401, `an ID token … Config.AcceptIDTokens`},
		{"a refresh token", "GET", "/me", "", []string{bearer(refresh)}, 401, `a refresh token of this server`},
		{"no Bearer", "GET", "/me", "", []string{"Authorization: " + good}, 401, `without the word Bearer … Authorization: Bearer`},
		{"two tokens", "GET", "/me", "", []string{bearer(good), bearer(good)}, 400, `more than one Authorization field`},
		{"role missing, none there", "GET", "/admin", "", []string{bearer(good)}, 403, `the route needs the role "admin", and the token has no roles … Config.RoleClaims`},
		{"role spelled otherwise", "GET", "/admin", "", []string{with("roles", []string{"Admin"})}, 403, `the roles "Admin" … upper and lower case matter`},
		{"origin not trusted", "POST", "/notes", `{"text":"x"}`, []string{cookie(good), asJSON, "Origin: https://app.test"}, 403, `Origin is "https://app.test" … Host is "127.0.0.1 … Config.Cookies.TrustedOrigins`},
		{"multipart login", "POST", "/login", "--x--", []string{"Content-Type: multipart/form-data; boundary=x"}, 415, `application/json … application/x-www-form-urlencoded … multipart/form-data`},
		{"email for username", "POST", "/login", "email=alice&password=wonderland", []string{asForm}, 400, `username is missing … has email, but must have username`},
		{"cookies dropped on plain HTTP", "GET", "/me", "", []string{"Host: shop.example.test"}, 401, `no cookie __Host-at … browsers drop Secure cookies of "shop.example.test" … Config.Cookies.InsecureHTTP`},
		{"wrong password", "POST", "/login", "username=alice&password=x", []string{asForm}, 401, `The name or the password is wrong.`},
		{"unknown user", "POST", "/login", "username=mallet&password=x", []string{asForm}, 401, `The name or the password is wrong.`},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, p := range servers {
				status, detail := p.refusal(t, row.method, row.path, row.body, row.fields)
				rest := detail
				for part := range strings.SplitSeq(row.want, " … ") {
					var found bool
					if _, rest, found = strings.Cut(rest, part); !found {
						t.Errorf("%s: got the detail %s; want %s", p.name, detail, row.want)
					}
				}
				if status != row.status {
					t.Errorf("%s: got status %d; want %d", p.name, status, row.status)
				}
				// The log has the same words, with other quotation marks.
				words := strings.FieldsFunc(strings.TrimSuffix(detail, "."), func(r rune) bool { return r == '"' || r == ':' })
				if last := words[len(words)-1]; row.path != "/login" && !p.logs(last) {
					t.Errorf("%s: got no %s in the log", p.name, last)
				}
			}
		})
	}
	for _, p := range servers {
		if got := strings.Count(p.intro+p.log.String(), "Debug is set"); got != 1 {
			t.Errorf("%s: got %d warnings; want one", p.name, got)
		}
		if strings.Contains(p.log.String(), strings.Split(good, ".")[2]) || strings.Contains(p.log.String(), secret) {
			t.Errorf("%s: got a signature or the secret in the log: %s", p.name, &p.log)
		}
	}
}

// refusal sends a request, with a Host field if there is one in fields, and returns the
// status of the answer and the detail of its problem document.
func (p *process) refusal(t *testing.T, method, path, body string, fields []string) (status int, detail string) {
	t.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header[name] = append(req.Header[name], value)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	var problem struct{ Detail string }
	if err == nil {
		err = json.Unmarshal(text, &problem)
	}
	if err != nil {
		t.Fatalf("%s: got %s: %v", p.name, text, err)
	}
	return res.StatusCode, problem.Detail
}

// logs reports whether the log of p has text, or will have it soon.
func (p *process) logs(text string) bool {
	for deadline := time.Now().Add(patience); !strings.Contains(p.log.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}
