package providers

import "testing"

func TestCloudflare(t *testing.T) {
	t.Parallel()
	p := &provider{
		jwks: "https://shop.cloudflareaccess.com/cdn-cgi/access/certs",
		jwk: []string{
			`{"kid":"9338abe1baf2fe492f646a736f25afbf7b025e35c627be4f60c414d4c73069b8","kty":"RSA","alg":"RS256","use":"sig"}`,
			`{"kid":"1a1c3986a44ce6390be42ec772b031df8f433fdc71716db821dc0c39af3bce49","kty":"RSA","alg":"RS256","use":"sig"}`,
		},
		header: `{"alg":"RS256","kid":"9338abe1baf2fe492f646a736f25afbf7b025e35c627be4f60c414d4c73069b8","typ":"JWT"}`,
		claims: `{"aud":["4f1d0c7be5a29386f0b71c2d8e4a6b539d0e1f7a8c6b5d4e3f2a1b0c9d8e7f60"],"email":"alice@example.com","exp":1800086400,"iat":1800000000,"nbf":1800000000,
			"iss":"https://shop.cloudflareaccess.com","type":"app","identity_nonce":"6ei69kawdKzMIAPF","sub":"7335d417-61da-459d-899c-0a01c76a2f94","country":"DE"}`,
		field: "Cf-Access-Jwt-Assertion",
	}
	p.start(t)
	p.test(t, cloudflare(), []row{
		{"application token", "", "", "7335d417-61da-459d-899c-0a01c76a2f94 [] []"},
		{"application token of a service", "", `{"sub":"","common_name":"e367826f93b8d71185e03fe518aff3b4.access","email":null,"identity_nonce":null,"country":null,"nbf":null}`, " [] []"},
		{"application token of another application", "", `{"aud":["0000000000000000000000000000000000000000000000000000000000000000"]}`, invalid},
		{"application token of another team", "", `{"iss":"https://other.cloudflareaccess.com"}`, invalid},
		{"global session token", "", `{"type":"org","aud":["1111111111111111111111111111111111111111111111111111111111111111"]}`, invalid},
	})
}
