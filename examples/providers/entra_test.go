package providers

import (
	"strings"
	"testing"
)

const (
	tenant      = "11111111-1111-1111-1111-111111111111"
	otherTenant = "22222222-2222-2222-2222-222222222222"
)

// newEntra returns a fake Microsoft Entra ID. Its JWKs have no alg.
func newEntra(t *testing.T, metadata, keys string) *provider {
	t.Helper()
	p := &provider{
		metadata: metadata,
		jwks:     keys,
		jwk: []string{
			`{"kty":"RSA","use":"sig","kid":"nOo3ZDrODXEK1jKWhXslHR_KXEg","x5t":"nOo3ZDrODXEK1jKWhXslHR_KXEg","issuer":"https://login.microsoftonline.com/{tenantid}/v2.0"}`,
			`{"kty":"RSA","use":"sig","kid":"l3sQ-50cCH4xBVZLHTGwnSR7680","x5t":"l3sQ-50cCH4xBVZLHTGwnSR7680","issuer":"https://login.microsoftonline.com/{tenantid}/v2.0"}`,
		},
		header: `{"typ":"JWT","alg":"RS256","kid":"nOo3ZDrODXEK1jKWhXslHR_KXEg"}`,
		claims: `{"aud":"33333333-3333-3333-3333-333333333333","iss":"https://login.microsoftonline.com/` + tenant + `/v2.0","iat":1800000000,"nbf":1800000000,"exp":1800004500,
			"aio":"a","azp":"44444444-4444-4444-4444-444444444444","azpacr":"0","name":"Alice","oid":"55555555-5555-5555-5555-555555555555","preferred_username":"alice@example.com",
			"rh":"r","roles":["Orders.Admin"],"scp":"Orders.Read Orders.Write","sub":"pairwise","tid":"` + tenant + `","uti":"u","ver":"2.0"}`,
	}
	p.start(t)
	return p
}

func TestEntra(t *testing.T) {
	t.Parallel()
	const authority = "https://login.microsoftonline.com/" + tenant
	p := newEntra(t, authority+"/v2.0/.well-known/openid-configuration", authority+"/discovery/v2.0/keys")
	p.test(t, withProviders(secret, entra()), []row{
		{"access token", "", "", "55555555-5555-5555-5555-555555555555 [Orders.Admin] [Orders.Read Orders.Write]"},
		{"access token with a nonce, as Azure AD B2C issues it", "", `{"nonce":"n"}`, "55555555-5555-5555-5555-555555555555 [Orders.Admin] [Orders.Read Orders.Write]"},
		{"access token of an application", "", `{"oid":"66666666-6666-6666-6666-666666666666","scp":null,"roles":["Orders.Read.All"],"idtyp":"app"}`, "66666666-6666-6666-6666-666666666666 [Orders.Read.All] []"},
		{"ID token", "", `{"aud":"44444444-4444-4444-4444-444444444444","azp":null,"azpacr":null,"scp":null,"nonce":"n"}`, invalid},
		{"ID token of an API that is a client too", "", `{"azp":null,"azpacr":null,"scp":null,"nonce":"n"}`, invalid},
		{"for another API", "", `{"aud":"77777777-7777-7777-7777-777777777777"}`, invalid},
		{"of another tenant", "", `{"iss":"https://login.microsoftonline.com/` + otherTenant + `/v2.0","tid":"` + otherTenant + `"}`, invalid},
		{"of version 1.0", "", `{"iss":"https://sts.windows.net/` + tenant + `/","ver":"1.0"}`, invalid},
	})
}

func TestEntraV1(t *testing.T) {
	t.Parallel()
	const authority = "https://login.microsoftonline.com/" + tenant
	p := newEntra(t, authority+"/.well-known/openid-configuration", "https://login.microsoftonline.com/common/discovery/keys")
	p.claims = encode(object(p.claims, `{"iss":"https://sts.windows.net/`+tenant+`/","aud":"api://33333333-3333-3333-3333-333333333333","azp":null,"azpacr":null,"appid":"44444444-4444-4444-4444-444444444444","ver":"1.0"}`))
	p.test(t, withProviders(secret, entraV1()), []row{
		{"access token", `{"x5t":"nOo3ZDrODXEK1jKWhXslHR_KXEg"}`, "", "55555555-5555-5555-5555-555555555555 [Orders.Admin] [Orders.Read Orders.Write]"},
		{"for another API", "", `{"aud":"api://77777777-7777-7777-7777-777777777777"}`, invalid},
		{"of another tenant", "", `{"iss":"https://sts.windows.net/` + otherTenant + `/"}`, invalid},
		{"of version 2.0", "", `{"iss":"https://login.microsoftonline.com/` + tenant + `/v2.0"}`, invalid},
	})
}

func TestEntraTenants(t *testing.T) {
	t.Parallel()
	const third = "99999999-9999-9999-9999-999999999999"
	of := func(tenant string) string {
		return strings.ReplaceAll(`{"iss":"https://login.microsoftonline.com/TENANT/v2.0","tid":"TENANT"}`, "TENANT", tenant)
	}
	const alice = "55555555-5555-5555-5555-555555555555 [Orders.Admin] [Orders.Read Orders.Write]"
	p := newEntra(t, "", "https://login.microsoftonline.com/common/discovery/v2.0/keys")
	p.test(t, withProviders(secret, entraTenants(tenant, otherTenant)), []row{
		{"access token of the first tenant", "", of(tenant), alice},
		{"access token of the second tenant", "", of(otherTenant), alice},
		{"of a tenant that is not listed", "", of(third), invalid},
		{"of the template in the metadata", "", of("{tenantid}"), invalid},
		{"of common", "", of("common"), invalid},
		{"for another API", "", `{"aud":"77777777-7777-7777-7777-777777777777"}`, invalid},
		{"ID token", "", `{"azp":null,"azpacr":null,"scp":null,"nonce":"n"}`, invalid},
	})
}
