package jwtgatetest

import (
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/keys"
)

const (
	siteIssuer   = "https://issuer.example"
	siteAudience = "https://site.example"
	siteSecret   = "the secret of every Auth of the suite"
)

// siteTime is the time at which the suite runs, by the clock of every Auth.
var siteTime = time.Unix(2_000_000_000, 0)

// siteAuth returns an Auth for the suite. Each change modifies its
// configuration.
func siteAuth(tb testing.TB, change ...func(*jwtgate.Config)) *jwtgate.Auth {
	tb.Helper()
	config := jwtgate.Config{
		Issuer:   siteIssuer,
		Audience: siteAudience,
		Keys:     keys.HS256([]byte(siteSecret)),
		Now:      NewClock(siteTime).Now,
	}
	for _, apply := range change {
		apply(&config)
	}
	auth, err := jwtgate.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(auth.Close)
	return auth
}

func withCookies(c *jwtgate.Config) { c.Cookies = &jwtgate.CookieConfig{} }

func withOtherKey(c *jwtgate.Config) {
	c.Keys = keys.HS256([]byte("a secret that is not that of the site"))
}

func anHourAgo(c *jwtgate.Config) { c.Now = NewClock(siteTime.Add(-time.Hour)).Now }

// guards returns a list of one Guard.
func guards(auth *jwtgate.Auth, rules ...jwtgate.Rule) []Guard { return []Guard{{auth, rules}} }

