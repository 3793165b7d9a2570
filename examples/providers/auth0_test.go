package providers

import "testing"

func TestAuth0(t *testing.T) {
	t.Parallel()
	p := &provider{
		metadata: "https://shop.eu.auth0.com/.well-known/openid-configuration",
		jwks:     "https://shop.eu.auth0.com/.well-known/jwks.json",
		jwk:      []string{`{"alg":"RS256","kty":"RSA","use":"sig","kid":"hJ3kQ0vXnT5sZ8wY1bLrM","x5t":"hJ3kQ0vXnT5sZ8wY1bLrM"}`},
		header:   `{"alg":"RS256","typ":"JWT","kid":"hJ3kQ0vXnT5sZ8wY1bLrM"}`,
		claims: `{"iss":"https://shop.eu.auth0.com/","sub":"auth0|123456","aud":["https://api.example.com","https://shop.eu.auth0.com/userinfo"],"azp":"client",
			"scope":"openid read:orders","permissions":["read:orders"],"https://example.com/roles":["admin"],"iat":1800000000,"exp":1800086400}`,
	}
	p.start(t)
	p.test(t, withProviders(secret, auth0()), []row{
		{"access token", "", "", "auth0|123456 [admin] [openid read:orders]"},
		{"access token of the RFC 9068 profile", `{"typ":"at+jwt"}`, `{"azp":null,"client_id":"client","jti":"j"}`, "auth0|123456 [admin] [openid read:orders]"},
		{"access token of a machine", "", `{"sub":"client@clients","aud":"https://api.example.com","gty":"client-credentials","scope":null,"https://example.com/roles":null}`, "client@clients [] []"},
		{"ID token", "", `{"aud":"client","azp":null,"scope":null,"nonce":"n"}`, invalid},
		{"ID token of an API that is a client too", "", `{"aud":"https://api.example.com","azp":null,"scope":null,"nonce":"n"}`, invalid},
		{"for another API", "", `{"aud":["https://other.example.com","https://shop.eu.auth0.com/userinfo"]}`, invalid},
		{"of another tenant", "", `{"iss":"https://other.eu.auth0.com/"}`, invalid},
	})
}
