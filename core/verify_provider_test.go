package jwtgate_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	jwtgate "github.com/jwtgate/jwtgate/core"
	"github.com/jwtgate/jwtgate/core/jwtgatetest"
	"github.com/jwtgate/jwtgate/core/keys"
)

// TestProviderTokens accepts the access tokens that identity providers and other
// libraries are documented to issue, and refuses their other tokens. Every token is
// signed by a key of its own, so that a row can only fail because of its claims.
func TestProviderTokens(t *testing.T) {
	t.Parallel()
	const (
		invalid = jwtgate.CodeTokenInvalid
		api     = `"aud":"https://api.example.com"`
		iat     = `"iat":1800000000,"exp":1800000900`
		pool    = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x"
		realm   = "https://keycloak.example.com/realms/shop"
		tenant  = "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0"
		other   = "https://login.microsoftonline.com/22222222-2222-2222-2222-222222222222/v2.0"
		auth0   = "https://shop.eu.auth0.com/"
	)
	type trusted = jwtgate.TrustedIssuer
	anyAudience := func(i trusted) trusted { i.InsecureAnyAudience = true; return i }
	tenants := trusted{Match: func(iss string) bool { return iss == tenant }}
	keycloak := trusted{Name: realm, OptionalSubject: true, RoleClaims: []string{"/realm_access/roles", "/resource_access/shop/roles"}}
	id := func(i trusted, client string) trusted { i.Audience, i.AcceptIDTokens = client, true; return i }
	for _, row := range []struct {
		name   string
		issuer trusted
		claims string // without the braces
		want   jwtgate.Code
		who    string // the subject and the roles
	}{
		{"Cognito access token", trusted{Name: pool, AudienceClaim: "client_id", Audience: "app", RoleClaims: []string{"cognito:groups"}}, `"iss":"` + pool + `","sub":"u1","client_id":"app","token_use":"access","scope":"openid","cognito:groups":["admin"],"auth_time":1800000000,"jti":"1",` + iat, accepted, "u1 [admin]"},
		{"Cognito access token of another client", trusted{Name: pool, AudienceClaim: "client_id", Audience: "app"}, `"iss":"` + pool + `","sub":"u1","client_id":"other","token_use":"access",` + iat, invalid, ""},
		{"Cognito ID token", trusted{Name: pool, AudienceClaim: "aud", Audience: "app"}, `"iss":"` + pool + `","sub":"u1","aud":"app","token_use":"id","at_hash":"h",` + iat, invalid, ""},
		{"Clerk session token", trusted{Name: "https://clerk.example.com", AudienceClaim: "azp", Audience: "https://app.example.com", OtherAudiences: []string{"http://localhost:3000"}}, `"iss":"https://clerk.example.com","sub":"user_1","azp":"http://localhost:3000","sid":"sess_1","nbf":1799999990,` + iat, accepted, "user_1 []"},
		{"Clerk session token of another page", trusted{Name: "https://clerk.example.com", AudienceClaim: "azp", Audience: "https://app.example.com"}, `"iss":"https://clerk.example.com","sub":"user_1","azp":"https://evil.example",` + api + `,` + iat, invalid, ""},
		{"web client of one issuer", trusted{Name: "https://idp.example", Audience: "web", OtherAudiences: []string{"mobile"}}, `"iss":"https://idp.example","sub":"u","aud":"web",` + iat, accepted, "u []"},
		{"mobile client of the same issuer", trusted{Name: "https://idp.example", Audience: "web", OtherAudiences: []string{"mobile"}}, `"iss":"https://idp.example","sub":"u","aud":["x","mobile"],` + iat, accepted, "u []"},
		{"third client of the same issuer", trusted{Name: "https://idp.example", Audience: "web", OtherAudiences: []string{"mobile"}}, `"iss":"https://idp.example","sub":"u","aud":"other",` + iat, invalid, ""},

		{"Keycloak 24 with a nonce", keycloak, `"iss":"` + realm + `","sub":"u","typ":"Bearer","nonce":"n","sid":"s","realm_access":{"roles":["user"]},"resource_access":{"shop":{"roles":["buyer"]},"account":{"roles":["manage"]}},` + api + `,` + iat, accepted, "u [user buyer]"},
		{"Keycloak 25, a lightweight token", keycloak, `"iss":"` + realm + `","typ":"Bearer","azp":"shop","scope":"profile",` + api + `,` + iat, accepted, " []"},
		{"Keycloak 25, the subject from another claim", trusted{Name: realm, Audience: "account", SubjectClaim: "preferred_username"}, `"iss":"` + realm + `","typ":"Bearer","preferred_username":"alice","aud":"account",` + iat, accepted, "alice []"},
		{"Keycloak 25, no subject", trusted{Name: realm}, `"iss":"` + realm + `","typ":"Bearer","azp":"shop",` + api + `,` + iat, invalid, ""},
		{"Keycloak ID token without a nonce", keycloak, `"iss":"` + realm + `","sub":"u","typ":"ID",` + api + `,` + iat, invalid, ""},
		{"Keycloak refresh token", keycloak, `"iss":"` + realm + `","sub":"u","typ":"Refresh","scope":"openid",` + api + `,` + iat, invalid, ""},
		{"Keycloak offline token", keycloak, `"iss":"` + realm + `","sub":"u","typ":"Offline",` + api + `,` + iat, invalid, ""},
		{"Keycloak logout token", keycloak, `"iss":"` + realm + `","sub":"u","typ":"Logout","events":{"http://schemas.openid.net/event/backchannel-logout":{}},` + api + `,` + iat, invalid, ""},
		{"security event token", trusted{Name: "https://idp.example"}, `"iss":"https://idp.example","sub":"u","events":{"urn:x":{}},` + api + `,` + iat, invalid, ""},
		{"Azure AD B2C with a nonce", trusted{Name: "https://b2c.example/v2.0/"}, `"iss":"https://b2c.example/v2.0/","sub":"u","nonce":"n","scp":"read","azp":"app","ver":"1.0",` + api + `,` + iat, accepted, "u []"},

		{"Entra ID, a tenant of the list", tenants, `"iss":"` + tenant + `","sub":"s","oid":"o","tid":"1","roles":["admin"],"scp":"read",` + api + `,` + iat, accepted, "s [admin]"},
		{"Entra ID, another tenant", tenants, `"iss":"` + other + `","sub":"s",` + api + `,` + iat, invalid, ""},
		{"Entra ID, the subject that is the same for all applications", trusted{Match: tenants.Match, SubjectClaim: "oid"}, `"iss":"` + tenant + `","sub":"s","oid":"o",` + api + `,` + iat, accepted, "o []"},
		{"Entra ID v1, a second entry for the tenant", trusted{Name: "https://sts.windows.net/1/"}, `"iss":"https://sts.windows.net/1/","sub":"s","appid":"a","ver":"1.0",` + api + `,` + iat, accepted, "s []"},
		{"Auth0", trusted{Name: auth0, RoleClaims: []string{"https://example.com/roles"}}, `"iss":"` + auth0 + `","sub":"auth0|1","azp":"app","scope":"openid","https://example.com/roles":["admin"],"aud":["https://api.example.com","https://shop.eu.auth0.com/userinfo"],"iat":1800000000,"exp":1800086400`, accepted, "auth0|1 [admin]"},
		{"Auth0 without the slash", trusted{Name: strings.TrimSuffix(auth0, "/")}, `"iss":"` + auth0 + `","sub":"auth0|1",` + api + `,` + iat, invalid, ""},
		{"Supabase", trusted{Name: "https://x.supabase.co/auth/v1", Audience: "authenticated", RoleClaims: []string{"role"}}, `"iss":"https://x.supabase.co/auth/v1","sub":"u","aud":"authenticated","role":"authenticated","session_id":"s",` + iat, accepted, "u [authenticated]"},
		{"Supabase service key of ten years", anyAudience(trusted{Name: "supabase", OptionalSubject: true, RoleClaims: []string{"role"}, MaxLifetime: 11 * 365 * 24 * time.Hour}), `"iss":"supabase","ref":"x","role":"service_role","iat":1700000000,"exp":2015360000`, accepted, " [service_role]"},
		{"Supabase service key, MaxLifetime of a day", anyAudience(trusted{Name: "supabase", OptionalSubject: true}), `"iss":"supabase","role":"service_role","iat":1700000000,"exp":2015360000`, invalid, ""},
		{"Zitadel", trusted{Name: "https://x.zitadel.cloud", RoleClaims: []string{"urn:zitadel:iam:org:project:roles"}}, `"iss":"https://x.zitadel.cloud","sub":"u","urn:zitadel:iam:org:project:roles":{"admin":{"123":"org"},"Admin":{}},` + api + `,` + iat, accepted, "u [admin]"},
		{"Cloudflare Access, a user", trusted{Name: "https://x.cloudflareaccess.com", OptionalSubject: true}, `"iss":"https://x.cloudflareaccess.com","sub":"u","email":"a@example.com","type":"app","identity_nonce":"n",` + api + `,` + iat, accepted, "u []"},
		{"Cloudflare Access, a service token", trusted{Name: "https://x.cloudflareaccess.com", OptionalSubject: true}, `"iss":"https://x.cloudflareaccess.com","sub":"","common_name":"svc.access",` + api + `,` + iat, accepted, " []"},

		{"Google ID token", id(trusted{Name: "https://accounts.google.com"}, "c.apps.googleusercontent.com"), `"iss":"https://accounts.google.com","sub":"1","azp":"c.apps.googleusercontent.com","aud":"c.apps.googleusercontent.com","at_hash":"h","email":"a@example.com",` + iat, accepted, "1 []"},
		{"Google ID token, not accepted by name", trusted{Name: "https://accounts.google.com", Audience: "c"}, `"iss":"https://accounts.google.com","sub":"1","aud":"c","at_hash":"h",` + iat, invalid, ""},
		{"Google ID token of another client", id(trusted{Name: "https://accounts.google.com"}, "c"), `"iss":"https://accounts.google.com","sub":"1","aud":"other","at_hash":"h",` + iat, invalid, ""},
		{"Firebase ID token", id(trusted{Name: "https://securetoken.google.com/shop"}, "shop"), `"iss":"https://securetoken.google.com/shop","aud":"shop","sub":"u","user_id":"u","auth_time":1800000000,"nonce":"n","firebase":{"sign_in_provider":"password"},` + iat, accepted, "u []"},
		{"Okta", trusted{Name: "https://x.okta.com/oauth2/default", RoleClaims: []string{"groups"}}, `"iss":"https://x.okta.com/oauth2/default","sub":"alice@example.com","cid":"c","uid":"u","scp":["openid","read"],"groups":["staff"],"ver":1,` + api + `,` + iat, accepted, "alice@example.com [staff]"},
		{"GitHub Actions", trusted{Name: "https://token.actions.githubusercontent.com"}, `"iss":"https://token.actions.githubusercontent.com","sub":"repo:org/name:ref:refs/heads/main","repository":"org/name","jti":"1","nbf":1799999400,` + api + `,"iat":1800000000,"exp":1800000300`, accepted, "repo:org/name:ref:refs/heads/main []"},
		{"Kubernetes service account, for a year", trusted{Name: "https://kubernetes.default.svc", MaxLifetime: 366 * 24 * time.Hour}, `"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:a:b","aud":["https://api.example.com"],"kubernetes.io":{"namespace":"a"},"nbf":1799999000,"iat":1799999000,"exp":1831535000`, accepted, "system:serviceaccount:a:b []"},
		{"Kubernetes service account, MaxLifetime of a day", trusted{Name: "https://kubernetes.default.svc"}, `"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:a:b","aud":["https://api.example.com"],"iat":1799999000,"exp":1831535000`, invalid, ""},
		{"a clock 30 seconds ahead", trusted{Name: "https://idp.example"}, `"iss":"https://idp.example","sub":"u",` + api + `,"nbf":1800000030,"iat":1800000030,"exp":1800000930`, accepted, "u []"},
		{"fractions and an integer subject, as Python and PHP have them", trusted{Name: "https://idp.example"}, `"iss":"https://idp.example","sub":42,` + api + `,"iat":1800000000.123,"exp":1800000900.5`, accepted, "42 []"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.issuer.Keys = keys.ES256(p256Key)
			auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) { c.Trusted = []jwtgate.TrustedIssuer{row.issuer} })
			d := decide(t, auth, withBearer(signedES256(t, "{"+row.claims+"}")), row.want)
			if row.want != accepted {
				return
			}
			if got := who(d.Identity); got != row.who {
				t.Errorf("got %q; want %q", got, row.who)
			}
			// Another key never vouches for the issuer.
			decide(t, auth, withBearer(signed(t, "{"+row.claims+"}")), invalid)
		})
	}
}

