package providers

import "testing"

func TestZitadel(t *testing.T) {
	t.Parallel()
	p := &provider{
		metadata: "https://shop-ab12cd.zitadel.cloud/.well-known/openid-configuration",
		jwks:     "https://shop-ab12cd.zitadel.cloud/oauth/v2/keys",
		jwk:      []string{`{"use":"sig","kty":"RSA","kid":"344400000000000001","alg":"RS256"}`},
		header:   `{"alg":"RS256","kid":"344400000000000001","typ":"JWT"}`,
		claims: `{"iss":"https://shop-ab12cd.zitadel.cloud","sub":"345377791925026818","aud":["344374200000000000","344374183645413380"],"exp":1800043200,"iat":1800000000,"nbf":1800000000,
			"jti":"V2_1","client_id":"344374200000000000","urn:zitadel:iam:org:project:344374183645413380:roles":{"admin":{"344373908297744388":"shop.example.com"}}}`,
	}
	p.start(t)
	p.test(t, withProviders(secret, zitadel()), []row{
		{"access token", "", "", "345377791925026818 [admin] []"},
		{"access token without roles", "", `{"urn:zitadel:iam:org:project:344374183645413380:roles":null}`, "345377791925026818 [] []"},
		{"access token with the roles of another project", "", `{"urn:zitadel:iam:org:project:344374183645413380:roles":null,"urn:zitadel:iam:org:project:1:roles":{"admin":{"1":"x"}}}`, "345377791925026818 [] []"},
		{"ID token", "", `{"client_id":null,"jti":null,"azp":"344374200000000000","amr":["password"],"auth_time":1800000000,"at_hash":"h"}`, invalid},
		{"ID token with a nonce", "", `{"client_id":null,"jti":null,"azp":"344374200000000000","amr":["password"],"auth_time":1800000000,"nonce":"n"}`, invalid},
		{"for another project", "", `{"aud":["344374200000000000","344374111111111111"]}`, invalid},
		{"of another instance", "", `{"iss":"https://other-ef34gh.zitadel.cloud"}`, invalid},
	})
}