// runCredentials tests how the token in a request is found and verified.
func runCredentials(t *testing.T, serve Adapter) {
	auth := siteAuth(t)
	small := siteAuth(t, func(c *jwtgate.Config) { c.MaxTokenSize = 100 })
	good := Token(t, auth, "alice")
	sign := func(header, payload string) string {
		return "Authorization: Bearer " + Sign(t, "HS256", []byte(siteSecret), header, payload)
	}
	const claims = `{"iss":"https://issuer.example","aud":"https://site.example","sub":"alice","exp":2000000900}`
	var (
		bearer    = "Authorization: Bearer " + good
		expired   = "Authorization: Bearer " + Token(t, siteAuth(t, anHourAgo), "alice")
		otherKey  = "Authorization: Bearer " + Token(t, siteAuth(t, withOtherKey), "alice")
		segments  = strings.Split(good, ".")
		missing   = refusal(jwtgate.CodeTokenMissing)
		malformed = refusal(jwtgate.CodeMalformedCredentials)
		invalid   = refusal(jwtgate.CodeTokenInvalid)
	)
	var s stage
	s.addr = serve(t, Site{Routes: []Route{
		{Method: "GET", Path: "/private", Guards: guards(auth), Handler: s.who},
		{Method: "POST", Path: "/private", Guards: guards(auth), Handler: s.who},
		{Method: "HEAD", Path: "/private", Guards: guards(auth), Handler: s.who},
		{Method: "GET", Path: "/small", Guards: guards(small), Handler: s.who},
		{Method: "GET", Path: "/public", Handler: s.who},
	}})
	s.run(t, []row{
		{"good", get("/private", bearer), passed("alice")},
		{"good, public route", get("/public", bearer), passed("nobody")},
		{"good, POST", post("/private", bearer), passed("alice")},
		{"good, HEAD", request("HEAD", "/private", "", bearer), passed("alice")},
		{"none", get("/private"), missing},
		{"none, public route", get("/public"), passed("nobody")},
		{"none, HEAD", request("HEAD", "/private", ""), missing},

		{"name in lower case", get("/private", "authorization: Bearer "+good), passed("alice")},
		{"name in upper case", get("/private", "AUTHORIZATION: Bearer "+good), passed("alice")},
		{"scheme in lower case", get("/private", "Authorization: bearer "+good), passed("alice")},
		{"scheme in upper case", get("/private", "Authorization: BEARER "+good), passed("alice")},
		{"spaces after the scheme", get("/private", "Authorization: Bearer   "+good), passed("alice")},
		{"spaces around the value", get("/private", "Authorization:   Bearer "+good+"  "), passed("alice")},
		{"tabs around the value", get("/private", "Authorization:\tBearer "+good+"\t"), passed("alice")},
		{"folded after the scheme", get("/private", "Authorization: Bearer\r\n "+good), passed("alice").server()},

		{"empty header", get("/private", "Authorization:"), missing},
		{"scheme Basic", get("/private", "Authorization: Basic YWxpY2U6d29uZGVybGFuZA=="), missing},
		{"scheme Bearer2", get("/private", "Authorization: Bearer2 "+good), missing},
		{"no scheme", get("/private", "Authorization: "+good), missing},
		{"in the query", get("/private?access_token=" + good), missing},
		{"in a form", request("POST", "/private", "access_token="+good, "Content-Type: application/x-www-form-urlencoded"), missing},
		{"in a cookie, no cookies configured", get("/private", "Cookie: __Host-at="+good), missing},

		{"scheme alone", get("/private", "Authorization: Bearer"), malformed},
		{"scheme and spaces", get("/private", "Authorization: Bearer  "), malformed},
		{"tab after the scheme", get("/private", "Authorization: Bearer\t"+good), malformed},
		{"two headers", get("/private", bearer, bearer), malformed},
		{"two headers, two spellings", get("/private", bearer, "authorization: Bearer "+good), malformed},
		{"Bearer and Basic", get("/private", bearer, "Authorization: Basic YWxpY2U6d29uZGVybGFuZA=="), malformed},
		{"Bearer and an empty header", get("/private", bearer, "Authorization:"), malformed},
		{"two tokens", get("/private", bearer+" "+good), malformed},
		{"two tokens, comma", get("/private", bearer+", Bearer "+good), malformed},
		{"comma at the end", get("/private", bearer+","), malformed},
		{"in quotes", get("/private", `Authorization: Bearer "`+good+`"`), malformed},
		{"padding alone", get("/private", "Authorization: Bearer ===="), malformed},
		{"beyond ASCII", get("/private", bearer+"é"), malformed},
		{"beyond UTF-8", get("/private", bearer+"\xff"), malformed},
		{"folded", get("/private", bearer+"\r\n "+good), malformed.server()},
		{"line feed", get("/private", bearer+"\n"+good, "X-Trace: 1"), malformed.server()},
		{"carriage return", get("/private", bearer+"\r"+good), malformed.server()},
		{"zero byte", get("/private", bearer+"\x00"), malformed.server()},
		{"delete", get("/private", bearer+"\x7f"), malformed.server()},
		{"long", get("/private", bearer+strings.Repeat("A", 8<<10)), malformed.server()},
		{"longer than configured", get("/small", bearer), malformed},

		{"no JWS", get("/private", "Authorization: Bearer wonderland.example"), invalid},
		{"padded", get("/private", bearer+"="), invalid},
		{"two segments", get("/private", "Authorization: Bearer "+segments[0]+"."+segments[1]), invalid},
		{"five segments", get("/private", bearer+"."+segments[0]+"."+segments[1]), invalid},
		{"signature of another token", get("/private", "Authorization: Bearer "+segments[0]+"."+segments[1]+"."+segments[0]), invalid},
		{"other key", get("/private", otherKey), invalid},
		{"without kid", get("/private", sign(`{"alg":"HS256"}`, claims)), passed("alice")},
		{"no algorithm", get("/private", sign(`{"alg":"none"}`, claims)), invalid},
		{"an ID token", get("/private", sign(`{"alg":"HS256","typ":"id_token"}`, claims)), invalid},
		{"other issuer", get("/private", sign(`{"alg":"HS256"}`, strings.Replace(claims, "issuer", "tissuer", 1))), invalid},
		{"other audience", get("/private", sign(`{"alg":"HS256"}`, strings.Replace(claims, "site", "sight", 1))), invalid},
		{"for ever", get("/private", sign(`{"alg":"HS256"}`, strings.Replace(claims, "exp", "ext", 1))), invalid},
		{"expired", get("/private", expired), refusal(jwtgate.CodeTokenExpired)},
		{"expired, HEAD", request("HEAD", "/private", "", expired), refusal(jwtgate.CodeTokenExpired)},
	})
}