// TestTokensOfOtherLibraries accepts the tokens that the documented logins of other Go
// libraries issue.
func TestTokensOfOtherLibraries(t *testing.T) {
	t.Parallel()
	open := func(change func(*jwtgate.Config)) func(*jwtgate.Config) {
		return func(c *jwtgate.Config) {
			c.Issuer, c.InsecureAnyIssuer, c.Audience, c.InsecureAnyAudience = "", true, "", true
			change(c)
		}
	}
	for _, row := range []struct {
		name   string
		change func(*jwtgate.Config)
		claims string
		want   jwtgate.Code
		who    string
	}{
		{"echo-jwt and contrib/jwt", open(func(c *jwtgate.Config) { c.SubjectClaim, c.MaxLifetime = "name", 72*time.Hour }), `{"name":"Jon Snow","admin":true,"exp":1800259200}`, accepted, "Jon Snow []"},
		{"gin-jwt", open(func(c *jwtgate.Config) { c.SubjectClaim, c.RoleClaims = "id", []string{"role"} }), `{"id":"alice","role":"admin","exp":1800003600,"orig_iat":1800000000}`, accepted, "alice [admin]"},
		{"go-chi/jwtauth", open(func(c *jwtgate.Config) { c.SubjectClaim = "user_id" }), `{"user_id":123,"exp":1800000900}`, accepted, "123 []"},
		{"go-chi/jwtauth without exp", open(func(c *jwtgate.Config) { c.SubjectClaim = "user_id" }), `{"user_id":123}`, jwtgate.CodeTokenInvalid, ""},
		{"golang-jwt by hand", func(c *jwtgate.Config) { c.Audience, c.InsecureAnyAudience = "", true }, `{"foo":"bar","iss":"https://auth.example.com","sub":"alice","nbf":1799999999,"iat":1800000000,"exp":1800000900}`, accepted, "alice []"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			d := decide(t, newVerifier(t, keys.HS256(secret), row.change), withBearer(signed(t, row.claims)), row.want)
			if row.want == accepted && who(d.Identity) != row.who {
				t.Errorf("got %q; want %q", who(d.Identity), row.who)
			}
		})
	}
}

