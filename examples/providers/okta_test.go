package providers

import "testing"

func TestOkta(t *testing.T) {
	t.Parallel()
	p := &provider{
		metadata: "https://shop.okta.com/oauth2/default/.well-known/openid-configuration",
		jwks:     "https://shop.okta.com/oauth2/default/v1/keys",
		jwk:      []string{`{"kty":"RSA","alg":"RS256","kid":"ZkvelLNseik7w4pcprCcfUfh2hFfiwkDeCrs0iUcQsA","use":"sig"}`},
		header:   `{"kid":"ZkvelLNseik7w4pcprCcfUfh2hFfiwkDeCrs0iUcQsA","alg":"RS256"}`,
		claims: `{"ver":1,"jti":"AT.1","iss":"https://shop.okta.com/oauth2/default","aud":"api://default","iat":1800000000,"exp":1800003600,"cid":"client","uid":"00u1a2b3c4d5e6f7g8h9",
			"scp":["openid","orders.read"],"auth_time":1800000000,"sub":"alice@example.com","groups":["staff"]}`,
	}
	p.start(t)
	p.test(t, withProviders(secret, okta()), []row{
		{"access token", "", "", "00u1a2b3c4d5e6f7g8h9 [staff] [openid orders.read]"},
		{"access token of a machine, without uid", "", `{"sub":"client","uid":null,"groups":null,"scp":["orders.read"]}`, invalid},
		{"ID token", "", `{"jti":"ID.1","aud":"client","sub":"00u1a2b3c4d5e6f7g8h9","uid":null,"cid":null,"scp":null,"at_hash":"h","amr":["pwd"],"preferred_username":"alice@example.com"}`, invalid},
		{"ID token with the audience of the API", "", `{"at_hash":"h"}`, invalid},
		{"for another API", "", `{"aud":"api://orders"}`, invalid},
		{"of another authorization server", "", `{"iss":"https://shop.okta.com/oauth2/aus1a2b3c4d5e6f7g8h9"}`, invalid},
		{"of the org authorization server", "", `{"iss":"https://shop.okta.com","aud":"https://shop.okta.com"}`, invalid},
	})
}