// who returns the subject and the roles of id.
func who(id *jwtgate.Identity) string {
	return fmt.Sprint(id.Subject(), " ", slices.AppendSeq([]string{}, id.Roles()))
}

// TestMatchedIssuers checks that a function decides about an issuer only if no name
// does, and only about the tokens that the keys of its group have signed.
func TestMatchedIssuers(t *testing.T) {
	t.Parallel()
	const named, matched = "https://named.example", "https://tenant.example/1"
	groupSecret := []byte(strings.Repeat("the group's secret ", 3))
	var asked []string
	auth := newVerifier(t, keys.HS256(secret), func(c *jwtgate.Config) {
		c.Trusted = []jwtgate.TrustedIssuer{
			{Match: func(iss string) bool { asked = append(asked, iss); return strings.HasPrefix(iss, "https://") }, Keys: keys.HS256(groupSecret).WithID("g"), Audience: "group"},
			{Name: named, Keys: keys.ES256(p256Key)},
		}
	})
	group := func(changes ...string) string {
		return jwtgatetest.Sign(t, "HS256", groupSecret, `{"alg":"HS256","kid":"g"}`, claims(append([]string{"aud", `["group","` + audience + `"]`}, changes...)...))
	}
	for _, row := range []row{
		{"a matched issuer", group("iss", strconv.Quote(matched)), accepted},
		{"an issuer that does not match", group("iss", `"http://tenant.example"`), jwtgate.CodeTokenInvalid},
		{"without iss", group("iss", ""), jwtgate.CodeTokenInvalid},
		{"a named issuer", group("iss", strconv.Quote(named)), jwtgate.CodeTokenInvalid},
		{"our own name", group(), jwtgate.CodeTokenInvalid},
		{"the named issuer's key for a matched issuer", signedES256(t, claims("iss", strconv.Quote(matched), "aud", `"group"`)), jwtgate.CodeTokenInvalid},
		{"our own key for a matched issuer", signed(t, claims("iss", strconv.Quote(matched), "aud", `"group"`)), jwtgate.CodeTokenInvalid},
		{"our own", signed(t, claims()), accepted},
		{"the named issuer's", signedES256(t, claims("iss", strconv.Quote(named))), accepted},
	} {
		decide(t, auth, withBearer(row.text), row.want)
	}
	for _, name := range []string{"", issuer, named} {
		if slices.Contains(asked, name) {
			t.Errorf("Match was called for %q", name)
		}
	}
}
